package readme

import (
	"strings"
	"testing"

	"galbuild/build/markdownlimit"
)

// TestFindings checks all findings and their lines.
func TestFindings(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		options Options
		want    []string
	}{
		"template": {"# a\n\nThis is the README for your extension \"a\".\n", Options{}, []string{
			`CHANGELOG.md:3: template text of the extension generator, "This is the README for your extension", is still there`}},
		"no repository": {"[a](b.md)\r\n![c](d.png \"e\")\r\r[![f](g.png)](h)\n<img\nsrc='i.png'>\n", Options{}, []string{
			`CHANGELOG.md:1: relative link "b.md" will be broken, as package.json has no repository`,
			`CHANGELOG.md:2: relative image "d.png \"e\"" will be broken, as package.json has no repository`,
			`CHANGELOG.md:4: relative link "h" will be broken, as package.json has no repository`,
			`CHANGELOG.md:4: relative image "g.png" will be broken, as package.json has no repository`,
			`CHANGELOG.md:5: relative image "i.png" will be broken, as package.json has no repository`}},
		"other host": {"[a](b.md)\n", Options{Repository: "o/r"}, []string{
			`CHANGELOG.md:1: relative link "b.md" will be broken, as the repository "o/r" in package.json is not on GitHub or GitLab`}},
		"images": {"<img>\n\n> - ![a](http://x/y)\n\n<div>\n<p><img src='a.svg?'>\n<svg>\n</div>\n\n" +
			"a <b\nc><svg>\n\n![r]\n\n[r]: https://x/%\n\n![a\nb](https://x/y.svg)\n", Options{ContentURL: "https://x"}, []string{
			`CHANGELOG.md:1: image has no source`,
			`CHANGELOG.md:3: image source "http://x/y" does not come over HTTPS`,
			`CHANGELOG.md:6: image source "a.svg?" is not an absolute address`,
			`CHANGELOG.md:13: image source "https://x/%" has a broken percent escape`,
			`CHANGELOG.md:17: image source "https://x/y.svg" is SVG from a host that is not trusted`,
			`CHANGELOG.md:7: galleries do not show <svg>`,
			`CHANGELOG.md:11: galleries do not show <svg>`}},
		"long": {"<img src='data:," + strings.Repeat("ä", 100) + "'>\n", Options{ContentURL: "https://x"}, []string{
			`CHANGELOG.md:1: image source "data:,` + strings.Repeat("ä", 47) + `…" does not come over HTTPS`}},
		"too deep": {"a\n" + strings.Repeat("> ", markdownlimit.MaxDepth+1) + "![a](http://x)\n", Options{}, []string{
			`CHANGELOG.md:2: more than 500 nested quotes and lists`}},
		"too many marks": {"a\n\n" + strings.Repeat("*a ", markdownlimit.MaxMarks) + "\n![a](http://x) <img>\n", Options{}, []string{
			`CHANGELOG.md:4: more than 1024 of the characters ! [ * _ ~ in one paragraph: images after them were not checked`,
			`CHANGELOG.md:4: image has no source`}},
		"table with too many cells": {strings.Repeat("|a", 20000) + "\n" + strings.Repeat("|-", 20000) + "\n" + strings.Repeat("|a\n", 20000) + "\n<img>\n", Options{}, []string{
			`CHANGELOG.md:20004: image has no source`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, findings := Rewrite("CHANGELOG.md", []byte(c.text), c.options)
			var got []string
			for _, f := range findings {
				got = append(got, f.String())
				if f.Hint == "" || strings.HasSuffix(f.Hint, ".") || strings.HasSuffix(f.What, ".") {
					t.Errorf("%q: hint %q", f.What, f.Hint)
				}
			}
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("findings\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}
