package render

import (
	"reflect"
	"slices"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
)

// Previous is a generation whose chunks are used again if they would be the same. The zero value
// has none.
type Previous struct {
	// Catalog is nil if there is no previous generation. If it lacks its extensions, lines of
	// the catalogue are compressed again to find out whether they would be the same.
	Catalog *catalog.Catalog
	Chunks  []catalog.ChunkFiles
}

// previousIn returns a generation of a site, or zero if it cannot be read: then everything is
// derived again. The catalogue of g may be nil.
func previousIn(dir *site.Dir, g site.Generation) Previous {
	main, files := g.Catalog, []catalog.ChunkFiles(nil)
	var err error
	if main == nil {
		main, files, err = site.ReadMain(dir.Root, g.Current)
	} else {
		files, err = site.ReadChunks(dir.Root, g.Current)
	}
	if err != nil {
		return Previous{}
	}
	return Previous{main, files}
}

// isOf reports whether this version has rendered the generation.
func (p Previous) isOf(version int) bool { return p.Catalog != nil && p.Catalog.Render == version }

// A reusable is a chunk of the previous generation.
type reusable struct {
	catalog.Chunk // its extensions are nil if they are not known
	files         catalog.ChunkFiles
	hasLines      bool // the file with its lines exists
	hasIndex      bool // the files of its chunks of the index exist
	sameBase      bool // the address of content is the same
}

// A reusablePart is a chunk of the index of the previous generation.
type reusablePart struct {
	catalog.Chunk
	file     catalog.IndexChunk
	sameBase bool
}

// linesOf returns the file with the lines of c, or false if they must be compressed.
func (r *reusable) linesOf(c catalog.Chunk) (catalog.ChunkFile, bool) {
	return r.files.Lines, r.hasLines && len(r.Extensions) > 0 && catalog.EqualLines(r.Extensions, c.Extensions)
}

// indexChunks returns the chunks of the index by First, for a new chunk of the catalogue whose
// lines have this hash.
func (r *reusable) indexChunks(c catalog.Chunk, lines blob.Ref) map[string]reusablePart {
	was := r.Chunk
	if r.files.Lines.SHA256 == lines {
		was.Extensions = c.Extensions // the same lines are the same extensions
	} else if len(was.Extensions) == 0 {
		return nil
	}
	parts := was.IndexChunks()
	if !r.hasIndex || len(parts) != len(r.files.Index) {
		return nil
	}
	all := make(map[string]reusablePart)
	for i, part := range parts {
		all[part.First] = reusablePart{part, r.files.Index[i], r.sameBase}
	}
	return all
}

// isOf reports whether the chunk of the index would be the same for this part of the catalogue. Its
// dropped versions may be others although its extensions are the same: those of an extension that
// is not listed belong to the chunk before it, which may be another one.
func (r *reusablePart) isOf(part catalog.Chunk) bool {
	return (r.sameBase || !hasReadmes(part)) && reflect.DeepEqual(r.Dropped, part.Dropped) && catalog.EqualLines(r.Extensions, part.Extensions)
}

// hasReadmes reports whether a chunk has readmes with addresses of the gallery.
func hasReadmes(c catalog.Chunk) bool {
	for _, v := range versionsOf(c.Extensions, c.Dropped) {
		if v.Asset(catalog.ReadmeAsset) != nil {
			return true
		}
	}
	return false
}

// reusable returns the chunks that may be used again for the catalogue next, by their First. They
// also depend on the policy, and on the version that renders them. If they have readmes with
// pictures, they depend on the address of the gallery. has reports whether a file exists.
func (p Previous) reusable(next *catalog.Catalog, has func(path string, size int64) bool) map[string]*reusable {
	if !p.isOf(Version) || next.Render != Version || p.Catalog.Policy != next.Policy {
		return nil
	}
	all := make(map[string]*reusable)
	for i, c := range catalog.WithDropped(p.Chunks, p.Catalog.Dropped) {
		files := p.Chunks[i]
		lost := func(f catalog.IndexChunk) bool { return !has(catalog.IndexChunkPath(f.SHA256), f.Size) }
		all[files.First] = &reusable{
			Chunk: c, files: files, sameBase: contentBase(p.Catalog) == contentBase(next), hasIndex: !slices.ContainsFunc(files.Index, lost),
			hasLines: has(catalog.LinesPath(files.Lines.SHA256), files.Lines.Size),
		}
	}
	for _, c := range p.Catalog.Chunks() {
		if old := all[c.First]; old != nil {
			old.Extensions = c.Extensions
		}
	}
	return all
}
