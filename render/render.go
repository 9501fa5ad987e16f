// Package render derives from a catalogue everything else a site holds: the index
// that galshim maps, the answers that can be files, and the pages.
//
//	catalog.Catalog ─ gallery.Document ▶ index.Document ─ index.Write ▶ index/<generation>/
//	                ├ gallery.Fill ▶ api/vscode/<pub>/<name>/latest, if the base URL is known
//	                └ page ▶ index.html, item/, publishers/, page.js, page.css
//
// The same catalogue gives the same bytes, so [Verify] can prove a site by
// deriving it again, and a generation can be named by its hashes.
package render

import (
	"cmp"
	"context"
	"io"
	"iter"
	"slices"
	"strings"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/mediatype"
	"galbuild/build/site"
	"galbuild/index"
	"galbuild/render/gallery"
	"galbuild/render/page"
)

// Version counts the ways this package has rendered: it changes whenever the same
// extensions give other bytes, so that a site is rendered anew by a newer program
// although nothing was added. It is kept in the catalogue.
const Version = 4

// Site writes into dir what follows from c, and returns the generation to switch
// to. The pages and answers are in place at once: they speak only of content that
// is there. Known is a generation rendered by this Version, whose work is taken over
// where it is the same, or zero.
func Site(ctx context.Context, dir *site.Dir, c *catalog.Catalog, known site.Current) (site.Current, error) {
	for _, p := range Pages(c) {
		ref, err := dir.Blobs.PutBytes(p.Text)
		if err != nil {
			return site.Current{}, err
		}
		if err := dir.Blobs.Link(ref, p.Path); err != nil {
			return site.Current{}, err
		}
	}
	if err := writeAnswers(ctx, dir, c); err != nil {
		return site.Current{}, err
	}
	return Generation(dir, c, known)
}

// Generation writes into dir the two files of c's generation, and nothing else.
func Generation(dir *site.Dir, c *catalog.Catalog, known site.Current) (site.Current, error) {
	old := openKnown(dir, known)
	if old != nil {
		defer old.Close()
	}
	return dir.WriteGeneration(
		func(w io.Writer) error { return site.WriteCatalog(w, c) },
		func(w io.Writer) error { return index.Write(w, content(c, old, dir.Temp())) },
	)
}

// openKnown returns the index of a generation, nil if it cannot be read: then all is
// rendered anew.
func openKnown(dir *site.Dir, known site.Current) *index.Index {
	if known.IsZero() {
		return nil
	}
	ix, err := index.Open(dir.Path(known.IndexPath()))
	if err != nil {
		return nil
	}
	return ix
}

// content returns what goes into the index. Of known, an index rendered by this
// Version or nil, packed payloads are taken over.
func content(c *catalog.Catalog, known *index.Index, scratch string) index.Content {
	docs, extensions := documents(c)
	renderer := &gallery.Renderer{Previous: known}
	return index.Content{
		Documents: docs,
		Payloads:  func(i int) index.Payloads { return renderer.Payloads(extensions[i]) },
		Files:     Content(c),
		TempDir:   scratch,
	}
}

// documents returns what the index is to know of c, and the extension that each
// document is about.
func documents(c *catalog.Catalog) ([]index.Document, []*catalog.Extension) {
	docs := make([]index.Document, 0, len(c.Extensions))
	extensions := make([]*catalog.Extension, 0, len(c.Extensions))
	for i := range c.Extensions {
		e := &c.Extensions[i]
		_, featured := slices.BinarySearch(c.Featured, e.Key())
		if d, ok := gallery.Document(e, featured); ok {
			docs, extensions = append(docs, d), append(extensions, e)
		}
	}
	return docs, extensions
}

// Content yields every path that the site serves out of its blobs, pages first.
func Content(c *catalog.Catalog) iter.Seq[index.File] {
	return func(yield func(index.File) bool) {
		for _, p := range Pages(c) {
			if !yield(index.File{Path: p.Path, SHA256: blob.Sum(p.Text), Size: int64(len(p.Text)), Type: p.MediaType}) {
				return
			}
		}
		for i := range c.Extensions {
			e := &c.Extensions[i]
			for j := range e.Versions {
				if !versionFiles(e, &e.Versions[j], yield) {
					return
				}
			}
		}
	}
}

func versionFiles(e *catalog.Extension, v *catalog.Version, yield func(index.File) bool) bool {
	dir := catalog.VersionDir(e.Publisher.Name, e.Name, v.Version, v.Platform) + "/"
	for _, a := range v.Assets {
		if !yield(index.File{Path: catalog.AssetsDir + dir + a.Type, SHA256: a.Ref, Size: a.Size, Type: a.File.Type}) {
			return false
		}
	}
	for _, f := range v.Files {
		if !yield(index.File{Path: catalog.FilesDir + dir + f.Path, SHA256: f.Ref, Size: f.Size, Type: f.Type}) {
			return false
		}
	}
	return true
}

// A File is one that is rendered, not found in a package.
type File struct {
	Path      string
	Text      []byte
	MediaType string
}

// Pages returns the files of a site that belong to no extension.
func Pages(c *catalog.Catalog) []File {
	control := []byte(gallery.Control)
	if c.Control != nil {
		control = c.Control
	}
	below := page.HTML("../", c.ContentURL)
	files := []File{
		{Path: gallery.ControlPath, Text: control},
		{Path: gallery.PagePath, Text: page.HTML("./", c.ContentURL)},
		{Path: gallery.ItemPath, Text: below},
		{Path: gallery.PublisherPath, Text: below},
		{Path: gallery.ScriptPath, Text: page.Script},
		{Path: gallery.StylePath, Text: page.Style},
	}
	for i := range files {
		files[i].MediaType = mediatype.Of(files[i].Path)
	}
	return files
}

// Answers yields the GET answers that can be files, which are those that need no
// more than the base URL to be known. Paths are in lower case; an extension that
// declares its id in another case has that too, for editors send ids as they
// find them.
func Answers(c *catalog.Catalog) iter.Seq[File] {
	return func(yield func(File) bool) {
		if c.BaseURL == "" {
			return
		}
		const json = "application/json"
		if !yield(File{gallery.ManifestPath, gallery.Manifest(c.BaseURL, c.ContentURL), json}) {
			return
		}
		at := gallery.NewAddress(cmp.Or(c.ContentURL, c.BaseURL))
		_, extensions := documents(c)
		for _, e := range extensions {
			text := gallery.Latest(e, at)
			declared := gallery.LatestPath(e.Publisher.Name, e.Name)
			lower := gallery.LatestPath(strings.ToLower(e.Publisher.Name), strings.ToLower(e.Name))
			if !yield(File{lower, text, json}) || declared != lower && !yield(File{declared, text, json}) {
				return
			}
		}
	}
}

func writeAnswers(ctx context.Context, dir *site.Dir, c *catalog.Catalog) error {
	for f := range Answers(c) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := dir.WriteFile(f.Path, f.Text); err != nil {
			return err
		}
	}
	return nil
}
