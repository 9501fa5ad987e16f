package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
)

// ReadCatalog returns the generation in an archive and its catalogue, with what only auditors need.
// It verifies both by SHA256SUMS, and does not verify other files or signatures; [Import] does. For
// a delta, it calls lines for the chunks that the delta leaves out. If lines is nil or does not
// have them, the error is a [*BaseMissingError]. If it lacks only chunks of packages, such as those
// of a site on the web, the packages of the catalogue are not known.
func ReadCatalog(ctx context.Context, archive string, lines site.LinesSource) (site.Current, *catalog.Catalog, error) {
	from, err := openSource(ctx, archive, "", nil)
	if err != nil {
		return site.Current{}, nil, err
	}
	defer from.Close()
	current, c, err := readCatalog(ctx, from, lines)
	return current, c, from.damagedPart(err)
}

func readCatalog(ctx context.Context, from *source, lines site.LinesSource) (site.Current, *catalog.Catalog, error) {
	unpacked, _, err := decompress(from)
	if err != nil {
		return site.Current{}, nil, err
	}
	defer unpacked.Close()
	a := newArchive(unpacked)
	l, err := a.listings()
	if err != nil {
		return site.Current{}, nil, err
	}
	current, _, err := generation(SumsName, l.included)
	if err != nil {
		return site.Current{}, nil, err
	}
	files, err := a.generation(ctx, current, l.included)
	if err != nil {
		return site.Current{}, nil, err
	}
	read := func(path string, f catalog.ChunkFile) ([]byte, error) {
		if text, ok := files[path]; ok {
			return text, nil
		}
		return leftOut(path, f, l.bases, lines)
	}
	c, _, err := site.DecompressCatalog(files[current.CatalogPath()], read)
	if _, ok := errors.AsType[*BaseMissingError](err); ok {
		return site.Current{}, nil, err
	}
	if err != nil {
		return site.Current{}, nil, refuse(current.CatalogPath(), "%v", err)
	}
	if packed := files[current.PrivatePath()]; packed != nil {
		_, err := site.DecompressPrivate(packed, c, read)
		if _, ok := errors.AsType[*BaseMissingError](err); err != nil && !ok {
			return site.Current{}, nil, refuse(current.PrivatePath(), "%v", err)
		}
	}
	return current, c, nil
}

// A BaseMissingError is returned by [ReadCatalog] for a delta without the chunks of its base.
type BaseMissingError struct {
	Wants []string // generations of the bases
}

// Error implements error.
func (e *BaseMissingError) Error() string {
	return fmt.Sprintf("the tarball contains only the changes since generation %s: it can be compared only with a site or target that has that generation, or has imported it",
		strings.Join(e.Wants, " or "))
}

// leftOut reads the lines of a chunk that a delta to these bases leaves out.
func leftOut(path string, f catalog.ChunkFile, bases []site.Current, lines site.LinesSource) ([]byte, error) {
	if lines != nil {
		if text, err := lines(path, f); err == nil {
			return text, nil
		}
	}
	missing := new(BaseMissingError)
	for _, c := range bases {
		missing.Wants = append(missing.Wants, c.Generation)
	}
	return nil, missing
}

// generation returns the main file of the catalogue, the main private file and the lines of their
// chunks, by path, from an archive whose listings have been read. It reads past the other files.
func (a *archive) generation(ctx context.Context, c site.Current, included listing) (map[string][]byte, error) {
	files := make(map[string][]byte)
	free := int64(site.MaxCompressedCatalog) // of all files together
	buffer := make([]byte, 256<<10)
	for _, x := range included {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		size, isLink, err := a.entryOf(x)
		if err != nil {
			return nil, err
		}
		wanted := x.path == c.CatalogPath() || x.path == c.PrivatePath() || isChunk(x.path) && x.path != catalog.IndexChunkPath(x.ref)
		switch {
		case isLink:
			continue
		case !wanted:
			if err := a.content(x.path, io.Discard, buffer); err != nil {
				return nil, err
			}
			continue
		case size > free:
			return nil, refuse(x.path, "with its %d bytes, the catalogue has more than %d, the limit", size, site.MaxCompressedCatalog)
		}
		free -= size
		var text bytes.Buffer
		if err := a.content(x.path, &text, buffer); err != nil {
			return nil, err
		}
		if got := blob.Sum(text.Bytes()); got != x.ref {
			return nil, refuse(x.path, "its SHA-256 is %s, want %s as in %s", got, x.ref, SumsName)
		}
		files[x.path] = text.Bytes()
	}
	return files, nil
}
