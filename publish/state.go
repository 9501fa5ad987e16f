package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/history"
	"galbuild/build/site"
	"galbuild/publish/target"
)

// Limits of what is read from a target, in bytes.
const (
	maxCurrent = 4 << 10
	maxCatalog = site.MaxCompressedCatalog
)

// State is the current generation of a target. The zero State means that there is none.
type State struct {
	site.Current
	Catalog *catalog.Catalog
	shared  catalog.Files    // with other generations; those of packages only of readToChange and ReadPrivate
	stored  map[string]int64 // sizes of the files of chunks that the target has, by path; only of readToChange
	head    site.Head        // of the history
	raw     []byte           // content of CURRENT; nil if it does not exist
	// dirty means that index/PUBLISHING exists: a publish is in progress or was interrupted.
	// Pages and static responses may be those of another generation.
	dirty bool
}

// Read returns the current generation of a target, without the private parts of its records. It
// sends two requests and one for each chunk of the catalogue, or one if there is no generation.
func Read(ctx context.Context, from target.Target) (State, error) {
	return read(ctx, from, NewLines(from))
}

// read is [Read] with a reader of lines.
func read(ctx context.Context, from target.Target, l *Lines) (State, error) {
	s, err := readCurrent(ctx, from)
	if err != nil || s.IsZero() {
		return s, err
	}
	if s.Catalog, s.shared.Chunks, err = readCatalog(ctx, from, s.Current, l); err != nil {
		return s, fmt.Errorf("%s: %w", from, err)
	}
	return s, nil
}

// readToChange is [Read] for a caller that changes the target. It also reads the private parts of
// records, and sets dirty and stored, which takes further requests.
func readToChange(ctx context.Context, from target.Target, l *Lines) (State, error) {
	s, err := read(ctx, from, l)
	if err != nil || s.IsZero() {
		return s, err
	}
	if err := readPrivate(ctx, from, &s, l); err != nil {
		return s, fmt.Errorf("%s: %w", from, err)
	}
	if s.dirty, err = isDirty(ctx, from); err != nil {
		return s, err
	}
	s.stored, err = listChunks(ctx, from)
	return s, err
}

// listChunks returns the sizes of the files of chunks that a target has, by path.
func listChunks(ctx context.Context, from target.Target) (map[string]int64, error) {
	all := make(map[string]int64)
	for _, folder := range chunkFolders() {
		for e, err := range from.List(ctx, folder) {
			if err != nil {
				return nil, fmt.Errorf("%s: %w", from, err)
			}
			all[e.Key] = e.Size
		}
	}
	return all, nil
}

// chunkFolders returns the folders with the files that generations share, see [catalog.Files].
func chunkFolders() []string { return []string{catalog.ChunkDir, catalog.PackageDir} }

// isChunk reports whether a key is that of a file in one of the chunkFolders.
func isChunk(key string) bool {
	return slices.ContainsFunc(chunkFolders(), func(folder string) bool { return strings.HasPrefix(key, folder) })
}

// has reports whether the target has a file of a chunk. The state must be that of readToChange.
func (s *State) has(path string, f catalog.ChunkFile) bool {
	size, ok := s.stored[path]
	return ok && size == f.Size
}

// missingChunks returns the files of chunks that the target must get to have all of these: those
// that it lacks, and those that its current generation does not list, because a concurrent prune
// may remove them.
func (s *State) missingChunks(all catalog.Files) map[string]catalog.ChunkFile {
	listed := make(map[string]bool)
	for path, f := range s.shared.All() {
		listed[path] = s.has(path, f)
	}
	missing := make(map[string]catalog.ChunkFile)
	for path, f := range all.All() {
		if !listed[path] {
			missing[path] = f
		}
	}
	return missing
}

// reusable returns the chunks of the generation whose files the target has.
func (s *State) reusable() []catalog.ChunkFiles {
	return slices.DeleteFunc(slices.Clone(s.shared.Chunks), func(c catalog.ChunkFiles) bool {
		for path, f := range catalog.AllChunkFiles([]catalog.ChunkFiles{c}) {
			if !s.has(path, f) {
				return true
			}
		}
		return false
	})
}

// ReadPrivate reads what only auditors need into the catalogue of a state from [Read]. It returns
// false if that is not served, or if there is none.
func ReadPrivate(ctx context.Context, from target.Target, s State) (bool, error) {
	err := readPrivate(ctx, from, &s, NewLines(from))
	if err != nil && (isPublic(from) || errors.Is(err, target.ErrNotExist)) {
		return false, ctx.Err()
	}
	return err == nil && s.Catalog.HasPrivate(), err
}

