package s3

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"galbuild/publish/target"
	"galbuild/publish/target/s3/bucket"
)

// maxMarks is how many earlier swaps the metadata of an object names, the latest first. A process
// whose response was lost, and which finds a newer object, finds its own mark in it if its swap has
// succeeded.
const maxMarks = 16

// Swap implements [target.Target].
func (t *Target) Swap(ctx context.Context, old []byte, o target.Object) error {
	conditional, err := t.testConditional(ctx, old != nil)
	if err != nil {
		return err
	}
	if conditional {
		err = t.swapIf(ctx, old, o)
		if !errors.Is(err, errNoMatch) {
			return err
		}
		t.probing.Lock()
		t.useLock(&t.match)
		t.probing.Unlock()
	}
	return target.SwapLocked(ctx, t, old, o)
}

// errNoMatch is returned if the server does not recognize the entity tag of an object: the response
// has none, or a proxy has changed it.
var errNoMatch = errors.New("the server does not recognize the object's own ETag")

// swapIf is Swap with a conditional write.
func (t *Target) swapIf(ctx context.Context, old []byte, o target.Object) error {
	own := newMark()
	marks := []string{own}
	with := options(&o)
	var current *bucket.Object
	if old == nil {
		with.SetMatchETagExcept("*")
	} else {
		var err error
		if current, err = t.compare(ctx, old, o.Key); err != nil {
			return err
		}
		if current.ETag == "" {
			return errNoMatch
		}
		with.SetMatchETag(current.ETag)
		marks = append(marks, marksOf(current)...)
	}
	with.UserMetadata = map[string]string{mark: strings.Join(marks[:min(len(marks), maxMarks)], " ")}
	return t.try(ctx, "swap", o.Key, func(ctx context.Context, attempt int) error {
		err := t.send(ctx, &o, with)
		if code(err) != preconditionFailed && !isMissing(err) {
			return err
		}
		switch {
		case attempt > 0:
			if done, err := t.hasMark(ctx, o.Key, own); done || err != nil {
				return err
			}
		case current != nil:
			if again, err := t.compare(ctx, old, o.Key); err == nil && again.ETag == current.ETag {
				return bucket.Final{Err: errNoMatch}
			}
		}
		return bucket.Final{Err: target.ErrChanged}
	})
}

// compare reads an object and returns it, for the ETag and the marks. If the content is not
// old, it returns ErrChanged.
func (t *Target) compare(ctx context.Context, old []byte, key string) (*bucket.Object, error) {
	s, err := t.Open(ctx, key, 0, -1)
	if errors.Is(err, target.ErrNotExist) {
		return nil, t.failed("swap", key, target.ErrChanged)
	}
	if err != nil {
		return nil, err
	}
	content, err := target.ReadAll(s, int64(len(old)))
	if err == io.ErrShortBuffer || errors.Is(err, target.ErrChanged) || err == nil && !bytes.Equal(content, old) {
		return nil, t.failed("swap", key, target.ErrChanged)
	}
	return s, err
}

// testConditional reports whether the server honours If-Match, or If-None-Match: * if match is
// false. It tests the server once, by replacing an object that does not exist, or by creating one
// that exists.
func (t *Target) testConditional(ctx context.Context, match bool) (bool, error) {
	t.probing.Lock()
	defer t.probing.Unlock()
	result := &t.noneMatch
	if match {
		result = &t.match
	}
	if *result != bucket.Detect {
		return *result == Yes, nil
	}
	err := t.probe(ctx, match)
	switch {
	case errors.Is(err, target.ErrNotExist), code(err) == preconditionFailed:
		*result = Yes
	case err == nil || isUnsupported(err) || status(err) == http.StatusBadRequest:
		t.useLock(result)
	default:
		if !isRefusal(err) || t.probePlain(ctx) != nil {
			return false, fmt.Errorf("test conditional writes: %w", err)
		}
		t.useLock(result)
	}
	return *result == Yes, nil
}

// isRefusal reports whether the server refuses a request and would refuse it again.
func isRefusal(err error) bool { return status(err) >= 300 && status(err) < 500 }

// probePlain writes an object without a condition, and removes it. If that succeeds, an
// earlier write was refused because of its condition: some servers and firewalls send
// other errors than 412 or 501.
func (t *Target) probePlain(ctx context.Context) error {
	o := newProbe()
	if err := t.Put(ctx, o); err != nil {
		return err
	}
	return t.Delete(ctx, []string{o.Key})
}

func newProbe() target.Object {
	return target.Bytes(target.Locks+"probe-"+newMark(), "text/plain", target.Revalidate, nil)
}

// useLock records in result that a condition is not honoured, and warns.
func (t *Target) useLock(result *bucket.Conditional) {
	*result = Never
	t.warned.Do(func() {
		t.warn(t.String() + ": the server has no conditional writes (PUT with If-Match or If-None-Match), " +
			"so galbuild's commands take turns with a lock below " + target.Locks + ". " +
			"This needs a server that lists an object as soon as it is written, " +
			"and does not stop other tools that write index/CURRENT. " +
			"If in doubt, publish from one job at a time. --s3-conditional-writes=no stops this message")
	})
}

// probe sends a write whose condition does not hold, and returns the error. If the server performs
// the write, probe removes the object and returns nil.
func (t *Target) probe(ctx context.Context, match bool) error {
	o := newProbe()
	with := options(&o)
	put := func(ctx context.Context, _ int) error {
		err := t.send(ctx, &o, with)
		if status(err) == http.StatusConflict {
			return bucket.Final{Err: err} // nobody else writes this object, so it would be refused again
		}
		return err
	}
	if match {
		with.SetMatchETag("d41d8cd98f00b204e9800998ecf8427f")
		err := t.try(ctx, "probe", o.Key, put)
		if err == nil {
			return t.Delete(ctx, []string{o.Key})
		}
		return err
	}
	with.SetMatchETagExcept("*")
	err := t.try(ctx, "probe", o.Key, func(ctx context.Context, attempt int) error {
		if err := put(ctx, attempt); attempt == 0 || code(err) != preconditionFailed {
			return err
		}
		return nil // an earlier attempt made it, and its response was lost
	})
	if err != nil {
		return err
	}
	err = t.try(ctx, "probe", o.Key, put)
	return cmp.Or(err, t.Delete(ctx, []string{o.Key}))
}
