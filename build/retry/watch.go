package retry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// stallTimeout is how long a request may make no progress, unless its client sets another time.
const stallTimeout = 2 * time.Minute

// errStalled is the cause of a context that a watcher has cancelled.
var errStalled = errors.New("no data was transferred")

// A watcher cancels the context of a request that makes no progress.
type watcher struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc
	timer   *time.Timer
	timeout time.Duration
}

func watch(ctx context.Context, timeout time.Duration) *watcher {
	ctx, cancel := context.WithCancelCause(ctx)
	return &watcher{ctx, cancel, time.AfterFunc(timeout, func() { cancel(errStalled) }), timeout}
}

func (w *watcher) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// A requestBody is a body that is being sent. It saves the error of reading it, which is not an
// error of the connection.
type requestBody struct {
	io.ReadCloser
	*watcher
	lock sync.Mutex
	err  error
}

func (b *requestBody) Read(p []byte) (int, error) {
	b.timer.Reset(b.timeout)
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		b.lock.Lock()
		b.err = err
		b.lock.Unlock()
	}
	return n, err
}

func (b *requestBody) failed() error {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.err
}

// A responseBody is a body that is being received. The time between reads is not limited, because
// the caller may be slow.
type responseBody struct {
	io.ReadCloser
	*watcher
}

func (b *responseBody) Read(p []byte) (int, error) {
	b.timer.Reset(b.timeout)
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	if err != nil && err != io.EOF {
		err = b.explain(err)
	}
	return n, err
}

func (b *responseBody) Close() error {
	err := b.ReadCloser.Close()
	b.stop()
	return err
}

// WithStall returns a transport that fails if no data is transferred for a time. 0 means base.
// Bodies of requests count as no data.
func WithStall(base http.RoundTripper, timeout time.Duration) http.RoundTripper {
	if timeout == 0 {
		return base
	}
	return &stalling{base, timeout}
}

type stalling struct {
	base    http.RoundTripper
	timeout time.Duration
}

// RoundTrip implements [http.RoundTripper].
func (s *stalling) RoundTrip(r *http.Request) (*http.Response, error) {
	w := watch(r.Context(), s.timeout)
	response, err := s.base.RoundTrip(r.WithContext(w.ctx))
	if err != nil {
		w.stop()
		if context.Cause(w.ctx) == errStalled {
			err = fmt.Errorf("%w for %s", errStalled, s.timeout)
		}
		return nil, err
	}
	w.timer.Stop()
	response.Body = &responseBody{response.Body, w}
	return response, nil
}
