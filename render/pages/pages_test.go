package pages_test

import (
	"bytes"
	"compress/gzip"
	"html/template"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"galbuild/build/policy"
	"galbuild/render/pages"
	"galbuild/render/pages/pagestest"
)

// gallery returns the sample pages. If the variable PAGES names a folder, it also writes them
// there, to look at them.
func gallery(t *testing.T) pagestest.Gallery {
	t.Helper()
	g, err := pagestest.New("/")
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("PAGES"); dir != "" {
		if err := g.Write(dir); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

// TestPages checks the form of all pages and that all links lead to a file.
func TestPages(t *testing.T) {
	g := gallery(t)
	again := gallery(t)
	pageCount := 0
	for file, text := range g {
		if !bytes.Equal(text, again[file]) {
			t.Errorf("%s differs when it is rendered again", file)
		}
		if strings.HasSuffix(file, ".html") {
			pageCount++
			checkPage(t, g, file, text)
		}
	}
	if pageCount < 60 {
		t.Errorf("%d pages", pageCount)
	}
}

func checkPage(t *testing.T, g pagestest.Gallery, file string, text []byte) {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	counts, ids := map[string]int{}, map[string]bool{}
	for n := range root.Descendants() {
		if n.Type == html.CommentNode {
			t.Errorf("%s: comment %s", file, n.Data)
		}
		if n.Type != html.ElementNode {
			continue
		}
		counts[n.Data]++
		if n.Data == "style" || n.Data == "script" && n.FirstChild != nil {
			t.Errorf("%s: <%s> within the page", file, n.Data)
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
				t.Errorf("%s: attribute %s=%q", file, a.Key, a.Val)
			case strings.Contains(a.Val, "ZgotmplZ"):
				t.Errorf("%s: %s=%q", file, a.Key, a.Val)
			case a.Key == "id":
				if ids[a.Val] {
					t.Errorf("%s: id %q twice", file, a.Val)
				}
				ids[a.Val] = true
			}
		}
	}
	for _, name := range []string{"h1", "main", "title"} {
		if counts[name] != 1 {
			t.Errorf("%s: %d <%s>", file, counts[name], name)
		}
	}
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			if a.Key == "href" || a.Key == "src" || a.Key == "action" || a.Key == "aria-labelledby" {
				checkAddress(t, g, file, n.Data, a, ids)
			}
		}
	}
}

var scheme = regexp.MustCompile(`^(https?|mailto|vscode|vscodium):`)

func checkAddress(t *testing.T, g pagestest.Gallery, file, element string, a html.Attribute, ids map[string]bool) {
	t.Helper()
	address, _, _ := strings.Cut(a.Val, "?")
	fragment, isFragment := strings.CutPrefix(address, "#")
	switch {
	case isFragment || a.Key == "aria-labelledby":
		if !ids[fragment] {
			t.Errorf("%s: %s=%q leads nowhere", file, a.Key, a.Val)
		}
	case scheme.MatchString(address):
		if element != "a" {
			t.Errorf("%s: <%s> loads %q", file, element, a.Val)
		}
	case file == pages.NotFoundPath && strings.HasPrefix(address, "/"):
		checkFile(t, g, file, strings.TrimPrefix(address, "/"))
	default:
		checkFile(t, g, file, path.Join(path.Dir(file), unescape(t, address)))
	}
}

func checkFile(t *testing.T, g pagestest.Gallery, file, target string) {
	t.Helper()
	if _, ok := g[target]; !ok {
		t.Errorf("%s: there is no %s", file, target)
	}
}

