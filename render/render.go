// Package render derives everything else that a site contains from its catalogue: the index that
// galshim maps, the responses that can be files, and the pages. [Commit] makes the result current.
//
//	catalog.Catalog ─ gallery.Document ▶ index.Document ─ index.Write ▶ index/<generation>/
//	                ├ gallery.Latest ▶ api/vscode/<pub>/<name>/latest, if the base URL is known
//	                └ page ▶ index.html, item/, publishers/, page.js, page.css
//
// The policy of the catalogue says which extensions are featured, recommended or deprecated, how
// publishers are presented, and what changes in searches. It is parsed here, and not by galshim.
//
// The same catalogue gives the same bytes. So [Verify] can derive them again and compare them, and
// a generation can be named by the hashes of its files.
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
	"galbuild/build/decision"
	"galbuild/build/mediatype"
	"galbuild/build/policy"
	"galbuild/build/site"
	"galbuild/index"
	"galbuild/render/gallery"
	"galbuild/render/page"
)

// Version is the version of rendering. It must be raised whenever the same extensions give
// different bytes. The catalogue contains it, so a newer program renders a site again although no
// extension has changed. TestVersion fails if it was not raised.
const Version = 7

// Site writes everything that is derived from c into dir, and returns the new generation, which is
// not current yet. Pages and static responses are replaced already, since they refer only to
// content that exists. Those that have not changed are not written again.
//
// previous is the current generation, or zero, and version is the Version that rendered it. If that
// is this program's Version, compressed JSON that has not changed is copied from its index.
func Site(ctx context.Context, dir *site.Dir, c *catalog.Catalog, previous site.Current, version int) (site.Current, error) {
	if version != Version {
		previous = site.Current{}
	}
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
	return generation(dir, c, previous)
}

// Generation writes only the files of the generation of c into dir.
func Generation(dir *site.Dir, c *catalog.Catalog) (site.Current, error) {
	return generation(dir, c, site.Current{})
}

func generation(dir *site.Dir, c *catalog.Catalog, previous site.Current) (site.Current, error) {
	old := openIndex(dir, previous)
	if old != nil {
		defer old.Close()
	}
	var private func(io.Writer) error
	if c.HasPrivate() {
		private = func(w io.Writer) error { return site.WritePrivate(w, c) }
	}
	return dir.WriteGeneration(
		func(w io.Writer) error { return site.WriteCatalog(w, c) },
		func(w io.Writer) error { return index.Write(w, content(c, old, dir.Temp())) },
		private,
	)
}

// openIndex returns the index of a generation. It returns nil if there is none, or if it cannot be
// read: then everything is compressed again.
func openIndex(dir *site.Dir, c site.Current) *index.Index {
	if c.IsZero() {
		return nil
	}
	ix, err := index.Open(dir.Path(c.IndexPath()))
	if err != nil {
		return nil
	}
	return ix
}

// content returns the content of the index. It copies compressed JSON from previous, which is an
// index that this Version rendered, or nil.
func content(c *catalog.Catalog, previous *index.Index, scratch string) index.Content {
	p := policy.Of(c)
	docs, extensions := documents(c, p)
	renderer := &gallery.Renderer{Previous: previous}
	return index.Content{
		Documents: docs,
		Payloads:  func(i int) index.Payloads { return renderer.Payloads(extensions[i]) },
		Files:     Content(c),
		Pins:      p.Search.Pins,
		Synonyms:  p.Search.Synonyms,
		TempDir:   scratch,
	}
}

// documents returns the documents of the index, and the extension of each, as the policy presents
// it. An extension that no editor can use has no document and no static response.
func documents(c *catalog.Catalog, p *policy.Policy) ([]index.Document, []*catalog.Extension) {
	docs := make([]index.Document, 0, len(c.Extensions))
	extensions := make([]*catalog.Extension, 0, len(c.Extensions))
	for i := range c.Extensions {
		e := present(&c.Extensions[i], p)
		_, featured := slices.BinarySearch(c.Featured, e.Key())
		if d, ok := gallery.Document(e, featured || slices.Contains(p.Featured, e.Key())); ok {
			docs, extensions = append(docs, d), append(extensions, e)
		}
	}
	return docs, extensions
}

