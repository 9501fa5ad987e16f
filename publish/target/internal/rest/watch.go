package rest

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// stallTimeout is how long a request may make no progress.
const stallTimeout = 2 * time.Minute

var errStalled = errors.New("no data was transferred for " + stallTimeout.String())

// watcher cancels a context when no data has been transferred for stallTimeout.
type watcher struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

func watch(ctx context.Context) *watcher {
	ctx, cancel := context.WithCancelCause(ctx)
	return &watcher{ctx, cancel, time.AfterFunc(stallTimeout, func() { cancel(errStalled) })}
}

func (w *watcher) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// requestBody is a body that is being sent. It records why it could not be read, because that
// is not an error of the connection.
type requestBody struct {
	io.ReadCloser
	*watcher
	lock sync.Mutex
	err  error
}

func (s *requestBody) Read(b []byte) (int, error) {
	s.timer.Reset(stallTimeout)
	n, err := s.ReadCloser.Read(b)
	if err != nil && err != io.EOF {
		s.lock.Lock()
		s.err = err
		s.lock.Unlock()
	}
	return n, err
}

func (s *requestBody) failed() error {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.err
}

// responseBody is a body that is being received.
type responseBody struct {
	io.ReadCloser
	*watcher
	host string
}

func (r *responseBody) Read(b []byte) (int, error) {
	r.timer.Reset(stallTimeout)
	n, err := r.ReadCloser.Read(b)
	r.timer.Stop()
	if err != nil && err != io.EOF {
		err = r.failed(r.host, err)
	}
	return n, err
}

func (r *responseBody) Close() error {
	err := r.ReadCloser.Close()
	r.stop()
	return err
}
