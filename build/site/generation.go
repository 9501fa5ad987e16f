package site

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/regularfile"
)

// ReadCurrent returns the current generation of the site at root, or the zero Current if the site
// has none yet.
func ReadCurrent(root string) (Current, error) {
	c, _, err := ReadCurrentHead(root)
	return c, err
}

// ReadCurrentHead is ReadCurrent, and also returns the head of the history.
func ReadCurrentHead(root string) (Current, Head, error) {
	f, err := regularfile.Open(filepath.Join(root, filepath.FromSlash(CurrentPath)))
	if errors.Is(err, fs.ErrNotExist) {
		return Current{}, Head{}, nil
	}
	if err != nil {
		return Current{}, Head{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxCurrent))
	if err != nil {
		return Current{}, Head{}, err
	}
	current, head, err := ParseCurrent(text)
	if err != nil {
		return Current{}, Head{}, fmt.Errorf("%s: %w", root, err)
	}
	return current, head, nil
}

// maxCurrent is the largest size of CURRENT in bytes.
const maxCurrent = 4 << 10

// WriteCatalog writes the catalogue in the format of its file: JSON lines, compressed with
// Zstandard.
func WriteCatalog(w io.Writer, c *catalog.Catalog) error { return compress(w, c.Write) }

// WritePrivate writes the private parts of the records of a catalogue in the format of their file,
// which is compressed in the same way.
func WritePrivate(w io.Writer, c *catalog.Catalog) error { return compress(w, c.WritePrivate) }

// encoders are reused, because each has many MiB of memory.
var encoders = sync.Pool{New: func() any {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
	if err != nil {
		panic(err) // the options are valid
	}
	return enc
}}

func compress(w io.Writer, write func(io.Writer) error) error {
	enc := encoders.Get().(*zstd.Encoder)
	defer encoders.Put(enc)
	enc.Reset(w)
	return errors.Join(write(enc), enc.Close())
}

// Limits of a catalogue, in bytes. Catalogues typically compress to an eighth, and further if an
// extension has many versions that hardly differ.
const (
	MaxCompressedCatalog = 512 << 20
	maxCatalog           = 2 << 30  // uncompressed
	maxRatio             = 200      // uncompressed to compressed, the same as for packages and bundles
	ratioFrom            = 64 << 20 // uncompressed size up to which the ratio is not checked
	maxWindow            = 32 << 20 // memory of the decoder
)

// DecompressCatalog reads the file of a catalogue. It decodes while it decompresses, and returns an
// error as soon as a limit is exceeded.
func DecompressCatalog(compressed []byte) (c *catalog.Catalog, err error) {
	err = decompress(compressed, func(r io.Reader) error {
		c, err = catalog.Read(r)
		return err
	})
	return c, err
}

// CompressCatalog returns a catalogue as DecompressCatalog reads it.
func CompressCatalog(c *catalog.Catalog) ([]byte, error) {
	var b bytes.Buffer
	err := compress(&b, c.Write)
	return b.Bytes(), err
}

// DecompressPrivate reads the file with the private parts of the records of c into c. It has the
// limits of a catalogue.
func DecompressPrivate(compressed []byte, c *catalog.Catalog) error {
	return decompress(compressed, c.ReadPrivate)
}

func decompress(compressed []byte, read func(io.Reader) error) error {
	if len(compressed) > MaxCompressedCatalog {
		return fmt.Errorf("compressed catalogue has %d bytes, more than the limit of %d", len(compressed), MaxCompressedCatalog)
	}
	dec, err := zstd.NewReader(bytes.NewReader(compressed), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return err
	}
	defer dec.Close()
	limit := min(max(ratioFrom, maxRatio*int64(len(compressed))), maxCatalog)
	return read(&bounded{from: dec, compressed: len(compressed), limit: limit})
}

// A bounded reader returns an error after its limit.
type bounded struct {
	from       io.Reader
	compressed int
	n, limit   int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if b.n += int64(n); b.n > b.limit {
		return 0, fmt.Errorf("%d compressed bytes expand to more than %d bytes, the limit for a catalogue of that size", b.compressed, b.limit)
	}
	return n, err
}

// RequireCurrent is ReadCurrent, but returns an error that wraps ErrNoGeneration if the site has no
// generation.
func RequireCurrent(root string) (Current, error) {
	current, err := ReadCurrent(root)
	if err == nil && current.IsZero() {
		err = fmt.Errorf("%s %w: it has no %s", root, ErrNoGeneration, CurrentPath)
	}
	return current, err
}

