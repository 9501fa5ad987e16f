package galshim

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/index"
)

// A source provides the generations of a site, from a folder or a URL.
type source interface {
	// next returns the current generation, verified and opened, or nil if it is old and
	// not damaged. It is called by one goroutine at a time. old is nil at first. It is an
	// error if the generation is not trusted.
	next(ctx context.Context, old *generation, t *trust) (*generation, error)
	// close ends downloads. The source is not used afterwards.
	close()
}

// A store contains the blobs of a generation.
type store interface {
	// serve responds to GET or HEAD with the blob of f, or a range of it. Headers such as
	// the media type are already set. If serve returns an error, it has written nothing.
	serve(w http.ResponseWriter, r *http.Request, f index.File) error
	io.Closer
}

// A generation is a state of a site that is being served. When it has been replaced, it is
// closed after its last request.
type generation struct {
	site.Current
	ix       *index.Index
	blobs    store
	packages *live                    // see live.packages
	cache    *chunkCache              // of a published site; nil for a folder
	users    atomic.Int64             // running requests, and one while this is the current generation
	damaged  atomic.Bool              // reading a chunk failed, or its file was overwritten; the index must be opened again
	opened   openedFile               // the index of a folder
	files    []openedFile             // the chunks of a folder
	checked  []atomic.Bool            // by chunk: it was sound when it was opened
	since    time.Time                // when galshim began to serve it
	suspect  atomic.Pointer[[32]byte] // SHA-256 of the last chunk that could not be read
	missing  atomic.Pointer[[]byte]   // see missingPage; nil before it is read
}

func newGeneration(c site.Current, ix *index.Index, blobs store) *generation {
	g := &generation{Current: c, ix: ix, blobs: blobs, since: time.Now(), checked: make([]atomic.Bool, len(ix.Chunks()))}
	g.users.Store(1)
	return g
}

// retain adds a user. It returns false if the generation has been closed.
func (g *generation) retain() bool {
	for {
		n := g.users.Load()
		if n == 0 {
			return false
		}
		if g.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release removes a user, and closes the generation after the last one.
func (g *generation) release() {
	if g.users.Add(-1) == 0 {
		g.ix.Close()
		g.blobs.Close()
	}
}

// live has the generation that is served, and replaces it with newer ones.
type live struct {
	source   source
	trust    *trust
	log      *slog.Logger
	now      atomic.Pointer[generation]
	stale    atomic.Bool   // the newest generation was refused
	stopping atomic.Bool   // the process is about to end
	metrics  *metrics      // nil counts nothing
	reported string        // the last error, which is logged only once
	reopen   chan struct{} // has one element if the current generation has been damaged
	hashing  chan struct{} // has an element while a chunk is hashed in the background
	packages *live         // of a view: the main gallery, which has the files of packages
}

func newLive(from source, t *trust, log *slog.Logger) *live {
	return &live{source: from, trust: t, log: log, reopen: make(chan struct{}, 1), hashing: make(chan struct{}, 1)}
}

// sound returns old, or nil if it is damaged and must be opened again.
func sound(old *generation) *generation {
	if old != nil && old.damaged.Load() {
		return nil
	}
	return old
}

// damaged marks a generation with a chunk that could not be read, and starts to open it again.
// The site was changed in place, or its disk fails.
func (l *live) damaged(g *generation, err error) {
	if failed, ok := errors.AsType[*index.ChunkError](err); ok && g != nil {
		g.suspect.Store(&failed.Chunk.SHA256)
	}
	if g == nil || g.damaged.Swap(true) {
		return
	}
	l.log.Error("the index is damaged; it is opened again as soon as it is sound", "generation", g.Generation, "err", err)
	select {
	case l.reopen <- struct{}{}:
	default:
	}
}

// acquire returns the current generation, which the caller must release.
func (l *live) acquire() *generation {
	for {
		// If the generation is closed between the two calls, there is a newer one.
		if g := l.now.Load(); g.retain() {
			return g
		}
	}
}

// poll replaces the generation if the source has another one.
func (l *live) poll(ctx context.Context) error {
	old := l.now.Load()
	g, err := l.source.next(ctx, old, l.trust)
	l.metrics.reload(resultOf(g, err))
	if err == nil && g == nil {
		return l.trust.frozen()
	}
	if err != nil {
		return err
	}
	g.packages = l.packages
	if old != nil && old.Generation == g.Generation {
		g.since = old.since
	}
	l.now.Store(g)
	if old == nil {
		return nil
	}
	if old.damaged.Load() {
		l.log.Info("the index has been opened again", "generation", g.Generation)
	}
	l.log.Info("serving a new generation", "generation", g.Generation, "extensions", g.ix.Len(), "was", old.Generation)
	old.release()
	return nil
}

// resultOf returns the result of looking for a new generation, for the metrics.
func resultOf(g *generation, err error) string {
	switch {
	case err != nil:
		return reloadRefused
	case g == nil:
		return reloadSame
	}
	return reloadNew
}

// damagedReload is the interval of attempts to open a damaged index again.
const damagedReload = 5 * time.Second

// follow polls the source at each interval and on each signal, until ctx ends. If the interval
// is 0, it polls only on signals, and while the index is damaged. It also opens the chunks of the
// current generation, see load.
func (l *live) follow(ctx context.Context, interval time.Duration, signals <-chan os.Signal) {
	loading := loader{live: l}
	defer loading.stop()
	var tick, retry <-chan time.Time
	if interval > 0 {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		loading.switchTo(ctx, l.now.Load())
		select {
		case <-ctx.Done():
			return
		case <-signals:
			l.reported = "" // log the error again
		case <-tick:
		case <-l.reopen:
		case <-retry:
		}
		l.report(l.poll(ctx))
		retry = nil
		if now := l.now.Load(); now != nil && now.damaged.Load() {
			retry = time.After(damagedReload)
		}
	}
}

// A loader runs load for one generation at a time.
type loader struct {
	live    *live
	of      *generation
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// switchTo begins to load a generation, and stops loading the one before. g is nil if nothing is
// served.
func (l *loader) switchTo(ctx context.Context, g *generation) {
	if g == nil || g == l.of {
		return
	}
	l.stop()
	ctx, l.cancel = context.WithCancel(ctx)
	l.of = g
	l.running.Go(func() { l.live.load(ctx, g) })
}

func (l *loader) stop() {
	if l.cancel != nil {
		l.cancel()
	}
	l.running.Wait()
}

// report logs why the newest generation was refused, once for each reason.
func (l *live) report(err error) {
	l.stale.Store(err != nil)
	switch {
	case err == nil:
		l.reported = ""
	case err.Error() != l.reported:
		l.reported = err.Error()
		attributes := []any{"generation", l.now.Load().Generation, "err", err}
		if _, h := hint.Text(err); h != "" {
			attributes = append(attributes, "hint", h)
		}
		l.log.Warn("keeping the old generation", attributes...)
	}
}

// close releases the current generation and closes the source. There must be no more requests.
func (l *live) close() {
	if g := l.now.Load(); g != nil {
		g.release()
	}
	l.source.close()
}
