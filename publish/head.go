package publish

import (
	"context"
	"errors"
	"fmt"
	"time"

	"galbuild/build/blob"
	"galbuild/build/history"
	"galbuild/build/site"
	"galbuild/publish/target"
)

// Head returns the head of the history of a target. The error wraps ErrNothing if nothing has been
// published there.
func Head(ctx context.Context, at target.Target) (history.Head, error) {
	s, err := readPublished(ctx, at)
	if err != nil {
		return history.Head{}, err
	}
	return readHead(ctx, at, s)
}

// requirePublished returns the results of reading the state of a target, with an error that wraps
// ErrNothing if nothing has been published there.
func requirePublished(at target.Target, s State, err error) (State, error) {
	if err == nil && s.IsZero() {
		err = fmt.Errorf("%s: %w", at, ErrNothing)
	}
	return s, err
}

// readPublished is readCurrent with requirePublished.
func readPublished(ctx context.Context, at target.Target) (State, error) {
	s, err := readCurrent(ctx, at)
	return requirePublished(at, s, err)
}

// CheckExtends returns an error that wraps [history.ErrInconsistent] unless the history of a
// target, whose head is newer, extends that of the head older. It reads the entries after the
// older one.
func CheckExtends(ctx context.Context, at target.Target, older, newer history.Head) error {
	if err := site.CheckExtends(filesAt(ctx, at), older, newer); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	return nil
}

// ErrNoKey is returned by Renew, wrapped, if there is no key to sign with.
var ErrNoKey = errors.New("signing the head of the history again needs a key")

// Renew signs the head of the history of a target again, with the time of by. So clients that
// refuse old heads accept it, although nothing has changed. There is no new entry, and the old file
// of the head stays.
func Renew(ctx context.Context, at target.Target, by site.Commit) (head history.Head, err error) {
	_, err = Retry(ctx, func() error {
		head, err = renew(ctx, at, by)
		return err
	})
	return head, err
}

// renew is an attempt.
func renew(ctx context.Context, at target.Target, by site.Commit) (history.Head, error) {
	s, err := readPublished(ctx, at)
	if err != nil {
		return history.Head{}, err
	}
	last, err := readHead(ctx, at, s)
	if err != nil {
		return history.Head{}, err
	}
	head := last
	head.When = by.When.UTC().Truncate(time.Second)
	if head, err = head.Sign(); err == nil {
		head, err = by.Sign(last, head)
	}
	if err == nil && !head.IsSigned() {
		err = ErrNoKey
	}
	if err != nil {
		return history.Head{}, fmt.Errorf("%s: %w", at, err)
	}
	named := site.Head{Number: head.Number, SHA256: blob.Sum(head.File())}
	if err = at.Put(ctx, textObject(named.Path(), head.File())); err == nil {
		err = at.Swap(ctx, s.raw, textObject(site.CurrentPath, site.FormatCurrent(s.Current, named)))
	}
	if err != nil {
		return history.Head{}, fmt.Errorf("%s: %w", at, err)
	}
	return head, nil
}
