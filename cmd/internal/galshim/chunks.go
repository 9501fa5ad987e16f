package galshim

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"galbuild/index"
	"galbuild/index/segment"
)

// isIncomplete reports whether an error says that the file of a chunk is missing or damaged.
func isIncomplete(err error) bool {
	return errors.Is(err, index.ErrNotDownloaded) || errors.Is(err, segment.ErrCorrupt) || errors.Is(err, fs.ErrNotExist)
}

// wanted returns the chunks that must be downloaded before what failed with err can succeed.
func (g *generation) wanted(err error) (chunks []index.Chunk) {
	if err == nil || g.cache == nil || !isIncomplete(err) {
		return nil
	}
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	for _, err := range all {
		if failed, ok := errors.AsType[*index.ChunkError](err); ok {
			chunks = append(chunks, failed.Chunk)
		}
	}
	return chunks
}

// errNoChunk is wrapped by the errors of requests that need a chunk which cannot be downloaded now.
var errNoChunk = errors.New("a part of the index is missing")

// withChunks calls do. If do fails because chunks have not been downloaded yet, withChunks waits
// for them and calls do again. It waits for at most chunkWait, and not if too many others are
// waiting.
func (g *generation) withChunks(ctx context.Context, do func() error) error {
	err := do()
	chunks := g.wanted(err)
	if len(chunks) == 0 {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, chunkWait)
	defer cancel()
	for range chunkTries {
		if err := g.cache.fetch(ctx, chunks...); err != nil {
			return fmt.Errorf("%w: %w", errNoChunk, err)
		}
		err = do()
		if chunks = g.wanted(err); len(chunks) == 0 {
			break
		}
	}
	return err
}

// withChunks returns an endpoint that waits for the chunks that e needs. It calls e again, so e
// must not read the body of the request.
func withChunks(e endpoint) endpoint {
	return func(w *reply, r *http.Request, g *generation) error {
		err := g.withChunks(r.Context(), func() error { return e(w, r, g) })
		switch {
		case !errors.Is(err, errNoChunk):
			return err
		case errors.Is(err, context.Canceled):
			return &failure{statusClientGone, "the client has gone", err}
		}
		return &failure{http.StatusBadGateway, "the published site did not return a part of the index", err}
	}
}

// open opens a chunk by its number, and downloads it if it is missing or damaged in the cache.
func (g *generation) open(ctx context.Context, number int) error {
	err := g.ix.CheckChunk(number)
	if chunks := g.wanted(err); len(chunks) > 0 {
		if err = g.cache.fetch(ctx, chunks...); err == nil {
			err = g.ix.CheckChunk(number)
		}
	}
	if err == nil {
		g.checked[number].Store(true)
	}
	return err
}

// openNew prepares a generation to replace an older one, nil at the start: it opens all chunks that
// the older one does not have, or whose file has changed since. The others were checked with the
// older one, or will be by [live.load].
func (g *generation) openNew(ctx context.Context, old *generation) error {
	if old == nil {
		return nil
	}
	known := make(map[[32]byte]int)
	for i, c := range old.ix.Chunks() {
		known[c.SHA256] = i
	}
	suspect := old.suspect.Load()
	opening, running := errgroup.WithContext(ctx)
	opening.SetLimit(g.concurrent())
	for i, c := range g.ix.Chunks() {
		if running.Err() != nil {
			break
		}
		n, ok := known[c.SHA256]
		if ok && (suspect == nil || *suspect != c.SHA256) && (g.files == nil || old.files[n].unchanged(g.files[i].FileInfo)) {
			g.checked[i].Store(old.checked[n].Load())
			continue
		}
		opening.Go(func() error { return g.open(running, i) })
	}
	if err := opening.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// concurrent returns how many chunks are opened at once without a request that needs them.
func (g *generation) concurrent() int {
	if g.cache == nil {
		return 1
	}
	return backgroundFetches
}

// load opens all chunks of a generation that have not been checked yet, those of popular extensions
// first, until ctx ends. So damage is detected before a request needs the chunk, and the chunks of
// a published site are downloaded. It is slow on purpose, so that it does not delay responses.
func (l *live) load(ctx context.Context, g *generation) {
	if !g.retain() {
		return
	}
	defer g.release()
	b := background{live: l, g: g, hashing: l.hashing, failed: make(map[int]bool)}
	for left := g.unchecked(); len(left) > 0 && ctx.Err() == nil; left = g.unchecked() {
		opening := new(errgroup.Group)
		opening.SetLimit(g.concurrent())
		for _, number := range left {
			opening.Go(func() error { b.open(ctx, number); return nil })
		}
		opening.Wait()
		if g.cache == nil {
			return // damage was reported, and the generation will be opened again
		}
	}
}

// unchecked returns the numbers of the chunks that have not been checked yet, those of popular
// extensions first.
func (g *generation) unchecked() (numbers []int) {
	seen := make([]bool, len(g.ix.Chunks()))
	add := func(number int) {
		if !seen[number] && !g.checked[number].Load() {
			numbers = append(numbers, number)
		}
		seen[number] = true
	}
	for hit := range g.ix.Len() { // sorted by installs
		add(g.ix.ChunkOf(index.Hit(hit)))
	}
	for number := range seen {
		add(number)
	}
	return numbers
}

// background opens the chunks of a generation for [live.load].
type background struct {
	live    *live
	g       *generation
	hashing chan struct{} // see live.hashing
	failing bool          // the last download failed; guarded by hashing, as is the next field
	failed  map[int]bool  // chunks whose failure was logged
}

// open opens a chunk. After a failure it waits, so that a site that cannot be reached gets few
// requests.
func (b *background) open(ctx context.Context, number int) {
	if ctx.Err() != nil || b.g.cache == nil && b.g.damaged.Load() {
		return
	}
	err := b.provide(ctx, number)
	if err == nil || ctx.Err() != nil {
		return
	}
	if b.g.cache == nil {
		b.live.damaged(b.g, err)
		return
	}
	b.report(number, err)
	sleep(ctx, backgroundRetry)
}

// provide opens a chunk, and downloads it if it is missing or damaged in the cache.
func (b *background) provide(ctx context.Context, number int) error {
	err := b.check(ctx, number)
	if chunks := b.g.wanted(err); len(chunks) > 0 {
		if err = b.g.cache.fetch(ctx, chunks...); err == nil {
			err = b.check(ctx, number)
		}
	}
	return err
}

// check opens a chunk that is there. Then it pauses for several times as long as that took.
func (b *background) check(ctx context.Context, number int) error {
	b.hashing <- struct{}{}
	defer func() { <-b.hashing }()
	start := time.Now()
	if err := b.g.ix.CheckChunk(number); err != nil {
		return err
	}
	b.g.checked[number].Store(true)
	b.failing = false
	sleep(ctx, backgroundPause*time.Since(start))
	return nil
}

// report logs that a chunk cannot be downloaded: each chunk once, and only the first of several
// failures in a row, unless the site returned something else than the chunk.
func (b *background) report(number int, err error) {
	b.hashing <- struct{}{}
	defer func() { <-b.hashing }()
	if !b.failed[number] && (!b.failing || errors.Is(err, errWrongChunk)) {
		b.live.log.Warn("a chunk of the index cannot be downloaded; it is tried again", "generation", b.g.Generation, "err", err)
		b.failed[number] = true
	}
	b.failing = true
}

// sleep waits for a time, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
