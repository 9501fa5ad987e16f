package publish

import (
	"context"
	"errors"
	"fmt"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/publish/target"
)

// Limits of what is read from a place.
const (
	maxCurrent = 4 << 10
	maxCatalog = site.MaxPackedCatalog
)

// State is what a place serves. The zero State is a place without a generation.
type State struct {
	site.Current
	Catalog *catalog.Catalog
	raw     []byte // CURRENT, nil if there is none
	// unfinished says that somebody was publishing and has not come to the end: pages
	// and answers may be those of a generation that does not count.
	unfinished bool
}

// Read returns what a place serves: two requests, or one if there is nothing yet.
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

// readToChange also tells whether somebody has not come to an end.
func readToChange(ctx context.Context, from target.Target) (State, error) {
	s, err := Read(ctx, from)
	if err != nil || s.IsZero() {
		return s, err
	}
	s.unfinished, err = isUnfinished(ctx, from)
	return s, err
}

func isUnfinished(ctx context.Context, from target.Target) (bool, error) {
	_, err := readSmall(ctx, from, unfinishedKey, maxCurrent)
	if err != nil && !errors.Is(err, target.ErrNotExist) {
		return false, fmt.Errorf("%s: %w", from, err)
	}
	return err == nil, nil
}

// readCurrent returns a State with an empty catalogue: one request.
func readCurrent(ctx context.Context, from target.Target) (State, error) {
	s := State{Catalog: &catalog.Catalog{}}
	raw, err := readSmall(ctx, from, site.CurrentPath, maxCurrent)
	if errors.Is(err, target.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("%s: %w", from, err)
	}
	current, err := site.ParseCurrent(raw)
	if err != nil {
		return s, fmt.Errorf("%s: %w", from, err)
	}
	s.Current, s.raw = current, raw
	return s, nil
}

// Objects beside CURRENT: there while somebody publishes, and what counted before.
const (
	unfinishedKey = "index/PUBLISHING"
	previousKey   = "index/PREVIOUS"
)

// readCatalog returns the catalogue of a generation, proved by its hash.
func readCatalog(ctx context.Context, from target.Target, c site.Current) (*catalog.Catalog, error) {
	packed, err := readSmall(ctx, from, c.CatalogPath(), maxCatalog)
	if err != nil {
		return nil, err
	}
	if got := blob.Sum(packed); got != c.Catalog {
		return nil, fmt.Errorf("%s: its SHA-256 is %s, %s says %s", c.CatalogPath(), got, site.CurrentPath, c.Catalog)
	}
	all, err := site.UnpackCatalog(packed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.CatalogPath(), err)
	}
	return all, nil
}

func readSmall(ctx context.Context, from target.Target, key string, most int64) ([]byte, error) {
	r, err := from.Get(ctx, key, 0, -1)
	if err != nil {
		return nil, err
	}
	b, err := target.ReadAll(r, most)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return b, nil
}
