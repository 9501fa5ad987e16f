package vsix

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"galbuild/build/catalog"
	"galbuild/build/visible"
	"galbuild/build/vsix/manifest"
)

// checkIdentity checks the limits of the values that are names of folders in a site.
func (l Limits) checkIdentity(publisher, name, version, platform string) error {
	for _, x := range []struct {
		what, text string
		limit      int64
	}{
		{"publisher", publisher, l.IDBytes}, {"name", name, l.IDBytes},
		{"version", version, l.VersionBytes}, {"target platform", platform, l.PlatformBytes},
	} {
		if int64(len(x.text)) > x.limit {
			return refuse("", "%s has %d bytes, more than the limit of %d", x.what, len(x.text), x.limit)
		}
	}
	return nil
}

// bound cuts or leaves out what exceeds the limits, with a warning. It refuses the package if an
// essential property, or the metadata in total, exceeds a limit.
func (p *Package) bound(l Limits) error {
	p.cut("display name", &p.DisplayName, l.DisplayName)
	p.cut("description", &p.Description, l.Description)
	p.Categories = p.boundList("categories", p.Categories, l.CategoryBytes, l.Categories)
	p.Tags = p.boundList("tags", p.Tags, l.TagBytes, l.Tags)
	if p.Web && !slices.Contains(p.Tags, manifest.TagWeb) { // needed by editors in a browser
		p.Tags = append(p.Tags[:min(len(p.Tags), int(l.Tags)-1)], manifest.TagWeb)
	}
	if err := p.boundProperties(l); err != nil {
		return err
	}
	if n := p.metadataBytes(); n > l.MetadataBytes {
		return refuse("", "names, description, categories, tags, properties and asset types have %d bytes, "+
			"more than the limit of %d", n, l.MetadataBytes)
	}
	if n := int64(len(p.Warnings)) - l.Warnings; n > 0 {
		p.Warnings = append(p.Warnings[:l.Warnings:l.Warnings],
			fmt.Sprintf("%d more warnings than the limit of %d are left out", n, l.Warnings))
	}
	return nil
}

// Cut shortens a text to limit characters, including an ellipsis at the end. It also returns the
// number of characters of s.
func Cut(s string, limit int64) (cut string, characters int64) {
	characters = int64(utf8.RuneCountInString(s))
	if characters <= limit {
		return s, characters
	}
	n := int64(0)
	for i := range s {
		if n++; n == limit {
			return s[:i] + "…", characters
		}
	}
	return s, characters
}

func (p *Package) cut(what string, s *string, limit int64) {
	var n int64
	if *s, n = Cut(*s, limit); n > limit {
		p.warn("%s has %d characters, more than the limit of %d: it is cut", what, n, limit)
	}
}

// boundList removes items of more than longest bytes, and then the items after the first limit.
func (p *Package) boundList(what string, items []string, longest, limit int64) []string {
	tooLong := func(s string) bool { return int64(len(s)) > longest }
	if i := slices.IndexFunc(items, tooLong); i >= 0 {
		before, first := len(items), items[i]
		items = slices.DeleteFunc(items, tooLong)
		p.warn("%s: %d left out, longer than the limit of %d bytes, such as %.40q… with %d bytes",
			what, before-len(items), longest, first, len(first))
	}
	if n := int64(len(items)); n > limit {
		items = items[:limit]
		p.warn("%s: there are %d, more than the limit of %d; the rest are left out", what, n, limit)
	}
	return items
}

// boundProperties removes properties that are too long, and then those above the limit. It refuses
// the package if an essential property is too long.
func (p *Package) boundProperties(l Limits) error {
	var within []catalog.Property
	long := 0
	for _, x := range p.Properties {
		if int64(len(x.Key)) <= l.PropertyKeyBytes && int64(len(x.Value)) <= l.PropertyValueBytes {
			within = append(within, x)
			continue
		}
		if essential(x.Key) {
			return refuse("", "property %s: its key has %d bytes and its value %d, more than the limits of %d and %d",
				x.Key, len(x.Key), len(x.Value), l.PropertyKeyBytes, l.PropertyValueBytes)
		}
		if long++; long == 1 {
			p.warn("property %.80q is left out: its key has %d bytes and its value %d, more than the limits of %d and %d",
				x.Key, len(x.Key), len(x.Value), l.PropertyKeyBytes, l.PropertyValueBytes)
		}
	}
	if long > 1 {
		p.warn("%d more properties are left out for the same reason", long-1)
	}
	p.Properties = within
	n := int64(len(within))
	if n <= l.Properties {
		return nil
	}
	// Keep the essential properties, wherever they are in the list.
	slices.SortStableFunc(within, func(a, b catalog.Property) int {
		return order(essential(a.Key)) - order(essential(b.Key))
	})
	p.Properties = within[:l.Properties]
	p.warn("properties: there are %d, more than the limit of %d; the rest are left out", n, l.Properties)
	return nil
}

// essential reports whether editors need a property.
func essential(key string) bool { return readByEditors[key] || key == catalog.PropertyPreRelease }

// order sorts true before false.
func order(first bool) int {
	if first {
		return 0
	}
	return 1
}

// metadataBytes returns about how many bytes the package adds to a response that lists it.
func (p *Package) metadataBytes() int64 {
	n := len(p.Publisher) + len(p.Name) + len(p.Version) + len(p.Platform) +
		len(p.DisplayName) + len(p.Description)
	for _, list := range [][]string{p.Categories, p.Tags} {
		for _, s := range list {
			n += len(s)
		}
	}
	for _, x := range p.Properties {
		n += len(x.Key) + len(x.Value)
	}
	for _, a := range p.Assets {
		n += len(a.Type)
	}
	return int64(n)
}

// warnLooks warns about characters that can make a text look like another one.
func (p *Package) warnLooks(what, s string) {
	for _, finding := range visible.Findings(s) {
		p.warn("%s %.200q: %s", what, s, finding)
	}
}
