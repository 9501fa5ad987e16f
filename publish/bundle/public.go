package bundle

import (
	"os"
	"slices"
	"strings"
	"time"

	"galbuild/build/blob"
	"galbuild/build/site"
)

// Public is what a site serves of its current generation: all files but the private parts of
// records.
type Public struct {
	Current site.Current
	When    time.Time // the generation became current then
	Files   []PublicFile
}

// A PublicFile is a file of a site. If it is a hard link in the site, Link is the path of the blob.
type PublicFile struct {
	Path, Link string
	SHA256     blob.Ref
	Size       int64
}

// ReadPublic lists the files of the site at root, sorted by path. It reads no content except static
// responses.
func ReadPublic(root string) (*Public, error) {
	current, h, err := site.ReadCurrentHead(root)
	if err != nil {
		return nil, err
	}
	head, err := site.ReadHead(site.FilesIn(root), current, h)
	if err != nil {
		return nil, err
	}
	t, err := readGeneration(root, current)
	if err != nil {
		return nil, err
	}
	for _, x := range generationFiles(current, h) {
		if isPrivate(x) {
			continue
		}
		info, err := os.Stat(t.file(x.path))
		if err != nil {
			return nil, siteError(err)
		}
		t.add(x.path, x.ref, info.Size())
	}
	t.files = slices.DeleteFunc(t.files, isPrivate)
	slices.SortFunc(t.files, func(a, b line) int { return strings.Compare(a.path, b.path) })
	return &Public{Current: current, When: seconds(head.When), Files: t.public()}, nil
}

func isPrivate(x line) bool { return strings.HasPrefix(x.path, site.PrivateDir) }

// public returns the files of the tree with their sizes.
func (t *tree) public() (files []PublicFile) {
	for _, x := range t.files {
		f := PublicFile{Path: x.path, SHA256: x.ref, Size: t.sizes[x.path]}
		if t.isLink(x) {
			f.Link, f.Size = x.ref.Path(), t.sizes[x.ref.Path()]
		}
		files = append(files, f)
	}
	return files
}
