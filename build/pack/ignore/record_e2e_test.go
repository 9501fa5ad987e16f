//go:build e2e

package ignore

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"galbuild/cmd/e2e/toolchain"
)

var update = flag.Bool("update", false, "record the output of vsce")

// TestRecord runs the real vsce for the cases of testdata/rules.txtar. It compares the output
// with the recorded one, or records it with -update.
func TestRecord(t *testing.T) {
	vsce := toolchain.Tools(t).StartVSCE(t)
	archive := &txtar.Archive{}
	for _, c := range readCases(t) {
		dir := t.TempDir()
		for _, p := range folder(t) {
			write(t, dir, p, "x")
		}
		if c.isFiles() {
			write(t, dir, "package.json", manifest(t, lines(c.text)))
		} else {
			write(t, dir, "package.json", manifest(t, nil))
			write(t, dir, ".vscodeignore", c.text)
		}
		got := recorded{name: c.name, text: c.text}
		listed := vsce.Run(t, dir, "ls", "--no-dependencies")
		if len(listed.Errors) > 0 {
			t.Fatalf("%s: vsce ls: %q", c.name, listed.Errors)
		}
		got.listed = slices.DeleteFunc(lines(listed.Output), func(s string) bool { return s == ".vscodeignore" })
		slices.Sort(got.listed)
		if c.isFiles() {
			got.unused = unused(vsce.Run(t, dir, "package", "--no-dependencies", "-o", filepath.Join(t.TempDir(), "x.vsix")))
		}
		if !*update && (!slices.Equal(got.listed, c.listed) || !slices.Equal(got.unused, c.unused)) {
			t.Errorf("%s: recorded\n%+v, but vsce printed\n%+v", c.name, c, got)
		}
		archive.Files = append(archive.Files, got.file())
	}
	if *update {
		if err := os.WriteFile(cases, txtar.Format(archive), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func (c recorded) file() txtar.File {
	parts := []string{c.text, strings.Join(append(c.listed, ""), "\n"), strings.Join(append(c.unused, ""), "\n")}
	return txtar.File{Name: c.name, Data: []byte(strings.TrimSuffix(strings.Join(parts, "====\n"), "====\n"))}
}

// unused reads the items of "files" in an error of vsce.
func unused(result toolchain.Result) []string {
	_, list, _ := strings.Cut(strings.Join(result.Errors, "\n"), "do not match any files")
	var items []string
	for _, line := range lines(list) {
		if item, ok := strings.CutPrefix(line, "  - "); ok {
			items = append(items, item)
		}
	}
	return items
}

func manifest(t *testing.T, files []string) string {
	t.Helper()
	fields := map[string]any{"name": "x", "publisher": "x", "version": "1.0.0", "engines": map[string]string{"vscode": "^1.90.0"}}
	if files != nil {
		fields["files"] = files
	}
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
