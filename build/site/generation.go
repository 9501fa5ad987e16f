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

	"galbuild/build/blob"
	"galbuild/build/catalog"
)

// ReadCurrent returns the generation that counts in the site at root, the zero
// Current if there is none yet.
func ReadCurrent(root string) (Current, error) {
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(CurrentPath)))
	if errors.Is(err, fs.ErrNotExist) {
		return Current{}, nil
	}
	if err != nil {
		return Current{}, err
	}
	return ParseCurrent(text)
}

// PackCatalog returns the catalogue as a generation keeps it.
func PackCatalog(c *catalog.Catalog) ([]byte, error) {
	var packed bytes.Buffer
	enc, err := zstd.NewWriter(&packed, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, err
	}
	if err := errors.Join(c.Write(enc), enc.Close()); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// maxCatalog bounds what a catalogue may unpack to, and maxWindow the memory for
// unpacking it.
const (
	maxCatalog = 2 << 30
	maxWindow  = 32 << 20
)

// UnpackCatalog reads what PackCatalog returned.
func UnpackCatalog(packed []byte) (*catalog.Catalog, error) {
	dec, err := zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	text := &io.LimitedReader{R: dec, N: maxCatalog}
	c, err := catalog.Read(text)
	if text.N == 0 {
		return nil, fmt.Errorf("catalogue of %d bytes or more, the limit", maxCatalog)
	}
	return c, err
}

// ReadCatalog returns the catalogue of c, proved by its hash; an empty one for
// the zero Current.
func ReadCatalog(root string, c Current) (*catalog.Catalog, error) {
	if c.IsZero() {
		return &catalog.Catalog{}, nil
	}
	file := filepath.Join(root, filepath.FromSlash(c.CatalogPath()))
	packed, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if got := blob.Sum(packed); got != c.Catalog {
		return nil, fmt.Errorf("%s: SHA-256 is %s, %s says %s", file, got, CurrentPath, c.Catalog)
	}
	all, err := UnpackCatalog(packed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return all, nil
}

// WriteGeneration stores the two files of a generation, which does not count
// before Switch says so. The index is streamed: it may be larger than is good to
// hold.
func (d *Dir) WriteGeneration(packedCatalog []byte, writeIndex func(io.Writer) error) (Current, error) {
	draft := d.Blobs.Draft()
	defer draft.Discard()
	buffered := bufio.NewWriterSize(draft, 1<<20)
	if err := errors.Join(writeIndex(buffered), buffered.Flush()); err != nil {
		return Current{}, err
	}
	c := MakeCurrent(blob.Sum(packedCatalog), draft.Ref())
	if err := d.WriteFile(c.CatalogPath(), packedCatalog); err != nil {
		return Current{}, err
	}
	return c, draft.CommitAs(c.IndexPath())
}

var generationName = regexp.MustCompile(`^[0-9a-f]{16}$`)

// Generations returns the names of those in the site, the one that counted last
// first.
func (d *Dir) Generations() ([]string, error) {
	entries, err := os.ReadDir(d.Path("index"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	type made struct {
		name string
		when int64
	}
	var all []made
	for _, e := range entries {
		if !generationName.MatchString(e.Name()) {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		all = append(all, made{e.Name(), info.ModTime().UnixNano()})
	}
	slices.SortStableFunc(all, func(a, b made) int { return int(min(1, max(-1, b.when-a.when))) })
	names := make([]string, len(all))
	for i, g := range all {
		names[i] = g.name
	}
	return names, nil
}
