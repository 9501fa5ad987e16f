package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/minio/minio-go/v7"

	"galbuild/publish"
)

// history is how many of those that swapped an object it names, the last one first: who
// got no answer and finds another object then still knows whether that came after its
// own.
const history = 16

// Swap implements [publish.Target].
func (t *Target) Swap(ctx context.Context, old []byte, o publish.Object) error {
	conditional, err := t.honours(ctx)
	if err != nil {
		return err
	}
	if !conditional {
		return publish.SwapLocked(ctx, t, old, o)
	}
	own := newMark()
	marks := []string{own}
	with := options(&o)
	if old == nil {
		with.SetMatchETagExcept("*")
	} else {
		is, err := t.compare(ctx, old, o.Key)
		if err != nil {
			return err
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
		if attempt > 0 {
			if done, err := t.wrote(ctx, o.Key, own); done || err != nil {
				return err
			}
		}
		return errFinal{publish.ErrChanged}
	})
}

// compare returns what the server tells of the object, provided that its bytes are old.
func (t *Target) compare(ctx context.Context, old []byte, key string) (*stream, error) {
	s := &stream{target: t, ctx: ctx, key: key, left: -1}
	err := s.open()
	if errors.Is(err, publish.ErrNotExist) {
		return nil, t.failed("swap", key, publish.ErrChanged)
	}
	if err != nil {
		return nil, err
	}
	is, err := publish.ReadAll(s, int64(len(old)))
	if err == io.ErrShortBuffer || errors.Is(err, publish.ErrChanged) || err == nil && !bytes.Equal(is, old) {
		return nil, t.failed("swap", key, publish.ErrChanged)
	}
	return s, err
}

// honours tells whether the server honours conditions. Once, it is asked to replace an
// object that is not there.
func (t *Target) honours(ctx context.Context) (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.asked {
		return t.conditional, nil
	}
	o := publish.Bytes(publish.Locks+"probe-"+newMark(), "text/plain", publish.Revalidate, nil)
	with := options(&o)
	with.SetMatchETag("d41d8cd98f00b204e9800998ecf8427f")
	err := t.try(ctx, "probe", o.Key, func(ctx context.Context, _ int) error { return t.send(ctx, &o, with) })
	switch {
	case errors.Is(err, publish.ErrNotExist), code(err) == minio.PreconditionFailed:
		t.conditional = true
	case isUnsupported(err):
		t.conditional = false
	case err == nil:
		t.conditional = false
		if err := t.Delete(ctx, []string{o.Key}); err != nil {
			return false, err
		}
	default:
		return false, fmt.Errorf("ask whether conditions are honoured: %w", err)
	}
	t.asked = true
	return t.conditional, nil
}
