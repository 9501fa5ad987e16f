package mime

import (
	"encoding/xml"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// extensions has the extensions of paths in Node.js 24, see TestNode.
var extensions = map[string]string{
	"a.ts": ".ts", "a/b.TS": ".ts", ".gitignore": "", "Makefile": "", "file.": ".", "a/.b.c": ".c", "a/.b": "", "a.b/c": "",
	"": "", ".": "", "..": "", "...": ".", "....": ".", "..a": ".a", ".a.": ".", "a..": ".", "a..b": ".b", "a/..": "", "a/...": ".",
	"a b.c d": ".c d", "a.tar.gz": ".gz", "é.É": ".é", "a.ΑΣ": ".ας", "a.İ": ".i\u0307", "a.😀": ".😀", "a.b\\c": ".b\\c", "/.x": "", "x/": "", "x.y/": ".y",
	"a.K": ".k", "a.ẞ": ".ß", "a.\u00a0": ".\u00a0", "a.&": ".&",
}

func TestExtension(t *testing.T) {
	for name, want := range extensions {
		if got := Extension(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestTypeByExtension(t *testing.T) {
	for ext, want := range map[string]string{
		".ts": "video/mp2t", ".TS": "video/mp2t", "ts": "video/mp2t", ".map": "application/json", ".md": "text/markdown",
		".js": "application/javascript", ".mjs": "application/javascript", ".rs": "application/rls-services+xml",
		".ttf": "font/ttf", ".ico": "image/x-icon", ".log": "text/plain", ".ext": "application/vnd.novadigm.ext", ".123": "application/vnd.lotus-1-2-3",
		".cjs": "application/octet-stream", ".": "application/octet-stream", "": "application/octet-stream", "a/b.ts": "video/mp2t", ".a\\ts": "video/mp2t",
	} {
		if got := TypeByExtension(ext); got != want {
			t.Errorf("%q: %q, want %q", ext, got, want)
		}
	}
}

// TestTable checks that the table has the format in the package comment.
func TestTable(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(table, "\n"), "\n")
	if !slices.IsSorted(lines) || len(lines) != 1069 || len(types()) != len(lines) {
		t.Errorf("%d lines, %d extensions, sorted: %v", len(lines), len(types()), slices.IsSorted(lines))
	}
	for _, line := range lines {
		ext, mediaType, ok := strings.Cut(line, "\t")
		if !ok || ext == "" || strings.Count(mediaType, "/") != 1 || strings.Contains(ext, ".") || strings.ContainsAny(line, " \"<&") {
			t.Errorf("bad line %q", line)
		}
	}
}

// entries are the names in a package of vsce whose content types are
// testdata/content_types.xml.
var entries = []string{
	"extension/package.json", "extension/readme.md", "extension/src/a.ts", "extension/src/B.TS", "extension/Makefile", "extension/.gitignore",
	"extension/file.", "extension/.b.c", "extension/a.x", "extension/a.x!", "extension/a.x y", "extension/a.xy", "extension/a.É", "extension/a.\uff21", "extension/a.😀",
	"extension/a.ΑΣ", "extension/a.tmLanguage", "extension/a.cjs", "extension/a.rs", "extension/a.yml", "extension/a.js.map", "extension/a.123", "extension/...",
}

func TestContentTypes(t *testing.T) {
	want, err := os.ReadFile("testdata/content_types.xml")
	if err != nil {
		t.Fatal(err)
	}
	if got := ContentTypes(entries); string(got) != string(want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestContentTypesEscape(t *testing.T) {
	got := string(ContentTypes([]string{"x.a&b", `x."'<>`, "x.\x01", "x.\xff", "x.a\nb"}))
	for _, want := range []string{`".a&amp;b"`, `".&#34;&#39;&lt;&gt;"`, `".` + "\uFFFD" + `"`, `".a&#xA;b"`} {
		if !strings.Contains(got, "Extension="+want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

// FuzzContentTypes checks that the result is well-formed XML for any name, and has each extension
// once.
func FuzzContentTypes(f *testing.F) {
	for name := range extensions {
		f.Add(name)
	}
	f.Add("A.Σ")
	f.Fuzz(func(t *testing.T, name string) {
		var read struct {
			Default []struct {
				Extension   string `xml:",attr"`
				ContentType string `xml:",attr"`
			}
		}
		if err := xml.Unmarshal(ContentTypes([]string{name, name}), &read); err != nil {
			t.Fatal(err)
		}
		if n := len(read.Default); n < 2 || n > 3 {
			t.Errorf("%d elements", n)
		}
		if ext := Extension(name); ext != "" && !strings.HasSuffix(name, "/") && ext != lower(path.Ext(name)) {
			t.Errorf("%q does not end in %q", name, ext)
		}
	})
}
