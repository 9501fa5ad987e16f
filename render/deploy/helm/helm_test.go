package helm

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestWrite checks that every file of the chart is written, also those whose names begin with a dot
// or an underscore.
func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "chart")
	if err := Write(dir, "v1.2.3"); err != nil {
		t.Fatal(err)
	}
	want, got := tree(t, os.DirFS(Chart)), tree(t, os.DirFS(dir))
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, name := range []string{"templates/_helpers.tpl", ".helmignore", "values.schema.json"} {
		if !slices.Contains(got, name) {
			t.Errorf("the chart has no %s", name)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, metadata))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\nversion: \"1.2.3\"\n") || !strings.Contains(string(text), "\nappVersion: \"v1.2.3\"\n") {
		t.Errorf("Chart.yaml of v1.2.3:\n%s", text)
	}
}

func tree(t *testing.T, folder fs.FS) (names []string) {
	t.Helper()
	err := fs.WalkDir(folder, ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestWriteRefuses checks that a chart is never mixed with other files.
func TestWriteRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "values.yaml"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Write(dir, "v1"); err == nil || err.Error() != dir+": the folder is not empty" {
		t.Errorf("got %v", err)
	}
	if names := tree(t, os.DirFS(dir)); len(names) != 1 {
		t.Errorf("it has written %q", names)
	}
	if err := Write(filepath.Join(dir, "values.yaml"), "v1"); err == nil {
		t.Error("it accepts a file as the folder")
	}
}

func TestStamp(t *testing.T) {
	const text = "version: 0.1.0\n# a comment\nappVersion: development\n"
	for version, want := range map[string]string{
		"v1.2.3":     "version: \"1.2.3\"\n# a comment\nappVersion: \"v1.2.3\"\n",
		"0123456789": "version: 0.1.0\n# a comment\nappVersion: \"0123456789\"\n", // a commit, and not a number
	} {
		if got := string(stamp([]byte(text), version)); got != want {
			t.Errorf("%s: got %q, want %q", version, got, want)
		}
	}
}