// present returns e with the publisher as the policy presents it. Whoever writes the policy states
// that its domains belong to the publishers.
func present(e *catalog.Extension, p *policy.Policy) *catalog.Extension {
	publisher, ok := p.Publishers[strings.ToLower(e.Publisher.Name)]
	if !ok {
		return e
	}
	shown := *e
	shown.Publisher.DisplayName = cmp.Or(publisher.DisplayName, e.Publisher.DisplayName)
	if publisher.Domain != "" {
		shown.Publisher.Domain, shown.Publisher.Verified = publisher.Domain, true
	}
	return &shown
}

// recommended returns the ids that the policy recommends and that have a document.
func recommended(c *catalog.Catalog, p *policy.Policy) (ids []string) {
	for _, id := range p.Recommended {
		if e := c.Find(id); e != nil && gallery.IsUsable(e) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Content yields all files of a site that have a blob: pages first, then the assets and files of
// each version, also of those that were dropped and are still served.
func Content(c *catalog.Catalog) iter.Seq[index.File] {
	return func(yield func(index.File) bool) {
		for _, p := range Pages(c) {
			if !yield(index.File{Path: p.Path, SHA256: blob.Sum(p.Text), Size: int64(len(p.Text)), Type: p.MediaType}) {
				return
			}
		}
		VersionContent(c)(yield)
	}
}

// VersionContent yields the assets and files of each version, as Content does.
func VersionContent(c *catalog.Catalog) iter.Seq[index.File] {
	return func(yield func(index.File) bool) {
		for i := range c.Extensions {
			e := &c.Extensions[i]
			for j := range e.Versions {
				v := &e.Versions[j]
				if !versionFiles(catalog.VersionDir(e.Publisher.Name, e.Name, v.Version, v.Platform), v, yield) {
					return
				}
			}
		}
		for i := range c.Dropped {
			if d := &c.Dropped[i]; !versionFiles(d.Dir(), &d.Version, yield) {
				return
			}
		}
	}
}

// versionFiles yields the assets and files of a version, in its folder below assets/ and files/.
func versionFiles(dir string, v *catalog.Version, yield func(index.File) bool) bool {
	dir += "/"
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

// A File is a page or a static response.
type File struct {
	Path      string
	Text      []byte
	MediaType string
}

// Pages returns the files that do not belong to an extension, except the service manifest: the
// control manifest, and the page with its script and style sheet.
func Pages(c *catalog.Catalog) []File {
	p := policy.Of(c)
	control := decision.Control(c, p)
	if control == nil {
		control = []byte(gallery.Control)
	}
	nested := page.HTML("../", c.ContentURL, nil)
	files := []File{
		{Path: gallery.ControlPath, Text: control},
		{Path: gallery.PagePath, Text: page.HTML("./", c.ContentURL, recommended(c, p))},
		{Path: gallery.ItemPath, Text: nested},
		{Path: gallery.PublisherPath, Text: nested},
		{Path: gallery.ScriptPath, Text: page.Script},
		{Path: gallery.StylePath, Text: page.Style},
	}
	for i := range files {
		files[i].MediaType = mediatype.Of(files[i].Path)
	}
	return files
}

// Responses yields the static responses: responses to GET requests that can be files because they
// depend on nothing but the base URL. They are the service manifest and the latest versions of each
// extension. Without a base URL there are none.
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
		_, extensions := documents(c, policy.Of(c))
		for _, e := range extensions {
			text := gallery.Latest(e, at)
			for _, path := range latestPaths(e) {
				if !yield(File{path, text, json}) {
					return
				}
			}
		}
	}
}

// latestPaths returns the paths of the static responses for e. One is in lower case. If e declares
// its id in another case, there is a second one, because some editors send the id as it is
// declared.
func latestPaths(e *catalog.Extension) []string {
	declared := gallery.LatestPath(e.Publisher.Name, e.Name)
	lower := gallery.LatestPath(strings.ToLower(e.Publisher.Name), strings.ToLower(e.Name))
	if declared == lower {
		return []string{lower}
	}
	return []string{lower, declared}
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
