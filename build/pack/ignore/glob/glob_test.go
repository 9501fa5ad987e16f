package glob

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	pathpkg "path"
	"strings"
	"testing"
)

// An answer is minimatch's about one pattern.
type answer struct {
	Pattern string   `json:"pattern"`
	Yes     []string `json:"yes"`
	No      []string `json:"no"`
	Error   string   `json:"error,omitempty"`
}

func (a answer) check(t *testing.T) {
	t.Helper()
	p := Compile(a.Pattern)
	for want, paths := range map[bool][]string{true: a.Yes, false: a.No} {
		for _, path := range paths {
			if got := p.Match(path); got != want {
				t.Errorf("%q on %q: %v, minimatch says %v", a.Pattern, path, got, want)
			}
		}
	}
}

// TestMinimatch compares with what minimatch answered when
//
//	go test -tags e2e -run TestRecord -update ./build/pack/ignore/glob
//
// last ran.
func TestMinimatch(t *testing.T) {
	file, err := os.Open("testdata/minimatch.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cases := 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var a answer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		a.check(t)
		cases += len(a.Yes) + len(a.No)
	}
	if cases < 5000 {
		t.Errorf("%d cases", cases)
	}
}

// TestBounded has patterns that grow without limit, or that a matcher which goes
// back would never finish.
func TestBounded(t *testing.T) {
	name := strings.Repeat("a", 200)
	for what, pattern := range map[string]string{
		"stars":       strings.Repeat("*a", 2000) + "b",
		"repeats":     strings.Repeat("+(", 3) + "*(a|aa)*(a|aa)" + strings.Repeat(")", 3) + "b",
		"deep groups": strings.Repeat("*(", 10_000),
		"closed":      strings.Repeat("*(a", 200) + strings.Repeat(")", 200),
		"mixed":       strings.Repeat("*(a|aa*(aaa|", 100) + strings.Repeat(")", 200) + "b",
		"negations":   "a" + strings.Repeat("!(b)", 10),
		"too many":    "a" + strings.Repeat("!(b)", 30),
		"lists":       strings.Repeat("{a,b}", 30),
		"deep lists":  strings.Repeat("{a,", 1000) + strings.Repeat("}", 1000),
		"no lists":    strings.Repeat("{a", 10_000) + strings.Repeat("}", 10_000),
		"long range":  "{1..999999999999999999999999}",
		"wide range":  "{" + strings.Repeat("0", 30_000) + "..9999}",
		"folders":     strings.Repeat("**/a/", 2000) + "b",
		"very long":   strings.Repeat("a", longest+1),
	} {
		t.Run(what, func(t *testing.T) {
			if Compile(pattern).Match(name) && !strings.Contains("closed negations", what) {
				t.Error("fits")
			}
		})
	}
}

// TestOwnReading has what this package reads in another way than minimatch, see
// the package comment.
func TestOwnReading(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{`x\|y*`, "x|yz", true}, {`x\|y*`, "xfoo", false}, {`@(a\|b)`, "a|b", true}, {`@(a\|b)`, "a", false},
		{"a-[[:alpha:]]", "a-b", true}, {"a-[[:alpha:]]", "a-1", false}, {"[[:alpha:]], #!", "é, #!", true},
		{"x/!(b)@()", "x/a@()", true}, {"x/!(b)@()", "x/a", false},
	} {
		if got := Compile(c.pattern).Match(c.path); got != c.want {
			t.Errorf("%q on %q: %v", c.pattern, c.path, got)
		}
	}
}

func TestUnicode(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"?", "😀", false}, {"??", "😀", true}, {"x[[:alpha:]]?", "xa😀", true}, {"x[[:alpha:]]??", "xa😀", false},
		{"?", "\xff", true}, {"[😀]", "😀", false}, {"*😀", "a😀", true}, {"[a-é]x", "éx", true},
	} {
		if got := Compile(c.pattern).Match(c.path); got != c.want {
			t.Errorf("%q on %q: %v", c.pattern, c.path, got)
		}
	}
}

// FuzzMatch: nothing panics, !! changes nothing, and Covers and Reaches keep their
// word.
func FuzzMatch(f *testing.F) {
	for _, p := range []string{"a", "**/*.md", "!(a|b)c", "{a,b/**}", "[[:alpha:]-]?", `\{a`, "a/**/b/**", "{1..3}", "+(*(a|b)|!(c))", "**/a/**"} {
		f.Add(p, "a/b.md")
	}
	f.Fuzz(func(t *testing.T, pattern, path string) {
		if len(pattern) > 60 || len(path) > 60 {
			return
		}
		path = strings.TrimPrefix(pathpkg.Clean("/"+path), "/")
		p := Compile(pattern)
		got := p.Match(path)
		if double := Compile("!!" + pattern).Match(path); double != got && !strings.HasPrefix(pattern, "#") {
			t.Errorf("%q on %q: %v, with !! %v", pattern, path, got, double)
		}
		if path == "" {
			return
		}
		for dir := pathpkg.Dir(path); ; dir = pathpkg.Dir(dir) {
			if dir == "." {
				dir = ""
			}
			if p.Covers(dir) && !got || !p.Reaches(dir) && got {
				t.Errorf("%q on %q: %v; of %q it covers %v, reaches %v", pattern, path, got, dir, p.Covers(dir), p.Reaches(dir))
			}
			if dir == "" {
				return
			}
		}
	})
}

// BenchmarkMatch tries 60 patterns on 5000 paths.
func BenchmarkMatch(b *testing.B) {
	var patterns []Pattern
	for i := range 10 {
		for _, p := range []string{"src%d/**", "**/*.md%d", "test%d.js", ".eslintrc%d*", "**/.git%d/**", "{out,lib}%d/**/*.map"} {
			patterns = append(patterns, Compile(fmt.Sprintf(p, i)))
		}
	}
	var paths []string
	for i := range 5000 {
		paths = append(paths, fmt.Sprintf("node_modules/package%d/lib/folder%d/file%d.js", i%100, i%7, i))
	}
	for b.Loop() {
		for _, path := range paths {
			if Any(patterns, path) {
				b.Fatal(path)
			}
		}
	}
}
