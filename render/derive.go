package render

import (
	"cmp"
	"context"
	"iter"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/policy"
	"galbuild/build/site"
	"galbuild/build/stats"
	"galbuild/index"
	"galbuild/render/gallery"
)

// A derivation derives the files of a generation from its catalogue, chunk by chunk.
type derivation struct {
	catalog  *catalog.Catalog
	policy   *policy.Policy
	totals   *stats.Totals
	renderer gallery.Renderer
	reusable map[string]*reusable                 // by First
	scratch  string                               // folder for temporary files
	put      func(path string, text []byte) error // stores the file of a chunk; called by several goroutines
}

// derived is what a derivation returns.
type derived struct {
	files   []catalog.ChunkFiles
	content index.Content
}

// A derivedChunk has what a chunk of the catalogue adds to the index.
type derivedChunk struct {
	files     catalog.ChunkFiles
	documents []index.Document
	places    []index.Place // with numbers of chunks
	chunks    []index.Chunk
}

// newDerivation returns a derivation that uses no chunk again.
func newDerivation(c *catalog.Catalog, put func(path string, text []byte) error) *derivation {
	p := policy.Of(c)
	return &derivation{catalog: c, policy: p, totals: stats.NewTotals(c, p.Ratings), put: put}
}

// run puts the files of all chunks.
func (d *derivation) run(ctx context.Context) (*derived, error) {
	chunks := d.catalog.Chunks()
	parts := make([]derivedChunk, len(chunks))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range chunks {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return d.chunk(chunks[i], &parts[i])
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	all := &derived{content: index.Content{
		Files: outsideChunks(d.catalog), Pins: d.policy.Search.Pins, Synonyms: d.policy.Search.Synonyms, TempDir: d.scratch,
	}}
	for _, part := range parts {
		for i := range part.places {
			part.places[i].Chunk += uint32(len(all.content.Chunks))
		}
		all.files = append(all.files, part.files)
		all.content.Documents = append(all.content.Documents, part.documents...)
		all.content.Places = append(all.content.Places, part.places...)
		all.content.Chunks = append(all.content.Chunks, part.chunks...)
	}
	return all, nil
}

// chunk puts the files of a chunk of the catalogue, apart from those that are used again.
func (d *derivation) chunk(c catalog.Chunk, to *derivedChunk) error {
	old := cmp.Or(d.reusable[c.First], &reusable{})
	if err := d.lines(c, old, &to.files); err != nil {
		return err
	}
	reusable := old.indexChunks(c, to.files.Lines.SHA256)
	for i, part := range c.IndexChunks() {
		extensions := d.documents(part, uint32(i), to)
		was, ok := reusable[part.First]
		f := was.file
		if !ok || !was.isOf(part) {
			var err error
			if f, err = d.indexChunk(part, extensions); err != nil {
				return err
			}
		}
		to.files.Index = append(to.files.Index, f)
		to.chunks = append(to.chunks, index.Chunk{First: part.First, SHA256: f.SHA256, Size: f.Size, Documents: f.Documents, Files: f.Files})
	}
	return nil
}

// lines puts the lines of a chunk of the catalogue, unless they are used again.
func (d *derivation) lines(c catalog.Chunk, old *reusable, to *catalog.ChunkFiles) error {
	to.First = c.First
	if lines, ok := old.linesOf(c); ok {
		to.Lines = lines
		return nil
	}
	lines, err := site.CompressLines(c)
	if err != nil {
		return err
	}
	to.Lines = catalog.ChunkFile{SHA256: blob.Sum(lines), Size: int64(len(lines))}
	return d.put(catalog.LinesPath(to.Lines.SHA256), lines)
}

// documents adds the documents of a chunk of the index, which has this number in the chunk of the
// catalogue, and returns their extensions.
func (d *derivation) documents(part catalog.Chunk, number uint32, to *derivedChunk) (extensions []*catalog.Extension) {
	for i := range part.Extensions {
		document, e, ok := d.document(&part.Extensions[i])
		if !ok {
			continue
		}
		to.documents = append(to.documents, document)
		to.places = append(to.places, index.Place{Chunk: number, Position: uint32(len(extensions))})
		extensions = append(extensions, e)
	}
	return extensions
}

// indexChunk puts a chunk of the index.
func (d *derivation) indexChunk(part catalog.Chunk, extensions []*catalog.Extension) (catalog.IndexChunk, error) {
	content := index.ChunkContent{Files: d.files(part)}
	for _, e := range extensions {
		content.Payloads = append(content.Payloads, d.renderer.Payloads(e))
	}
	text, chunk, err := index.EncodeChunk(content)
	if err != nil {
		return catalog.IndexChunk{}, err
	}
	f := catalog.IndexChunk{ChunkFile: catalog.ChunkFile{SHA256: chunk.SHA256, Size: chunk.Size}, Documents: chunk.Documents, Files: chunk.Files}
	return f, d.put(catalog.IndexChunkPath(f.SHA256), text)
}

// files returns the content of the versions in a chunk of the index.
func (d *derivation) files(part catalog.Chunk) []index.File {
	based := contentBase(d.catalog) != ""
	all := slices.Collect(filesOf(part.Extensions, part.Dropped, based))
	if !based {
		return all
	}
	for dir := range versionsOf(part.Extensions, part.Dropped) {
		if f := catalog.FindDerived(d.catalog.Derived, readmePath(dir)); f != nil {
			all = append(all, derivedFile(f))
		}
	}
	return all
}

// outsideChunks yields the derived files that are not in the folder of a version.
func outsideChunks(c *catalog.Catalog) iter.Seq[index.File] {
	return func(yield func(index.File) bool) {
		for f := range DerivedContent(c) {
			if !strings.HasPrefix(f.Path, catalog.AssetsDir) && !yield(f) {
				return
			}
		}
	}
}

// document returns the document of an extension, and the extension as the policy presents it. It
// returns false if no editor can use the extension: then it has no document and no static response.
func (d *derivation) document(declared *catalog.Extension) (index.Document, *catalog.Extension, bool) {
	e := present(declared, d.policy)
	_, featured := slices.BinarySearch(d.catalog.Featured, e.Key())
	document, ok := gallery.Document(e, featured || slices.Contains(d.policy.Featured, e.Key()), d.totals.Of(e))
	return document, e, ok
}

// usable returns the extensions with a document, as the policy presents them.
func usable(c *catalog.Catalog) (extensions []*catalog.Extension) {
	p := policy.Of(c)
	for i := range c.Extensions {
		if e := present(&c.Extensions[i], p); gallery.IsUsable(e) {
			extensions = append(extensions, e)
		}
	}
	return extensions
}
