package check

import (
	"fmt"
	"strings"

	"github.com/nlnwa/whatwg-url/url"

	"galbuild/build/pack/imagepolicy"
)

// badges checks that each badge is an image that galleries show.
func (r *report) badges(pkg *node) {
	for i, b := range r.items(pkg.at("badges"), "badges", "a list of objects") {
		name := fmt.Sprintf("badges[%d]", i)
		if b.kind != object {
			r.wrongType(b, name, "an object")
			continue
		}
		if s, ok := r.needText(b.at("url"), name+".url", "give the https address of an image"); ok {
			r.badge(b.at("url"), name+".url", s)
		}
	}
}

func (r *report) badge(n *node, name, s string) {
	switch err := imagepolicy.Image(s); err {
	case nil:
	case imagepolicy.ErrEscape:
		r.error(n, "write a percent sign as %25", "%s %q: a %% is not followed by the two digits of a UTF-8 byte", name, s)
	case imagepolicy.ErrScheme:
		r.error(n, "give an https address", "%s %q: galleries show images from https only", name, s)
	case imagepolicy.ErrSVG:
		r.error(n, "use a PNG, or a badge service such as img.shields.io", "%s %q: galleries show SVG images from trusted hosts only", name, s)
	default:
		r.error(n, "give the https address of an image", "%s %q: not an address", name, s)
	}
}

func isSVG(path string) bool { return strings.HasSuffix(strings.ToLower(path), ".svg") }

// others checks fields that have a rule of their own, and no more.
func (r *report) others(pkg *node) {
	if n := pkg.at("icon"); isSVG(n.string()) {
		r.error(n, "use a PNG of at least 128 by 128 pixels", "icon %q: galleries and editors show no SVG", n.text)
	}
	if n := pkg.at("dependencies", "vscode"); n != nil {
		r.error(n, `take it out; "@types/vscode" in devDependencies is what compilers need`, "dependencies has %q, which the editor is, not a package", "vscode")
	}
	r.kinds(pkg.at("extensionKind"))
	r.sponsor(pkg.at("sponsor"))
	r.ids(pkg.at("extensionDependencies"), "extensionDependencies")
	r.ids(pkg.at("extensionPack"), "extensionPack")
	if n := pkg.at("files"); n.truthy() {
		r.texts(n, "files")
	}
}

func (r *report) kinds(n *node) {
	if !n.truthy() {
		return
	}
	kinds := n.items
	if n.kind != list {
		kinds = []*node{n}
	}
	for _, k := range kinds {
		if s := k.string(); s != "ui" && s != "workspace" {
			r.error(k, `leave "web" out: it follows from browser`, `extensionKind %s: want "ui" or "workspace"`, k.quoted())
		}
	}
}

func (r *report) sponsor(n *node) {
	if !n.truthy() {
		return
	}
	if n.kind != object {
		r.wrongType(n, "sponsor", "an object with a url")
		return
	}
	const way = "give an https address"
	if s, ok := r.needText(n.at("url"), "sponsor.url", way); ok && !isWeb(s) {
		r.error(n.at("url"), way, "sponsor.url %q: not an http or https address", s)
	}
}

func isWeb(s string) bool {
	u, err := url.Parse(s) // as browsers do
	return err == nil && (u.Scheme() == "http" || u.Scheme() == "https")
}

// ids checks a list of other extensions.
func (r *report) ids(n *node, name string) {
	if n.is(text) {
		r.letters(n, name)
		return
	}
	for _, id := range r.texts(n, name) {
		if strings.ToLower(id.text) == "github.copilot" {
			r.warn(id, fmt.Sprintf("use %q", id.text+"-chat"), "%s has %q, which is being replaced by %q", name, id.text, id.text+"-chat")
		}
	}
}

// letters warns of a string where a list is meant.
func (r *report) letters(n *node, name string) {
	if n.text != "" {
		r.warn(n, "put it into brackets", "%s is a string, want a list of strings: each of its letters becomes an item", name)
	}
}
