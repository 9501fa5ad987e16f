package publish

import (
	"context"
	"fmt"
	"slices"

	"galbuild/build/audit"
	"galbuild/build/history"
	"galbuild/publish/target"
)

// Audit returns the report on the gallery of a target. It changes nothing.
func Audit(ctx context.Context, from target.Target) (*audit.Report, error) {
	s, err := Read(ctx, from)
	s, err = requirePublished(from, s, err)
	if err != nil {
		return nil, err
	}
	complete, err := ReadPrivate(ctx, from, s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	entries, err := entriesOf(ctx, from)
	if err != nil {
		return nil, err
	}
	r := audit.New(s.Catalog, entries)
	r.Target, r.Generation, r.Complete = from.String(), s.Generation, complete && len(entries) > 0
	return r, nil
}

// entriesOf returns the entries of the history of a target, the first one first. There are none if
// they are not served.
func entriesOf(ctx context.Context, from target.Target) (entries []*history.Entry, err error) {
	for e, err := range History(ctx, from) {
		if err != nil && isPublic(from) {
			return nil, ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	slices.Reverse(entries)
	return entries, nil
}
