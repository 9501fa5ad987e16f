package galshim

import (
	"io"
	"sync"
	"time"
)

// lines holds the lines of a log back for a moment, to write many at once: a system
// call for each would be a tenth of answering a short question. A process that is
// killed takes that moment with it.
type lines struct {
	out     io.Writer
	mu      sync.Mutex
	pending []byte
	ending  bool // nothing is held back any more
}

const (
	maxPending  = 64 << 10 // bytes
	longPending = 100 * time.Millisecond
)

// Write implements [io.Writer]. It never fails: of a log that cannot be written
// there is nobody to tell.
func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending) == 0 {
		time.AfterFunc(longPending, l.flush)
	}
	l.pending = append(l.pending, line...)
	if l.ending || len(l.pending) > maxPending {
		l.write()
	}
	return len(line), nil
}

// end writes what is held back, and from then on each line as it comes: those of
// requests that are cut off may come last of all.
func (l *lines) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ending = true
	l.write()
}

// flush writes what is held back.
func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.write()
}

func (l *lines) write() {
	if len(l.pending) > 0 {
		l.out.Write(l.pending)
	}
	l.pending = l.pending[:0]
}