// readPrivate reads the private parts of the records of a generation and the packages into its
// catalogue, after checking the hashes of their files.
func readPrivate(ctx context.Context, from target.Target, s *State, l *Lines) (err error) {
	if s.Private.IsZero() {
		return nil
	}
	main, err := readPrivateMain(ctx, from, s.Current)
	if err != nil {
		return err
	}
	if s.shared.Packages, err = l.private(ctx, main, s.Catalog); err != nil {
		return fmt.Errorf("%s: %w", s.PrivatePath(), err)
	}
	return nil
}

// readPrivateMain returns the main private file of a generation, after checking its hash.
func readPrivateMain(ctx context.Context, from target.Target, c site.Current) ([]byte, error) {
	main, err := readSmall(ctx, from, c.PrivatePath(), maxCatalog)
	if err != nil {
		return nil, err
	}
	if got := blob.Sum(main); got != c.Private {
		return nil, fmt.Errorf("%s: its SHA-256 is %s, want %s as in %s", c.PrivatePath(), got, c.Private, site.CurrentPath)
	}
	return main, nil
}

// readPackageFiles returns the files of the packages of any generation of a target. There are none
// if it has no private file.
func readPackageFiles(ctx context.Context, from target.Target, name string) ([]catalog.PackageFile, error) {
	path := site.Current{Generation: name}.PrivatePath()
	main, err := readSmall(ctx, from, path, maxCatalog)
	if errors.Is(err, target.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	files, err := site.DecompressPackageFiles(main)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return files, nil
}

// isDirty reports whether the marker of a publish exists at a target.
func isDirty(ctx context.Context, from target.Target) (bool, error) {
	_, err := readSmall(ctx, from, markerKey, maxCurrent)
	if err != nil && !errors.Is(err, target.ErrNotExist) {
		return false, fmt.Errorf("%s: %w", from, err)
	}
	return err == nil, nil
}

// readCurrent returns a State whose catalogue is empty. It sends one request.
func readCurrent(ctx context.Context, from target.Target) (State, error) {
	s := State{Catalog: &catalog.Catalog{}}
	raw, err := readSmall(ctx, from, site.CurrentPath, maxCurrent)
	if errors.Is(err, target.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("%s: %w", from, err)
	}
	current, head, err := site.ParseCurrent(raw)
	if err != nil {
		return s, fmt.Errorf("%s: %w", from, err)
	}
	s.Current, s.head, s.raw = current, head, raw
	return s, nil
}

// markerKey is an object that exists while pages and static responses are being replaced.
const markerKey = "index/PUBLISHING"

// filesAt reads files of the history of a target.
func filesAt(ctx context.Context, from target.Target) site.Files {
	return func(path string, limit int64) ([]byte, error) { return readSmall(ctx, from, path, limit) }
}

// readHead returns the head of the history of a target, or the zero head if nothing has been
// published there.
func readHead(ctx context.Context, from target.Target, s State) (history.Head, error) {
	if s.IsZero() {
		return history.Head{}, nil
	}
	head, err := site.ReadHead(filesAt(ctx, from), s.Current, s.head)
	if err != nil {
		return head, fmt.Errorf("%s: %w", from, err)
	}
	return head, nil
}

// readCatalog returns the catalogue of a generation and the files of its chunks, after checking its
// hash.
func readCatalog(ctx context.Context, from target.Target, c site.Current, l *Lines) (*catalog.Catalog, []catalog.ChunkFiles, error) {
	main, err := readSmall(ctx, from, c.CatalogPath(), maxCatalog)
	if err != nil {
		return nil, nil, err
	}
	if got := blob.Sum(main); got != c.Catalog {
		return nil, nil, fmt.Errorf("%s: its SHA-256 is %s, want %s as in %s", c.CatalogPath(), got, c.Catalog, site.CurrentPath)
	}
	all, chunks, err := l.catalog(ctx, main)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", c.CatalogPath(), err)
	}
	return all, chunks, nil
}

// readSmall returns the content of an object of at most limit bytes.
func readSmall(ctx context.Context, from target.Target, key string, limit int64) ([]byte, error) {
	r, err := from.Get(ctx, key, 0, -1)
	if err != nil {
		return nil, err
	}
	b, err := target.ReadAll(r, limit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return b, nil
}
