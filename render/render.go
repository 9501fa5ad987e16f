// Package render derives from a catalogue everything else that a site contains: the index that
// galshim maps, the responses that can be files, and the pages.
//
//	catalog.Catalog ─ gallery.Document ▶ index.Document ─ index.Write ▶ index/<generation>/
//	                ├ gallery.Latest ▶ api/vscode/<pub>/<name>/latest, if the base URL is known
//	                └ page ▶ index.html, item/, publishers/, page.js, page.css
//
// The same catalogue gives the same bytes. So [Verify] can verify a site by deriving it again,
// and a generation can be named by its hashes.
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

// Version is the version of rendering. It must be raised whenever the same extensions give
// different bytes, so that a newer program renders a site again although no extension has
// changed. The catalogue contains it.
const Version = 4

// Site writes into dir everything that is derived from c, and returns the new generation, which
// is not current yet. Pages and static responses are replaced at once, because they refer only
// to content that exists already. Known is a generation that this Version rendered, or zero.
// Results that are the same as in Known are reused.
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
	if err := writeResponses(ctx, dir, c); err != nil {
		return site.Current{}, err
	}
	return Generation(dir, c, known)
}

// Generation writes only the two files of c's generation into dir.
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

// openKnown returns the index of a generation. It returns nil if the index cannot be read;
// everything is then rendered again.
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

// content returns the content of the index. It reuses compressed payloads of known, an index
// that this Version rendered, or nil.
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

// documents returns the documents of the index, and the extension of each.
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

// Content yields every path that the site serves from its blobs, pages first.
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

// A File is a file that was rendered and does not come from a package.
type File struct {
	Path      string
	Text      []byte
	MediaType string
}

// Pages returns the files of a site that do not belong to an extension.
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

// Responses yields the responses to GET requests that can be files because they depend only on
// the base URL. Paths are in lower case. If an extension declares its id in another case, there
// is a file for that too, because some editors send the id as it is declared.
func Responses(c *catalog.Catalog) iter.Seq[File] {
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

func writeResponses(ctx context.Context, dir *site.Dir, c *catalog.Catalog) error {
	for f := range Responses(c) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := dir.WriteFile(f.Path, f.Text); err != nil {
			return err
		}
	}
	return nil
}
