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

// A result has the paths that a pattern matches in minimatch, and those that it does not match.
type result struct {
	Pattern string   `json:"pattern"`
	Yes     []string `json:"yes"`
	No      []string `json:"no"`
	Error   string   `json:"error,omitempty"`
}

func (r result) check(t *testing.T) {
	t.Helper()
	p := Compile(r.Pattern)
	for want, paths := range map[bool][]string{true: r.Yes, false: r.No} {
		for _, path := range paths {
			if got := p.Match(path); got != want {
				t.Errorf("%q matches %q: %v, in minimatch %v", r.Pattern, path, got, want)
			}
		}
	}
}

// TestMinimatch compares with results of minimatch as recorded by
//
//	go test -tags e2e -run TestRecord -update ./build/pack/ignore/glob
func TestMinimatch(t *testing.T) {
	file, err := os.Open("testdata/minimatch.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cases := 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var r result
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		r.check(t)
		cases += len(r.Yes) + len(r.No)
	}
	if cases < 5000 {
		t.Errorf("%d cases", cases)
	}
}

// TestBounded has patterns with huge expansions, and patterns for which a backtracking matcher
// takes exponential time.
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
		"very long":   strings.Repeat("a", maxPattern+1),
	} {
		t.Run(what, func(t *testing.T) {
			if Compile(pattern).Match(name) && !strings.Contains("closed negations", what) {
				t.Error("matches")
			}
		})
	}
}

// TestDifferences has the differences from minimatch in the package comment.
func TestDifferences(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{`x\|y*`, "x|yz", true}, {`x\|y*`, "xfoo", false}, {`@(a\|b)`, "a|b", true}, {`@(a\|b)`, "a", false},
		{"a-[[:alpha:]]", "a-b", true}, {"a-[[:alpha:]]", "a-1", false}, {"[[:alpha:]], #!", "é, #!", true},
		{"x/!(b)@()", "x/a@()", true}, {"x/!(b)@()", "x/a", false},
	} {
		if got := Compile(c.pattern).Match(c.path); got != c.want {
			t.Errorf("%q matches %q: %v", c.pattern, c.path, got)
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
			t.Errorf("%q matches %q: %v", c.pattern, c.path, got)
		}
	}
}

// FuzzMatch checks that nothing panics, that !! changes nothing, and that MatchesAllBelow and
// MayMatchBelow agree with Match.
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
			t.Errorf("%q matches %q: %v, with !! %v", pattern, path, got, double)
		}
		if path == "" {
			return
		}
		for dir := pathpkg.Dir(path); ; dir = pathpkg.Dir(dir) {
			if dir == "." {
				dir = ""
			}
			if p.MatchesAllBelow(dir) && !got || !p.MayMatchBelow(dir) && got {
				t.Errorf("%q matches %q: %v; below %q all: %v, may: %v", pattern, path, got, dir, p.MatchesAllBelow(dir), p.MayMatchBelow(dir))
			}
			if dir == "" {
				return
			}
		}
	})
}

// BenchmarkMatch matches 60 patterns against 5000 paths.
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
