package galshim

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/zstd"

	"galbuild/build/site"
	"galbuild/index"
)

func (g *testGallery) extensions(t testing.TB) int {
	t.Helper()
	var n int
	health := text(t, g.request("GET", "/healthz", ""))
	if _, err := fmt.Sscanf(health[strings.Index(health, `"extensions"`):], `"extensions":%d`, &n); err != nil {
		t.Fatalf("%s: %v", health, err)
	}
	return n
}

// TestReloadUnderLoad replaces generations while clients send queries. Every response must be
// complete and of one generation, and old generations must be closed.
func TestReloadUnderLoad(t *testing.T) {
	g := openSample(t)
	first := g.live.now.Load()
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for ctx.Err() == nil {
				if resp := g.request("POST", "/api/extensionquery", `{"filters":[{"pageSize":1000}]}`); resp.StatusCode != 200 {
					t.Errorf("status %d", resp.StatusCode)
				} else if response := text(t, resp); strings.Count(response, `"extensionId"`) != totalCount(t, response) {
					t.Errorf("%d extensions, TotalCount %d", strings.Count(response, `"extensionId"`), totalCount(t, response))
				}
			}
		})
	}
	for n := range 20 {
		sample{more: n + 10}.write(t, g.dir)
		if err := g.live.poll(t.Context()); err != nil {
			t.Error(err)
		}
		if got := g.extensions(t); got != n+11 {
			t.Errorf("%d extensions, want %d", got, n+11)
		}
	}
	cancel()
	clients.Wait()
	if n := first.users.Load(); n != 0 {
		t.Errorf("the first generation has %d users left", n)
	}
	if n := g.live.now.Load().users.Load(); n != 1 {
		t.Errorf("the last generation has %d users, want 1", n)
	}
}

func totalCount(t *testing.T, response string) int {
	var n int
	_, rest, _ := strings.Cut(response, `"TotalCount","count":`)
	if _, err := fmt.Sscan(strings.TrimRight(rest, "}]"), &n); err != nil {
		t.Errorf("no TotalCount in %.300s", response)
	}
	return n
}

// TestOldGenerationStaysOpen keeps a generation open until the requests that use it have ended.
func TestOldGenerationStaysOpen(t *testing.T) {
	g := openSample(t)
	old := g.live.acquire()
	sample{more: 9}.write(t, g.dir)
	if err := g.live.poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok := old.ix.Find("acme.hello"); !ok || old.ix.Len() != 4 {
		t.Error("the generation of a running request has changed")
	}
	old.release()
	if old.retain() {
		t.Error("a closed generation was retained")
	}
}

// TestRefused damages the site in several ways. galshim continues to serve the old generation, logs
// the reason once, and serves the next intact generation.
func TestRefused(t *testing.T) {
	good := sample{more: 3}
	for name, spoil := range map[string]func(t *testing.T, dir string, c site.Current){
		"no CURRENT": func(t *testing.T, dir string, _ site.Current) { os.Remove(filepath.Join(dir, site.CurrentPath)) },
		"half a CURRENT": func(t *testing.T, dir string, c site.Current) {
			overwrite(t, filepath.Join(dir, site.CurrentPath), string(c.Bytes()[:100]))
		},
		"empty CURRENT":      func(t *testing.T, dir string, _ site.Current) { overwrite(t, filepath.Join(dir, site.CurrentPath), "") },
		"index not there":    func(t *testing.T, dir string, c site.Current) { os.Remove(filepath.Join(dir, c.IndexPath())) },
		"half an index":      func(t *testing.T, dir string, c site.Current) { halve(t, filepath.Join(dir, c.IndexPath())) },
		"a flipped bit":      func(t *testing.T, dir string, c site.Current) { flip(t, filepath.Join(dir, c.IndexPath())) },
		"the site has moved": func(t *testing.T, dir string, _ site.Current) { os.Rename(dir, dir+".old") },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "site")
			good.write(t, dir)
			g := open(t, dir, folder{dir})
			var lines bytes.Buffer
			g.live.log = slog.New(slog.NewTextHandler(&lines, nil))

			spoil(t, dir, sample{more: 5}.write(t, dir))
			for range 3 {
				g.live.report(g.live.poll(t.Context()))
			}
			if n := g.extensions(t); n != 4 {
				t.Errorf("serves %d extensions, want the 4 from before", n)
			}
			if n := strings.Count(lines.String(), "\n"); n != 1 {
				t.Errorf("%d lines in the log, want 1:\n%s", n, &lines)
			}
			if health := text(t, g.request("GET", "/healthz", "")); !strings.Contains(health, `"stale":true`) {
				t.Errorf("health %s, want it stale", health)
			}
			sample{more: 6}.write(t, dir)
			g.live.report(g.live.poll(t.Context()))
			if n := g.extensions(t); n != 7 {
				t.Errorf("serves %d extensions, want the 7 of the next generation", n)
			}
		})
	}
}

