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

// Locks is where the locks of [SwapLocked] are: objects that belong to no generation.
const Locks = "index/LOCK/"

const (
	// lease is how long a lock counts after it was written.
	lease = time.Minute
	// term is how long its holder acts on it. The rest of the lease is for a request
	// that the place carries out late.
	term = lease / 2
	// shortest and longest are the waits between two looks at who has the lock.
	shortest = 50 * time.Millisecond
	longest  = 2 * time.Second
)

// SwapLocked does what [Target].Swap must, for a place that cannot replace an object on
// a condition. It needs Get, List, Put and Delete, and that what was put or deleted is
// so for whoever asks or lists afterwards.
//
// A lock is an object index/LOCK/<unix nanoseconds>-<random>. Who wants it writes one,
// then lists them, and has it if the own is there and no other. Two can't both have it:
// of two that write and then list, one sees the other's. Who sees others tries again,
// ever more slowly, and withdraws the own until then, unless it is the smallest: that
// stays, so that one of those who wait is next. Wrong clocks only make this unfair. Who
// waits while another succeeds hears of it at its next look.
//
// A lock written a minute before one's own, both by the place's clock, is of a process
// that died, and is removed. One that lives writes its lock again before each look, and
// gives up what it does under it after half a minute.
//
// Promised to those who all use SwapLocked: what Swap promises. Not promised: anything
// towards others who write the object, or where the place carries out a request half a
// minute after it was given up, or stamps objects by clocks that far apart. A lock that
// could not be removed holds up the next swap for a minute.
func SwapLocked(ctx context.Context, t Target, old []byte, o Object) error {
	l := lock{target: t, key: fmt.Sprintf("%s%019d-%s", Locks, time.Now().UnixNano(), rand.Text())}
	defer l.release(ctx)
	until, err := l.acquire(ctx, func() error { return check(ctx, t, old, o.Key) })
	if err != nil {
		return err
	}
	held, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	err = check(held, t, old, o.Key)
	if err == nil {
		err = t.Put(held, o)
	}
	if err != nil && held.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("%s answers too slowly to be locked: %v were not enough: %w", t, term, err)
	}
	return err
}

// check returns ErrChanged unless the object's bytes are old.
func check(ctx context.Context, t Target, old []byte, key string) error {
	var is []byte
	r, err := t.Get(ctx, key, 0, -1)
	missing := errors.Is(err, ErrNotExist)
	if err == nil {
		is, err = ReadAll(r, int64(len(old)))
	}
	switch {
	case err != nil && !missing && err != io.ErrShortBuffer: // which is more than old
		return err
	case missing != (old == nil) || err == io.ErrShortBuffer || !bytes.Equal(is, old):
		return fmt.Errorf("%s: %w", key, ErrChanged)
	}
	return nil
}

// A lock is one's own, whether it is written or not.
type lock struct {
	target Target
	key    string
}

// acquire returns until when the lock is had. While others have it, it asks whether to
// go on waiting.
func (l lock) acquire(ctx context.Context, goOn func() error) (until time.Time, err error) {
	for wait := shortest; ; wait = min(2*wait, longest) {
		until = time.Now().Add(term)
		if err := l.target.Put(ctx, Bytes(l.key, "text/plain", Revalidate, nil)); err != nil {
			return until, err
		}
		own, others, err := l.look(ctx)
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
		if err := goOn(); err != nil {
			return until, err
		}
	}
}

// look tells whether the own lock is there, and which others are. The dead are removed.
func (l lock) look(ctx context.Context) (own bool, others []string, err error) {
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
		return false, nil, nil // removed by one that took it for dead
	}
	var dead []string
	for _, e := range all {
		if now.Sub(e.Modified) > lease {
			dead = append(dead, e.Key)
		} else {
			others = append(others, e.Key)
		}
	}
	if len(dead) > 0 {
		err = l.target.Delete(ctx, dead)
	}
	return own, others, err
}

// release removes the lock, also when ctx is done.
func (l lock) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lease/6)
	defer cancel()
	_ = l.target.Delete(ctx, []string{l.key}) // or it dies
}
