//go:build e2e

package mime

import (
	"archive/zip"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/cmd/e2e/toolchain"
)

var update = flag.Bool("update", false, "record the output of vsce")

// TestNode compares Extension with extname of Node.js, and TypeByExtension with the npm package
// mime.
func TestNode(t *testing.T) {
	var names []string
	for name := range extensions {
		names = append(names, name)
	}
	for ext := range types() {
		names = append(names, "a."+ext, "a."+strings.ToUpper(ext), "a."+ext+"x")
	}
	var want [][2]string
	tools := toolchain.Tools(t)
	tools.RunScript(t, names, &want, "testdata/record.js", filepath.Dir(tools.VSCE))
	if len(want) != len(names) {
		t.Fatalf("%d results for %d names", len(want), len(names))
	}
	for i, name := range names {
		if ext := Extension(name); ext != want[i][0] || TypeByExtension(ext) != want[i][1] {
			t.Errorf("%q: %q, %q, want %q", name, ext, TypeByExtension(ext), want[i])
		}
	}
}

// TestVsce compares testdata/content_types.xml with the output of vsce, or records it with
// -update.
func TestVsce(t *testing.T) {
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "a.vsix")
	for _, entry := range entries {
		name := strings.Replace(strings.TrimPrefix(entry, "extension/"), "readme.md", "README.md", 1)
		content := "text"
		if name == "package.json" {
			content = `{"name": "types", "publisher": "test", "version": "1.0.0", "engines": {"vscode": "^1.90.0"}}`
		}
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	tools := toolchain.Tools(t)
	vsce := exec.Command(tools.Node, tools.VSCE, "package", "--no-dependencies", "--allow-missing-repository", "--skip-license", "-o", out)
	vsce.Dir, vsce.Env = dir, tools.Environ()
	if printed, err := vsce.CombinedOutput(); err != nil {
		t.Fatalf("vsce package: %v\n%s", err, printed)
	}
	z, err := zip.OpenReader(out)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f, err := z.Open("[Content_Types].xml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/content_types.xml"
	if *update {
		err = os.WriteFile(golden, got, 0o644)
	}
	want, readErr := os.ReadFile(golden)
	if err := errors.Join(err, readErr); err != nil || string(got) != string(want) {
		t.Errorf("got\n%swant\n%s(%v)", got, want, err)
	}
}
