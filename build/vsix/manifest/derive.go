package manifest

import (
	"slices"
	"strings"
)

// Options are values of a package that are not in package.json.
type Options struct {
	Platform   string // target platform; "" is universal
	PreRelease bool

	// The entries with these types, such as extension/LICENSE.txt, or "". They are used for
	// packing only. For galleries, they are found by their names.
	Readme, Changelog, License, Icon string
}

// Derive returns the XML of a package with the package.json p and these entries, whose names begin
// with extension/.
func Derive(p *Package, entries []string, o Options) *XML {
	names := slices.Sorted(slices.Values(entries))
	if !p.exact {
		o = p.findByName(names, o)
	}
	assets := p.assets(names, o)
	return &XML{
		Format: "2.0.0",
		XMLNS:  "http://schemas.microsoft.com/developer/vsx-schema/2011",
		XMLNSD: "http://schemas.microsoft.com/developer/vsx-schema-design/2011",
		Metadata: Metadata{
			Identity: Identity{
				Language: "en-US", Name: p.Name, Version: p.Version, Publisher: p.Publisher,
				Platform: o.Platform,
			},
			DisplayName:  p.DisplayName(),
			Description:  Description{Space: "preserve", Text: p.Description()},
			Tags:         strings.Join(p.Tags(), ","),
			Categories:   strings.Join(p.Categories(), ","),
			GalleryFlags: p.galleryFlags(),
			Badges:       p.badges(),
			Properties:   p.properties(o.PreRelease),
			License:      o.License,
			Icon:         o.Icon,
		},
		Targets: []Target{{ID: "Microsoft.VisualStudio.Code"}},
		Assets:  assets,
	}
}

func (p *Package) galleryFlags() string {
	if p.Preview() {
		return "Public Preview"
	}
	return "Public"
}

func (p *Package) badges() *[]Badge {
	if p.list("badges") == nil {
		return nil
	}
	badges := []Badge{}
	for _, b := range p.objects("badges") {
		badges = append(badges, Badge{
			Link: b.text("href"), Image: b.text("url"), Description: b.text("description"),
		})
	}
	return &badges
}
