package build

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/source"
	"galbuild/build/vsix"
)

// addPackages adds what is known about the packages of the candidates to those of the last
// generation. Packages of versions that are not served any more stay.
func (a *assembly) addPackages(chosen map[string]identified) {
	var all []catalog.Package
	for i := range a.candidates {
		c := &a.candidates[i]
		if c.refused != nil || c.excluded != nil {
			continue
		}
		key := c.key()
		x, ok := chosen[key]
		if !ok || !sameContent(x.version, c.version) {
			continue
		}
		p := catalog.Package{
			SHA256: c.version.Package.Ref, ID: key, Licence: x.version.Licence, Signed: x.version.Signed,
			Sources: []catalog.Source{c.sourceOf()}, Bundled: c.bundled,
		}
		if known := catalog.FindPackage(a.catalog.Packages, p.SHA256, p.ID); known == nil || !known.Includes(&p) {
			all = append(all, p)
		}
	}
	if len(all) > 0 {
		a.catalog.Packages = catalog.MergePackages(a.catalog.Packages, catalog.Packages(all))
	}
}

// sourceOf returns where the package came from: from the address that a sidecar states, or else
// from the item. What was collected has no path, which would say no more.
func (c *candidate) sourceOf() catalog.Source {
	own := sourceOf(c.item)
	if c.source == nil {
		return own
	}
	stated := *c.source
	if stated.URL == "" {
		stated.Path, stated.URL = own.Path, own.URL
	}
	return stated
}

// checkStated sets the source that the sidecars state, and refuses another package than the
// upstream has stated.
func (c *candidate) checkStated() error {
	s := c.collected.Source
	if s == nil {
		return nil
	}
	c.source = &catalog.Source{
		URL: s.URL, Upstream: s.Upstream, StatedSHA256: s.SHA256, Signature: s.Signature, Access: s.Access, Licence: s.Licence,
	}
	if s.SHA256.IsZero() || s.SHA256 == c.ref {
		return nil
	}
	return fmt.Errorf("its SHA-256 is %s, and its sidecar says that %s states %s; collect the package again, or remove the sidecar",
		c.ref, cmp.Or(s.Upstream, "the upstream"), s.SHA256)
}

func sourceOf(item *source.Item) catalog.Source {
	text, _ := vsix.Cut(strings.Map(printable, strings.ToValidUTF8(item.Origin, "\uFFFD")), catalog.MaxSourceText/utf8.UTFMax)
	if source.IsURL(text) {
		return catalog.Source{URL: text}
	}
	return catalog.Source{Path: text}
}

func printable(r rune) rune {
	if unicode.IsControl(r) {
		return '\uFFFD'
	}
	return r
}

// Carries reports whether c has all records and counts of from, and all that from states about
// packages.
func Carries(c, from *catalog.Catalog) bool {
	return decision.Includes(c.Records, from.Records) && catalog.IncludesPackages(c.Packages, from.Packages) &&
		catalog.IncludesCounted(c.Counted, from.Counted) && catalog.IncludesUsage(c.Usage, from.Usage)
}
