package target

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"time"
)

// Locks is the prefix of the lock objects of [SwapLocked]. They belong to no generation.
const Locks = "index/LOCK/"

const (
	// lease is the age at which a lock expires.
	lease = time.Minute
	// term is how long the holder of a lock acts on it. The rest of the lease allows for a
	// request that the target completes late.
	term = lease / 2
	// minWait and maxWait limit the pause between two attempts to get the lock.
	minWait = 50 * time.Millisecond
	maxWait = 2 * time.Second
)

// SwapLocked implements [Target].Swap for a target without conditional writes. It uses Get,
// List, Put and Delete, which must be strongly consistent: every request sees the objects that
// earlier requests have written or deleted.
//
// A lock is an object index/LOCK/<unix nanoseconds>-<random>. To acquire it, a process writes its
// own lock object and then lists all of them. It holds the lock if its own object is the only one.
// Two processes cannot both hold it, because each lists after it has written, so at least one of
// them finds the other's object. If there are others, it tries again after a pause that grows.
// Before the pause it deletes its object, unless that has the smallest name, so that one of the
// waiting processes succeeds. Wrong clocks make this unfair but not unsafe. A waiting process
// compares o with old before each attempt, and gives up if another process has replaced o.
//
// Each process rewrites its lock object before each attempt, and cancels its work under the lock
// after half a minute. So if an object was written more than a minute before that of the process
// that lists them, by the target's clock, its owner has died, and the object is removed.
//
// The guarantee of Swap holds among processes that all use SwapLocked. It does not hold if
// others write the object, if the target completes a request half a minute after it was
// cancelled, or if the target's timestamps come from clocks that differ by as much. A lock that
// could not be deleted delays the next swap by a minute.
func SwapLocked(ctx context.Context, t Target, old []byte, o Object) error {
	l := lock{target: t, key: fmt.Sprintf("%s%019d-%s", Locks, time.Now().UnixNano(), rand.Text())}
	defer l.release(ctx)
	until, err := l.acquire(ctx, func() error { return compare(ctx, t, old, o.Key) })
	if err != nil {
		return err
	}
	held, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	err = compare(held, t, old, o.Key)
	if err == nil {
		err = t.Put(held, o)
	}
	if err != nil && held.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("%s responds too slowly for a lock: the write did not finish within %v: %w", t, term, err)
	}
	return err
}

// compare returns ErrChanged unless the content of the object is old, or there is no object
// and old is nil.
func compare(ctx context.Context, t Target, old []byte, key string) error {
	var content []byte
	r, err := t.Get(ctx, key, 0, -1)
	missing := errors.Is(err, ErrNotExist)
	if err == nil {
		content, err = ReadAll(r, int64(len(old)))
	}
	longer := err == io.ErrShortBuffer
	switch {
	case err != nil && !missing && !longer:
		return err
	case missing != (old == nil) || longer || !bytes.Equal(content, old):
		return fmt.Errorf("%s: %w", key, ErrChanged)
	}
	return nil
}

// A lock is the lock object of this process, which may not be written yet.
type lock struct {
	target Target
	key    string
}

// acquire waits until this process holds the lock, and returns when it must stop acting on it.
// It calls check before each further attempt and gives up if that returns an error.
func (l lock) acquire(ctx context.Context, check func() error) (until time.Time, err error) {
	for wait := minWait; ; wait = min(2*wait, maxWait) {
		until = time.Now().Add(term)
		if err := l.target.Put(ctx, Bytes(l.key, "text/plain", Revalidate, nil)); err != nil {
			return until, err
		}
		own, others, err := l.list(ctx)
		if err != nil || own && len(others) == 0 {
			return until, err
		}
		for _, other := range others {
			if other < l.key {
				if err := l.target.Delete(ctx, []string{l.key}); err != nil {
					return until, err
				}
				break
			}
		}
		select {
		case <-ctx.Done():
			return until, ctx.Err()
		case <-time.After(wait/2 + mathrand.N(wait)):
		}
		if err := check(); err != nil {
			return until, err
		}
	}
}

// list reports whether the lock object of this process exists, and returns the keys of the others.
// It removes expired ones.
func (l lock) list(ctx context.Context) (own bool, others []string, err error) {
	var all []Entry
	var now time.Time
	for e, err := range l.target.List(ctx, Locks) {
		if err != nil {
			return false, nil, err
		}
		if e.Key == l.key {
			own, now = true, e.Modified
			continue
		}
		all = append(all, e)
	}
	if !own {
		return false, nil, nil // another process has removed it as expired
	}
	var expired []string
	for _, e := range all {
		if now.Sub(e.Modified) > lease {
			expired = append(expired, e.Key)
		} else {
			others = append(others, e.Key)
		}
	}
	if len(expired) > 0 {
		err = l.target.Delete(ctx, expired)
	}
	return own, others, err
}

// release removes the lock, even if ctx is done.
func (l lock) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lease/6)
	defer cancel()
	_ = l.target.Delete(ctx, []string{l.key}) // if this fails, the lock expires
}
