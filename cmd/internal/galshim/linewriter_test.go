package galshim

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A countingWriter counts the calls of Write.
type countingWriter struct {
	strings.Builder
	n int
}

func (w *countingWriter) Write(b []byte) (int, error) { w.n++; return w.Builder.Write(b) }

// TestLineWriter checks that lines are written together, after maxDelay or when there are many.
func TestLineWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out countingWriter
		l := &lineWriter{out: &out}
		for _, round := range []string{"a\nb\n", "a\nb\na\nb\n"} {
			l.Write([]byte("a\n"))
			time.Sleep(maxDelay / 2)
			l.Write([]byte("b\n"))
			time.Sleep(maxDelay)
			synctest.Wait()
			if out.String() != round {
				t.Errorf("%q was written, want %q", out.String(), round)
			}
		}
		l.Write([]byte("c"))
		l.Write(make([]byte, maxPending))
		if out.n != 3 {
			t.Errorf("written %d times, want 3: more than maxPending is written at once", out.n)
		}
		l.Write([]byte("d"))
		l.flush()
		time.Sleep(2 * maxDelay)
		if !strings.HasSuffix(out.String(), "d") || out.n != 4 {
			t.Errorf("written %d times, want 4: flush writes once", out.n)
		}
		l.end()
		l.Write([]byte("e"))
		if !strings.HasSuffix(out.String(), "de") {
			t.Errorf("%q is buffered after the end", "e")
		}
		time.Sleep(2 * maxDelay) // for a timer that has nothing to do
	})
}
