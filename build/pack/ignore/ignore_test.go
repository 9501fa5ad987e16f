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

// A recorded case is a text of .vscodeignore, or items of "files", one per line.
type recorded struct {
	name   string // ignore/… or files/…
	text   string
	listed []string // output of vsce ls
	unused []string // items that vsce package reports as unused
}

const cases = "testdata/rules.txtar"

// readCases reads testdata/rules.txtar. Each of its files has the text, a line of equals signs,
// the listed files and, for items of "files", another such line and the unused items.
func readCases(t *testing.T) []recorded {
	t.Helper()
	archive, err := txtar.ParseFile(cases)
	if err != nil {
		t.Fatal(err)
	}
	var all []recorded
	for _, f := range archive.Files {
		text, rest, _ := strings.Cut(string(f.Data), "====\n")
		listed, unused, _ := strings.Cut(rest, "====\n")
		all = append(all, recorded{f.Name, text, lines(listed), lines(unused)})
	}
	return all
}

// folder returns the paths of the files in the folder of all cases.
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

func (c recorded) isFiles() bool { return strings.HasPrefix(c.name, "files/") }

func (c recorded) rules() *Rules {
	if c.isFiles() {
		return ParseFiles(lines(c.text), "")
	}
	return Parse(c.text, "")
}

// TestRecorded compares the rules with the output of vsce as recorded by
//
//	go test -tags e2e -run TestRecord -update ./build/pack/ignore
func TestRecorded(t *testing.T) {
	paths, all := folder(t), readCases(t)
	if len(all) < 50 {
		t.Errorf("%d cases", len(all))
	}
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			rules := c.rules()
			listed := slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return !rules.Includes(p) })
			if !slices.Equal(listed, c.listed) {
				t.Errorf("listed\n%q, want\n%q", listed, c.listed)
			}
			if unused := rules.Unused(listed); !slices.Equal(unused, c.unused) {
				t.Errorf("unused %q, want %q", unused, c.unused)
			}
			checkBelow(t, rules, paths)
		})
	}
}

// checkBelow checks that MayIncludeBelow returns true for the parent folders of each included
// path. It returns the number of folders for which it is false.
func checkBelow(t *testing.T, rules *Rules, paths []string) (skipped int) {
	t.Helper()
	for _, p := range paths {
		for dir := path.Dir(p); ; dir = path.Dir(dir) {
			if !rules.MayIncludeBelow(dir) {
				skipped++
				if rules.Includes(p) {
					t.Errorf("%q is included, but MayIncludeBelow(%q) is false", p, dir)
				}
			}
			if dir == "." {
				break
			}
		}
	}
	return skipped
}

// TestMayIncludeBelow tries random rules on all paths of up to four segments.
func TestMayIncludeBelow(t *testing.T) {
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
		t.Errorf("only %d folders are skipped", skipped)
	}
}

func TestMayIncludeBelowCases(t *testing.T) {
	rules := Parse("node_modules/**\nsrc\n!src/keep/*.js\n", "docs/R.md")
	for dir, want := range map[string]bool{
		"": true, ".": true, "lib": true, ".git": false, "lib/.git/objects": false, "node_modules": false,
		"node_modules/a/b": false, "src": true, "src/keep": true, "src/keep/deep": false, "src/other": false, "docs": true,
	} {
		if got := rules.MayIncludeBelow(dir); got != want {
			t.Errorf("%q: %v", dir, got)
		}
	}
}

func TestReadme(t *testing.T) {
	rules := Parse("**", "docs/R.md")
	for p, want := range map[string]bool{"docs/R.md": true, "README.md": false, "package.json": true, "docs/r.md": false} {
		if got := rules.Includes(p); got != want {
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
		rules := ParseFiles([]string{text}, "")
		rules.Unused([]string{p})
		if !rules.Includes("package.json") {
			t.Error("package.json is not included")
		}
	})
}
