package target_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"galbuild/publish/target"
)

// memory is a target in memory with a random latency and no Swap of its own.
type memory struct {
	target.Target               // nil: Copy and Swap must not be called
	clock         time.Duration // how far the target's clock is ahead
	slow          time.Duration // how long a Put takes, except of a lock
	mu            sync.Mutex
	objects       map[string]stored
}

type stored struct {
	text     string
	modified time.Time
}

// latency waits for a random time, so that concurrent requests arrive in any order.
func latency(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(rand.N(100 * time.Millisecond)):
		return nil
	}
}

func (m *memory) String() string { return "memory" }

func (m *memory) set(key, text string, age time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.objects == nil {
		m.objects = map[string]stored{}
	}
	m.objects[key] = stored{text, time.Now().Add(m.clock - age).Truncate(time.Second)}
}

func (m *memory) keys() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.objects))
}

func (m *memory) Get(ctx context.Context, key string, _, _ int64) (io.ReadCloser, error) {
	if err := latency(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.objects[key]
	if !ok {
		return nil, fmt.Errorf("%s: %w", key, target.ErrNotExist)
	}
	return io.NopCloser(strings.NewReader(o.text)), nil
}

func (m *memory) Put(ctx context.Context, o target.Object) error {
	if !strings.HasPrefix(o.Key, target.Locks) && m.slow > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(m.slow):
		}
	}
	if err := latency(ctx); err != nil {
		return err
	}
	r, err := o.Reader()
	if err != nil {
		return err
	}
	b, err := target.ReadAll(r, o.Size)
	if err != nil {
		return err
	}
	m.set(o.Key, string(b), 0)
	return latency(ctx)
}

func (m *memory) Delete(ctx context.Context, keys []string) error {
	if err := latency(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	for _, key := range keys {
		delete(m.objects, key)
	}
	m.mu.Unlock()
	return latency(ctx)
}

func (m *memory) List(ctx context.Context, prefix string) iter.Seq2[target.Entry, error] {
	return func(yield func(target.Entry, error) bool) {
		if err := latency(ctx); err != nil {
			yield(target.Entry{}, err)
			return
		}
		m.mu.Lock()
		objects := maps.Clone(m.objects)
		m.mu.Unlock()
		for key, o := range objects {
			if strings.HasPrefix(key, prefix) && !yield(target.Entry{Key: key, Size: int64(len(o.text)), Modified: o.modified}, nil) {
				return
			}
		}
	}
}

func text(key, s string) target.Object {
	return target.Bytes(key, "text/plain", target.Revalidate, []byte(s))
}

func TestSwapLocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		for _, x := range []struct {
			old  []byte
			new  string
			want error
		}{
			{[]byte("none"), "one", target.ErrChanged},
			{[]byte{}, "one", target.ErrChanged},
			{nil, "one", nil},
			{nil, "two", target.ErrChanged},
			{[]byte("on"), "two", target.ErrChanged},
			{[]byte("one, and more"), "two", target.ErrChanged},
			{[]byte("one"), "two", nil},
		} {
			if err := target.SwapLocked(t.Context(), m, x.old, text("index/CURRENT", x.new)); !errors.Is(err, x.want) {
				t.Errorf("from %q to %q: got %v, want %v", x.old, x.new, err, x.want)
			}
		}
		if got := m.keys(); !slices.Equal(got, []string{"index/CURRENT"}) || m.objects["index/CURRENT"].text != "two" {
			t.Errorf("got %v", m.objects)
		}
	})
}

// TestSwapLockedRace increments a number from many goroutines, which start at random times.
func TestSwapLockedRace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const goroutines, each = 12, 5
		m := &memory{clock: -time.Hour}
		m.set("number", "0", 0)
		start := time.Now()
		var group sync.WaitGroup
		for range goroutines {
			group.Go(func() {
				for done := 0; done < each; {
					time.Sleep(rand.N(time.Second))
					r, err := m.Get(t.Context(), "number", 0, -1)
					if err != nil {
						t.Error(err)
						return
					}
					old, _ := io.ReadAll(r)
					n := 0
					fmt.Sscan(string(old), &n)
					switch err := target.SwapLocked(t.Context(), m, old, text("number", fmt.Sprint(n+1))); {
					case err == nil:
						done++
					case !errors.Is(err, target.ErrChanged):
						t.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
		if got := m.objects["number"].text; got != fmt.Sprint(goroutines*each) {
			t.Errorf("got %s, want %d: an increment was lost", got, goroutines*each)
		}
		if got := m.keys(); len(got) != 1 {
			t.Errorf("left: %q", got)
		}
		t.Logf("took %v", time.Since(start))
	})
}

// TestSwapLockedExpired starts with the locks of two processes that have died, one of them a
// moment ago.
func TestSwapLockedExpired(t *testing.T) {
	for _, ahead := range []time.Duration{0, -3 * time.Hour, 3 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			m := &memory{clock: ahead}
			m.set(target.Locks+"0000000000000000001-OLD", "", time.Hour)
			m.set(target.Locks+"9999999999999999999-NEW", "", 0)
			start := time.Now()
			if err := target.SwapLocked(t.Context(), m, nil, text("x", "1")); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took < time.Minute || took > 70*time.Second {
				t.Errorf("waited %v", took)
			}
			if got := m.keys(); !slices.Equal(got, []string{"x"}) {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestSwapLockedCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		m.set(target.Locks+"1-ANOTHER", "", 0)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := target.SwapLocked(ctx, m, nil, text("x", "1")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if got := m.keys(); !slices.Equal(got, []string{target.Locks + "1-ANOTHER"}) {
			t.Errorf("got %q", got)
		}
	})
}

// TestSwapLockedSlow checks that a write is cancelled before its lock expires.
func TestSwapLockedSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{slow: time.Hour}
		start := time.Now()
		err := target.SwapLocked(t.Context(), m, nil, text("x", "1"))
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "too slowly") {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took > 31*time.Second {
			t.Errorf("took %v", took)
		}
		if got := m.keys(); len(got) > 0 {
			t.Errorf("left: %q", got)
		}
	})
}
