package markdown_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/tools/txtar"

	"galbuild/build/pictures"
	"galbuild/render/markdown"
)

// options are those of all tests.
var options = markdown.Options{
	Prefix: "readme-", Level: 3,
	Picture: func(address string) (markdown.Picture, bool) {
		file, ok := pictures.ParseRepository("https://github.com/acme/notes", "").File(address)
		return markdown.Picture{Address: "../files/acme/notes/1.0.0/extension/" + file, Width: 640, Height: 360}, ok && strings.HasPrefix(file, "images/")
	},
}

// TestSamples compares the texts in testdata/*.txtar, which are pairs of NAME.md and NAME.html,
// with the HTML that is made of them. With the variable UPDATE, it writes the HTML instead.
func TestSamples(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 3 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(archive.Files); i += 2 {
			in, want := archive.Files[i], &archive.Files[i+1]
			t.Run(filepath.Base(file)+"/"+in.Name, func(t *testing.T) {
				if strings.TrimSuffix(in.Name, ".md") != strings.TrimSuffix(want.Name, ".html") {
					t.Fatalf("%s is followed by %s", in.Name, want.Name)
				}
				d := markdown.Render(in.Data, options)
				got := strings.TrimSpace(string(d.HTML)) + "\n"
				if os.Getenv("UPDATE") != "" {
					want.Data = []byte(got)
				}
				if got != string(want.Data) {
					t.Errorf("got\n%s\nwant\n%s", got, want.Data)
				}
				check(t, in.Data)
			})
		}
		if os.Getenv("UPDATE") != "" {
			if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestHeadings(t *testing.T) {
	d := markdown.Render([]byte("# A *b* `c`!\n\n### Deep\n\n# A b c\n\n<h2><img src=images/x.png alt=logo></h2>\n\n#\n\n## 漢字 é\n"), options)
	want := []markdown.Heading{
		{"readme-a-b-c", 3, "A b c!"}, {"readme-deep", 4, "Deep"}, {"readme-a-b-c-1", 3, "A b c"}, {"readme-logo", 4, "logo"},
		{"readme-漢字-é", 4, "漢字 é"},
	}
	if len(d.Headings) != len(want) {
		t.Fatalf("got %+v", d.Headings)
	}
	for i, h := range d.Headings {
		if h != want[i] {
			t.Errorf("got %+v, want %+v", h, want[i])
		}
	}
	if !strings.Contains(string(d.HTML), `<h4 id="readme-漢字-é">`) {
		t.Errorf("%s", d.HTML)
	}
}

// TestLimits has texts that are cut, or shown as they are.
func TestLimits(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		cut   bool
		plain string
	}{
		"long":           {strings.Repeat("a line\n", 100_000), true, ""},
		"long, one line": {strings.Repeat("ä", 400_000), true, ""},
		"deep quotes":    {strings.Repeat("> ", 600), false, "too many quotes and lists are nested"},
		"deep elements":  {strings.Repeat("<div>", 600), false, "too many elements are nested"},
		"references":     {"[a]: https://x/" + strings.Repeat("a", 2000) + "\n\n" + strings.Repeat("[a]\n\n", 20_000), false, "it would become too long"},
		"long reference": {"[a]: https://x/" + strings.Repeat("a", 100_000) + "\n\n" + strings.Repeat("[a]\n\n", 20_000), false, ""},
		"tables":         {"|a|\n|-|\n" + strings.Repeat("|a|\n", 40_000), false, ""},
		"entities":       {strings.Repeat("\"", 500_000), false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := check(t, []byte(c.text))
			if d.Cut != c.cut || d.Plain != c.plain {
				t.Errorf("cut %v, plain %q", d.Cut, d.Plain)
			}
		})
	}
}