// Read returns the current generation of the site at root, and its catalogue. Its errors are those
// of RequireCurrent and ReadCatalog.
func Read(root string) (Current, *catalog.Catalog, error) {
	current, err := RequireCurrent(root)
	if err != nil {
		return Current{}, nil, err
	}
	c, err := ReadCatalog(root, current)
	return current, c, err
}

// ReadCatalog returns the catalogue of a generation, with the private parts of its records, after
// it has verified the hashes of both files. The private parts may be missing in a site of which
// MayLackPrivate says so. The catalogue of the zero Current is empty.
func ReadCatalog(root string, c Current) (all *catalog.Catalog, err error) {
	if c.IsZero() {
		return &catalog.Catalog{}, nil
	}
	err = readFile(root, c.CatalogPath(), c.Catalog, func(compressed []byte) error {
		all, err = DecompressCatalog(compressed)
		return err
	})
	if err != nil || c.Private.IsZero() {
		return all, err
	}
	err = readFile(root, c.PrivatePath(), c.Private, func(compressed []byte) error { return DecompressPrivate(compressed, all) })
	if errors.Is(err, fs.ErrNotExist) && MayLackPrivate(root) {
		return all, nil
	}
	return all, err
}

// readFile reads a file of a generation after it has verified its hash.
func readFile(root, path string, want blob.Ref, read func([]byte) error) error {
	file := filepath.Join(root, filepath.FromSlash(path))
	compressed, err := regularfile.ReadFile(file, MaxCompressedCatalog)
	if err != nil {
		return err
	}
	if got := blob.Sum(compressed); got != want {
		return fmt.Errorf("%s: SHA-256 is %s, want %s as in %s", file, got, want, CurrentPath)
	}
	if err := read(compressed); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// WriteGeneration writes the files of a generation at the same time. It does not hold them in
// memory. The last function is nil if there are no private parts of records. Files that the site
// has already are not replaced. The generation becomes current with Switch.
func (d *Dir) WriteGeneration(writeCatalog, writeIndex, writePrivate func(io.Writer) error) (Current, error) {
	catalog, index, private := d.Blobs.Draft(), d.Blobs.Draft(), d.Blobs.Draft()
	defer catalog.Discard()
	defer index.Discard()
	defer private.Discard()
	var group errgroup.Group
	group.Go(func() error { return fill(catalog, writeCatalog) })
	group.Go(func() error { return fill(index, writeIndex) })
	if writePrivate != nil {
		group.Go(func() error { return fill(private, writePrivate) })
	}
	if err := group.Wait(); err != nil {
		return Current{}, err
	}
	if writePrivate == nil {
		c := MakeCurrent(catalog.Ref(), index.Ref(), blob.Ref{})
		return c, errors.Join(d.commit(catalog, c.CatalogPath()), d.commit(index, c.IndexPath()))
	}
	c := MakeCurrent(catalog.Ref(), index.Ref(), private.Ref())
	return c, errors.Join(d.commit(catalog, c.CatalogPath()), d.commit(index, c.IndexPath()), d.commit(private, c.PrivatePath()))
}

// commit stores a draft at a path, unless the site has the same file already.
func (d *Dir) commit(draft *blob.Draft, path string) error {
	if d.HasFile(path, draft.Ref()) {
		return nil
	}
	return draft.CommitAs(path)
}

// HasFile reports whether the site has a regular file with this content. It reads the file.
func (d *Dir) HasFile(path string, ref blob.Ref) bool {
	info, err := os.Lstat(d.Path(path))
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	got, _, err := blob.SumFile(d.Path(path))
	return err == nil && got == ref
}

func fill(draft *blob.Draft, write func(io.Writer) error) error {
	buffered := bufio.NewWriterSize(draft, 1<<20)
	return errors.Join(write(buffered), buffered.Flush())
}

// HasGeneration reports whether the catalogue and the index of a generation exist.
func (d *Dir) HasGeneration(name string) bool {
	for _, file := range []string{CatalogName, IndexName} {
		if _, err := os.Stat(d.Path("index/" + name + "/" + file)); err != nil {
			return false
		}
	}
	return true
}

var generationName = regexp.MustCompile(`^[0-9a-f]{16}$`)

// Generations returns the names of the generations in the site. Some of them may never have been
// current.
func (d *Dir) Generations() (names []string, err error) {
	entries, err := os.ReadDir(d.Path("index"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		if generationName.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, err
}
