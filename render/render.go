// Package render derives everything else that a site contains from its catalogue: the index that
// galshim maps, the responses that can be files, and the pages. [Commit] makes the result current.
//
//	catalog.Catalog ┬ catalog.Chunk ┬ site.CompressLines ▶ index/chunks/
//	                │               ├ gallery.Renderer ─ index.EncodeChunk ▶ index/chunks/
//	                │               └ gallery.Document ─ index.Write ▶ index/<generation>/
//	                ├ site.CompressMain ▶ index/<generation>/
//	                ├ gallery.Latest ▶ api/vscode/<pub>/<name>/latest, if the base URL is known
//	                └ Derive ─ pages ▶ index.html, item/, publishers/, …
//
// A generation is derived chunk by chunk, by several goroutines. A chunk of the index is the same
// as before if its extensions, their dropped versions, the policy and [Version] are the same. Then
// its file is used again, and nothing in it is rendered. The rest of the index depends on all
// extensions, and is always written: it is what a search needs, about a tenth of all bytes.
//
// Pages, search data and readmes with the gallery's address are made by [Derive], from the
// catalogue and from content of packages. The catalogue lists them, each with a key of what it was
// made from.
//
// The policy of the catalogue says which extensions are featured, recommended or deprecated, how
// publishers are presented, and what changes in searches. It is parsed here, and not by galshim.
//
// The same catalogue gives the same bytes, whether chunks are used again or not. So [Verify] can
// derive them again and compare them, and a generation can be named by the hashes of its files.
package render

import (
	"cmp"
	"context"
	"io"
	"iter"
	"strings"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/policy"
	"galbuild/build/site"
	"galbuild/index"
	"galbuild/render/gallery"
	"galbuild/render/pages"
)

// Version is the version of rendering. It must be raised whenever the same extensions give
// different bytes. The catalogue contains it, so a newer program renders a site again although no
// extension has changed. TestVersion fails if it was not raised.
const Version = 11

// Site writes everything that is derived from c into dir, and returns the new generation, which is
// not current yet. Pages and static responses are replaced already, since they refer only to
// content that exists. Those that have not changed are not written again.
//
// previous is the current generation, or zero; its catalogue may be nil. Its chunks are used again
// if dir has them and they would be the same. One that is missing, or has another size, is derived
// and written again. report is what was refused, see [Known].
func Site(ctx context.Context, dir *site.Dir, c *catalog.Catalog, previous site.Generation, report *pages.Report) (site.Current, error) {
	known := KnownIn(dir, c.Derived)
	known.Report = report
	return known.site(ctx, dir, c, previous)
}

// View is [Site] for a catalogue whose View is set. The function read returns the content of files
// of packages, from which pages are made. It is not called if c.NoPages is set.
func View(ctx context.Context, dir *site.Dir, c *catalog.Catalog, previous site.Generation, read func(context.Context, blob.Ref, int64) ([]byte, error)) (site.Current, error) {
	known := KnownIn(dir, c.Derived)
	known.Read = read
	return known.site(ctx, dir, c, previous)
}

// site is [Site] with what is known.
func (known Known) site(ctx context.Context, dir *site.Dir, c *catalog.Catalog, previous site.Generation) (site.Current, error) {
	old := previousIn(dir, previous)
	if old.Catalog != nil {
		known.Files = append(known.Files, old.Catalog.Derived)
	}
	if err := Derive(ctx, dir, c, known); err != nil {
		return site.Current{}, err
	}
	if err := LinkDerived(dir, c); err != nil {
		return site.Current{}, err
	}
	if err := writeResponses(ctx, dir, c); err != nil {
		return site.Current{}, err
	}
	d := newDerivation(c, dir.WriteFile)
	d.reusable = old.reusable(c, dir.HasChunk)
	if old.isOf(Version) {
		ix, err := openGeneration(dir, previous.Current.Generation)
		if err == nil { // otherwise everything is compressed again
			defer ix.Close()
			d.renderer.Previous = ix
		}
	}
	next, _, err := d.writeTo(ctx, dir)
	return next, err
}

