package modules

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"

	"galbuild/build/pack/finding"
)

var update = flag.Bool("update", false, "write what is found to testdata")

// A testCase is one of testdata/*/*.txtar: a folder, and what is said about it.
// The extension is in the folder ext, if there is one. These files are not part
// of it:
//
//	links     symbolic links, one a line: name -> target
//	only      Options.Only, one a line
//	npm       what npm list prints, below the folder; a line with ! is a problem that makes it fail
//	vsce      the folders that vsce ls takes with yarn; a line with ! is its error
//	folders   what is wanted instead
//	lenient   why its problems are none here
//	strict    why there is an error although it has none
//	findings  what is wanted beside the folders
type testCase struct {
	name, path, kind string
	archive          *txtar.Archive
}

var notFiles = []string{"links", "only", "npm", "vsce", "folders", "lenient", "strict", "findings"}

func cases(t *testing.T, kind string) []testCase {
	t.Helper()
	paths, err := filepath.Glob("testdata/" + kind + "/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases for %s: %v", kind, err)
	}
	var all []testCase
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, testCase{strings.TrimSuffix(filepath.Base(path), ".txtar"), path, kind, archive})
	}
	return all
}

func (c testCase) section(name string) (text string, ok bool) {
	for _, f := range c.archive.Files {
		if f.Name == name {
			return string(f.Data), true
		}
	}
	return "", false
}

func (c testCase) lines(name string) []string {
	text, _ := c.section(name)
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
}

