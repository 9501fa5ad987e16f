package site

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"

	"galbuild/build/blob"
	"galbuild/build/catalog"
)

// Limits of a catalogue with all its chunks, in bytes. Catalogues typically compress to an eighth,
// and further if an extension has many versions that hardly differ.
const (
	MaxCompressedCatalog = 512 << 20
	maxCatalog           = 2 << 30  // uncompressed
	maxRatio             = 200      // uncompressed to compressed, the same as for packages and bundles
	ratioFrom            = 64 << 20 // uncompressed size up to which the ratio is not checked
	maxWindow            = 32 << 20 // memory of a decoder
)

// CompressMain returns the main file of a catalogue, which names the files of its chunks. All files
// of a catalogue are compressed with Zstandard.
func CompressMain(c *catalog.Catalog, files []catalog.ChunkFiles) ([]byte, error) {
	return compress(func(w io.Writer) error { return c.WriteMain(w, files) })
}

// CompressLines returns the file with the lines of a chunk.
func CompressLines(c catalog.Chunk) ([]byte, error) { return compressWith(lineEncoders, c.WriteLines) }

// CompressPrivate returns the main private file of a catalogue, which names the files of packages.
func CompressPrivate(c *catalog.Catalog, files []catalog.PackageFile) ([]byte, error) {
	return compress(func(w io.Writer) error { return c.WritePrivate(w, files) })
}

// CompressPackages puts the files of the packages of a catalogue, and returns their names.
func CompressPackages(c *catalog.Catalog, put func(path string, text []byte) error) (files []catalog.PackageFile, err error) {
	for _, chunk := range c.PackageChunks() {
		text, err := compress(chunk.WriteLines)
		if err != nil {
			return nil, err
		}
		f := catalog.PackageFile{First: chunk.First, ChunkFile: catalog.ChunkFile{SHA256: blob.Sum(text), Size: int64(len(text))}}
		if err := put(catalog.PackagesPath(f.SHA256), text); err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// Windows of files of a catalogue, and of files with the lines of one chunk. Most chunks have less
// than a MiB, and larger windows hardly make larger ones smaller. An encoder has two windows of
// memory, and the garbage collector removes encoders that are not used, so that those of large
// windows would be much of the memory of a build, again and again.
const (
	window     = 8 << 20
	lineWindow = 1 << 20
)

// Encoders are reused, because each has many MiB of memory.
var (
	encoders     = newEncoders(window)
	lineEncoders = newEncoders(lineWindow)
)

func newEncoders(window int) *sync.Pool {
	return &sync.Pool{New: func() any {
		enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true), zstd.WithWindowSize(window))
		if err != nil {
			panic(err) // the options are valid
		}
		return enc
	}}
}

func compress(write func(io.Writer) error) ([]byte, error) { return compressWith(encoders, write) }

func compressWith(encoders *sync.Pool, write func(io.Writer) error) ([]byte, error) {
	var b bytes.Buffer
	enc := encoders.Get().(*zstd.Encoder)
	defer func() { enc.Reset(nil); encoders.Put(enc) }() // an encoder in the pool does not keep b
	enc.Reset(&b)
	err := errors.Join(write(enc), enc.Close())
	return b.Bytes(), err
}

// DecompressMain reads what CompressMain returns. The catalogue has no extensions. Like the
// following functions, it decodes while it decompresses, and returns an error as soon as a limit is
// exceeded.
func DecompressMain(compressed []byte) (c *catalog.Catalog, files []catalog.ChunkFiles, err error) {
	err = decompress(compressed, func(r io.Reader) error {
		c, files, err = catalog.ReadMain(r)
		return err
	})
	return c, files, err
}

// DecompressChunkFiles reads only the files of the chunks from what CompressMain returns.
func DecompressChunkFiles(compressed []byte) (files []catalog.ChunkFiles, err error) {
	err = decompress(compressed, func(r io.Reader) error {
		files, err = catalog.ReadChunkFiles(r)
		return err
	})
	return files, err
}

// DecompressPackageFiles reads the names of the files of packages from what CompressPrivate
// returns.
func DecompressPackageFiles(compressed []byte) (files []catalog.PackageFile, err error) {
	err = decompress(compressed, func(r io.Reader) error {
		files, err = catalog.ReadPackageFiles(r)
		return err
	})
	return files, err
}

func decompress(compressed []byte, read func(io.Reader) error) error {
	l, err := newLimit(int64(len(compressed)))
	if err != nil {
		return err
	}
	return l.decompress(compressed, read)
}

// DecompressCatalog is [Chunks.DecompressCatalog] for a single catalogue.
func DecompressCatalog(main []byte, get LinesSource) (*catalog.Catalog, []catalog.ChunkFiles, error) {
	return new(Chunks).DecompressCatalog(main, get)
}

// DecompressPrivate is [Chunks.DecompressPrivate] for a single catalogue.
func DecompressPrivate(main []byte, c *catalog.Catalog, get LinesSource) ([]catalog.PackageFile, error) {
	return new(Chunks).DecompressPrivate(main, c, get)
}

// DecompressChunks is [Chunks.Decompress] for the chunks of a single catalogue.
func DecompressChunks(files []catalog.ChunkFiles, get LinesSource) ([][]catalog.Extension, error) {
	return new(Chunks).Decompress(files, get)
}

// A LinesSource returns the content of the file with the lines of a chunk, or with packages. Its
// callers verify the size and the hash. It is called from several goroutines at a time.
type LinesSource func(path string, f catalog.ChunkFile) ([]byte, error)

// Chunks reads chunks, and keeps the extensions and packages of all that it has read. So a chunk
// that several generations share is read once. They must not be changed. The zero value is ready
// for use. Chunks is safe for concurrent use.
type Chunks struct{ read sync.Map } // []catalog.Extension or []catalog.Package, by linesFile

