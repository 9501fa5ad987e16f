package manifest

import (
	"encoding/json"
	"regexp"
	"strings"
)

// Limits of [Package.Contributed]. Extensions with more than a hundred commands are rare, and
// the texts only help to find them, so the excess is left out without a warning.
const (
	contributedTexts = 200      // number of texts
	contributedEach  = 100      // bytes of one text; longer texts are left out
	contributedBytes = 4 * 1024 // bytes of all texts
)

// contributedFields are the fields of contributions that people search for, by priority. Commands
// are last, because there can be very many.
//
// Source: https://code.visualstudio.com/api/references/contribution-points
var contributedFields = []struct {
	contribution string
	fields       []string // texts, or lists of texts
}{
	{"languages", []string{"id", "aliases"}},
	{"debuggers", []string{"type", "label"}},
	{"localizations", []string{"languageName", "localizedLanguageName"}},
	{"themes", []string{"label"}},
	{"iconThemes", []string{"label"}},
	{"productIconThemes", []string{"label"}},
	{"notebooks", []string{"displayName"}},
	{"customEditors", []string{"displayName"}},
	{"commands", []string{"title", "category"}},
}

// Contributed returns texts of contributions, by which people search for an extension: languages
// and their aliases, types and labels of debuggers, labels of themes, titles and categories of
// commands. Each text is translated, on one line, and returned once, in any case of letters.
// There are at most 200 texts of at most 100 bytes each, and of 4 KiB together.
func (p *Package) Contributed() []string {
	all := contributed{seen: make(map[string]bool)}
	contributions := p.contributions()
	for _, c := range contributedFields {
		for _, raw := range contributions.oneOrMore(c.contribution) {
			if all.full() {
				return all.texts
			}
			var fields map[string]json.RawMessage
			if json.Unmarshal(raw, &fields) != nil {
				continue
			}
			of := object{fields, p.translations, p.exact}
			for _, field := range c.fields {
				all.add(of.text(field))
				for _, text := range of.texts(field) {
					all.add(text)
				}
			}
		}
	}
	return all.texts
}

// oneOrMore returns the elements of a list, or a single value as a list. Editors accept both.
func (o object) oneOrMore(key string) []json.RawMessage {
	if l := o.list(key); l != nil || !o.has(key) {
		return l
	}
	return []json.RawMessage{o.fields[key]}
}

// contributed collects texts within the limits.
type contributed struct {
	texts []string
	seen  map[string]bool // in lower case
	bytes int
}

func (c *contributed) full() bool {
	return len(c.texts) == contributedTexts || c.bytes == contributedBytes
}

// icon matches an icon in a text, such as $(play).
var icon = regexp.MustCompile(`\$\([A-Za-z0-9~-]*\)`)

func (c *contributed) add(text string) {
	if len(text) > 2*contributedEach || text == "" { // twice, because icons and white space are removed
		return
	}
	text = displayText(icon.ReplaceAllString(text, " "))
	lower := strings.ToLower(text)
	if text == "" || len(text) > contributedEach || len(text) > contributedBytes-c.bytes ||
		c.seen[lower] || c.full() {
		return
	}
	c.seen[lower] = true
	c.texts = append(c.texts, text)
	c.bytes += len(text)
}
