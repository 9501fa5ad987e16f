package retry

import (
	"context"
	"errors"
	"io"
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
