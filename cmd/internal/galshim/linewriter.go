package galshim

import (
	"io"
	"sync"
	"time"

	"galbuild/build/tokens"
)

// A lineWriter buffers the lines of a log for up to maxDelay and writes them together. A system
// call for each line would take a tenth of the time of a short query. If the process is killed, the
// buffered lines are lost. It masks tokens, wherever they come from: addresses of requests and of
// published sites, headers, or errors of libraries.
type lineWriter struct {
	out     io.Writer
	mu      sync.Mutex
	pending []byte
	ended   bool // lines are written at once
}

const (
	maxPending = 64 << 10 // bytes
	maxDelay   = 100 * time.Millisecond
)

// Write implements [io.Writer]. It never fails: if the log cannot be written, there is nowhere
// to report it.
func (l *lineWriter) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending) == 0 {
		time.AfterFunc(maxDelay, l.flush)
	}
	l.pending = append(l.pending, tokens.Mask(line)...)
	if l.ended || len(l.pending) > maxPending {
		l.write()
	}
	return len(line), nil
}

// end writes the buffered lines, and from then on each line at once, such as those of requests
// that are cut off while the process ends.
func (l *lineWriter) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.write()
}

// flush writes the buffered lines.
func (l *lineWriter) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.write()
}

func (l *lineWriter) write() {
	if len(l.pending) > 0 {
		l.out.Write(l.pending)
	}
	l.pending = l.pending[:0]
}
