package publish

import (
	"context"
	"errors"
	"fmt"

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
	head    site.Head // of the history
	raw     []byte    // content of CURRENT; nil if it does not exist
	// dirty means that index/PUBLISHING exists: a publish is in progress or was interrupted.
	// Pages and static responses may be those of another generation.
	dirty bool
}

// Read returns the current generation of a target, without the private parts of its records. It
// sends two requests, or one if there is no generation.
func Read(ctx context.Context, from target.Target) (State, error) {
	s, err := readCurrent(ctx, from)
	if err != nil || s.IsZero() {
		return s, err
	}
	if s.Catalog, err = readCatalog(ctx, from, s.Current); err != nil {
		return s, fmt.Errorf("%s: %w", from, err)
	}
	return s, nil
}

// readToChange is [Read] for a caller that changes the target. It also reads the private parts of
// records and sets dirty, which takes further requests.
func readToChange(ctx context.Context, from target.Target) (State, error) {
	s, err := Read(ctx, from)
	if err != nil || s.IsZero() {
		return s, err
	}
	if err := readPrivate(ctx, from, s); err != nil {
		return s, fmt.Errorf("%s: %w", from, err)
	}
	s.dirty, err = isDirty(ctx, from)
	return s, err
}

// ReadPrivate reads what only auditors need into the catalogue of a state from [Read]. It returns
// false if that is not served, or if there is none.
func ReadPrivate(ctx context.Context, from target.Target, s State) (bool, error) {
	err := readPrivate(ctx, from, s)
	if err != nil && (isPublic(from) || errors.Is(err, target.ErrNotExist)) {
		return false, ctx.Err()
	}
	return err == nil && s.Catalog.HasPrivate(), err
}

// readPrivate reads the private parts of the records of a generation into its catalogue, after
// checking the hash of their file.
func readPrivate(ctx context.Context, from target.Target, s State) error {
	if s.Private.IsZero() {
		return nil
	}
	compressed, err := readSmall(ctx, from, s.PrivatePath(), maxCatalog)
	if err != nil {
		return err
	}
	if got := blob.Sum(compressed); got != s.Private {
		return fmt.Errorf("%s: its SHA-256 is %s, want %s as in %s", s.PrivatePath(), got, s.Private, site.CurrentPath)
	}
	if err := site.DecompressPrivate(compressed, s.Catalog); err != nil {
		return fmt.Errorf("%s: %w", s.PrivatePath(), err)
	}
	return nil
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

// readCatalog returns the catalogue of a generation, after checking its hash.
func readCatalog(ctx context.Context, from target.Target, c site.Current) (*catalog.Catalog, error) {
	compressed, err := readSmall(ctx, from, c.CatalogPath(), maxCatalog)
	if err != nil {
		return nil, err
	}
	if got := blob.Sum(compressed); got != c.Catalog {
		return nil, fmt.Errorf("%s: its SHA-256 is %s, want %s as in %s", c.CatalogPath(), got, c.Catalog, site.CurrentPath)
	}
	all, err := site.DecompressCatalog(compressed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.CatalogPath(), err)
	}
	return all, nil
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