// A linesFile is a file of lines with its path.
type linesFile struct {
	path string
	catalog.ChunkFile
}

// DecompressCatalog reads the main file of a catalogue, and the extensions of all its chunks like
// Decompress. It also returns the files of the chunks.
func (c *Chunks) DecompressCatalog(main []byte, get LinesSource) (*catalog.Catalog, []catalog.ChunkFiles, error) {
	all, files, err := DecompressMain(main)
	if err != nil {
		return nil, nil, err
	}
	parts, err := c.Decompress(files, get)
	if err != nil {
		return nil, nil, err
	}
	if err := all.AddChunks(files, parts); err != nil {
		return nil, nil, err
	}
	return all, files, nil
}

// DecompressPrivate reads the main private file of a catalogue and its packages into the catalogue.
// It also returns the files of the packages.
func (c *Chunks) DecompressPrivate(main []byte, all *catalog.Catalog, get LinesSource) (files []catalog.PackageFile, err error) {
	err = decompress(main, func(r io.Reader) error {
		files, err = all.ReadPrivate(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	lines := make([]linesFile, len(files))
	for i, f := range files {
		lines[i] = linesFile{catalog.PackagesPath(f.SHA256), f.ChunkFile}
	}
	parts, err := decompressEach(c, lines, get, catalog.ReadPackages)
	if err != nil {
		return nil, err
	}
	return files, all.AddPackages(files, parts)
}

// chunksAtOnce is how many chunks are read at the same time.
const chunksAtOnce = 16

// Decompress reads the extensions of each of the chunks, without their statistics. It calls get for
// the files with extensions, and verifies their sizes and hashes. Errors name the file. The limits
// are those of a catalogue with these chunks, and not of each file.
func (c *Chunks) Decompress(files []catalog.ChunkFiles, get LinesSource) ([][]catalog.Extension, error) {
	lines := make([]linesFile, len(files))
	for i, f := range files {
		lines[i] = linesFile{catalog.LinesPath(f.Lines.SHA256), f.Lines}
	}
	return decompressEach(c, lines, get, catalog.ReadLines)
}

// decompressEach reads each of the files with decode.
func decompressEach[T any](c *Chunks, files []linesFile, get LinesSource, decode func(io.Reader) ([]T, error)) ([][]T, error) {
	limit, err := limitOf(files)
	if err != nil {
		return nil, err
	}
	parts := make([][]T, len(files))
	var failed atomic.Bool
	var group errgroup.Group
	group.SetLimit(chunksAtOnce)
	for i, f := range files {
		if known, ok := c.read.Load(f); ok {
			parts[i] = known.([]T)
			continue
		}
		if failed.Load() {
			break
		}
		group.Go(func() error {
			text, err := f.read(get)
			if err == nil {
				err = limit.decompress(text, func(r io.Reader) (err error) { parts[i], err = decode(r); return err })
			}
			if err != nil {
				failed.Store(true)
				return fmt.Errorf("%s: %w", f.path, err)
			}
			c.read.Store(f, slices.Clip(parts[i]))
			return nil
		})
	}
	err = group.Wait()
	return parts, err
}

// limitOf returns the limit of all files together.
func limitOf(files []linesFile) (*limit, error) {
	var compressed int64
	for _, f := range files {
		if compressed += f.Size; f.Size > MaxCompressedCatalog || compressed > MaxCompressedCatalog {
			return nil, fmt.Errorf("its chunks have more than %d compressed bytes, the limit", MaxCompressedCatalog)
		}
	}
	return newLimit(compressed)
}

// read returns the content of the file after it has verified its size and hash.
func (f linesFile) read(get LinesSource) ([]byte, error) {
	text, err := get(f.path, f.ChunkFile)
	if err != nil {
		return nil, err
	}
	if int64(len(text)) != f.Size {
		return nil, fmt.Errorf("%d bytes, want %d", len(text), f.Size)
	}
	if got := blob.Sum(text); got != f.SHA256 {
		return nil, fmt.Errorf("SHA-256 is %s", got)
	}
	return text, nil
}

// A limit limits how many bytes files expand to. It is safe for concurrent use.
type limit struct {
	compressed int64 // size of all files
	most       int64 // bytes to which they may expand
	read       atomic.Int64
}

// newLimit returns the limit for files with this size in total, if they may have that size.
func newLimit(compressed int64) (*limit, error) {
	if compressed > MaxCompressedCatalog {
		return nil, fmt.Errorf("compressed catalogue has %d bytes, more than the limit of %d", compressed, MaxCompressedCatalog)
	}
	return &limit{compressed: compressed, most: min(max(ratioFrom, maxRatio*compressed), maxCatalog)}, nil
}

// decoders are reused, because each has the memory of its window.
var decoders = sync.Pool{New: func() any {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		panic(err) // the options are valid
	}
	return dec
}}

// decompress calls read with the decompressed bytes of one of the files.
func (l *limit) decompress(compressed []byte, read func(io.Reader) error) error {
	dec := decoders.Get().(*zstd.Decoder)
	defer func() { _ = dec.Reset(nil); decoders.Put(dec) }() // a decoder in the pool does not keep the input
	if err := dec.Reset(bytes.NewReader(compressed)); err != nil {
		return err
	}
	return read(limited{dec, l})
}

// A limited reader returns an error after its limit.
type limited struct {
	from io.Reader
	*limit
}

func (r limited) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if r.read.Add(int64(n)) > r.most {
		return 0, fmt.Errorf("%d compressed bytes expand to more than %d bytes, the limit for a catalogue of that size", r.compressed, r.most)
	}
	return n, err
}
