package readme

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzRewrite(f *testing.F) {
	for _, text := range hostile {
		f.Add([]byte(strings.Repeat(text, 3)), "https://github.com/o/r", "")
	}
	f.Add([]byte("[![a](b)](c \"d\") <img src='e'> #1 o/r#2\xff\r\n"), "gitlab:g/s/p.git", "https://x/?y#z")
	f.Fuzz(func(t *testing.T, text []byte, repository, base string) {
		o := Options{Repository: repository, ContentURL: base}
		out, findings := Rewrite("README.md", text, o)
		if !utf8.Valid(out) && utf8.ValidString(repository+base) {
			t.Errorf("%q is not UTF-8", out)
		}
		for _, f := range findings {
			if f.What == "" || !strings.HasPrefix(f.Where, "README.md:") {
				t.Errorf("finding %+v has no line or no text", f)
			}
		}
		o.KeepLinks = true
		if out, _ := Rewrite("README.md", text, o); utf8.Valid(text) && string(out) != string(text) {
			t.Errorf("with KeepLinks, the text is\n%q\nwant\n%q", out, text)
		}
	})
}

// hostile has texts that could make a parser slow if they are repeated.
var hostile = []string{
	"[", "![", "[a](", "[![a](b)](", "[a](b[c](", "](", "<img ", "<img src=\"a", "<img src='a'", "<video src='a' >", " #1", " a/", "a-",
	"> ", "1. ", "_a*", "`", "<!--", "<b><i>", "<svg><g>", "<table><tr>", "|a", "[a]: b\n", "\r", "\xf0", "\u00a0", "&", "[a](<",
}

// BenchmarkRewrite shows that the time is linear in the length of the text.
func BenchmarkRewrite(b *testing.B) {
	for _, text := range hostile {
		for _, size := range []struct {
			name  string
			bytes int
		}{{"100kB", 1e5}, {"1MB", 1e6}} {
			b.Run(strings.TrimSpace(text)+"/"+size.name, func(b *testing.B) {
				s := strings.Repeat(text, size.bytes/len(text))
				b.SetBytes(int64(len(s)))
				for b.Loop() {
					rewrite(s, Options{Repository: "https://github.com/o/r"}, new(report))
				}
			})
		}
	}
}
