package source

import (
	"path/filepath"

	"galbuild/build/catalog"
)

// A tree of vscodeoffline has, below its folder artifacts/extensions:
//
//	<publisher.name>/latest.json                          what the gallery said of the extension last
//	<publisher.name>/<version>/extension.json             what it said when the version was downloaded
//	<publisher.name>/<version>[/<platform>]/<asset type>  one file for each asset, the package among them
//
// Both JSON files are an extension as the Marketplace answers it.
//
// Source: save_state and download_assets in vscoffline/sync.py of
// https://github.com/LOLINTERNETZ/vscodeoffline, 2689176.
const (
	latestName  = "latest.json"
	versionName = "extension.json"
)

// isPackageAsset tells whether a file has the name of a package in a tree of vscodeoffline.
func isPackageAsset(name string) bool { return name == catalog.PackageAsset }

// addSidecars looks up what else is known of a package. What lies in the unpacked extension of
// the manifest is not to be trusted, save for a signature, which is checked.
func (i *Item) addSidecars(lookup func(path string) *Stamp, manifest *Stamp) {
	i.Sidecar = lookup(sidecarOf(i.Path))
	if isPackageAsset(filepath.Base(i.Path)) {
		i.Signature = lookup(filepath.Join(filepath.Dir(i.Path), catalog.SignatureAsset))
		i.addGalleryJSON()
	} else {
		i.Signature = lookup(signatureOf(i.Path))
	}
	for _, s := range []**Stamp{&i.Sidecar, &i.VersionSidecar} {
		if *s != nil && isBelow((*s).Path, manifest) {
			i.Untrusted, *s = (*s).Path, nil
		}
	}
}

// addGalleryJSON looks up the JSON files of vscodeoffline.
func (i *Item) addGalleryJSON() {
	dir := filepath.Dir(i.Path)
	for range 2 { // the folder of the platform, if there is one, and that of the version
		if i.VersionSidecar == nil {
			i.VersionSidecar = stamp(filepath.Join(dir, versionName))
		}
		dir = filepath.Dir(dir)
		if i.Sidecar == nil {
			i.Sidecar = stamp(filepath.Join(dir, latestName))
		}
	}
}
