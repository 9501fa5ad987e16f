package pack_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// A folder is one of testdata/folders/*.txtar: an extension's folder and the results of
// packing it. Its comment is a sentence that states the rule, an empty line, and lines
//
//	args: --target linux-x64        arguments of vsce; "quoted" if they have spaces
//	means: --target linux-x64       equivalent arguments, if vsce reads package.json's "vsce"
//	dir: empty/folder               an empty folder
//	in: packages/ext                path of the extension, if it is not the whole folder
//	link: d/link -> ../target       a symbolic link
//	mode: 0755 bin/run              permissions of a file
//	raw: "name" "content"           a file that txtar cannot represent, with Go's quotes
//	needs: linux                    the GOOS that supports the names or links
//	finds: text                     text in one of the findings
//	differs: PART…: reason          parts that differ from vsce on purpose, see merge
//
// Paths are relative to the whole folder. Files below want/ are the recorded result of vsce,
// and those below ours/ are the expected parts that differ, in the format of record. All others
// are files of the extension. A new case is written by hand without results, which are added by
//
//	go test -tags e2e -run 'TestRecords/NAME' ./build/pack -update
//	go test -run 'TestFolders/NAME' ./build/pack -update
type folder struct {
	path    string
	comment string
	args    []string
	means   []string // nil is the same as args
	dirs    []string
	in      string      // path of the extension's folder
	links   [][2]string // name, target
	modes   map[string]os.FileMode
	needs   string
	finds   []string
	differs map[string]string // part: reason

	files []txtar.File // the extension's
	want  []txtar.File // names without want/
	ours  []txtar.File // names without ours/
	base  []txtar.File // want of the folder base; nil for that one
}

// base is a minimal folder. Results of other folders refer to its documents if they are the
// same.
const base = "testdata/folders/base.txtar"

// folders calls test for every folder in testdata, with base first.
func folders(t *testing.T, test func(*testing.T, *folder)) {
	t.Helper()
	paths, err := filepath.Glob("testdata/folders/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no folders in testdata (%v)", err)
	}
	paths = append([]string{base}, slices.DeleteFunc(paths, func(path string) bool { return filepath.ToSlash(path) == base })...)
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			f, err := readFolder(path)
			if err != nil {
				t.Fatal(err)
			}
			if f.needs != "" && f.needs != runtime.GOOS {
				t.Skipf("needs %s", f.needs)
			}
			test(t, f)
		})
	}
}

func readFolder(path string) (*folder, error) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		return nil, err
	}
	f := &folder{path: path, comment: string(archive.Comment), modes: map[string]os.FileMode{}, differs: map[string]string{}}
	_, lines, _ := strings.Cut(f.comment, "\n\n")
	for line := range strings.Lines(lines) {
		if err := f.parse(strings.TrimSpace(line)); err != nil {
			return nil, fmt.Errorf("%s: %q: %w", path, line, err)
		}
	}
	for _, file := range archive.Files {
		if name, ok := strings.CutPrefix(file.Name, "want/"); ok {
			f.want = append(f.want, txtar.File{Name: name, Data: file.Data})
		} else if name, ok := strings.CutPrefix(file.Name, "ours/"); ok {
			f.ours = append(f.ours, txtar.File{Name: name, Data: file.Data})
		} else {
			f.files = append(f.files, file)
		}
	}
	if filepath.ToSlash(path) == base {
		return f, nil
	}
	b, err := readFolder(base)
	if err == nil {
		f.base = b.want
	}
	return f, err
}

// parse reads a line of the comment.
func (f *folder) parse(line string) (err error) {
	key, value, _ := strings.Cut(line, ": ")
	switch key {
	case "args":
		f.args, err = words(value)
	case "means":
		f.means, err = words(value)
	case "dir":
		f.dirs = append(f.dirs, value)
	case "in":
		f.in = value
	case "link":
		name, target, _ := strings.Cut(value, " -> ")
		f.links = append(f.links, [2]string{name, target})
	case "mode":
		mode, name, _ := strings.Cut(value, " ")
		var bits uint64
		bits, err = strconv.ParseUint(mode, 8, 9)
		f.modes[name] = os.FileMode(bits)
	case "raw":
		var raw []string
		if raw, err = words(value); err == nil && len(raw) != 2 {
			err = fmt.Errorf("want a name and a content, got %d words", len(raw))
		}
		if err == nil {
			f.files = append(f.files, txtar.File{Name: raw[0], Data: []byte(raw[1])})
		}
	case "needs":
		f.needs = value
	case "finds":
		f.finds = append(f.finds, value)
	case "differs":
		parts, reason, _ := strings.Cut(value, ": ")
		for _, part := range strings.Fields(parts) {
			f.differs[part] = reason
		}
	default:
		err = errors.New("unknown key")
	}
	return err
}

// words splits s at spaces outside Go's double quotes.
func words(s string) ([]string, error) {
	all := []string{}
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		if s[0] != '"' {
			var word string
			word, s, _ = strings.Cut(s, " ")
			all = append(all, word)
			continue
		}
		quoted, err := strconv.QuotedPrefix(s)
		if err != nil {
			return nil, err
		}
		word, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, err
		}
		all, s = append(all, word), s[len(quoted):]
	}
	return all, nil
}

// packArgs returns the arguments that options reads.
func (f *folder) packArgs() []string {
	if f.means != nil {
		return f.means
	}
	return f.args
}

// unpack writes the files to a temporary folder and returns the path of the extension.
func (f *folder) unpack(t *testing.T) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "extension")
	try := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	try(os.Mkdir(root, 0o755))
	for _, dir := range f.dirs {
		try(os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	for _, file := range f.files {
		path := filepath.Join(root, file.Name)
		try(os.MkdirAll(filepath.Dir(path), 0o755))
		if _, err := os.Lstat(path); err == nil {
			t.Fatalf("%q exists already: does it need a case-sensitive file system?", file.Name)
		}
		try(os.WriteFile(path, file.Data, 0o644))
	}
	for name, mode := range f.modes {
		try(os.Chmod(filepath.Join(root, name), mode))
	}
	for _, link := range f.links {
		path := filepath.Join(root, link[0])
		try(os.MkdirAll(filepath.Dir(path), 0o755))
		try(os.Symlink(link[1], path))
	}
	return filepath.Join(root, filepath.FromSlash(f.in))
}

// write writes the file in testdata with new results.
func (f *folder) write(want, ours []txtar.File) error {
	archive := &txtar.Archive{Comment: []byte(f.comment)}
	raw := strings.Count("\n"+f.comment, "\nraw: ")
	archive.Files = append(archive.Files, f.files[raw:]...)
	for _, file := range want {
		archive.Files = append(archive.Files, txtar.File{Name: "want/" + file.Name, Data: file.Data})
	}
	for _, file := range ours {
		archive.Files = append(archive.Files, txtar.File{Name: "ours/" + file.Name, Data: file.Data})
	}
	text := txtar.Format(archive)
	if old, err := os.ReadFile(f.path); err == nil && bytes.Equal(old, text) {
		return nil
	}
	return os.WriteFile(f.path, text, 0o644)
}
