package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
)

// importedDir is a folder in the work directory of a site with the chunks of the generation that
// was imported last. The next delta leaves them out. The site may lack them: if it has decisions of
// its own, some chunks of its own generation differ.
const importedDir = site.WorkDir + "/imported/"

// importedPath returns the path of a chunk in importedDir.
func importedPath(path string) string {
	return importedDir + strings.TrimPrefix(path, catalog.ChunkDir)
}

// chunkFile returns the file of a chunk of a site, which may be in importedDir.
func chunkFile(root, path string) string {
	file := filepath.Join(root, filepath.FromSlash(path))
	if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
		return filepath.Join(root, filepath.FromSlash(importedPath(path)))
	}
	return file
}

// LinesIn returns the lines of chunks of the site at root, and of the chunks of the generation that
// was imported last.
func LinesIn(root string) site.LinesSource {
	own, imported := site.LinesIn(root), site.LinesIn(filepath.Join(root, filepath.FromSlash(importedDir)))
	return func(path string, f catalog.ChunkFile) ([]byte, error) {
		text, err := own(path, f)
		if errors.Is(err, fs.ErrNotExist) {
			return imported(strings.TrimPrefix(path, catalog.ChunkDir), f)
		}
		return text, err
	}
}

// checkChunksLeftOut checks that the site has the chunks that a delta leaves out.
func (s *importer) checkChunksLeftOut() error {
	for _, x := range s.whole {
		if _, ok := s.staged[x.path]; ok || !isChunk(x.path) {
			continue
		}
		if err := s.ctx.Err(); err != nil {
			return err
		}
		got, _, err := blob.SumFile(s.file(x.path))
		if err == nil && got != x.ref {
			err = fmt.Errorf("%s: SHA-256 is %s", x.path, got)
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrLeftOut, err)
		}
	}
	return nil
}

// keepChunks stores the chunks of the archive in importedDir. It restores those that only that
// folder has if the generation of the archive becomes current.
func (s *importer) keepChunks(becomesCurrent bool) error {
	for _, x := range s.whole {
		if !isChunk(x.path) {
			continue
		}
		if err := s.ctx.Err(); err != nil {
			return err
		}
		kept := importedPath(x.path)
		if err := s.dir.LinkFile(x.path, kept); err != nil {
			return err
		}
		if becomesCurrent {
			if err := s.dir.LinkFile(kept, x.path); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropChunks removes chunks of earlier imports. An error is ignored: the next import removes them.
func (s *importer) dropChunks() {
	needed := make(map[string]bool)
	for _, x := range s.whole {
		needed[importedPath(x.path)] = isChunk(x.path)
	}
	_ = s.dir.RemoveUnless(strings.TrimSuffix(importedDir, "/"), func(path string) bool { return needed[path] })
}
