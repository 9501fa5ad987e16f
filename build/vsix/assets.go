package vsix

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/vsix/manifest"
)

// setAssets takes the XML's assets, the first of each type as editors do, and
// the two manifests.
func (p *Package) setAssets(d *documents) {
	listed := d.xml.Assets
	if len(listed) == 0 && !d.derived {
		listed = d.pkg.Assets(p.archive.names())
	}
	taken := map[string]bool{
		// Served, but not out of the archive.
		manifest.AssetPackage: true, manifest.AssetSignature: true, manifest.AssetPublicKey: true,
	}
	p.addAsset(taken, manifest.AssetManifest, manifest.PackagePath)
	if file, ok := p.archive.find(manifest.XMLPath); ok {
		p.addAsset(taken, manifest.AssetVsixManifest, file.name)
	}
	for _, x := range listed {
		if !taken[x.Type] {
			p.addListed(taken, x)
		}
	}
	slices.SortFunc(p.Assets, func(a, b Asset) int { return cmp.Compare(a.Type, b.Type) })
}

func (p *Package) addAsset(taken map[string]bool, kind, entry string) {
	taken[kind] = true
	p.Assets = append(p.Assets, Asset{Type: kind, Entry: entry, MediaType: MediaType(entry)})
}

func (p *Package) addListed(taken map[string]bool, x manifest.Asset) {
	file, ok := p.archive.find(assetEntry(x.Path))
	switch {
	case !catalog.IsAssetType(x.Type):
		p.warn("asset %.80q is left out: its type cannot be a file's name", x.Type)
	case !ok:
		p.warn("asset %s is left out: no entry %.200q", x.Type, x.Path)
	case isIcon(x.Type) && strings.HasPrefix(MediaType(file.name), "image/svg"):
		p.warn("icon %q is left out: editors show no SVG", file.name)
	case isIcon(x.Type) && file.size() > iconBytes:
		p.warn("icon %q is left out: it has %d bytes, more than the limit of %d", file.name, file.size(), iconBytes)
	default:
		p.addAsset(taken, x.Type, file.name)
	}
}

// assetEntry returns the name of an entry that a manifest writes as a path.
func assetEntry(name string) string {
	slashed := strings.ReplaceAll(strings.TrimSpace(name), `\`, "/")
	return strings.TrimPrefix(path.Clean("/"+slashed), "/")
}

func isIcon(kind string) bool {
	return strings.HasPrefix(kind, "Microsoft.VisualStudio.Services.Icons.")
}
