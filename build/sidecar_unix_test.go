//go:build unix

package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"galbuild/build/catalog"
	"galbuild/build/site"
)

// TestSidecarIsNotAFile puts a named pipe and a device in the place of a sidecar. The build does
// not wait for them, and the extension keeps its identity.
func TestSidecarIsNotAFile(t *testing.T) {
	dir, err := site.Lock(filepath.Join(t.TempDir(), "site"))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	const id = "11111111-1111-4111-8111-111111111111"
	file := filepath.Join(t.TempDir(), "hello.vsix")
	sidecar := file + ".json"
	last, generation := &catalog.Catalog{}, "first"
	for name, put := range map[string]func() error{
		"named pipe": func() error { return syscall.Mkfifo(sidecar, 0o600) },
		"device":     func() error { return os.Symlink(os.DevNull, sidecar) },
	} {
		pkg := archive(t, map[string]string{"extension/package.json": helloJSON})
		if err := errors.Join(os.WriteFile(file, pkg, 0o600), os.WriteFile(sidecar, []byte(`{"extensionId":"`+id+`"}`), 0o600)); err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			result, err := Run(context.Background(), Config{
				Sources: []string{file}, Settings: catalog.Settings{Unpack: "web"}, Site: dir, Generation: generation,
				Old: func() (*catalog.Catalog, error) { return last, nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			last = result.Catalog
			if e := last.Find("acme.hello"); e == nil || e.UUID != id {
				t.Errorf("%s: the extension is %+v", name, e)
			}
			warned := fmt.Sprint(result.Report.Warnings)
			if i == 1 && !strings.Contains(warned, "hello.vsix.json is left out: not a regular file; the gallery keeps the values") {
				t.Errorf("%s: warnings %s", name, warned)
			}
			if err := os.RemoveAll(sidecar); err != nil {
				t.Fatal(err)
			}
			if err := put(); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Remove(sidecar); err != nil {
			t.Fatal(err)
		}
	}
}
