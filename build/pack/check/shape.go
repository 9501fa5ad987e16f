package check

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// shapes checks the types of what goes into the XML. vsce fails on each with a
// JavaScript message.
func (r *report) shapes(pkg *node) {
	r.items(pkg.at("categories"), "categories", "a list of strings")
	r.items(pkg.at("activationEvents"), "activationEvents", "a list of strings")
	if n := pkg.at("keywords"); n.is(text) {
		r.letters(n, "keywords")
	} else {
		r.items(n, "keywords", "a list of strings")
	}
	if n := pkg.at("enabledApiProposals"); n.truthy() {
		r.items(n, "enabledApiProposals", "a list of strings")
	}
	for _, key := range []string{"main", "browser", "icon"} {
		if n := pkg.at(key); n.truthy() && n.kind != text {
			r.wrongType(n, key, "a string")
		}
	}
	contributes := pkg.at("contributes")
	if !contributes.absent() && !contributes.truthy() {
		r.wrongType(contributes, "contributes", "an object")
	}
	r.languages(contributes)
	r.contributed(contributes, "grammars", func(name string, n *node) { r.single(name+".language", n.at("language")) })
	r.contributed(contributes, "localizations", r.localization)
	for _, keys := range [][]string{
		{"displayName"}, {"description"}, {"homepage"}, {"bugs", "url"}, {"bugs", "email"}, {"galleryBanner", "color"}, {"galleryBanner", "theme"},
	} {
		r.single(strings.Join(keys, "."), pkg.at(keys...))
	}
	for _, key := range []string{"categories", "keywords", "enabledApiProposals"} {
		if n := pkg.at(key); n.is(list) {
			n.each(key, r.single)
		}
	}
}

// single refuses a list or an object in place of a text. vsce writes it: an object
// as "[object Object]".
func (r *report) single(name string, n *node) {
	if n.is(list) || n.is(object) {
		r.wrongType(n, name, "a string")
	}
}

// contributed calls f with the items of a contribution.
func (r *report) contributed(contributes *node, key string, f func(name string, n *node)) {
	name := "contributes." + key
	for i, n := range r.items(contributes.at(key), name, "a list of objects") {
		item := fmt.Sprintf("%s[%d]", name, i)
		if n.kind == null {
			r.wrongType(n, item, "an object")
			continue
		}
		f(item, n)
	}
}

func (r *report) languages(contributes *node) {
	r.contributed(contributes, "languages", func(name string, n *node) {
		r.single(name+".id", n.at("id"))
		r.texts(n.at("aliases"), name+".aliases")
		r.texts(n.at("extensions"), name+".extensions")
	})
}

func (r *report) localization(name string, n *node) {
	translations := n.at("translations")
	if translations.absent() {
		r.error(n, "", "%s has no translations", name)
		return
	}
	for i, t := range r.items(translations, name+".translations", "a list of objects") {
		item := fmt.Sprintf("%s.translations[%d]", name, i)
		if t.kind == null {
			r.wrongType(t, item, "an object")
			continue
		}
		if t.at("id").string() != "vscode" || !t.at("path").truthy() {
			continue // only the editor's own become assets
		}
		if path := t.at("path"); path.kind != text {
			r.wrongType(path, item+".path", "a string")
		}
		if id := n.at("languageId"); !id.is(text) {
			r.wrongType(id, name+".languageId", "a string")
		}
	}
}

// written are the fields that go into the XML, but for those whose own rules leave
// them no character that XML lacks.
var written = [][]string{
	{"displayName"}, {"description"}, {"categories"}, {"keywords"}, {"badges"}, {"engines", "vscode"},
	{"extensionDependencies"}, {"extensionPack"}, {"enabledApiProposals"}, {"galleryBanner"},
	{"repository"}, {"bugs"}, {"homepage"}, {"sponsor", "url"}, {"qna"}, {"activationEvents"},
	{"contributes", "localizations"}, {"contributes", "languages"}, {"contributes", "grammars"},
}

// xmlTexts refuses what XML cannot hold: vsce writes it, and the XML is broken.
func (r *report) xmlTexts(pkg *node) {
	for _, keys := range written {
		if n := pkg.at(keys...); n != nil {
			r.xmlText(n, strings.Join(keys, "."))
		}
	}
}

func (r *report) xmlText(n *node, name string) {
	if at := strings.IndexFunc(n.string(), notXML); at >= 0 {
		c := []rune(n.text[at:])[0]
		r.error(n, "take it out", "%s has the character %U, which XML cannot hold", name, c)
	}
	n.each(name, func(name string, v *node) { r.xmlText(v, name) })
}

// notXML tells what is no Char of https://www.w3.org/TR/xml/#charsets.
func notXML(c rune) bool {
	return c < ' ' && !slices.Contains([]rune("\t\n\r"), c) || c == '\uFFFE' || c == '\uFFFF'
}

func isControl(c rune) bool { return unicode.IsControl(c) || notXML(c) }
