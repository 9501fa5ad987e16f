package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/regularfile"
	"galbuild/build/site"
)

// importedDir is a folder in the work directory of a site with the chunks of the generation that
// was imported last, and its listing. The next delta leaves them out. The site may lack them: if it
// has decisions of its own, some files of its own generation differ.
const importedDir = site.WorkDir + "/imported/"

// listingPath returns the path of the listing of a generation that was imported.
func listingPath(generation string) string {
	return importedDir + generation + "." + SumsName + ".zst"
}

// readImported returns the files of a generation that was imported, without those that CURRENT
// names.
func readImported(root, generation string) (listing, error) {
	path := filepath.Join(root, filepath.FromSlash(listingPath(generation)))
	f, err := regularfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	unpacked, _, err := decompress(f)
	if err != nil {
		return nil, err
	}
	defer unpacked.Close()
	text, err := io.ReadAll(io.LimitReader(unpacked, maxListing))
	if err != nil {
		return nil, err
	}
	all, err := parseListing(path, text)
	if err != nil {
		return nil, err
	}
	_, _, files, err := splitGeneration(path, all)
	return files, err
}

// keepListing stores the listing of the archive.
func (s *importer) keepListing() error {
	path := listingPath(s.current.Generation)
	var text bytes.Buffer
	z, err := compress(&text, path)
	if err != nil {
		return err
	}
	_, err = z.Write(s.whole.text())
	if err := errors.Join(err, z.Close()); err != nil {
		return err
	}
	return s.dir.WriteFile(path, text.Bytes())
}

// importedPath returns the path of a chunk in importedDir.
func importedPath(path string) string { return importedDir + path }

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
			return imported(path, f)
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

// keepChunks stores the chunks of the archive and its listing in importedDir. It restores those
// that only that folder has if the generation of the archive becomes current.
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
	return s.keepListing()
}

// dropChunks removes what earlier imports have stored. An error is ignored: the next import removes
// it.
func (s *importer) dropChunks() {
	needed := map[string]bool{listingPath(s.current.Generation): true}
	for _, x := range s.whole {
		needed[importedPath(x.path)] = isChunk(x.path)
	}
	_ = s.dir.RemoveUnless(strings.TrimSuffix(importedDir, "/"), func(path string) bool { return needed[path] })
}