// TestBytes has texts that are not UTF-8, or not lines.
func TestBytes(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "",
		"\xef\xbb\xbf# a\r\rb\r\n": "<h3 id=\"readme-a\">a</h3>\n<p>b</p>\n",
		"a\x00b\xffc":              "<p>a\ufffdb\ufffdc</p>\n",
	} {
		if got := string(check(t, []byte(text)).HTML); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// check renders a text and refuses HTML that is not safe, by rules that do not depend on how it is
// made.
func check(t *testing.T, source []byte) markdown.Document {
	t.Helper()
	d := markdown.Render(source, options)
	if again := markdown.Render(source, options); string(again.HTML) != string(d.HTML) {
		t.Errorf("rendered again, %.200q is other HTML", source)
	}
	nodes, err := html.ParseFragment(strings.NewReader("<article>"+string(d.HTML)+"</article><hr>"), nil)
	if err != nil {
		t.Fatalf("%.200q: %v", source, err)
	}
	ids := map[string]bool{}
	for _, root := range nodes {
		for n := range root.Descendants() {
			if n.Type == html.ElementNode {
				checkElement(t, n, ids)
			}
		}
	}
	body := nodes[0].LastChild
	if body.FirstChild.Data != "article" || body.LastChild.Data != "hr" || body.FirstChild.NextSibling != body.LastChild {
		t.Errorf("%.200q leaves its element: %.500q", source, d.HTML)
	}
	for _, h := range d.Headings {
		if !ids[h.ID] || h.Level < options.Level || h.Level > 6 {
			t.Errorf("%.200q: heading %+v", source, h)
		}
	}
	return d
}

// forbidden are elements that a text must not have.
var forbidden = strings.Fields("script style iframe frame object embed form input button select textarea link meta base svg math video " +
	"audio source template title h1 h2 main header footer nav noscript plaintext xmp")

func checkElement(t *testing.T, n *html.Node, ids map[string]bool) {
	t.Helper()
	for _, name := range forbidden {
		if n.Data == name {
			t.Errorf("there is an element <%s>", n.Data)
		}
	}
	for _, a := range n.Attr {
		value := strings.ToLower(a.Val)
		switch a.Key {
		case "href":
			fragment := strings.HasPrefix(value, "#readme-")
			if !fragment && !strings.HasPrefix(value, "http://") && !strings.HasPrefix(value, "https://") && !strings.HasPrefix(value, "mailto:") {
				t.Errorf("there is a link to %q", a.Val)
			}
			if !fragment && !hasAttribute(n, "rel", "nofollow noopener noreferrer") {
				t.Errorf("a link to %q has no rel", a.Val)
			}
		case "src":
			if !strings.HasPrefix(a.Val, "../files/acme/notes/1.0.0/extension/images/") || strings.Contains(a.Val, "/../f") {
				t.Errorf("there is a picture at %q", a.Val)
			}
		case "id":
			if !strings.HasPrefix(a.Val, "readme-") || ids[a.Val] {
				t.Errorf("id %q does not begin with the prefix, or is used twice", a.Val)
			}
			ids[a.Val] = true
		case "alt", "aria-label", "class", "colspan", "dir", "height", "loading", "open", "rel", "role", "rowspan", "start", "tabindex", "title", "width":
		default:
			t.Errorf("there is an attribute %s=%q", a.Key, a.Val)
		}
	}
}

func hasAttribute(n *html.Node, key, value string) bool {
	for _, a := range n.Attr {
		if a.Key == key && a.Val == value {
			return true
		}
	}
	return false
}

// TestPolicy checks that the policy alone refuses attacks, keeps all that is made of the samples,
// and is used.
func TestPolicy(t *testing.T) {
	for in, want := range map[string]string{
		`<script>alert(1)</script><style>x</style><iframe src=x></iframe>a`: "a",
		`<img src="javascript:alert(1)" onerror="alert(2)" alt="a">`:        `<img alt="a">`,
		`<a href="javascript:alert(1)" onclick="x">a</a>`:                   "a",
		`<a href="data:text/html,x">a</a><a href="https://x.y">b</a>`:       `a<a href="https://x.y">b</a>`,
		`<p style="color:red" class="top" id="a b" tabindex="5">a</p>`:      "<p>a</p>",
		`<form action="x"><input name="q"><button>a</button></form>`:        "a",
	} {
		if got := markdown.Sanitize(in); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
	archive, err := txtar.ParseFile("testdata/github.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(archive.Files); i += 2 {
		if made := string(archive.Files[i].Data); markdown.Sanitize(made) != made {
			t.Errorf("%s becomes\n%s", made, markdown.Sanitize(made))
		}
	}
	defer markdown.AllowNothing()()
	if got := string(markdown.Render([]byte("*a*"), options).HTML); got != "a\n" {
		t.Errorf("with an empty policy, got %q", got)
	}
}

// TestPictures checks that package pictures finds every picture that a page would show, so that
// build stores it. The hostile texts are left out: some have pictures only for one of the parsers.
func TestPictures(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 3 {
		t.Fatalf("%q, %v", files, err)
	}
	files = slices.DeleteFunc(files, func(file string) bool { return filepath.Base(file) == "hostile.txtar" })
	shown := 0
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range archive.Files {
			found := map[string]bool{}
			for _, r := range pictures.Find(text.Data) {
				found[r.Address] = true
			}
			markdown.Render(text.Data, markdown.Options{Picture: func(address string) (markdown.Picture, bool) {
				if shown++; !found[address] {
					t.Errorf("%s: %q is not found", text.Name, address)
				}
				return markdown.Picture{}, false
			}})
		}
	}
	if shown < 10 {
		t.Errorf("only %d pictures", shown)
	}
}
