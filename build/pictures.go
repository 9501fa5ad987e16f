package build

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/mediatype"
	"galbuild/build/pagedata"
	"galbuild/build/pictures"
	"galbuild/build/vsix"
)

// Limits of the pictures of one package that are stored because its readme or its change log shows
// them. Pictures beyond them keep their addresses.
const (
	maxPictures     = 200
	maxPictureBytes = 64 << 20 // of all pictures together
)

// A shownFiles has the files of a package that are stored because its readme or its change log
// shows them.
type shownFiles struct {
	names  map[string]bool // pictures, and the readme if readme is set
	bytes  int64           // of the pictures
	excess map[string]bool // pictures beyond the limits
	readme []byte          // with the gallery's addresses of the pictures; nil if that changes nothing
	// collected are the pictures that the package does not hold, by their absolute addresses.
	collected map[string]catalog.File
}

// shownFiles finds the pictures in the readme and the change log of p that p holds, and stores
// those that were collected. previous is the version of the last generation with this package, or
// nil.
func (r *reader) shownFiles(p *vsix.Package, c *candidate, previous *catalog.Version) (*shownFiles, error) {
	s := &shownFiles{names: make(map[string]bool), excess: make(map[string]bool), collected: make(map[string]catalog.File)}
	repository := pictures.ParseRepository(p.Page.Links.Repository, p.Page.Links.Directory)
	collected := r.newCollector(p, c, previous)
	find := func(address string) (string, bool) {
		if file, ok := repository.File(address); ok && s.add(p, "extension/"+file) {
			return "extension/" + file, true
		}
		absolute, ok := repository.Absolute(address)
		if !ok {
			return "", false
		}
		file, ok := collected.find(absolute, s)
		return file.Path, ok
	}
	base := catalog.ReadmeBase + catalog.FilesDir + pictures.Escape(catalog.VersionDir(p.Publisher, p.Name, p.Version, p.Platform)) + "/"
	var readme string
	for _, kind := range []string{catalog.DetailsAsset, catalog.ChangelogAsset} {
		a, ok := assetOf(p, kind)
		if !ok {
			continue
		}
		text, err := p.Read(a)
		if err != nil {
			return nil, err
		}
		found := pictures.Find(text)
		changed := pictures.Replace(text, found, func(address string) (string, bool) {
			name, ok := find(address)
			return base + pictures.Escape(name), ok
		})
		// A text that has the placeholder already would also have it outside of pictures.
		if kind == catalog.DetailsAsset && !bytes.Equal(changed, text) && !bytes.Contains(text, []byte(catalog.ReadmeBase)) {
			s.readme, readme = changed, a.Entry
		}
	}
	if collected.err != nil {
		return nil, siteError{collected.err}
	}
	collected.warn()
	if n := len(s.excess); n > 0 {
		c.warnings = append(c.warnings, fmt.Sprintf("pictures of the readme and the change log: %d are left out, "+
			"because the gallery stores at most %d, of %d MiB together", n, maxPictures, maxPictureBytes>>20))
	}
	if readme != "" {
		s.names[readme] = true
	}
	return s, nil
}

// assetOf returns the asset of a type.
func assetOf(p *vsix.Package, kind string) (vsix.Asset, bool) {
	for _, a := range p.Assets {
		if a.Type == kind {
			return a, true
		}
	}
	return vsix.Asset{}, false
}

// add adds a picture, and reports whether it is one of the package, and is within the limits.
func (s *shownFiles) add(p *vsix.Package, name string) bool {
	if s.names[name] {
		return true
	}
	size, ok := p.Size(name)
	if !ok || !strings.HasPrefix(mediatype.Of(name), "image/") {
		return false
	}
	if !s.fits(name, size) {
		return false
	}
	s.names[name] = true
	return true
}

// fits counts a picture, and reports whether it is within the limits.
func (s *shownFiles) fits(name string, size int64) bool {
	if len(s.names)+len(s.collected) >= maxPictures || s.bytes+size > maxPictureBytes {
		s.excess[name] = true
		return false
	}
	s.bytes += size
	return true
}

// addTo adds the pictures that were collected to the files of v, and to what pages show of p.
func (s *shownFiles) addTo(v *catalog.Version, p *vsix.Package) {
	p.Page.Pictures = nil
	for _, address := range slices.Sorted(maps.Keys(s.collected)) {
		file := s.collected[address]
		p.Page.Pictures = append(p.Page.Pictures, pagedata.Picture{Address: address, File: file.Path})
		if !slices.ContainsFunc(v.Files, func(f catalog.File) bool { return f.Path == file.Path }) {
			v.Files = append(v.Files, file)
		}
	}
}

// storeTexts stores what the pages show of p, and the readme with the gallery's addresses of its
// pictures, and adds them to the assets of v.
func (r *reader) storeTexts(p *vsix.Package, readme []byte, v *catalog.Version) error {
	add := func(kind string, text []byte) error {
		ref, size, err := r.Site.Blobs.Put(bytes.NewReader(text))
		v.Assets = append(v.Assets, catalog.Asset{Type: kind, File: catalog.File{Ref: ref, Size: size, Type: mediatype.OfAsset(kind, "")}})
		return err
	}
	if readme != nil {
		if err := add(catalog.ReadmeAsset, readme); err != nil {
			return err
		}
	}
	if p.Page.IsEmpty() {
		return nil
	}
	return add(catalog.PageAsset, p.Page.Encode())
}