// halve truncates a file to half of its size.
func halve(t *testing.T, file string) {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, file, string(b[:len(b)/2]))
}

// flip changes a bit in the middle of a file.
func flip(t *testing.T, file string) {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	overwrite(t, file, string(b))
}

// TestOtherBytes offers an index that is compressed in another way. It expands to the same bytes,
// but is not the one that CURRENT names.
func TestOtherBytes(t *testing.T) {
	dir := t.TempDir()
	c := sample{more: 3}.write(t, dir)
	file := filepath.Join(dir, filepath.FromSlash(c.IndexPath()))
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true))
	if err != nil {
		t.Fatal(err)
	}
	if b, err = decoder.DecodeAll(b, nil); err != nil {
		t.Fatal(err)
	}
	overwrite(t, file, string(encoder.EncodeAll(b, nil)))
	if ix, err := index.Open(file, nil); err != nil || ix.Close() != nil {
		t.Fatal(err)
	}
	l := newLive(folder{dir}, nil, slog.New(slog.DiscardHandler))
	if err := l.poll(t.Context()); err == nil || !strings.Contains(err.Error(), "SHA-256") || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v, want an error that names the file", err)
	}
}

// TestFolderReplaced replaces the site's folder by another one with the same generation. Blobs must
// come from the new folder.
func TestFolderReplaced(t *testing.T) {
	base := t.TempDir()
	link := filepath.Join(base, "site")
	for _, name := range []string{"blue", "green"} {
		sample{}.write(t, filepath.Join(base, name))
	}
	if err := os.Symlink("blue", link); err != nil {
		t.Fatal(err)
	}
	g := open(t, link, folder{link})
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("green", link); err != nil {
		t.Fatal(err)
	}
	if err := g.live.poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(base, "blue")); err != nil {
		t.Fatal(err)
	}
	icon := "/assets/acme/hello/1.2.3/" + iconType
	if resp := g.request("GET", icon, ""); resp.StatusCode != 200 {
		t.Errorf("%d %s", resp.StatusCode, text(t, resp))
	}
}

// polls counts the calls of next.
type polls struct{ n int }

func (*polls) close() {}

func (l *polls) next(context.Context, *generation, *trust) (*generation, error) {
	l.n++
	return nil, nil
}

// TestFollow checks that follow polls at the interval and on signals.
func TestFollow(t *testing.T) {
	for _, x := range []struct {
		every time.Duration
		want  int
	}{{5 * time.Second, 12}, {0, 0}} {
		synctest.Test(t, func(t *testing.T) {
			from := new(polls)
			l := &live{source: from, log: slog.New(slog.NewTextHandler(io.Discard, nil))}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Second)
			defer cancel()
			l.follow(ctx, x.every, nil)
			if from.n != x.want {
				t.Errorf("every %s: %d polls in a minute, want %d", x.every, from.n, x.want)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		from := new(polls)
		l := &live{source: from, log: slog.New(slog.NewTextHandler(io.Discard, nil))}
		signals := make(chan os.Signal)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { signals <- os.Interrupt; cancel() }()
		l.follow(ctx, 0, signals)
		if from.n != 1 {
			t.Errorf("after one signal: %d polls", from.n)
		}
	})
}
