package markdownlimit_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"

	"galbuild/build/markdownlimit"
)

// convert returns the HTML of a text.
func convert(t *testing.T, s string) (string, *markdownlimit.Limiter) {
	t.Helper()
	var b bytes.Buffer
	l := new(markdownlimit.Limiter)
	if err := goldmark.New(goldmark.WithExtensions(extension.GFM, l)).Convert([]byte(s), &b); err != nil {
		t.Fatal(err)
	}
	return b.String(), l
}

func TestTooDeep(t *testing.T) {
	for s, want := range map[string]int{
		"":                                     0,
		strings.Repeat("> ", 500):              0,
		"a\n" + strings.Repeat("> ", 501):      2,
		"a\n\n" + strings.Repeat("- ", 502):    3,
		strings.Repeat("1. >", 251):            1,
		strings.Repeat("> a\n", 1000):          0,
		strings.Repeat("-", 1000):              0,
		strings.Repeat("12 ", 1000):            0,
		strings.Repeat("\t*\t", 501) + "\n\n>": 1,
	} {
		if got := markdownlimit.TooDeep(s); got != want {
			t.Errorf("%.20q of %d bytes: line %d, want %d", s, len(s), got, want)
		}
	}
}

func TestMarks(t *testing.T) {
	html, l := convert(t, strings.Repeat("*a* ", markdownlimit.MaxMarks/2)+"*b* <i>c</i>\n\n*d*\n")
	if !strings.Contains(html, "<em>a</em> *b* <") || !strings.Contains(html, "<em>d</em>") {
		t.Errorf("%q", html[len(html)-100:])
	}
	if at, ok := l.Literal(); !ok || at != 4*markdownlimit.MaxMarks/2 {
		t.Errorf("literal from %d, %v", at, ok)
	}
	if _, l := convert(t, "*a*"); l != nil {
		if at, ok := l.Literal(); ok {
			t.Errorf("literal from %d", at)
		}
	}
}

// TestTables has tables with more rows than cells, which would need the product of both.
func TestTables(t *testing.T) {
	table := func(columns, rows int) string {
		return strings.Repeat("|a", columns) + "|\n" + strings.Repeat("|-", columns) + "|\n" + strings.Repeat("|a|\n", rows) + "\n"
	}
	full := strings.Repeat("|a|b|c|\n|-|-|-|\n"+strings.Repeat("|a|b|c|\n", 100)+"\n", 400)
	for name, c := range map[string]struct {
		text   string
		tables int
	}{
		"small":              {table(10, 10), 1},
		"most cells":         {table(100, 480), 1},
		"too many cells":     {table(100, 600), 0},
		"more in each table": {strings.Repeat(table(100, 100), 20), 4},
		"many full rows":     {full, 400},
		"huge":               {table(20000, 20000), 0},
		"no bar at the end":  {strings.Repeat("|a", 20000) + "\n" + strings.Repeat("|-", 20000) + "\n" + strings.Repeat("a\n", 20000), 0},
		"aligned":            {strings.Repeat("a|", 20000) + "\n" + strings.Repeat(":-:|", 20000) + "\n" + strings.Repeat("a\n", 20000), 0},
	} {
		t.Run(name, func(t *testing.T) {
			html, _ := convert(t, c.text)
			if got := strings.Count(html, "<table>"); got != c.tables || len(html) > 5<<20 {
				t.Errorf("%d tables in %d bytes, want %d", got, len(html), c.tables)
			}
		})
	}
}

func TestDefinitions(t *testing.T) {
	const line = "[a]: https://example.com/\n"
	for n, want := range map[int]bool{markdownlimit.MaxDefinitions: true, markdownlimit.MaxDefinitions + 1: false, 20 * markdownlimit.MaxDefinitions: false} {
		html, _ := convert(t, strings.Repeat(line, n)+"\n[a]\n")
		if got := strings.Contains(html, "<a href="); got != want {
			t.Errorf("%d definitions: link %v, want %v", n, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	const most = markdownlimit.MaxBytes
	for name, c := range map[string]struct {
		text string
		want int // bytes that are kept
	}{
		"as long as possible": {strings.Repeat("a", most), most},
		"one line":            {strings.Repeat("a", most+1), most},
		"lines":               {strings.Repeat("a", most-3) + "\naaa\na", most - 2},
		"short lines first":   {"a\n" + strings.Repeat("a", most), most},
		"within a character":  {strings.Repeat("a", most-1) + "ä", most - 1},
	} {
		kept, cut := markdownlimit.Cut([]byte(c.text))
		if len(kept) != c.want || cut != (c.want < len(c.text)) {
			t.Errorf("%s: %d bytes, %v; want %d", name, len(kept), cut, c.want)
		}
	}
}
