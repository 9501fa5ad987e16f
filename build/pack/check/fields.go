package check

import (
	"fmt"
	"strings"

	"github.com/nlnwa/whatwg-url/url"

	"galbuild/build/pack/imagepolicy"
)

// badges checks that galleries show each badge.
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
	switch err := imagepolicy.Check(s); err {
	case nil:
	case imagepolicy.ErrEscape:
		r.error(n, "write a percent sign as %25", "%s %q: a %% is not followed by the two digits of a UTF-8 byte", name, s)
	case imagepolicy.ErrScheme:
		r.error(n, "give an https address", "%s %q: galleries show only images from https", name, s)
	case imagepolicy.ErrSVG:
		r.error(n, "use a PNG, or a badge service such as img.shields.io", "%s %q: galleries show SVG images only from trusted hosts", name, s)
	default:
		r.error(n, "give the https address of an image", "%s %q: not an address", name, s)
	}
}

func isSVG(path string) bool { return strings.HasSuffix(strings.ToLower(path), ".svg") }

// otherFields checks fields with simple rules.
func (r *report) otherFields(pkg *node) {
	if n := pkg.at("icon"); isSVG(n.string()) {
		r.error(n, "use a PNG of at least 128 by 128 pixels", "icon %q: galleries and editors do not show SVG", n.text)
	}
	if n := pkg.at("dependencies", "vscode"); n != nil {
		r.error(n, `remove it; compilers need "@types/vscode" in devDependencies`, "dependencies has %q, which is the editor and not a package", "vscode")
	}
	r.extensionKind(pkg.at("extensionKind"))
	r.sponsor(pkg.at("sponsor"))
	r.extensionIDs(pkg.at("extensionDependencies"), "extensionDependencies")
	r.extensionIDs(pkg.at("extensionPack"), "extensionPack")
	if n := pkg.at("files"); n.truthy() {
		r.texts(n, "files")
	}
}

func (r *report) extensionKind(n *node) {
	if !n.truthy() {
		return
	}
	kinds := n.items
	if n.kind != list {
		kinds = []*node{n}
	}
	for _, k := range kinds {
		if s := k.string(); s != "ui" && s != "workspace" {
			r.error(k, `remove "web": editors infer it from browser`, `extensionKind %s: want "ui" or "workspace"`, k.quoted())
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
	const hint = "give an https address"
	if s, ok := r.needText(n.at("url"), "sponsor.url", hint); ok && !isHTTP(s) {
		r.error(n.at("url"), hint, "sponsor.url %q: not an http or https address", s)
	}
}

// isHTTP reports whether browsers parse s as an http or https address.
func isHTTP(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme() == "http" || u.Scheme() == "https")
}

// extensionIDs checks a list of ids of other extensions.
func (r *report) extensionIDs(n *node, name string) {
	if n.is(text) {
		r.stringForList(n, name)
		return
	}
	for _, id := range r.texts(n, name) {
		if strings.ToLower(id.text) == "github.copilot" {
			r.warn(id, fmt.Sprintf("use %q", id.text+"-chat"), "%s has %q, which is being replaced by %q", name, id.text, id.text+"-chat")
		}
	}
}

// stringForList warns of a string instead of a list.
func (r *report) stringForList(n *node, name string) {
	if n.text != "" {
		r.warn(n, "put it in brackets", "%s is a string, want a list of strings: each of its letters becomes an item", name)
	}
}
