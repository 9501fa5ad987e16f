package galshim

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"galbuild/build/atomicfile"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/index"
)

// A chunkCache is a folder with chunks of a published site. It downloads those that are missing or
// damaged, each only once, even if many requests want it. A chunk gets its name when its size and
// SHA-256 have been verified. Several servers may share the folder.
type chunkCache struct {
	dir string // of the chunks
	get func(ctx context.Context, path string, read func(io.Reader) error) error
	log *slog.Logger

	ctx     context.Context // of all downloads
	cancel  context.CancelFunc
	workers sync.WaitGroup
	waiting atomic.Int64 // running calls of fetch

	mu      sync.Mutex
	fetches map[[32]byte]*chunkFetch // that have not ended, or have failed lately
	queue   []*chunkFetch            // that have not begun
	running int                      // workers
}

// A chunkFetch is the download of a chunk.
type chunkFetch struct {
	chunk index.Chunk
	done  chan struct{} // closed at the end
	err   error         // valid when done is closed
	wait  time.Duration // until the next attempt
	retry time.Time     // of the next attempt; zero unless this one has failed
}

// errWrongChunk is wrapped by the error of a download that is not the chunk.
var errWrongChunk = errors.New("damaged, or not the file that was published")

func newChunkCache(dir string, log *slog.Logger) *chunkCache {
	c := &chunkCache{dir: dir, log: log, fetches: make(map[[32]byte]*chunkFetch)}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// close ends all downloads. fetch must not be called afterwards.
func (c *chunkCache) close() {
	c.cancel()
	c.workers.Wait()
}

// source is the [index.ChunkSource] of the folder.
func (c *chunkCache) source() index.ChunkSource {
	return index.ChunkFiles(func(chunk index.Chunk) (string, error) {
		if !c.has(&chunk) {
			return "", index.ErrNotDownloaded
		}
		return c.file(&chunk), nil
	})
}

func (c *chunkCache) file(chunk *index.Chunk) string {
	return filepath.Join(c.dir, filepath.FromSlash(chunk.Name()))
}

// has reports whether the folder has a file of the right size.
func (c *chunkCache) has(chunk *index.Chunk) bool {
	info, err := os.Stat(c.file(chunk))
	return err == nil && info.Mode().IsRegular() && info.Size() == chunk.Size
}

// fetch downloads chunks, and returns when the folder has them or one of them has failed. A chunk
// that has failed a short time ago is not requested again: the error is the same as then.
func (c *chunkCache) fetch(ctx context.Context, chunks ...index.Chunk) error {
	defer c.waiting.Add(-1)
	if c.waiting.Add(1) > maxWaiting {
		return errors.New("too many requests are waiting for chunks of the index")
	}
	var begun []*chunkFetch
	for i := range chunks {
		begun = append(begun, c.begin(&chunks[i]))
	}
	for _, f := range begun {
		select {
		case <-f.done:
			if f.err != nil {
				return f.err
			}
		case <-ctx.Done():
			return fmt.Errorf("waiting for chunk %s: %w", f.chunk.Name(), ctx.Err())
		}
	}
	return nil
}

// begin returns the running download of a chunk, or else begins one.
func (c *chunkCache) begin(chunk *index.Chunk) *chunkFetch {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := &chunkFetch{chunk: *chunk, done: make(chan struct{})}
	if last := c.fetches[chunk.SHA256]; last != nil {
		if last.retry.IsZero() || time.Now().Before(last.retry) {
			return last
		}
		f.wait = last.wait
	}
	maps.DeleteFunc(c.fetches, func(_ [32]byte, last *chunkFetch) bool { return last.isForgotten() })
	c.fetches[chunk.SHA256] = f
	c.queue = append(c.queue, f)
	if c.running < maxChunkFetches {
		c.running++
		c.workers.Go(c.work)
	}
	return f
}

// isForgotten reports whether a download has failed, and was not repeated within maxRetry of the
// time when it could have been. Such downloads are removed. Otherwise a site that has one new
// generation after another, and does not return their chunks, would fill the memory.
func (f *chunkFetch) isForgotten() bool {
	return !f.retry.IsZero() && time.Since(f.retry) > maxRetry
}

// work downloads chunks until the queue is empty.
func (c *chunkCache) work() {
	for f := c.next(); f != nil; f = c.next() {
		c.end(f, c.store(&f.chunk))
	}
}

// next takes a chunk from the queue. It returns nil to a worker that must end.
func (c *chunkCache) next() *chunkFetch {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		c.running--
		return nil
	}
	f := c.queue[0]
	c.queue = c.queue[1:]
	return f
}

