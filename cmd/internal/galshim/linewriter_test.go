package galshim

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// writes counts how often it is written to.
type writes struct {
	strings.Builder
	n int
}

func (w *writes) Write(b []byte) (int, error) { w.n++; return w.Builder.Write(b) }

// TestLineWriter writes lines together, after a moment or when there are many.
func TestLineWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out writes
		l := &lineWriter{out: &out}
		for _, round := range []string{"a\nb\n", "a\nb\na\nb\n"} {
			l.Write([]byte("a\n"))
			time.Sleep(longPending / 2)
			l.Write([]byte("b\n"))
			time.Sleep(longPending)
			synctest.Wait()
			if out.String() != round {
				t.Errorf("%q was written, want %q", out.String(), round)
			}
		}
		l.Write([]byte("c"))
		l.Write(make([]byte, maxPending))
		if out.n != 3 {
			t.Errorf("written %d times, want once more for what is too much to hold", out.n)
		}
		l.Write([]byte("d"))
		l.flush()
		time.Sleep(2 * longPending)
		if !strings.HasSuffix(out.String(), "d") || out.n != 4 {
			t.Errorf("written %d times, want the end once", out.n)
		}
		l.end()
		l.Write([]byte("e"))
		if !strings.HasSuffix(out.String(), "de") {
			t.Errorf("%q is held back after the end", "e")
		}
		time.Sleep(2 * longPending) // for a timer that has nothing to do
	})
}
