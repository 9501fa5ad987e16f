package bundle

import (
	"bytes"
	"context"
	"io"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
)

// ReadCatalog returns the generation in an archive and its catalogue, with what only auditors need.
// It verifies both by SHA256SUMS, and does not verify other files or signatures; [Import] does.
func ReadCatalog(ctx context.Context, archive string) (site.Current, *catalog.Catalog, error) {
	from, err := openSource(ctx, archive, "", nil)
	if err != nil {
		return site.Current{}, nil, err
	}
	defer from.Close()
	current, c, err := readCatalog(ctx, from)
	return current, c, from.damagedPart(err)
}

func readCatalog(ctx context.Context, from *source) (site.Current, *catalog.Catalog, error) {
	unpacked, _, err := decompress(from)
	if err != nil {
		return site.Current{}, nil, err
	}
	defer unpacked.Close()
	a := newArchive(unpacked)
	whole, included, bases, err := a.listings()
	if err != nil {
		return site.Current{}, nil, err
	}
	name := SumsName
	if len(bases) > 0 {
		name = SiteName
	}
	current, _, err := generation(name, whole)
	if err != nil {
		return site.Current{}, nil, err
	}
	files, err := a.generation(ctx, current, whole, included)
	if err != nil {
		return site.Current{}, nil, err
	}
	if files[current.CatalogPath()] == nil {
		return site.Current{}, nil, refuse(SumsName, "it does not list %q", current.CatalogPath())
	}
	c, err := site.DecompressCatalog(files[current.CatalogPath()])
	if err != nil {
		return site.Current{}, nil, refuse(current.CatalogPath(), "%v", err)
	}
	if packed := files[current.PrivatePath()]; packed != nil {
		if err := site.DecompressPrivate(packed, c); err != nil {
			return site.Current{}, nil, refuse(current.PrivatePath(), "%v", err)
		}
	}
	return current, c, nil
}

// generation returns the content of the catalogue and of the private file, by path, from an archive
// whose listings have been read. It reads past the other files.
func (a *archive) generation(ctx context.Context, c site.Current, whole, included listing) (map[string][]byte, error) {
	blobs := whole.blobs()
	files := make(map[string][]byte)
	buffer := make([]byte, 256<<10)
	for _, x := range included {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		link := ""
		if !isBlob(x.path) && blobs[x.ref] {
			link = x.ref.Path()
		}
		size, err := a.entry(x.path, link)
		if err != nil {
			return nil, err
		}
		wanted := x.path == c.CatalogPath() || x.path == c.PrivatePath()
		switch {
		case link != "":
			continue
		case !wanted:
			if err := a.content(x.path, io.Discard, buffer); err != nil {
				return nil, err
			}
			continue
		case size > site.MaxCompressedCatalog:
			return nil, refuse(x.path, "%d bytes, more than the limit of %d", size, site.MaxCompressedCatalog)
		}
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
