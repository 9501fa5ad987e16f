package modules

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"

	"galbuild/build/pack/finding"
)

var update = flag.Bool("update", false, "write results to testdata")

// A testCase is one of testdata/*/*.txtar: a folder with the expected results. The extension is
// in the folder named ext, or in all of the folder if there is none. These files are not part
// of the folder:
//
//	links     symbolic links, one per line: name -> target
//	only      Options.PackagedDependencies, one per line
//	npm       recorded paths from npm list; a line with ! is a problem with which it fails
//	vsce      recorded folders from vsce ls with yarn; a line with ! is its error
//	folders   the expected folders if they differ from the recorded ones, and always for pnpm
//	          and bun, which vsce does not use; "location <- source" if these differ
//	lenient   the reason why the recorded problems are not errors here
//	strict    the reason for an error that is not recorded
//	findings  the expected findings
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

// set replaces a section, or appends it. It removes an empty section of findings.
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

// ext returns the folder of the extension.
func (c testCase) ext() string {
	for _, f := range c.archive.Files {
		if dir := path.Dir(f.Name); path.Base(dir) == "ext" && path.Base(f.Name) == "package.json" {
			return dir
		}
	}
	return "."
}

func (c testCase) run(t *testing.T) ([]Folder, []finding.Finding) {
	t.Helper()
	dir := Dir{FS: c.files(), Path: c.ext()}
	text, err := fs.ReadFile(dir.FS, path.Join(dir.Path, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	folders, findings, err := Folders(dir, text, Options{Manager: Manager(c.kind), PackagedDependencies: c.lines("only")})
	if err != nil {
		t.Fatal(err)
	}
	return folders, findings
}

func lines(all []string) string {
	text := ""
	for _, line := range all {
		text += line + "\n"
	}
	return text
}

func formatFolders(folders []Folder) (all []string) {
	for _, f := range folders {
		all = append(all, f.String())
	}
	return all
}

// TestFolders compares folders and errors with those recorded from npm and vsce.
func TestFolders(t *testing.T) {
	for kind, recorded := range map[string]string{"npm": "npm", "yarn": "vsce", "pnpm": "folders", "bun": "folders"} {
		for _, c := range cases(t, kind) {
			t.Run(kind+"/"+c.name, func(t *testing.T) {
				folders, findings := c.run(t)
				c.checkFolders(t, formatFolders(folders), recorded)
				c.checkErrors(t, findings, recorded)
				c.checkFindings(t, findings)
				if len(folders) > 0 {
					c.checkRuns(t, folders)
				}
			})
		}
	}
}

// checkRuns checks that each package finds the same dependencies in the .vsix, which has no
// links, as on disk, except those that are not included.
func (c testCase) checkRuns(t *testing.T, folders []Folder) {
	t.Helper()
	disk := newTree(Dir{FS: c.files(), Path: c.ext()})
	packed := map[string]string{".": disk.ext} // folders on disk, by location
	for _, f := range folders {
		packed[f.Location], _ = disk.follow(".", strings.Split(path.Join(disk.ext, f.Source), "/"))
	}
	for location, real := range packed {
		for _, d := range sorted(disk.manifest(real).deps) {
			to := disk.resolve(real, d.name, true)
			if to == nil || d.isPeer() || c.leavesOut(disk, real, d.name) {
				continue
			}
			if got := look(packed, location, d.name); got != to.real {
				t.Errorf("%s needs %s and finds %q, on disk %q", location, d.name, got, to.real)
			}
		}
	}
}

// leavesOut reports whether a dependency is not included, or is another copy: with
// Options.PackagedDependencies; for npm if it is also a development dependency; and for yarn if
// it belongs to a linked folder.
func (c testCase) leavesOut(disk *tree, real, name string) bool {
	_, dev := disk.manifest(real).dev[name]
	return len(c.lines("only")) > 0 && real == disk.ext ||
		c.kind == "npm" && dev ||
		c.kind == "yarn" && !within(disk.top, real)
}

// look searches the parent folders of a location as Node.js does.
func look(packed map[string]string, location, name string) string {
	for ; ; location = path.Dir(location) {
		if real, ok := packed[path.Join(location, "node_modules", name)]; ok || location == "." {
			return real
		}
	}
}

func isProblem(line string) bool { return strings.HasPrefix(line, "!") }

func (c testCase) checkFolders(t *testing.T, got []string, recorded string) {
	t.Helper()
	if *update && recorded == "folders" {
		c.set(t, recorded, lines(got))
	}
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

// checkErrors expects one error for each recorded problem.
func (c testCase) checkErrors(t *testing.T, findings []finding.Finding, recorded string) {
	t.Helper()
	if recorded == "folders" {
		return
	}
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
		b.WriteString(severity + ": " + f.String() + "; " + f.Hint + "\n")
	}
	if *update {
		c.set(t, "findings", b.String())
	}
	if want, _ := c.section("findings"); b.String() != want {
		t.Errorf("got findings\n%swant\n%s", b.String(), want)
	}
}

func TestInvalidJSON(t *testing.T) {
	for _, text := range []string{"", "[]", "null", `{"name":`, "\uFEFF{}"} {
		if _, _, err := Folders(Dir{FS: fstest.MapFS{}, Path: "."}, []byte(text), Options{}); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

// TestDeep has 200 nested packages, each of which depends on the next.
func TestDeep(t *testing.T) {
	const depth = 200
	files := fstest.MapFS{}
	dir := ""
	for range depth {
		dir += "node_modules/a/"
		files[dir+"package.json"] = &fstest.MapFile{Data: []byte(`{"version":"1.0.0","dependencies":{"a":"1"}}`)}
	}
	for _, m := range managers {
		folders, findings, err := Folders(Dir{FS: files, Path: "."}, []byte(`{"dependencies":{"a":"1"}}`), Options{Manager: m})
		if len(folders) != depth || len(findings) != 0 || err != nil {
			t.Errorf("%s: %d folders, %q, %v", m, len(folders), findings, err)
		}
	}
}

var managers = []Manager{NPM, Yarn, Pnpm, Bun}

// onDisk calls OnDisk.
func onDisk(t *testing.T, dir string) Dir {
	t.Helper()
	a, err := OnDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestLinkLoop has cycles of links, a link to itself, and links out of the folder.
func TestLinkLoop(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "node_modules"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{
		"a": "b", "b": "a", "c": "c", "d": "d/e", "@s": "@s", "f": "/elsewhere", "g": "../..",
	} {
		if err := os.Symlink(target, filepath.Join(dir, "node_modules", name)); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"node_modules/g"}
	for _, a := range []Dir{onDisk(t, dir), {FS: os.DirFS(dir), Path: "."}} {
		folders, _, err := Folders(a, []byte(`{}`), Options{})
		if !slices.Equal(formatFolders(folders), want) || err != nil {
			t.Errorf("got %q, %v", folders, err)
		}
	}
}

// TestAbsoluteLink has an absolute link, as on Windows. The development dependencies of its
// target are included, and found in the extension's node_modules.
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
		t.Fatal(err)
	}
	folders, findings, err := Folders(onDisk(t, dir), []byte(`{"dependencies":{"lib":"file:lib"},"devDependencies":{"d":"1"}}`), Options{})
	if want := []string{"node_modules/d", "node_modules/lib"}; !slices.Equal(formatFolders(folders), want) || len(findings) != 0 || err != nil {
		t.Errorf("got %q, %q, %v", folders, findings, err)
	}
}

// TestVolume has links to two volumes of Windows. Only one of them is in the file system.
func TestVolume(t *testing.T) {
	files := fstest.MapFS{
		"lib/package.json":                  {Data: []byte(`{"version":"1.0.0","dependencies":{"own":"1"}}`)},
		"lib/node_modules/own/package.json": {Data: []byte(`{"version":"1.0.0"}`)},
		"ext/node_modules/lib":              {Data: []byte(`c:\lib`), Mode: fs.ModeSymlink},
	}
	for volume, want := range map[string][]string{
		"C:": {"node_modules/lib", "node_modules/own <- ../lib/node_modules/own"},
		"D:": nil, // the link leads to another disk, which a file system in memory does not follow
	} {
		a := Dir{FS: files, Path: "ext", Volume: volume}
		folders, _, err := Folders(a, []byte(`{"dependencies":{"lib":"file:../lib"}}`), Options{})
		if !slices.Equal(formatFolders(folders), want) || err != nil {
			t.Errorf("%s: got %q, %v", volume, formatFolders(folders), err)
		}
	}
}

// FuzzFolders checks that Folders neither panics nor hangs, whatever the package.json of the
// extension and of its packages, and that the folders are sorted and exist.
func FuzzFolders(f *testing.F) {
	f.Add([]byte(`{"dependencies":{"a":"^1","@s/b":"npm:x@2"},"workspaces":["lib/*","!lib/b"],"overrides":{"a":{".":"1"}}}`), []byte(`{"name":"a","version":"1.0.0"}`))
	f.Add([]byte(`{"dependencies":[],"peerDependencies":{"a":1},"peerDependenciesMeta":{"a":{"optional":true}}}`), []byte(`{"dependencies":{"..":"1","a":"file:.."}}`))
	f.Fuzz(func(t *testing.T, root, other []byte) {
		dir := fstest.MapFS{}
		for _, name := range []string{"node_modules/a", "ext/node_modules/@s/b", "ext/node_modules/a/node_modules/c", "ext/lib/d", "d"} {
			dir[name+"/package.json"] = &fstest.MapFile{Data: other}
		}
		dir["package.json"] = &fstest.MapFile{Data: []byte(`{"workspaces":["*"]}`)}
		dir["ext/node_modules/d"] = &fstest.MapFile{Data: []byte("../../d"), Mode: fs.ModeSymlink}
		for _, m := range managers {
			folders, _, err := Folders(Dir{FS: dir, Path: "ext"}, root, Options{Manager: m})
			if err != nil && folders != nil {
				t.Fatalf("%q, %v", folders, err)
			}
			for i, folder := range folders {
				if i > 0 && folder.Location <= folders[i-1].Location {
					t.Errorf("%q comes after %q", folder, folders[i-1])
				}
				if info, err := fs.Stat(dir, path.Join("ext", folder.Source)); err != nil || !info.IsDir() {
					t.Errorf("%q is not a folder", folder.Source)
				}
			}
		}
	})
}
