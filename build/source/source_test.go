package source

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

const packageText = "PK\x03\x04 the rest of a package"

// tree creates files in a new folder, changes the working directory to it, and returns its path.
// A name that ends in a slash is a folder.
func tree(t *testing.T, names ...string) string {
	t.Helper()
	root := realPath(t.TempDir())
	for _, name := range names {
		path := filepath.Join(root, name)
		dir := filepath.Dir(path)
		if strings.HasSuffix(name, "/") {
			dir = path
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if dir != path {
			write(t, path, packageText)
		}
	}
	t.Chdir(root)
	return root
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
}

// expand returns the paths of the items relative to the working directory, and the problems as
// text.
func expand(t *testing.T, c Config, args ...string) (paths, problems []string) {
	t.Helper()
	items, found, err := Expand(t.Context(), args, c)
	if err != nil {
		t.Fatal(err)
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		path, err := filepath.Rel(wd, i.Path)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, filepath.ToSlash(path))
	}
	for _, p := range found {
		problems = append(problems, p.Name+": "+p.Err.Error())
	}
	return paths, problems
}

func wantList(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n\t%s\nwant\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestLocal(t *testing.T) {
	files := []string{
		"m/acme/hello/1.0.0/acme.hello-1.0.0.vsix",
		"m/acme/hello/1.0.0/extension/package.json",
		"m/acme/hello/1.1.0@linux-x64/acme.hello-1.1.0@linux-x64.VSIX",
		"m/.hidden/x.vsix",
		"m/._acme.vsix",
		"b.vsix", "a.vsix", "notes.txt", "odd[1].vsix", ".dot/d.vsix",
		"src/package.json", "empty/", "download", "out/extension.vsixmanifest", "out/extension/x.vsix",
	}
	hello, linux := files[0], files[2]
	tests := map[string]struct {
		args     []string
		paths    []string
		problems []string
	}{
		"nothing":             {},
		"file":                {args: []string{"a.vsix"}, paths: []string{"a.vsix"}},
		"folder":              {args: []string{"m"}, paths: []string{hello, linux}},
		"a hidden source":     {args: []string{".dot"}, paths: []string{".dot/d.vsix"}},
		"sorted, once":        {args: []string{"b.vsix", "./m/../a.vsix", "a.vsix", "m", "m/acme"}, paths: []string{"a.vsix", "b.vsix", hello, linux}},
		"brackets in a path":  {args: []string{"odd[1].vsix"}, paths: []string{"odd[1].vsix"}},
		"package by content":  {args: []string{"download"}, paths: []string{"download"}},
		"glob":                {args: []string{"[ab].vsix"}, paths: []string{"a.vsix", "b.vsix"}},
		"glob in depth":       {args: []string{"m/**/*-1.0*.vsix"}, paths: []string{hello}},
		"glob of folders":     {args: []string{"m/acme/*/1.1*"}, paths: []string{linux}},
		"glob ignores others": {args: []string{"{notes,a}*"}, paths: []string{"a.vsix"}},
		"glob below a parent": {args: []string{"m/acme/../../?.vsix"}, paths: []string{"a.vsix", "b.vsix"}},
		"glob, no match":      {args: []string{"m/*.zip", "a.vsix"}, paths: []string{"a.vsix"}, problems: []string{"m/*.zip: the glob matches no .vsix file"}},
		"glob, malformed":     {args: []string{"x[.vsix"}, problems: []string{"x[.vsix: the glob is malformed: a bracket or brace is not closed"}},
		"missing":             {args: []string{"zzzzzzzz", "a.vsix"}, paths: []string{"a.vsix"}, problems: []string{"zzzzzzzz: no such file or directory"}},
		"missing, twice":      {args: []string{"zzzzzzzz", "zzzzzzzz"}, problems: []string{"zzzzzzzz: no such file or directory"}},
		"misspelt":            {args: []string{"A.vsxi"}, problems: []string{`A.vsxi: no such file or directory; did you mean "a.vsix"?`}},
		"without suffix":      {args: []string{"m/acme/hello/1.0.0/acme.hello-1.0.0"}, problems: []string{`m/acme/hello/1.0.0/acme.hello-1.0.0: no such file or directory; did you mean "` + hello + `"?`}},
		"empty name":          {args: []string{""}, problems: []string{`"": the source is empty`}},
		"empty folder":        {args: []string{"empty"}, problems: []string{"empty: the folder contains no .vsix file"}},
		"extension folder":    {args: []string{"src"}, problems: []string{"src: the folder contains no .vsix file; if it is the source of an extension, package it with galbuild package src"}},
		"unpacked extension":  {args: []string{"out"}, problems: []string{"out: the folder contains no .vsix file; it is an unpacked extension: package it with galbuild package out/extension"}},
		"a list without @":    {args: []string{"notes.txt"}, problems: []string{`notes.txt: not a .vsix file; if it is a list of sources, write "@notes.txt"`}},
		"other scheme":        {args: []string{"ftp://host/x.vsix"}, problems: []string{"ftp://host/x.vsix: want a URL that begins with http://HOST/ or https://HOST/, found ftp://host"}},
		"no downloads folder": {args: []string{"https://u:p@host/x.vsix"}, problems: []string{"https://host/x.vsix: no folder for downloads is set"}},
	}
	if runtime.GOOS == "windows" {
		t.Skip("expectations are written with slashes")
	}
	tree(t, files...)
	write(t, "notes.txt", "a.vsix\n")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			paths, problems := expand(t, Config{}, tt.args...)
			wantList(t, "paths", paths, tt.paths...)
			wantList(t, "problems", problems, tt.problems...)
		})
	}
}

