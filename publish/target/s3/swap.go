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

	"github.com/minio/minio-go/v7"

	"galbuild/publish/target"
)

// history is how many of those that swapped an object it names, the last one first: who
// got no answer and finds another object then still knows whether that came after its
// own.
const history = 16

// Swap implements [target.Target].
func (t *Target) Swap(ctx context.Context, old []byte, o target.Object) error {
	conditional, err := t.honours(ctx, old != nil)
	if err != nil {
		return err
	}
	if conditional {
		err = t.swapIf(ctx, old, o)
		if !errors.Is(err, errNoMatch) {
			return err
		}
		t.asking.Lock()
		t.lockInstead(&t.match)
		t.asking.Unlock()
	}
	return target.SwapLocked(ctx, t, old, o)
}

// errNoMatch is returned if the server does not recognize the entity tag that it sent:
// there is none, or something on the way has changed it.
var errNoMatch = errors.New("the server does not recognize the object's own ETag")

// swapIf is Swap with a conditional write.
func (t *Target) swapIf(ctx context.Context, old []byte, o target.Object) error {
	own := newMark()
	marks := []string{own}
	with := options(&o)
	var is *stream
	if old == nil {
		with.SetMatchETagExcept("*")
	} else {
		var err error
		if is, err = t.compare(ctx, old, o.Key); err != nil {
			return err
		}
		if is.etag == "" {
			return errNoMatch
		}
		with.SetMatchETag(is.etag)
		marks = append(marks, is.marks...)
	}
	with.UserMetadata = map[string]string{mark: strings.Join(marks[:min(len(marks), history)], " ")}
	return t.try(ctx, "swap", o.Key, func(ctx context.Context, attempt int) error {
		err := t.send(ctx, &o, with)
		if code(err) != minio.PreconditionFailed && !isMissing(err) {
			return err
		}
		switch {
		case attempt > 0:
			if done, err := t.wrote(ctx, o.Key, own); done || err != nil {
				return err
			}
		case is != nil:
			if again, err := t.compare(ctx, old, o.Key); err == nil && again.etag == is.etag {
				return errFinal{errNoMatch}
			}
		}
		return errFinal{target.ErrChanged}
	})
}

// compare returns what the server tells of the object, provided that its bytes are old.
func (t *Target) compare(ctx context.Context, old []byte, key string) (*stream, error) {
	s := &stream{target: t, ctx: ctx, key: key, left: -1}
	err := s.open()
	if errors.Is(err, target.ErrNotExist) {
		return nil, t.failed("swap", key, target.ErrChanged, nil)
	}
	if err != nil {
		return nil, err
	}
	is, err := target.ReadAll(s, int64(len(old)))
	if err == io.ErrShortBuffer || errors.Is(err, target.ErrChanged) || err == nil && !bytes.Equal(is, old) {
		return nil, t.failed("swap", key, target.ErrChanged, nil)
	}
	return s, err
}

// honours reports whether the server honours If-Match, or else If-None-Match: *. It tests
// the server once, by replacing an object that does not exist, or by making one that
// exists.
func (t *Target) honours(ctx context.Context, match bool) (bool, error) {
	t.asking.Lock()
	defer t.asking.Unlock()
	known := &t.noneMatch
	if match {
		known = &t.match
	}
	if *known != Ask {
		return *known == Yes, nil
	}
	err := t.probe(ctx, match)
	switch {
	case errors.Is(err, target.ErrNotExist), code(err) == minio.PreconditionFailed:
		*known = Yes
	case err == nil || isUnsupported(err) || status(err) == http.StatusBadRequest:
		t.lockInstead(known)
	default:
		return false, fmt.Errorf("test conditional writes: %w", err)
	}
	return *known == Yes, nil
}

// lockInstead records that a condition is not honoured, and warns.
func (t *Target) lockInstead(known *Conditional) {
	*known = Never
	t.warned.Do(func() {
		t.warn(t.String() + ": the server has no conditional writes (PUT with If-Match or If-None-Match), " +
			"so galbuild's commands take turns with a lock below " + target.Locks + ". " +
			"This needs a server that lists an object as soon as it is written, " +
			"and does not stop other tools that write index/CURRENT. " +
			"If in doubt, publish from one job at a time. --s3-conditional-writes=no stops this message")
	})
}

// probe returns the response to a write whose condition does not hold. If the server writes
// anyway, probe removes the object.
func (t *Target) probe(ctx context.Context, match bool) error {
	o := target.Bytes(target.Locks+"probe-"+newMark(), "text/plain", target.Revalidate, nil)
	with := options(&o)
	put := func(ctx context.Context, _ int) error { return t.send(ctx, &o, with) }
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
		if err := put(ctx, attempt); attempt == 0 || code(err) != minio.PreconditionFailed {
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
