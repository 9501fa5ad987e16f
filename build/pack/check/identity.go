package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"galbuild/build/npmsemver"
	"galbuild/build/pack/finding"
	"galbuild/build/vsix/manifest"
)

var goodID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*$`)

const idRule = "want letters, digits and '-', beginning with a letter or digit"

func (r *report) identity(pkg *node, o Options) {
	if s, ok := r.needText(pkg.at("name"), "name", `add "name": "…", the second half of its id`); ok {
		if !goodID.MatchString(s) {
			r.error(pkg.at("name"), "", "name %q: %s", s, idRule)
		} else if err := manifest.CheckIdentity("a", s, "0.0.0"); err != nil && !o.List {
			r.error(pkg.at("name"), "", "%v", err)
		}
	}
	r.publisher(pkg, o)
	if s, ok := r.needText(pkg.at("version"), "version", `add "version": "0.0.1"`); ok {
		if err := checkVersion(s, o); err != nil {
			r.error(pkg.at("version"), "", "%v", err)
		}
	}
	if o.Version != "" {
		if err := checkVersion(o.Version, o); err != nil {
			r.add(finding.Error("", "", "%v", err))
		}
	}
}

func (r *report) publisher(pkg *node, o Options) {
	n := pkg.at("publisher")
	if o.List && !n.truthy() {
		return // the list of files does not depend on it
	}
	s, ok := r.needText(n, "publisher", `add "publisher": "…", the first half of its id`)
	if !ok {
		return
	}
	if !goodID.MatchString(s) {
		r.error(n, "use the id of the publisher, not its display name", "publisher %q: %s", s, idRule)
	} else if err := manifest.CheckIdentity(s, "a", "0.0.0"); err != nil && !o.List {
		r.error(n, "", "%v", err)
	}
}

func checkVersion(s string, o Options) error {
	if !o.List {
		return manifest.CheckIdentity("a", "a", s)
	}
	s = strings.TrimPrefix(strings.TrimSpace(s), "v")
	if _, err := npmsemver.ParseVersion(s); err != nil {
		return fmt.Errorf("version %q: %w", s, err)
	}
	return nil
}

func (r *report) pricing(pkg *node) {
	if n := pkg.at("pricing"); n.truthy() && !slices.Contains([]string{"Free", "Trial"}, n.string()) {
		r.error(n, `leave it out for "Free"`, `pricing %s: want "Free" or "Trial"`, n.quoted())
	}
}

// quoted returns the value as a finding shows it.
func (n *node) quoted() string {
	if n.is(text) {
		return fmt.Sprintf("%q", n.text)
	}
	return "is " + n.typeName()
}
