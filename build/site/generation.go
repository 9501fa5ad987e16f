package site

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

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
// it has verified the hashes of all their files. The private parts may be missing in a site of
// which MayLackPrivate says so. The catalogue of the zero Current is empty.
func ReadCatalog(root string, c Current) (all *catalog.Catalog, err error) {
	if c.IsZero() {
		return &catalog.Catalog{}, nil
	}
	err = readFile(root, c.CatalogPath(), c.Catalog, func(compressed []byte) error {
		all, _, err = DecompressCatalog(compressed, LinesIn(root))
		return err
	})
	if err != nil || c.Private.IsZero() {
		return all, err
	}
	err = readFile(root, c.PrivatePath(), c.Private, func(compressed []byte) error {
		_, err := DecompressPrivate(compressed, all, LinesIn(root))
		return err
	})
	if errors.Is(err, fs.ErrNotExist) && MayLackPrivate(root) {
		return all, nil
	}
	return all, err
}

// LinesIn returns the lines of chunks of the site at root.
func LinesIn(root string) LinesSource {
	return func(path string, f catalog.ChunkFile) ([]byte, error) {
		return regularfile.ReadFile(filepath.Join(root, filepath.FromSlash(path)), f.Size)
	}
}

// ReadMain is ReadCatalog without the extensions and the private parts of records: it reads only
// the main file of the catalogue. It also returns the files of the chunks.
func ReadMain(root string, c Current) (main *catalog.Catalog, files []catalog.ChunkFiles, err error) {
	if c.IsZero() {
		return &catalog.Catalog{}, nil, nil
	}
	err = readFile(root, c.CatalogPath(), c.Catalog, func(compressed []byte) error {
		main, files, err = DecompressMain(compressed)
		return err
	})
	return main, files, err
}

// ReadChunks returns the files of the chunks of a generation of the site at root. The zero Current
// has none.
func ReadChunks(root string, c Current) (files []catalog.ChunkFiles, err error) {
	if c.IsZero() {
		return nil, nil
	}
	err = readFile(root, c.CatalogPath(), c.Catalog, func(compressed []byte) error {
		files, err = DecompressChunkFiles(compressed)
		return err
	})
	return files, err
}

// ReadFiles returns the files that a generation of the site at root shares with others. Those of
// packages may be missing, as in [ReadCatalog].
func ReadFiles(root string, c Current) (files catalog.Files, err error) {
	if files.Chunks, err = ReadChunks(root, c); err != nil || c.Private.IsZero() {
		return files, err
	}
	err = readFile(root, c.PrivatePath(), c.Private, func(compressed []byte) error {
		files.Packages, err = DecompressPackageFiles(compressed)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) && MayLackPrivate(root) {
		err = nil
	}
	return files, err
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

// WriteGeneration writes the files of a generation, whose chunks have been written before: the main
// file of its catalogue, its index, which is not held in memory, and the main private file, unless
// it is empty. Files that the site has already are not replaced. The generation becomes current
// with Switch.
func (d *Dir) WriteGeneration(main []byte, writeIndex func(io.Writer) error, private []byte) (Current, error) {
	index := d.Blobs.Draft()
	defer index.Discard()
	if err := fill(index, writeIndex); err != nil {
		return Current{}, err
	}
	c := MakeCurrent(blob.Sum(main), index.Ref(), blob.Ref{})
	if len(private) > 0 {
		c = MakeCurrent(c.Catalog, c.Index, blob.Sum(private))
	}
	err := errors.Join(d.WriteFile(c.CatalogPath(), main), d.commit(index, c.IndexPath()))
	if len(private) > 0 {
		err = errors.Join(err, d.WriteFile(c.PrivatePath(), private))
	}
	return c, err
}

// commit stores a draft at a path, unless the site has the same file already.
func (d *Dir) commit(draft *blob.Draft, path string) error {
	if d.HasFile(path, draft.Ref()) {
		return nil
	}
	return draft.CommitAs(path)
}

// HasChunk reports whether the site has a file of a chunk. It compares only the size.
func (d *Dir) HasChunk(path string, size int64) bool {
	info, err := os.Lstat(d.Path(path))
	return err == nil && info.Mode().IsRegular() && info.Size() == size
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

// HasGeneration reports whether a generation is complete: whether the site has its catalogue, its
// index and all its chunks. It reads only the main file of the catalogue, and compares sizes.
func (d *Dir) HasGeneration(name string) bool {
	of := Current{Generation: name}
	files, err := d.ReadUnverifiedChunks(of.CatalogPath())
	if err != nil {
		return false
	}
	for path, f := range catalog.AllChunkFiles(files) {
		if !d.HasChunk(path, f.Size) {
			return false
		}
	}
	_, err = os.Stat(d.Path(of.IndexPath()))
	return err == nil
}

// ReadUnverifiedMain is ReadMain without a check of the hash, given the path of the main file.
func (d *Dir) ReadUnverifiedMain(path string) (*catalog.Catalog, []catalog.ChunkFiles, error) {
	main, err := regularfile.ReadFile(d.Path(path), MaxCompressedCatalog)
	if err != nil {
		return nil, nil, err
	}
	return DecompressMain(main)
}

// ReadUnverifiedChunks is ReadChunks without a check of the hash, given the path of the main file.
func (d *Dir) ReadUnverifiedChunks(path string) ([]catalog.ChunkFiles, error) {
	main, err := regularfile.ReadFile(d.Path(path), MaxCompressedCatalog)
	if err != nil {
		return nil, err
	}
	return DecompressChunkFiles(main)
}

// ReadUnverifiedPackageFiles returns the files of the packages of a generation, without a check of
// the hash of the main private file. There are none if that is missing.
func (d *Dir) ReadUnverifiedPackageFiles(name string) ([]catalog.PackageFile, error) {
	main, err := regularfile.ReadFile(d.Path(Current{Generation: name}.PrivatePath()), MaxCompressedCatalog)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return DecompressPackageFiles(main)
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
