package build

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/imagefile"
	"galbuild/build/sidecar"
	"galbuild/build/vsix"
)

// A collector stores pictures that a sidecar lists, from the folder pictures next to it. They are
// content that the author of a readme has chosen, so their types are checked again.
type collector struct {
	reader   *reader
	from     *candidate
	previous *catalog.Version // the version of the last generation with this package; nil for none
	left     map[string]bool  // addresses of pictures that are left out
	reasons  []string         // why, of the first ones
	err      error            // of writing to the site
	blocked  bool             // files of the package are where pictures would be
}

func (r *reader) newCollector(p *vsix.Package, c *candidate, previous *catalog.Version) *collector {
	top := strings.TrimSuffix(imagefile.Folder, "/")
	return &collector{
		reader: r, from: c, previous: previous, left: make(map[string]bool),
		blocked: r.Settings.Unpack == "all" && p.HasTop(top),
	}
}

// find returns the stored picture with an absolute address. It returns false if the sidecar lists
// none, or if it is left out.
func (c *collector) find(address string, s *shownFiles) (catalog.File, bool) {
	if file, ok := s.collected[address]; ok {
		return file, true
	}
	listed, ok := c.from.collected.Pictures[address]
	if !ok || c.left[address] || c.err != nil {
		return catalog.File{}, false
	}
	file, err := c.store(listed)
	if err != nil {
		c.left[address] = true
		c.reasons = append(c.reasons, err.Error())
		return catalog.File{}, false
	}
	if !s.fits(file.Path, file.Size) {
		c.left[address] = true
		return catalog.File{}, false
	}
	s.collected[address] = file
	return file, true
}

// store stores a picture. If its file is missing, the one that the last generation has is used.
func (c *collector) store(listed sidecar.Picture) (catalog.File, error) {
	file := catalog.File{Path: listed.File(), Ref: listed.SHA256, Type: listed.Type}
	if c.blocked {
		return file, fmt.Errorf("%s: the package has files of its own in %s (--unpack all)", file.Path, imagefile.Folder)
	}
	content, err := c.read(listed)
	if err != nil {
		if stored, ok := c.stored(file.Path); ok {
			return stored, nil
		}
		if _, ok := errors.AsType[unreadable](err); ok {
			c.from.incomplete = true
		}
		return file, fmt.Errorf("%s: %w", file.Path, err)
	}
	file.Size = int64(len(content))
	_, c.err = c.reader.Site.Blobs.PutBytes(content)
	return file, nil
}

// read reads and checks a picture.
func (c *collector) read(listed sidecar.Picture) ([]byte, error) {
	content, err := readSmall(filepath.Join(c.from.beside, filepath.FromSlash(listed.File())), imagefile.MaxBytes)
	if err != nil {
		return nil, err
	}
	if ref := blob.Sum(content); ref != listed.SHA256 {
		return nil, fmt.Errorf("its SHA-256 is %s", ref)
	}
	kind, err := imagefile.Check(content)
	if err == nil && kind != listed.Type {
		err = fmt.Errorf("it is of the type %s, not %s", kind, listed.Type)
	}
	return content, err
}

func (c *collector) stored(path string) (catalog.File, bool) {
	if c.previous != nil {
		for _, f := range c.previous.Files {
			if f.Path == path {
				return f, true
			}
		}
	}
	return catalog.File{}, false
}

// maxReasons is how many pictures of a package have a warning of their own.
const maxReasons = 3

// warn adds warnings about pictures that are left out.
func (c *collector) warn() {
	for i, reason := range c.reasons {
		if i == maxReasons && len(c.reasons) > maxReasons+1 {
			c.from.warnings = append(c.from.warnings, fmt.Sprintf("%d more pictures of the readme and the change log are left out", len(c.reasons)-i))
			return
		}
		c.from.warnings = append(c.from.warnings, "picture of the readme or the change log is left out: "+reason)
	}
}