// set replaces a section, or writes it at the end. Findings are left out if there
// are none.
func (c testCase) set(t *testing.T, name, text string) {
	t.Helper()
	c.archive.Files = slices.DeleteFunc(c.archive.Files, func(f txtar.File) bool { return f.Name == name })
	if text != "" || name != "findings" {
		c.archive.Files = append(c.archive.Files, txtar.File{Name: name, Data: []byte(text)})
	}
	if err := os.WriteFile(c.path, txtar.Format(c.archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (c testCase) files() fstest.MapFS {
	all := fstest.MapFS{}
	for _, f := range c.archive.Files {
		if !slices.Contains(notFiles, f.Name) {
			all[f.Name] = &fstest.MapFile{Data: f.Data}
		}
	}
	for _, line := range c.lines("links") {
		name, target, _ := strings.Cut(line, " -> ")
		all[name] = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink}
	}
	return all
}

// ext is the folder that the extension is in.
func (c testCase) ext() string {
	if _, ok := c.section("ext/package.json"); ok {
		return "ext"
	}
	return "."
}

func (c testCase) run(t *testing.T) ([]string, []finding.Finding) {
	t.Helper()
	dir, err := fs.Sub(c.files(), c.ext())
	if err != nil {
		t.Fatal(err)
	}
	text, err := fs.ReadFile(dir, "package.json")
	if err != nil {
		t.Fatal(err)
	}
	folders, findings, err := Folders(dir, text, Options{Yarn: c.kind == "yarn", Only: c.lines("only")})
	if err != nil {
		t.Fatal(err)
	}
	return folders, findings
}

// TestFolders compares with what npm and vsce said.
func TestFolders(t *testing.T) {
	for kind, recorded := range map[string]string{"npm": "npm", "yarn": "vsce"} {
		for _, c := range cases(t, kind) {
			t.Run(kind+"/"+c.name, func(t *testing.T) {
				folders, findings := c.run(t)
				c.checkFolders(t, folders, recorded)
				c.checkErrors(t, findings, recorded)
				c.checkFindings(t, findings)
			})
		}
	}
}

func isProblem(line string) bool { return strings.HasPrefix(line, "!") }

func (c testCase) checkFolders(t *testing.T, got []string, recorded string) {
	t.Helper()
	if _, ok := c.section(recorded); !ok {
		t.Fatalf("%s: not recorded", recorded)
	}
	want := slices.DeleteFunc(c.lines(recorded), isProblem)
	if _, ok := c.section("folders"); ok {
		want = c.lines("folders")
	}
	if !slices.Equal(got, want) {
		t.Errorf("got folders\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// checkErrors wants one error for each of the recorded problems.
func (c testCase) checkErrors(t *testing.T, findings []finding.Finding, recorded string) {
	t.Helper()
	got, want := 0, 0
	for _, f := range findings {
		if !f.Warning {
			got++
		}
	}
	for _, line := range c.lines(recorded) {
		if isProblem(line) && !strings.HasPrefix(line, "! code ELSPROBLEMS") && !strings.HasPrefix(line, "! extraneous: ") {
			want++
		}
	}
	if _, lenient := c.section("lenient"); lenient {
		want = 0
	}
	if _, strict := c.section("strict"); strict {
		want++
	}
	if got != want {
		t.Errorf("errors: got %d, want %d: %q", got, want, findings)
	}
}

func (c testCase) checkFindings(t *testing.T, findings []finding.Finding) {
	t.Helper()
	var b bytes.Buffer
	for _, f := range findings {
		severity := "error"
		if f.Warning {
			severity = "warning"
		}
		b.WriteString(severity + ": " + f.String() + "; " + f.Way + "\n")
	}
	if *update {
		c.set(t, "findings", b.String())
	}
	if want, _ := c.section("findings"); b.String() != want {
		t.Errorf("got findings\n%swant\n%s", b.String(), want)
	}
}

func TestNoJSON(t *testing.T) {
	for _, text := range []string{"", "[]", "null", `{"name":`, "\uFEFF{}"} {
		if _, _, err := Folders(fstest.MapFS{}, []byte(text), Options{}); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func TestUsesYarn(t *testing.T) {
	for name, want := range map[string]bool{
		"yarn.lock": true, ".yarnrc": true, ".yarnrc.yaml": true, ".pnp.cjs": true, ".yarn/releases/yarn.cjs": true,
		".yarnrc.yml": false, "package-lock.json": false, "sub/yarn.lock": false,
	} {
		if got := UsesYarn(fstest.MapFS{name: {}}, nil); got != want {
			t.Errorf("%s: got %t, want %t", name, got, want)
		}
	}
}

// TestDeep nests 200 packages, each of which needs the next.
func TestDeep(t *testing.T) {
	const depth = 200
	files := fstest.MapFS{}
	dir := ""
	for range depth {
		dir += "node_modules/a/"
		files[dir+"package.json"] = &fstest.MapFile{Data: []byte(`{"version":"1.0.0","dependencies":{"a":"1"}}`)}
	}
	for _, yarn := range []bool{false, true} {
		folders, findings, err := Folders(files, []byte(`{"dependencies":{"a":"1"}}`), Options{Yarn: yarn})
		if len(folders) != depth || len(findings) != 0 || err != nil {
			t.Errorf("yarn %t: %d folders, %q, %v", yarn, len(folders), findings, err)
		}
	}
}

// TestLinkLoop has links that lead to each other, through each other, to themselves
// and away.
func TestLinkLoop(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "node_modules"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{
		"a": "b", "b": "a", "c": "c", "d": "d/e", "@s": "@s", "f": "/elsewhere", "g": "../../../../../../../..",
	} {
		if err := os.Symlink(target, filepath.Join(dir, "node_modules", name)); err != nil {
			t.Skip(err)
		}
	}
	folders, _, err := Folders(os.DirFS(dir), []byte(`{}`), Options{})
	if want := []string{"node_modules/g"}; !slices.Equal(folders, want) || err != nil {
		t.Errorf("got %q, %v", folders, err)
	}
}

// TestAbsoluteLink has a link as Windows makes them. It counts what developers need,
// and finds what lies in the extension's node_modules.
func TestAbsoluteLink(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"lib/package.json":            `{"version":"1.0.0","devDependencies":{"d":"1"}}`,
		"node_modules/d/package.json": `{"version":"1.0.0"}`,
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "lib"), filepath.Join(dir, "node_modules", "lib")); err != nil {
		t.Skip(err)
	}
	folders, findings, err := Folders(os.DirFS(dir), []byte(`{"dependencies":{"lib":"file:lib"},"devDependencies":{"d":"1"}}`), Options{})
	if want := []string{"node_modules/d", "node_modules/lib"}; !slices.Equal(folders, want) || len(findings) != 0 || err != nil {
		t.Errorf("got %q, %q, %v", folders, findings, err)
	}
}

// FuzzFolders finds that no package.json, of the extension or of a package, makes
// it panic or hang, that the folders are sorted, and that they exist.
func FuzzFolders(f *testing.F) {
	f.Add([]byte(`{"dependencies":{"a":"^1","@s/b":"npm:x@2"},"workspaces":["lib/*","!lib/b"],"overrides":{"a":{".":"1"}}}`), []byte(`{"name":"a","version":"1.0.0"}`))
	f.Add([]byte(`{"dependencies":[],"peerDependencies":{"a":1},"peerDependenciesMeta":{"a":{"optional":true}}}`), []byte(`{"dependencies":{"..":"1","a":"file:.."}}`))
	f.Fuzz(func(t *testing.T, root, other []byte) {
		dir := fstest.MapFS{}
		for _, name := range []string{"node_modules/a", "node_modules/@s/b", "node_modules/a/node_modules/c", "lib/d"} {
			dir[name+"/package.json"] = &fstest.MapFile{Data: other}
		}
		dir["node_modules/d"] = &fstest.MapFile{Data: []byte("../lib/d"), Mode: fs.ModeSymlink}
		for _, yarn := range []bool{false, true} {
			folders, _, err := Folders(dir, root, Options{Yarn: yarn})
			if err != nil && folders != nil || !slices.IsSorted(folders) {
				t.Fatalf("%q, %v", folders, err)
			}
			for _, folder := range folders {
				if info, err := fs.Stat(dir, folder); err != nil || !info.IsDir() {
					t.Errorf("%q is no folder", folder)
				}
			}
		}
	})
}