// Generation writes only the files of the generation of c into dir, and returns its chunks. It
// leaves out the chunks of the catalogue and of the index that are those of the previous
// generation, because the target for which dir is made has them.
func Generation(ctx context.Context, dir *site.Dir, c *catalog.Catalog, previous Previous) (site.Current, catalog.Files, error) {
	d := newDerivation(c, dir.WriteFile)
	d.reusable = previous.reusable(c, func(string, int64) bool { return true })
	return d.writeTo(ctx, dir)
}

// writeTo writes the files of the generation into dir.
func (d *derivation) writeTo(ctx context.Context, dir *site.Dir) (site.Current, catalog.Files, error) {
	d.scratch = dir.Temp()
	all, err := d.run(ctx)
	if err != nil {
		return site.Current{}, catalog.Files{}, err
	}
	main, err := site.CompressMain(d.catalog, all.files)
	if err != nil {
		return site.Current{}, catalog.Files{}, err
	}
	packages, err := site.CompressPackages(d.catalog, d.put)
	if err != nil {
		return site.Current{}, catalog.Files{}, err
	}
	var private []byte
	if d.catalog.HasPrivate() {
		if private, err = site.CompressPrivate(d.catalog, packages); err != nil {
			return site.Current{}, catalog.Files{}, err
		}
	}
	current, err := dir.WriteGeneration(main, func(w io.Writer) error { return index.Write(w, all.content) }, private)
	return current, catalog.Files{Chunks: all.files, Packages: packages}, err
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

// Content yields all files of a site that have a blob: derived files first, then the assets and
// files of each version, also of those that were dropped and are still served.
func Content(c *catalog.Catalog) iter.Seq[index.File] {
	return func(yield func(index.File) bool) {
		for f := range DerivedContent(c) {
			if !yield(f) {
				return
			}
		}
		VersionContent(c)(yield)
	}
}

// VersionContent yields the assets and files of each version, as Content does. A view has none of
// them.
func VersionContent(c *catalog.Catalog) iter.Seq[index.File] {
	if c.View {
		return func(func(index.File) bool) {}
	}
	return filesOf(c.Extensions, c.Dropped, contentBase(c) != "")
}

// filesOf yields the assets and files of extensions and of versions that were dropped. based is
// whether the address of the gallery is known. Then readmes with addresses in it are derived files.
func filesOf(extensions []catalog.Extension, dropped []catalog.Dropped, based bool) iter.Seq[index.File] {
	return func(yield func(index.File) bool) {
		for dir, v := range versionsOf(extensions, dropped) {
			if !versionFiles(dir, v, based, yield) {
				return
			}
		}
	}
}

// versionsOf yields versions with their folders below assets/ and files/.
func versionsOf(extensions []catalog.Extension, dropped []catalog.Dropped) iter.Seq2[string, *catalog.Version] {
	return func(yield func(string, *catalog.Version) bool) {
		for i := range extensions {
			e := &extensions[i]
			for j := range e.Versions {
				if v := &e.Versions[j]; !yield(dirOf(e, v), v) {
					return
				}
			}
		}
		for i := range dropped {
			if d := &dropped[i]; !yield(d.Dir(), &d.Version) {
				return
			}
		}
	}
}

// versionFiles yields the assets and files of a version, in its folder below assets/ and files/.
// The readme is the one with addresses in the gallery if the package has one. It is left out if it
// is a derived file.
func versionFiles(dir string, v *catalog.Version, based bool, yield func(index.File) bool) bool {
	dir += "/"
	readme := v.Asset(catalog.ReadmeAsset)
	for _, a := range v.Assets {
		if a.Type == catalog.DetailsAsset && readme != nil {
			if based {
				continue
			}
			a.Ref, a.Size = readme.Ref, readme.Size
		}
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

// A File is a static response.
type File struct {
	Path      string
	Text      []byte
	MediaType string
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
		for _, e := range usable(c) {
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
