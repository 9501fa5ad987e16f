package source

import (
	"path/filepath"

	"galbuild/build/catalog"
	"galbuild/build/records"
)

// vscodeoffline writes these files below its folder artifacts/extensions:
//
//	<publisher.name>/latest.json                          the newest metadata of the extension
//	<publisher.name>/<version>/extension.json             the metadata of the download
//	<publisher.name>/<version>[/<platform>]/<asset type>  each asset, and the package
//
// Both JSON files contain an extension as in a response of the Marketplace.
//
// Source: save_state and download_assets in vscoffline/sync.py of
// https://github.com/LOLINTERNETZ/vscodeoffline, 2689176.
const (
	latestName  = "latest.json"
	versionName = "extension.json"
)

// isPackageAsset reports whether a file has the name of a package of vscodeoffline.
func isPackageAsset(name string) bool { return name == catalog.PackageAsset }

// addSidecars adds the sidecars and the signature of the package. A sidecar in the unpacked
// extension of the manifest is not trusted. A signature there is, because it is verified.
func (i *Item) addSidecars(lookup func(path string) *Stamp, manifest *Stamp) {
	i.Sidecar, i.Records = lookup(sidecarOf(i.Path)), lookup(records.Path(i.Path))
	if isPackageAsset(filepath.Base(i.Path)) {
		i.Signature = lookup(filepath.Join(filepath.Dir(i.Path), catalog.SignatureAsset))
		i.addGalleryJSON()
	} else {
		i.Signature = lookup(signatureOf(i.Path))
	}
	for _, s := range []**Stamp{&i.Sidecar, &i.VersionSidecar, &i.Records} {
		if *s != nil && isBelow((*s).Path, manifest) {
			i.Untrusted, *s = (*s).Path, nil
		}
	}
}

// addGalleryJSON adds the JSON files of vscodeoffline.
func (i *Item) addGalleryJSON() {
	dir := filepath.Dir(i.Path)
	for range 2 { // the folders of the platform, if there is one, and of the version
		if i.VersionSidecar == nil {
			i.VersionSidecar = stamp(filepath.Join(dir, versionName))
		}
		dir = filepath.Dir(dir)
		if i.Sidecar == nil {
			i.Sidecar = stamp(filepath.Join(dir, latestName))
		}
	}
}
