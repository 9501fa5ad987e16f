package vsix

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/mediatype"
	"galbuild/build/vsix/manifest"
)

// setAssets sets the assets: the two manifests, and those of the XML, up to the limit. Of several
// assets of a type, it uses the first, as editors do.
func (p *Package) setAssets(d *documents) {
	listed := d.xml.Assets
	if len(listed) == 0 && !d.derived {
		listed = d.pkg.Assets(p.archive.names())
	}
	added := map[string]bool{
		// These are served, but are not entries of the archive.
		catalog.PackageAsset: true, catalog.SignatureAsset: true, manifest.AssetPublicKey: true,
	}
	p.addAsset(added, manifest.AssetManifest, manifest.PackagePath)
	if file, ok := p.archive.find(manifest.XMLPath); ok {
		p.addAsset(added, manifest.AssetVsixManifest, file.name)
	}
	for i, x := range listed {
		if int64(len(p.Assets)) >= d.limits.AssetTypes {
			p.warn("assets: %d are listed, more than the limit asset-types of %d allows; "+
				"those after the first %d are left out", len(listed), d.limits.AssetTypes, i)
			break
		}
		if !added[x.Type] {
			p.addListed(added, x, d.limits)
		}
	}
	slices.SortFunc(p.Assets, func(a, b Asset) int { return cmp.Compare(a.Type, b.Type) })
}

func (p *Package) addAsset(added map[string]bool, kind, entry string) {
	added[kind] = true
	p.Assets = append(p.Assets, Asset{Type: kind, Entry: entry, MediaType: mediatype.OfAsset(kind, entry)})
}

func (p *Package) addListed(added map[string]bool, x manifest.Asset, l Limits) {
	file, ok := p.archive.find(assetEntry(x.Path))
	switch {
	case !catalog.IsAssetType(x.Type):
		p.warn("asset %.80q is left out: its type cannot be the name of a file", x.Type)
	case catalog.IsOwnAsset(x.Type):
		p.warn("asset %s is left out: types that begin with galbuild. are those of the gallery", x.Type)
	case !ok:
		p.warn("asset %s is left out: there is no entry %.200q", x.Type, x.Path)
	case file.isLink():
		p.warn("%s %q is left out: it is a symbolic link", nounOf(x.Type), file.name)
	case isIcon(x.Type) && strings.HasPrefix(mediatype.Of(file.name), "image/svg"):
		p.warn("icon %q is left out: editors do not show SVG", file.name)
	case file.size() > l.ofAsset(x.Type):
		p.warn("%s %q is left out: it has %d bytes, more than the limit of %d",
			nounOf(x.Type), file.name, file.size(), l.ofAsset(x.Type))
	default:
		p.addAsset(added, x.Type, file.name)
	}
}

// ofAsset returns the size limit of an asset, in bytes.
func (l Limits) ofAsset(kind string) int64 {
	switch {
	case isIcon(kind):
		return l.IconBytes
	case kind == catalog.DetailsAsset:
		return l.ReadmeBytes
	case kind == catalog.ChangelogAsset:
		return l.ChangelogBytes
	}
	return l.EntryBytes
}

func nounOf(kind string) string {
	switch {
	case isIcon(kind):
		return "icon"
	case kind == catalog.DetailsAsset:
		return "readme"
	case kind == catalog.ChangelogAsset:
		return "change log"
	}
	return "asset"
}

// assetEntry returns the name of the entry for a path in a manifest.
func assetEntry(name string) string {
	slashed := strings.ReplaceAll(strings.TrimSpace(name), `\`, "/")
	return strings.TrimPrefix(path.Clean("/"+slashed), "/")
}

func isIcon(kind string) bool {
	return strings.HasPrefix(kind, "Microsoft.VisualStudio.Services.Icons.")
}