func TestItem(t *testing.T) {
	root := tree(t, "m/p/x.vsix")
	items, _, err := Expand(t.Context(), []string{"./m"}, Config{})
	if err != nil || len(items) != 1 {
		t.Fatal(items, err)
	}
	info, err := os.Stat("m/p/x.vsix")
	if err != nil {
		t.Fatal(err)
	}
	want := Item{Name: filepath.Join("m", "p", "x.vsix"), Path: filepath.Join(root, "m", "p", "x.vsix"), Size: int64(len(packageText)), ModTime: info.ModTime(), Origin: "p/x.vsix"}
	if items[0] != want {
		t.Errorf("got %+v, want %+v", items[0], want)
	}
}

func TestSidecars(t *testing.T) {
	tree(t, "m/a.vsix", "m/a.vsix.json", "m/a.sigzip", "m/b.VSIX", "m/b.VSIX.json", "m/b.sigzip", "m/c.vsix", "m/c.vsix.json/", "m/aa.sigzip")
	when := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	if err := os.Chtimes("m/a.vsix.json", when, when); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"m"}, {"m/a.vsix", "m/b.VSIX", "m/c.vsix"}} {
		items, problems, err := Expand(t.Context(), args, Config{})
		if err != nil || len(problems) != 0 || len(items) != 3 {
			t.Fatal(items, problems, err)
		}
		a, b, c := items[0], items[1], items[2]
		if a.Sidecar == nil || a.Sidecar.Path != a.Path+".json" || !a.Sidecar.ModTime.Equal(when) || a.Sidecar.Size != int64(len(packageText)) {
			t.Errorf("%v: a has sidecar %+v", args, a.Sidecar)
		}
		if a.Signature == nil || filepath.Base(a.Signature.Path) != "a.sigzip" {
			t.Errorf("%v: a has signature %+v", args, a.Signature)
		}
		if b.Sidecar == nil || b.Signature == nil {
			t.Errorf("%v: b has sidecar %v, signature %v", args, b.Sidecar, b.Signature)
		}
		if c.Sidecar != nil || c.Signature != nil {
			t.Errorf("%v: c has sidecar %v, signature %v", args, c.Sidecar, c.Signature)
		}
	}
}

func TestLinks(t *testing.T) {
	tree(t, "m/z/real.vsix", "m/z/deep/", "elsewhere/other.vsix", "store/1")
	link(t, "z", "m/a")                      // another path of the same folder
	link(t, "..", "m/z/deep/up")             // a cycle
	link(t, "../elsewhere", "m/elsewhere")   // out of the source
	link(t, "../elsewhere", "m/elsewhere-2") // a second link to the same folder
	link(t, "../store/1", "m/linked.vsix")   // a file under another name
	link(t, "nowhere", "m/gone.vsix")
	link(t, "nowhere", "m/gone.txt")
	paths, problems := expand(t, Config{}, "m")
	wantList(t, "paths", paths, "m/elsewhere/other.vsix", "m/linked.vsix", "m/z/real.vsix")
	wantList(t, "problems", problems, filepath.Join("m", "gone.vsix")+": no such file or directory")

	paths, problems = expand(t, Config{}, "m/a", "m/elsewhere", "elsewhere", "m/a/real.vsix", "m/**/r*.vsix")
	wantList(t, "paths of links", paths, "elsewhere/other.vsix", "m/z/real.vsix")
	wantList(t, "problems of links", problems)
}

func TestSkip(t *testing.T) {
	root := tree(t, "a.vsix", "out/site/files/b.vsix", "out/c.vsix")
	link(t, "out/site", "again")
	for _, skip := range []string{"out/site", filepath.Join(root, "out", "site"), "again"} {
		for _, source := range []string{".", "**/*.vsix", "{a.vsix,out}", "*"} {
			paths, problems := expand(t, Config{Skip: skip}, source)
			wantList(t, "paths of "+source, paths, "a.vsix", "out/c.vsix")
			wantList(t, "problems of "+source, problems)
		}
	}
	_, problems := expand(t, Config{Skip: "out/site"}, "again")
	wantList(t, "problems", problems, "again: it is the site to be written, which cannot be a source")
}

func TestMissingIsErrNotExist(t *testing.T) {
	tree(t)
	_, problems, err := Expand(t.Context(), []string{"missing.vsix"}, Config{})
	if err != nil || len(problems) != 1 {
		t.Fatal(problems, err)
	}
	if !errors.Is(problems[0].Err, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", problems[0].Err)
	}
}

func TestCancelled(t *testing.T) {
	tree(t, "a.vsix")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	items, problems, err := Expand(ctx, []string{"a.vsix", "*", "."}, Config{})
	if !errors.Is(err, context.Canceled) || items != nil || problems != nil {
		t.Errorf("got %v, %v, %v", items, problems, err)
	}
}