func unescape(t *testing.T, s string) string {
	t.Helper()
	out, err := url.PathUnescape(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestExtension checks what is on the pages of extensions, and what is not.
func TestExtension(t *testing.T) {
	g := gallery(t)
	for file, texts := range map[string]map[string]int{
		"item/acme.notes.html": {
			"<title>Acme Notes, by Acme Tools · Acme extensions</title>":     1,
			`href="vscode:extension/Acme.notes"`:                             1,
			`href="vscodium:extension/Acme.notes"`:                           1,
			"code-server <span>--install-extension</span> <b>Acme.notes":     1,
			"codium <span>--install-extension</span> <b>Acme.notes":          1,
			`href="https://polls.acme.example/rate?extension=Acme.notes"`:    1,
			`<meta property="og:title" content="Acme Notes, by Acme Tools">`: 1,
			"Preview</span>":                         1,
			"2023-04-01</time>":                      1, // published
			"acme.example</a>":                       1, // the verified domain
			"<rect ":                                 7, // colours of two themes, without url(x)
			"url(x)":                                 0,
			"Not in this gallery":                    1,
			"5 older versions":                       1,
			"Kept until 2026-12-31":                  1,
			">Signed<":                               1,
			"SHA-256":                                15,
			"javascript:":                            0,
			`href="../tags/c~2b~2b.html"`:            1,
			`data-shard="`:                           1,
			"48,211":                                 0, // changes every night
			`<img src="../files/acme/notes/2.4.0/ex`: 1,
		},
		"item/mallory.hello.html": {"<script>alert": 0, "evil.example/x": 0, "_hidden": 0, "javascript:": 0, "Deprecated.": 1, `href="../item/acme.hello.html">Acme Hello</a> instead.`: 1},
		"item/acme.hello.html":    {`id="readme"`: 0, `id="versions"`: 1, "Not stated": 1},
	} {
		for text, want := range texts {
			if got := strings.Count(string(g[file]), text); got != want {
				t.Errorf("%s: %q is there %d times, want %d", file, text, got, want)
			}
		}
	}
}

// TestAddresses shows what depends on the addresses of a site.
func TestAddresses(t *testing.T) {
	s := &pages.Site{BaseURL: "https://tools.example/gallery", ContentURL: "https://files.example/x"}
	text := string(s.Extension(&pages.Extension{
		Card: pages.Card{ID: "a.b", Name: "B", Icon: "assets/a/b/1.0.0/icon"}, Versions: []pages.Version{{Version: "1.0.0", File: "assets/a/b/1.0.0@web/file"}},
	}))
	for _, want := range []string{
		`<link rel="canonical" href="https://tools.example/gallery/item/a.b.html">`, `content="https://files.example/x/assets/a/b/1.0.0/icon"`,
		`<img class="icon" src="https://files.example/x/assets/a/b/1.0.0/icon"`, `href="https://files.example/x/assets/a/b/1.0.0@web/file"`,
		"img-src &#39;self&#39; https://files.example;",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %s in\n%.1500s", want, text)
		}
	}
	editors, err := s.Editors()
	if err != nil || !strings.Contains(string(editors), "https://tools.example/gallery/api") || strings.Contains(string(editors), "gallery.example") {
		t.Errorf("%s, %v", editors, err)
	}
	if _, err := (&pages.Site{BaseURL: "ftp://x"}).Editors(); err == nil {
		t.Error("ftp://x is accepted")
	}
}

// TestGallerySettings shows what depends on the settings of a gallery.
func TestGallerySettings(t *testing.T) {
	e := &pages.Extension{Card: pages.Card{ID: "a.b", Name: "B"}, Versions: []pages.Version{{Version: "1.0.0", File: "assets/a/b/1.0.0/file"}}}
	for text, c := range map[string]struct {
		site pages.Site
		want bool
	}{
		`href="vscode:extension/a.b"`:                    {pages.Site{}, true},
		`href="vscodium:extension/a.b"`:                  {pages.Site{}, true},
		`href="cursor:extension/a.b"`:                    {pages.Site{Install: []string{"cursor"}}, true},
		`cursor <span>--install-extension</span> <b>a.b`: {pages.Site{Install: []string{"cursor"}}, true},
		`extension/a.b"`:                                 {pages.Site{Install: []string{"code-server", "unknown"}}, false},
		`--install-extension`:                            {pages.Site{Install: []string{}}, false},
		`>Rate<`:                                         {pages.Site{RateURL: "javascript:{id}"}, false},
		`href="https://x.example/a.b">Rate<`:             {pages.Site{}, false},
		`<a href="https://x.example/a.b" rel="noopener noreferrer">Rate<`: {pages.Site{RateURL: "https://x.example/{id}"}, true},
		`<img src="../logo.svg" alt="" width="80" height="20">`:           {pages.Site{Logo: pages.LogoPath("Logo.SVG"), LogoWidth: 80, LogoHeight: 20}, true},
		`<img src="../favicon.svg" alt="" width="28" height="28">`:        {pages.Site{}, true},
		`<link rel="icon" href="../favicon.svg"`:                          {pages.Site{Logo: "logo.png"}, true},
		`data-content="https://files.example/x"`:                          {pages.Site{ContentURL: "https://files.example/x"}, true},
	} {
		if got := strings.Contains(string(c.site.Extension(e)), text); got != c.want {
			t.Errorf("%+v: %s: %v, want %v", c.site, text, got, c.want)
		}
	}
}

// TestEditors checks that the page has all clients, with the address of the gallery.
func TestEditors(t *testing.T) {
	text, err := (&pages.Site{BaseURL: "https://tools.example/gallery"}).Editors()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"code-server", "VSCodium", "Visual Studio Code", "Cursor", "Windsurf", "Antigravity", "GitLab Web IDE and workspaces", "Positron", "Eclipse Theia, Eclipse Che and ovsx", "Visual Studio"} {
		_, section, ok := strings.Cut(string(text), "<h2>"+name+"</h2>")
		section, _, _ = strings.Cut(section, "</details>")
		if hasAddress := strings.Contains(section, "https://tools.example/gallery"); !ok || hasAddress != (name != "Visual Studio" && !strings.HasPrefix(name, "Eclipse")) {
			t.Errorf("%s: %v\n%s", name, ok, section)
		}
	}
}

