package pictures

import (
	"slices"
	"strings"
	"testing"

	"galbuild/build/markdownlimit"
)

// addresses returns the addresses of references.
func addresses(found []Reference) []string {
	var all []string
	for _, r := range found {
		all = append(all, r.Address)
	}
	return all
}

// TestFind has texts with the addresses of their pictures, and the same texts with other addresses.
func TestFind(t *testing.T) {
	const to = "https://site.invalid/a.png"
	for name, c := range map[string]struct {
		text string
		want []string
		out  string // # stands for the new address
	}{
		"inline":             {"a ![b](c.png) ![d](e.png \"f\")", []string{"c.png", "e.png"}, "a ![b](#) ![d](# \"f\")"},
		"in a link":          {"[![a](b.png)](b.png)", []string{"b.png"}, "[![a](#)](b.png)"},
		"angle brackets":     {"![a](<b c.png>)", []string{"b%20c.png"}, "![a](<#>)"},
		"escapes":            {`![a](b\(.png) ![a](b&amp;c.png)`, []string{"b(.png", "b&c.png"}, "![a](#) ![a](#)"},
		"definition":         {"![a][b] ![b]\n\n[b]: c.png 'd'\n[e]: f.png\n", []string{"c.png"}, "![a][b] ![b]\n\n[b]: # 'd'\n[e]: f.png\n"},
		"second definition":  {"![b]\n\n[b]: c.png\n[b]: d.png\n", []string{"c.png"}, "![b]\n\n[b]: #\n[b]: d.png\n"},
		"no picture":         {"[a](b.png) `![c](d.png)`\n\n    ![c](d.png)\n\n```\n![c](d.png)\n```\n\\![e](f.png)\n", nil, ""},
		"in a text":          {"![a ![b](c.png)](d.png)", []string{"d.png"}, "![a ![b](c.png)](#)"},
		"list and quote":     {"> - ![a](b.png)\n>   <img\n>   src=\"c.png\">\n", []string{"b.png", "c.png"}, "> - ![a](#)\n>   <img\n>   src=\"#\">\n"},
		"table":              {"| a |\n|---|\n| ![b](c.png) |\n", []string{"c.png"}, "| a |\n|---|\n| ![b](#) |\n"},
		"CR":                 {"\ufeff# a\r\n\r\n![b](c.png)\r\n\r![d](e.png)\r\n", []string{"c.png", "e.png"}, "\ufeff# a\r\n\r\n![b](#)\r\n\r![d](#)\r\n"},
		"HTML":               {"<p><img src='a.png' alt=\"b\"><IMG\nSRC = c.png></p>\n\na <img src=\"d.png\"/>", []string{"a.png", "c.png", "d.png"}, "<p><img src='#' alt=\"b\"><IMG\nSRC = #></p>\n\na <img src=\"#\"/>"},
		"tab in a list":      {"-\t<img src=\"a.png\">\n\n\t<img src=\"b.png\">\n", []string{"a.png", "b.png"}, "-\t<img src=\"#\">\n\n\t<img src=\"#\">\n"},
		"tab that is cut":    {"- <p>\n\t<img src=\"a.png\">\n", []string{"a.png"}, "- <p>\n\t<img src=\"#\">\n"},
		"white space":        {"<img src=\" a b.png\n\">", []string{"a b.png"}, "<img src=\" #\n\">"},
		"first src":          {"<img src=a.png src=b.png data-src=c.png>", []string{"a.png"}, "<img src=# src=b.png data-src=c.png>"},
		"entities":           {"<img src=\"a&amp;b.png\">", []string{"a&b.png"}, "<img src=\"#\">"},
		"srcset":             {"<picture><source srcset=\"a.png, b.png 2x\" src=x><img srcset='c.png' src=d.png></picture>", []string{"a.png", "b.png", "c.png", "d.png"}, "<picture><source srcset=\"#, # 2x\" src=x><img srcset='#' src=#></picture>"},
		"data in srcset":     {"<img srcset=\"data:image/png;base64,AAAA 1x\">", nil, ""},
		"comment and script": {"<!-- <img src=a.png> -->\n\n<script>\n<img src=a.png>\n</script>\n", nil, ""},
		"other elements":     {"<video src=a.mp4></video><a href=b.png><input type=image src=c.png> ![", nil, ""},
		"not closed":         {"![a](b.png\n\n<img src=\"c.png", nil, ""},
		"upper case":         {"<Image Src=A.png>", []string{"A.png"}, "<Image Src=#>"},
	} {
		t.Run(name, func(t *testing.T) {
			found := Find([]byte(c.text))
			if got := addresses(found); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			want := c.text
			if c.want != nil {
				want = strings.ReplaceAll(strings.ReplaceAll(c.out, "# a", "\x00"), "#", to)
				want = strings.ReplaceAll(want, "\x00", "# a")
			}
			if got := Replace([]byte(c.text), found, func(string) (string, bool) { return to, true }); string(got) != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// TestReplaceKeeps has addresses that are not replaced: those without another one, and those whose
// new address would need escapes in Markdown or HTML.
func TestReplaceKeeps(t *testing.T) {
	text := []byte("![a](a.png)![b](b.png)")
	found := Find(text)
	for _, to := range []string{"a b", "a)", "a\"", "a'", "a>", "a&b", "a\n", "a|", "a,b", "ä", "a\\", "a*"} {
		if got := Replace(text, found, func(string) (string, bool) { return to, true }); string(got) != string(text) {
			t.Errorf("%q is used: %q", to, got)
		}
	}
	got := Replace(text, found, func(address string) (string, bool) { return "c.png", address == "b.png" })
	if want := "![a](a.png)![b](c.png)"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestLimits has texts that are not parsed, or not completely.
func TestLimits(t *testing.T) {
	long := strings.Repeat("a\n", markdownlimit.MaxBytes/2-10) + "![a](b.png)\n\n![c](d.png)\n"
	if got := addresses(Find([]byte(long))); !slices.Equal(got, []string{"b.png"}) {
		t.Errorf("in a long text: %q", got)
	}
	if got := Find([]byte(strings.Repeat("> ", markdownlimit.MaxDepth+1) + "![a](b.png)")); got != nil {
		t.Errorf("in a deep text: %v", got)
	}
	for _, text := range []string{"![", "![a](", "[![a](b)](", "<img ", "<img src=\"a", "<img src='a'", "<img srcset=\"a,", "![a](b)", "[a]: b\n![a]\n\n"} {
		Find([]byte(strings.Repeat(text, 64<<10/len(text))))
	}
}

// FuzzReplace replaces all addresses. The text must then have the same pictures with the new
// addresses, replacing them again must change nothing, and the old addresses must give the old
// text.
func FuzzReplace(f *testing.F) {
	for _, text := range []string{
		"![a](b.png \"c\") ![d][e]\r\n\r\n[e]: <f g.png> 'h'\n", "<p><img src='a.png'>\n\n<picture><source srcset=\"b.png 2x, c.png\"></picture>",
		"> 1. ![a](b)\n>    <img\n>  src=c>\n", "|a|\n|-|\n|![b](c)|\n", "[![a](b)](c)![d ![e](f)](g)", "-\t<img src=\"a\">\n\t![b](c)\n", "![a](b\\(c&amp;d)",
	} {
		f.Add([]byte(text))
	}
	const base = "https://site.invalid/"
	replace := func(address string) (string, bool) { return base + "a.png", !strings.HasPrefix(address, base) }
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<12 {
			return
		}
		before := Find(text)
		changed := Replace(text, before, replace)
		after := Find(changed)
		if len(after) != len(before) {
			t.Fatalf("%d pictures in %q, and %d in %q", len(before), text, len(after), changed)
		}
		var back []byte
		end := 0
		for i, r := range after {
			if r.Address != base+"a.png" && r.Address != before[i].Address {
				t.Errorf("%q became %q", before[i].Address, r.Address)
			}
			back = append(back, changed[end:r.start]...)
			back = append(back, text[before[i].start:before[i].end]...)
			end = r.end
		}
		if back = append(back, changed[end:]...); string(back) != string(text) {
			t.Errorf("%q became %q, and with the old addresses %q", text, changed, back)
		}
		if again := Replace(changed, after, replace); string(again) != string(changed) {
			t.Errorf("%q became %q", changed, again)
		}
	})
}
