package publish

import (
	"cmp"
	"context"
	"sync"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/publish/target"
)

// Lines reads the lines of the chunks of catalogues and of their packages at a target. It reads
// those that a site has from the site, and sends one request for each of the others, even if
// several generations or several attempts need it. It decodes each file once, so catalogues that it
// reads share extensions, which must not be changed.
type Lines struct {
	from    target.Target
	roots   []string
	read    sync.Map // content of files that were read from the target, by path
	decoded site.Chunks
}

// NewLines returns Lines that have read nothing yet. roots are folders of sites.
func NewLines(from target.Target, roots ...string) *Lines { return &Lines{from: from, roots: roots} }

// catalog returns the catalogue with this main file, and the files of its chunks.
func (l *Lines) catalog(ctx context.Context, main []byte) (*catalog.Catalog, []catalog.ChunkFiles, error) {
	return l.decoded.DecompressCatalog(main, l.reader(ctx))
}

// private reads the main private file of a catalogue, and the packages, into the catalogue.
func (l *Lines) private(ctx context.Context, main []byte, c *catalog.Catalog) ([]catalog.PackageFile, error) {
	return l.decoded.DecompressPrivate(main, c, l.reader(ctx))
}

// chunks returns the extensions of each of the chunks.
func (l *Lines) chunks(ctx context.Context, files []catalog.ChunkFiles) ([][]catalog.Extension, error) {
	return l.decoded.Decompress(files, l.reader(ctx))
}

// reader returns the lines as a [site.LinesSource].
func (l *Lines) reader(ctx context.Context) site.LinesSource {
	return func(path string, f catalog.ChunkFile) ([]byte, error) {
		for _, root := range l.roots {
			if text, err := site.LinesIn(root)(path, f); err == nil && blob.Sum(text) == f.SHA256 {
				return text, nil
			}
		}
		if text, ok := l.downloaded(path); ok {
			return text, nil
		}
		text, err := readSmall(ctx, l.from, path, f.Size)
		if err == nil && blob.Sum(text) == f.SHA256 {
			l.read.Store(path, text)
		}
		return text, err
	}
}

// linesAt returns the lines of the options, or new ones.
func (o Options) linesAt(at target.Target) *Lines { return cmp.Or(o.Lines, NewLines(at)) }

// downloaded returns the content of a file that was read from the target and has its hash.
func (l *Lines) downloaded(path string) ([]byte, bool) {
	text, ok := l.read.Load(path)
	if !ok {
		return nil, false
	}
	return text.([]byte), true
}

// LinesAt returns the lines of the chunks of catalogues at a target.
func LinesAt(ctx context.Context, from target.Target) site.LinesSource {
	return NewLines(from).reader(ctx)
}