func (c *chunkCache) end(f *chunkFetch, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		delete(c.fetches, f.chunk.SHA256)
	} else {
		f.err, f.wait = err, nextWait(f.wait)
		f.retry = time.Now().Add(f.wait)
	}
	close(f.done)
}

// nextWait returns how long to wait after a failure, if the last wait was this long.
func nextWait(last time.Duration) time.Duration { return min(maxRetry, max(minRetry, 2*last)) }

// store downloads a chunk, unless the folder has it and it is sound.
func (c *chunkCache) store(chunk *index.Chunk) error {
	switch got, _, err := blob.SumFile(c.file(chunk)); {
	case err != nil: // it is missing
	case got == chunk.SHA256:
		return nil // downloaded by another server, or just before this download began
	default:
		c.log.Warn("a chunk in the cache is damaged; it is downloaded again", "file", c.file(chunk), "sha256", got.String())
	}
	if err := os.MkdirAll(c.dir, atomicfile.DirMode); err != nil {
		return err
	}
	root, err := os.OpenRoot(c.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	ctx, cancel := context.WithTimeout(c.ctx, chunkTimeout)
	defer cancel()
	return atomicfile.WriteFile(root, chunk.Name(), atomicfile.FileMode, func(file *os.File) error {
		return c.get(ctx, catalog.IndexChunkPath(chunk.SHA256), func(body io.Reader) error {
			return copyChunk(file, body, chunk)
		})
	})
}

// copyChunk copies the body of a response to a file. It returns an error unless that is the chunk.
func copyChunk(file io.Writer, body io.Reader, chunk *index.Chunk) error {
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(file, sum), io.LimitReader(body, chunk.Size+1))
	switch got := blob.Ref(sum.Sum(nil)); {
	case err != nil:
		return err
	case n > chunk.Size:
		return fmt.Errorf("longer than the %d bytes in the index: %w", chunk.Size, errWrongChunk)
	case n < chunk.Size:
		return fmt.Errorf("%d bytes, want %d as in the index: %w", n, chunk.Size, errWrongChunk)
	case got != chunk.SHA256:
		return fmt.Errorf("its SHA-256 is %s: %w", got, errWrongChunk)
	}
	return nil
}

// prune removes chunks that none of the indexes has, and incomplete downloads. It leaves files that
// are younger than staleFile, because another server may be using them.
func (c *chunkCache) prune(used ...*index.Index) error {
	keep := make(map[string]bool)
	for _, ix := range used {
		for _, chunk := range ix.Chunks() {
			keep[path.Base(chunk.Name())] = true
		}
	}
	return filepath.WalkDir(c.dir, func(file string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // no chunk has been downloaded yet
		}
		if err != nil || !e.Type().IsRegular() || keep[e.Name()] {
			return err
		}
		return removeStale(file, e)
	})
}

// removeStale removes a file unless it is younger than staleFile.
func removeStale(file string, e fs.DirEntry) error {
	info, err := e.Info()
	if err == nil && time.Since(info.ModTime()) >= staleFile {
		err = os.Remove(file)
	}
	if errors.Is(err, fs.ErrNotExist) { // another server has removed it
		return nil
	}
	return err
}
