package rest

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// patience is how long a server may be silent.
const patience = 2 * time.Minute

var errStalled = errors.New("nothing moved for " + patience.String())

// watched is a context that ends when nothing has moved for a while.
type watched struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

func watch(ctx context.Context) *watched {
	ctx, cancel := context.WithCancelCause(ctx)
	return &watched{ctx, cancel, time.AfterFunc(patience, func() { cancel(errStalled) })}
}

func (w *watched) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// sent is a body on its way out. It remembers why it could not be read: that is no
// fault of the connection.
type sent struct {
	io.ReadCloser
	*watched
	lock sync.Mutex
	err  error
}

func (s *sent) Read(b []byte) (int, error) {
	s.timer.Reset(patience)
	n, err := s.ReadCloser.Read(b)
	if err != nil && err != io.EOF {
		s.lock.Lock()
		s.err = err
		s.lock.Unlock()
	}
	return n, err
}

func (s *sent) failed() error {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.err
}

// received is a body that comes in.
type received struct {
	io.ReadCloser
	*watched
	host string
}

func (r *received) Read(b []byte) (int, error) {
	r.timer.Reset(patience)
	n, err := r.ReadCloser.Read(b)
	r.timer.Stop()
	if err != nil && err != io.EOF {
		err = r.failed(r.host, err)
	}
	return n, err
}

func (r *received) Close() error {
	err := r.ReadCloser.Close()
	r.stop()
	return err
}
