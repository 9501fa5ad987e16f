package check

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// xmlTypes checks the types of fields that are written to the XML. vsce fails with a message of
// JavaScript.
func (r *report) xmlTypes(pkg *node) {
	r.items(pkg.at("categories"), "categories", "a list of strings")
	r.items(pkg.at("activationEvents"), "activationEvents", "a list of strings")
	if n := pkg.at("keywords"); n.is(text) {
		r.stringForList(n, "keywords")
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
	r.contributions(contributes, "grammars", func(name string, n *node) { r.scalar(name+".language", n.at("language")) })
	r.contributions(contributes, "localizations", r.localization)
	for _, keys := range [][]string{
		{"displayName"}, {"description"}, {"homepage"}, {"bugs", "url"}, {"bugs", "email"}, {"galleryBanner", "color"}, {"galleryBanner", "theme"},
	} {
		r.scalar(strings.Join(keys, "."), pkg.at(keys...))
	}
	for _, key := range []string{"categories", "keywords", "enabledApiProposals"} {
		if n := pkg.at(key); n.is(list) {
			n.each(key, r.scalar)
		}
	}
}

// scalar reports a list or an object instead of a text. vsce writes an object as
// "[object Object]".
func (r *report) scalar(name string, n *node) {
	if n.is(list) || n.is(object) {
		r.wrongType(n, name, "a string")
	}
}

// contributions calls f with each item of a kind of contribution.
func (r *report) contributions(contributes *node, key string, f func(name string, n *node)) {
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
	r.contributions(contributes, "languages", func(name string, n *node) {
		r.scalar(name+".id", n.at("id"))
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
			continue // only translations of the editor itself become assets
		}
		if path := t.at("path"); path.kind != text {
			r.wrongType(path, item+".path", "a string")
		}
		if id := n.at("languageId"); !id.is(text) {
			r.wrongType(id, name+".languageId", "a string")
		}
	}
}

// xmlFields are the fields that are written to the XML, except those whose own rules already
// exclude characters that XML cannot represent.
var xmlFields = [][]string{
	{"displayName"}, {"description"}, {"categories"}, {"keywords"}, {"badges"}, {"engines", "vscode"},
	{"extensionDependencies"}, {"extensionPack"}, {"enabledApiProposals"}, {"galleryBanner"},
	{"repository"}, {"bugs"}, {"homepage"}, {"sponsor", "url"}, {"qna"}, {"activationEvents"},
	{"contributes", "localizations"}, {"contributes", "languages"}, {"contributes", "grammars"},
}

// xmlCharacters reports characters that XML cannot represent. vsce writes them, which makes the
// XML invalid.
func (r *report) xmlCharacters(pkg *node) {
	for _, keys := range xmlFields {
		if n := pkg.at(keys...); n != nil {
			r.xmlCharactersOf(n, strings.Join(keys, "."))
		}
	}
}

func (r *report) xmlCharactersOf(n *node, name string) {
	if at := strings.IndexFunc(n.string(), notXML); at >= 0 {
		c := []rune(n.text[at:])[0]
		r.error(n, "remove it", "%s has the character %U, which XML cannot represent", name, c)
	}
	n.each(name, func(name string, v *node) { r.xmlCharactersOf(v, name) })
}

// notXML reports whether c is not a Char of https://www.w3.org/TR/xml/#charsets.
func notXML(c rune) bool {
	return c < ' ' && !slices.Contains([]rune("\t\n\r"), c) || c == '\uFFFE' || c == '\uFFFF'
}

func isControl(c rune) bool { return unicode.IsControl(c) || notXML(c) }