// TestPaths has texts whose paths must differ, and must be one name each.
func TestPaths(t *testing.T) {
	seen := map[string]string{}
	for _, tag := range []string{"c", "c++", "c#", "C", "a b", "a-b", "a/b", "..", ".", "", "ä", "漢", "a~2fb", "con", "a\x00b", "a%2fb"} {
		p := pages.TagPath(tag)
		if other, ok := seen[p]; ok && !strings.EqualFold(other, tag) {
			t.Errorf("%q and %q have the path %s", other, tag, p)
		}
		seen[p] = tag
		if name := strings.TrimPrefix(p, "tags/"); strings.ContainsAny(name, "/\\\x00%") || strings.HasPrefix(name, "..") {
			t.Errorf("%q has the path %s", tag, p)
		}
	}
	if got := pages.ExtensionPath("Acme.Notes"); got != "item/acme.notes.html" {
		t.Error(got)
	}
}

// TestByLetter divides a letter with many extensions, and shows that a new extension changes one
// list.
func TestByLetter(t *testing.T) {
	var cards []pages.Card
	for _, name := range []string{"Zebra", "zoo", "7zip", "Äther", "c"} {
		cards = append(cards, pages.Card{ID: "a." + name, Name: name})
	}
	for i := range 300 {
		cards = append(cards, pages.Card{ID: "a." + string(rune('a'+i%26)) + strings.Repeat("x", i), Name: "C" + string(rune('a'+i%26))})
	}
	keys := func(cards []pages.Card) (all []string) {
		for _, l := range pages.ByLetter(cards) {
			all = append(all, l.Key)
		}
		return all
	}
	got := keys(cards)
	if len(got) != 30 || got[0] != "0" || !slices.Contains(got, "c") || !slices.Contains(got, "cz") || got[28] != "z" || got[29] != "ä" {
		t.Errorf("%q", got)
	}
	if more := keys(append(cards, pages.Card{ID: "a.new", Name: "Cart"})); !slices.Equal(more, got) {
		t.Errorf("%q", more)
	}
	for _, l := range pages.ByLetter(cards) {
		if l.Key == "0" && l.Label() != "0–9" || l.Key == "cz" && l.Label() != "Cz" {
			t.Errorf("%q has the label %q", l.Key, l.Label())
		}
	}
}

// TestNewest chooses the version that a page offers.
func TestNewest(t *testing.T) {
	for want, versions := range map[string][]pages.Version{
		"1@":      {{Version: "2", PreRelease: true}, {Version: "1", Platform: "web"}, {Version: "1"}},
		"2@web":   {{Version: "2", Platform: "web"}, {Version: "1"}},
		"3-rc@":   {{Version: "3-rc", PreRelease: true}, {Version: "2-rc", PreRelease: true}},
		"1@linux": {{Version: "2", PreRelease: true}, {Version: "1", Platform: "linux"}, {Version: "1", Platform: "web"}},
	} {
		e := pages.Extension{Versions: versions}
		if v := e.Newest(); v.Version+"@"+v.Platform != want {
			t.Errorf("got %+v, want %s", v, want)
		}
	}
	if v := new(pages.Extension).Newest(); v != nil {
		t.Errorf("got %+v", v)
	}
}

// BenchmarkExtension renders the page of an extension whose readme is rendered already.
func BenchmarkExtension(b *testing.B) {
	s := new(pages.Site)
	e := pages.Extension{Card: pages.Card{ID: "a.b", Name: "B"}, Categories: []string{"Other"}, Tags: []string{"a", "b"}}
	e.Readme.HTML = template.HTML(strings.Repeat("<p>text</p>\n", 500))
	for range 3 {
		e.Versions = append(e.Versions, pages.Version{Version: "1.0.0", File: "assets/a/b/1.0.0/file", SHA256: strings.Repeat("0", 64)})
	}
	for b.Loop() {
		s.Extension(&e)
	}
}

// TestEditorNames checks that policies name the same editors as pages.
func TestEditorNames(t *testing.T) {
	if got := pages.EditorNames(); !slices.Equal(got, policy.Editors) {
		t.Errorf("got %q, policies have %q", got, policy.Editors)
	}
}

// TestSize checks that the style sheet and the script are small.
func TestSize(t *testing.T) {
	for name, file := range map[string]struct {
		text []byte
		most int
	}{"style sheet": {pages.Style, 6000}, "script": {pages.Script, 5000}} {
		var b bytes.Buffer
		w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		w.Write(file.text)
		w.Close()
		t.Logf("the %s has %d bytes with gzip", name, b.Len())
		if b.Len() > file.most {
			t.Errorf("the %s has %d bytes with gzip, more than %d", name, b.Len(), file.most)
		}
	}
	if bytes.Contains(pages.Script, []byte("\n//")) || !bytes.Contains(pages.Script, []byte("https://")) {
		t.Error("the script has comments, or has lost more than those")
	}
}
