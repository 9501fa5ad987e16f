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
	"slices"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/regularfile"
)

// ReadCurrent returns the current generation of the site at root, or the zero Current if the site
// has none yet.
func ReadCurrent(root string) (Current, error) {
	f, err := regularfile.Open(filepath.Join(root, filepath.FromSlash(CurrentPath)))
	if errors.Is(err, fs.ErrNotExist) {
		return Current{}, nil
	}
	if err != nil {
		return Current{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxCurrent))
	if err != nil {
		return Current{}, err
	}
	current, err := ParseCurrent(text)
	if err != nil {
		return Current{}, fmt.Errorf("%s: %w", root, err)
	}
	return current, nil
}

// maxCurrent is the largest size of CURRENT in bytes.
const maxCurrent = 4 << 10

// WriteCatalog writes the catalogue in the format of its file: JSON lines, compressed with
// Zstandard.
func WriteCatalog(w io.Writer, c *catalog.Catalog) error {
	enc, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
	if err != nil {
		return err
	}
	return errors.Join(c.Write(enc), enc.Close())
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

// DecompressCatalog reads a catalogue in the format of [WriteCatalog]. It returns an error as soon
// as a limit is exceeded.
func DecompressCatalog(compressed []byte) (*catalog.Catalog, error) {
	if len(compressed) > MaxCompressedCatalog {
		return nil, fmt.Errorf("compressed catalogue has %d bytes, more than the limit of %d", len(compressed), MaxCompressedCatalog)
	}
	dec, err := zstd.NewReader(bytes.NewReader(compressed), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	limit := min(max(ratioFrom, maxRatio*int64(len(compressed))), maxCatalog)
	return catalog.Read(&bounded{from: dec, compressed: len(compressed), limit: limit})
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

// ReadCatalog verifies the hash of the catalogue of a generation, and returns the catalogue. The
// catalogue of the zero Current is empty.
func ReadCatalog(root string, c Current) (*catalog.Catalog, error) {
	if c.IsZero() {
		return &catalog.Catalog{}, nil
	}
	file := filepath.Join(root, filepath.FromSlash(c.CatalogPath()))
	compressed, err := regularfile.ReadFile(file, MaxCompressedCatalog)
	if err != nil {
		return nil, err
	}
	if got := blob.Sum(compressed); got != c.Catalog {
		return nil, fmt.Errorf("%s: SHA-256 is %s, want %s as in %s", file, got, c.Catalog, CurrentPath)
	}
	all, err := DecompressCatalog(compressed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return all, nil
}

// WriteGeneration writes the two files of a generation at the same time. It does not hold them in
// memory. Files that the site has already are not replaced, because Generations sorts by the times
// of folders. The generation becomes current with Switch.
func (d *Dir) WriteGeneration(writeCatalog, writeIndex func(io.Writer) error) (Current, error) {
	catalog, index := d.Blobs.Draft(), d.Blobs.Draft()
	defer catalog.Discard()
	defer index.Discard()
	var group errgroup.Group
	group.Go(func() error { return fill(catalog, writeCatalog) })
	group.Go(func() error { return fill(index, writeIndex) })
	if err := group.Wait(); err != nil {
		return Current{}, err
	}
	c := MakeCurrent(catalog.Ref(), index.Ref())
	return c, errors.Join(d.commit(catalog, c.CatalogPath()), d.commit(index, c.IndexPath()))
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

// HasGeneration reports whether both files of a generation exist.
func (d *Dir) HasGeneration(name string) bool {
	for _, file := range []string{CatalogName, IndexName} {
		if _, err := os.Stat(d.Path("index/" + name + "/" + file)); err != nil {
			return false
		}
	}
	return true
}

var generationName = regexp.MustCompile(`^[0-9a-f]{16}$`)

// Generations returns the names of the generations in the site, sorted by the times of their
// folders, the latest first. That is the time at which a generation became current or, if it never
// was, at which it was written.
func (d *Dir) Generations() ([]string, error) {
	entries, err := os.ReadDir(d.Path("index"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	type generation struct {
		name string
		when int64
	}
	var all []generation
	for _, e := range entries {
		if !generationName.MatchString(e.Name()) {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		all = append(all, generation{e.Name(), info.ModTime().UnixNano()})
	}
	slices.SortStableFunc(all, func(a, b generation) int { return int(min(1, max(-1, b.when-a.when))) })
	names := make([]string, len(all))
	for i, g := range all {
		names[i] = g.name
	}
	return names, nil
}
