package markdown

import (
	"regexp"

	"github.com/microcosm-cc/bluemonday"
)

// policy is what the HTML of a text may contain. It repeats in the terms of bluemonday what cleaner
// makes, so that a mistake in one of them is not enough for an attack.
var policy = newPolicy()

func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	for _, name := range kept {
		if element := name.String(); element != "a" && element != "img" {
			p.AllowNoAttrs().OnElements(element)
		}
	}
	p.AllowNoAttrs().OnElements("span")

	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(true)
	p.AllowURLSchemes("http", "https", "mailto")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("rel").Matching(regexp.MustCompile("^" + rel + "$")).OnElements("a")
	p.AllowAttrs("src").OnElements("img")
	p.AllowAttrs("loading").Matching(regexp.MustCompile(`^lazy$`)).OnElements("img")
	p.AllowAttrs("alt").OnElements("img")
	p.AllowAttrs("title").OnElements("abbr")
	p.AllowAttrs("width", "height").Matching(small).OnElements("img")
	p.AllowAttrs("start").Matching(small).OnElements("ol")
	p.AllowAttrs("colspan", "rowspan").Matching(regexp.MustCompile(`^(100|[0-9]{1,2})$`)).OnElements("td", "th")
	p.AllowAttrs("open").Matching(regexp.MustCompile(`^$`)).OnElements("details")
	p.AllowAttrs("dir").Matching(regexp.MustCompile(`^(ltr|rtl|auto)$`)).Globally()
	p.AllowAttrs("id").Matching(regexp.MustCompile(`^[\p{L}\p{N}_.-]+$`)).Globally()
	p.AllowAttrs("class").Matching(regexp.MustCompile(
		`^(left|right|center|picture|scroll|task|alert-title|alert alert-(note|tip|important|warning|caution)|c-[a-z]+)$`)).Globally()
	p.AllowAttrs("tabindex").Matching(regexp.MustCompile(`^0$`)).OnElements("pre", "div")
	p.AllowAttrs("role").Matching(regexp.MustCompile(`^(img|group)$`)).OnElements("span", "div")
	p.AllowAttrs("aria-label").Matching(regexp.MustCompile(`^(done|to do|Table)$`)).OnElements("span", "div")
	return p
}
