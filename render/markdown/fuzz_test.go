package markdown_test

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"galbuild/render/markdown"
)

// FuzzRender checks that the HTML of any text is safe.
func FuzzRender(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, text := range archive.Files {
			f.Add(text.Data)
		}
	}
	for _, text := range repeated {
		f.Add([]byte(strings.Repeat(text, 3)))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) < 1<<14 {
			check(t, text)
		}
	})
}

// repeated are texts that could need much time or memory if they are repeated.
var repeated = []string{
	"[", "![", "[a](", "[![a](b)](", "[a](b[c](", "](", "<img ", "<img src=\"a", "<img src='a'", "> ", "1. ", "- ", "_a*", "**a ", "`", "~", "<!--",
	"<b><i>", "<svg><g>", "<math><mi>", "<table><tr>", "<table>", "<a>", "</p>", "<p>", "<nobr>", "<b>", "</b><p>", "|a", "a|b\n-|-\n", "[a]: b\n", "[a]\n\n",
	"\r", "\xf0", "\x00", "&", "&lt;", "[a](<", "# a\n", "#", "www.a.b ", "http://a.b/", "a@b.c", "https://", "<a id=", "<details>", "<li>", "<select>",
	"<template>", "<style>", "<script>", "\t", " ", "\\", "<![CDATA[", "<?", "> [!NOTE]\n", "- [ ] a\n", "```go\n", "    a\n", "<h1>a</h1>", "<pre>\n\n",
}

// TestRepeated has texts of 32 kB that must not become much longer. Without the limits of package
// markdownlimit, some of them never end.
func TestRepeated(t *testing.T) {
	for _, text := range repeated {
		t.Run(strings.TrimSpace(text), func(t *testing.T) {
			d := markdown.Render([]byte(strings.Repeat(text, 32<<10/len(text))), options)
			if len(d.HTML) > 1<<20 {
				t.Errorf("%d bytes", len(d.HTML))
			}
		})
	}
}

// TestCode colours the same code in each language.
func TestCode(t *testing.T) {
	const code = "# a /* b */ // c\n<a b=\"c\">'d' `e` \"\"\" ${f} %{g} 0x1 -1e5 { [ ( a.b: c\n=begin\nfunc x() = @y; -- z\n- a\n+ b\n<!--\n"
	coloured := 0
	for _, language := range markdown.Languages {
		if !markdown.HasLexer(language) {
			t.Errorf("there is no lexer for %s", language)
		}
		d := check(t, []byte("````"+language+"\n"+code+"````\n"))
		if strings.Contains(string(d.HTML), "<span class=\"c-") {
			coloured++
		}
	}
	if coloured < 50 {
		t.Errorf("%d languages have colours", coloured)
	}
}

// TestLongCode has code that is shown without colours.
func TestLongCode(t *testing.T) {
	line := "var x = 1\n"
	for name, c := range map[string]struct {
		text string
		want int // coloured numbers
	}{
		"short":       {"```go\n" + line + "```\n", 1},
		"block":       {"```go\n" + strings.Repeat(line, 1000) + "```\n", 0},
		"line":        {"```go\n" + line + strings.Repeat("x", 1001) + "\n```\n", 0},
		"many blocks": {strings.Repeat("```go\n"+strings.Repeat(line, 100)+"```\n", 100), 1200},
		"tokens":      {strings.Repeat("```go\n"+strings.Repeat("1+", 400)+"\n```\n", 100), 12 * 400},
	} {
		if got := strings.Count(string(check(t, []byte(c.text)).HTML), `"c-number"`); got != c.want {
			t.Errorf("%s: %d coloured numbers, want %d", name, got, c.want)
		}
	}
}

// BenchmarkRender renders a text as a readme usually is.
func BenchmarkRender(b *testing.B) {
	archive, err := txtar.ParseFile("testdata/github.txtar")
	if err != nil {
		b.Fatal(err)
	}
	var text []byte
	for i := 0; i < len(archive.Files); i += 2 {
		text = append(text, archive.Files[i].Data...)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		markdown.Render(text, options)
	}
}
