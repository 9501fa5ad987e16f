package bundle

import (
	"strings"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/regularfile"
	"galbuild/build/site"
	"galbuild/index"
	"galbuild/render"
	"galbuild/render/gallery"
)

// checkHead checks that the head of the sender's history is that of the generation, and sets the
// sender of the import.
func (s *importer) checkHead() error {
	files := func(path string, limit int64) ([]byte, error) { return regularfile.ReadFile(s.file(path), limit) }
	head, err := site.ReadHead(files, s.current, s.head)
	if err != nil {
		return refuse(s.head.Path(), "%v", err)
	}
	s.by.Sender = site.SenderOf(head)
	return nil
}

// checkIndex compares the listing with the index. The index must list every file except static
// responses, blobs and the files below index/, and there must be no blobs that it does not need.
func (s *importer) checkIndex() error {
	ix, err := index.Open(s.file(s.current.IndexPath()), index.ChunkFiles(func(c index.Chunk) (string, error) {
		return s.file(catalog.IndexChunkPath(c.SHA256)), nil
	}))
	if err != nil {
		return refuse(s.current.IndexPath(), "%v", err)
	}
	defer ix.Close()
	if err := render.CheckChunks(ix, s.chunks); err != nil {
		return refuse(s.current.IndexPath(), "%v", err)
	}
	for i := range ix.Chunks() {
		if err := ix.CheckChunk(i); err != nil {
			return refuse(s.current.IndexPath(), "%v", err)
		}
	}
	count, needed := 0, make(map[blob.Ref]bool)
	for _, x := range s.whole {
		if isBlob(x.path) || isResponse(x.path) || rank(x.path) >= rank(catalog.ChunkDir) {
			continue
		}
		f, ok, err := ix.File(x.path)
		if err != nil {
			return refuse(s.current.IndexPath(), "%v", err)
		}
		if !ok || f.SHA256 != x.ref {
			return refuse(x.path, "the index does not list this file with this SHA-256")
		}
		if !s.blobs[x.ref] {
			return refuse(x.path, "its content is missing")
		}
		needed[x.ref] = true
		count++
	}
	want, err := s.countFiles(ix)
	if err != nil {
		return err
	}
	if count != want || len(s.blobs) != len(needed) {
		return refuse(s.current.IndexPath(), "it lists %d files with %d blobs, and the archive has %d with %d", want, len(needed), count, len(s.blobs))
	}
	return nil
}

// countFiles returns how many of the files of an index the archive must have: all of them, or those
// outside of packages if it is the index of a view.
func (s *importer) countFiles(ix *index.Index) (n int, err error) {
	main, err := regularfile.ReadFile(s.file(s.current.CatalogPath()), site.MaxCompressedCatalog)
	if err != nil {
		return 0, err
	}
	c, _, err := site.DecompressMain(main)
	if err != nil {
		return 0, refuse(s.current.CatalogPath(), "%v", err)
	}
	if !c.View {
		return ix.Stats().Files, nil
	}
	for range ix.FilesOutside() {
		n++
	}
	return n, nil
}

// lines is a [site.LinesSource] of the archive and the site.
func (s *importer) lines(path string, f catalog.ChunkFile) ([]byte, error) {
	return regularfile.ReadFile(s.file(path), f.Size)
}

// checkChunks compares the listing with the chunks of the catalogue, and checks that the site has
// those that a delta leaves out.
func (s *importer) checkChunks() error {
	path := s.current.CatalogPath()
	main, err := regularfile.ReadFile(s.file(path), site.MaxCompressedCatalog)
	if err != nil {
		return err
	}
	if s.chunks, err = site.DecompressChunkFiles(main); err != nil {
		return refuse(path, "%v", err)
	}
	files := catalog.Files{Chunks: s.chunks}
	if private := s.current.PrivatePath(); !s.current.Private.IsZero() {
		packed, err := regularfile.ReadFile(s.file(private), site.MaxCompressedCatalog)
		if err != nil {
			return err
		}
		if files.Packages, err = site.DecompressPackageFiles(packed); err != nil {
			return refuse(private, "%v", err)
		}
	}
	needed := make(map[string]bool)
	for path := range files.All() {
		if _, ok := s.refs[path]; !ok {
			return refuse(path, "the chunk is missing")
		}
		needed[path] = true
	}
	for _, x := range s.whole {
		if isChunk(x.path) && !needed[x.path] {
			return refuse(x.path, "the catalogue does not list this chunk")
		}
	}
	return s.checkChunksLeftOut()
}

func isResponse(path string) bool {
	return path == gallery.ManifestPath || strings.HasPrefix(path, apiDir)
}

// readPrivate reads the private parts of records, which must match the catalogue.
func (s *importer) readPrivate() error {
	if s.current.Private.IsZero() {
		return nil
	}
	path := s.current.PrivatePath()
	packed, err := regularfile.ReadFile(s.file(path), site.MaxCompressedCatalog)
	if err != nil {
		return err
	}
	if _, err := site.DecompressPrivate(packed, s.catalogue, s.lines); err != nil {
		return refuse(path, "%v", err)
	}
	return nil
}

// checkResponses compares the static responses with those derived from the catalogue, unless
// another version of galbuild has rendered them.
func (s *importer) checkResponses() error {
	path := s.current.CatalogPath()
	compressed, err := regularfile.ReadFile(s.file(path), site.MaxCompressedCatalog)
	if err != nil {
		return err
	}
	if s.catalogue, _, err = site.DecompressCatalog(compressed, s.lines); err != nil {
		return refuse(path, "%v", err)
	}
	s.derived = make(map[blob.Ref]bool)
	for _, f := range s.catalogue.Derived {
		s.derived[f.SHA256] = true
	}
	for _, c := range s.catalogue.Companions {
		delete(s.derived, c.SHA256)
	}
	if err := s.readPrivate(); err != nil || s.catalogue.Render != render.Version {
		return err
	}
	needed := make(map[string]bool)
	for f := range render.Responses(s.catalogue) {
		if s.refs[f.Path] != blob.Sum(f.Text) {
			return refuse(f.Path, "its content differs from what is derived from the catalogue")
		}
		needed[f.Path] = true
	}
	for _, x := range s.whole {
		if isResponse(x.path) && !needed[x.path] {
			return refuse(x.path, "it is not derived from the catalogue")
		}
	}
	return nil
}
