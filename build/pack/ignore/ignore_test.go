package ignore

import (
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// A recorded case is a text of .vscodeignore or, one a line, items of "files".
type recorded struct {
	name   string // ignore/… or files/…
	text   string
	packed []string // what vsce ls says
	unused []string // what vsce package says of the items
}

const cases = "testdata/rules.txtar"

// readCases reads testdata/rules.txtar. There, what vsce says comes after the text
// and a line of equals signs; after another, the unused items.
func readCases(t *testing.T) []recorded {
	t.Helper()
	archive, err := txtar.ParseFile(cases)
	if err != nil {
		t.Fatal(err)
	}
	var all []recorded
	for _, f := range archive.Files {
		text, rest, _ := strings.Cut(string(f.Data), "====\n")
		packed, unused, _ := strings.Cut(rest, "====\n")
		all = append(all, recorded{f.Name, text, lines(packed), lines(unused)})
	}
	return all
}

// folder returns the paths of the folder that the cases are about.
func folder(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/paths.txt")
	if err != nil {
		t.Fatal(err)
	}
	return lines(string(text))
}

func lines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
}

func (c recorded) ofFiles() bool { return strings.HasPrefix(c.name, "files/") }

func (c recorded) rules() *Rules {
	if c.ofFiles() {
		return Files(lines(c.text), "")
	}
	return Parse(c.text, "")
}

// TestRecorded compares with what vsce said when
//
//	go test -tags e2e -run TestRecord -update ./build/pack/ignore
//
// last ran.
func TestRecorded(t *testing.T) {
	paths, all := folder(t), readCases(t)
	if len(all) < 50 {
		t.Errorf("%d cases", len(all))
	}
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			rules := c.rules()
			packed := slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return !rules.Packed(p) })
			if !slices.Equal(packed, c.packed) {
				t.Errorf("packed\n%q, vsce says\n%q", packed, c.packed)
			}
			if unused := rules.Unused(packed); !slices.Equal(unused, c.unused) {
				t.Errorf("unused %q, vsce says %q", unused, c.unused)
			}
			checkBelow(t, rules, paths)
		})
	}
}

// checkBelow checks that Below is true of each folder above a packed path, and
// returns how many folders it is false of.
func checkBelow(t *testing.T, rules *Rules, paths []string) (skipped int) {
	t.Helper()
	for _, p := range paths {
		for dir := path.Dir(p); ; dir = path.Dir(dir) {
			if !rules.Below(dir) {
				skipped++
				if rules.Packed(p) {
					t.Errorf("%q is packed, but nothing below %q", p, dir)
				}
			}
			if dir == "." {
				break
			}
		}
	}
	return skipped
}

// TestBelow tries random rules on all paths of up to four segments.
func TestBelow(t *testing.T) {
	names := []string{"a", "b", ".git"}
	var paths []string
	for level, above := 0, []string{""}; level < 4; level++ {
		var here []string
		for _, dir := range above {
			for _, name := range names {
				here = append(here, path.Join(dir, name))
			}
		}
		paths, above = append(paths, here...), here
	}
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	skipped := 0
	for range 2000 {
		var text strings.Builder
		for range 1 + random.IntN(4) {
			text.WriteString(pick("", "", "", "!", "!!"))
			for range random.IntN(5) {
				text.WriteString(pick("a", "b", "**", "*", ".git", "!(a)", "?", "{a,b/a}", "a*", "..") + "/")
			}
			text.WriteString(pick("**", "a", "*", "") + "\n")
		}
		if skipped += checkBelow(t, Parse(text.String(), ""), paths); t.Failed() {
			t.Fatalf("with\n%s", &text)
		}
	}
	if skipped < 10_000 {
		t.Errorf("%d folders with nothing below", skipped)
	}
}

func TestBelowFolders(t *testing.T) {
	rules := Parse("node_modules/**\nsrc\n!src/keep/*.js\n", "docs/R.md")
	for dir, want := range map[string]bool{
		"": true, ".": true, "lib": true, ".git": false, "lib/.git/objects": false, "node_modules": false,
		"node_modules/a/b": false, "src": true, "src/keep": true, "src/keep/deep": false, "src/other": false, "docs": true,
	} {
		if got := rules.Below(dir); got != want {
			t.Errorf("%q: %v", dir, got)
		}
	}
}

func TestReadme(t *testing.T) {
	rules := Parse("**", "docs/R.md")
	for p, want := range map[string]bool{"docs/R.md": true, "README.md": false, "package.json": true, "docs/r.md": false} {
		if got := rules.Packed(p); got != want {
			t.Errorf("%q: %v", p, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("src\r\n!src/a\n# x", "src/a")
	f.Fuzz(func(t *testing.T, text, p string) {
		if p = strings.TrimPrefix(path.Clean("/"+p), "/"); p == "" || len(text) > 100 || len(p) > 100 {
			return
		}
		checkBelow(t, Parse(text, ""), []string{p})
		rules := Files([]string{text}, "")
		rules.Unused([]string{p})
		if !rules.Packed("package.json") {
			t.Error("no package.json")
		}
	})
}
