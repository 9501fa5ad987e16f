package manifest

import "strings"

// Options are what a packager knows and package.json does not.
type Options struct {
	Platform   string // target platform; "" is universal
	PreRelease bool
}

// Derive returns the XML that belongs to p in a package with these entries,
// named as in the package (extension/…).
func Derive(p *Package, entries []string, o Options) *XML {
	assets := p.Assets(entries)
	return &XML{
		Format: "2.0.0",
		XMLNS:  "http://schemas.microsoft.com/developer/vsx-schema/2011",
		XMLNSD: "http://schemas.microsoft.com/developer/vsx-schema-design/2011",
		Metadata: Metadata{
			Identity:     Identity{Language: "en-US", Name: p.Name, Version: p.Version, Publisher: p.Publisher, Platform: o.Platform},
			DisplayName:  p.DisplayName(),
			Description:  Description{Space: "preserve", Text: p.Description()},
			Tags:         strings.Join(p.Tags(), ","),
			Categories:   strings.Join(p.Categories(), ","),
			GalleryFlags: p.galleryFlags(),
			Badges:       p.badges(),
			Properties:   withPreRelease(p.Properties(), o.PreRelease),
			License:      pathOf(assets, AssetLicense),
			Icon:         pathOf(assets, AssetIcon),
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

func (p *Package) badges() []Badge {
	var badges []Badge
	for _, b := range p.objects("badges") {
		badges = append(badges, Badge{Link: b.text("href"), Image: b.text("url"), Description: b.text("description")})
	}
	return badges
}

func withPreRelease(properties []Property, preRelease bool) []Property {
	if preRelease {
		properties = append(properties, Property{PropertyPreRelease, "true"})
	}
	return properties
}

func pathOf(assets []Asset, kind string) string {
	for _, a := range assets {
		if a.Type == kind {
			return a.Path
		}
	}
	return ""
}
