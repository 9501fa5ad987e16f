package publish

import (
	"context"
	"fmt"

	"galbuild/build/audit"
	"galbuild/publish/target"
)

// Audit returns the account of the gallery of a target. It changes nothing.
func Audit(ctx context.Context, from target.Target) (*audit.Report, error) {
	s, err := Read(ctx, from)
	if err == nil && s.IsZero() {
		err = fmt.Errorf("%s: %w", from, ErrNothing)
	}
	if err != nil {
		return nil, err
	}
	complete, err := ReadPrivate(ctx, from, s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	r := audit.New(s.Catalog, nil)
	r.Target, r.Generation, r.Complete = from.String(), s.Generation, complete
	return r, nil
}
