package galshim

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"galbuild/build/atomicfile"
	"galbuild/build/blob"
	"galbuild/build/cacert"
	"galbuild/build/catalog"
	"galbuild/build/history"
	"galbuild/build/regularfile"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/index"
	"galbuild/publish/target"
)

// Limits of responses of a published site.
const (
	maxCurrent   = 4 << 10
	maxIndex     = 4 << 30          // compressed, more than any index that can be opened
	stallTimeout = 30 * time.Second // without a byte
	minRetry     = 5 * time.Second  // between two downloads of an index or a chunk that was refused
	maxRetry     = time.Minute
	staleFile    = time.Hour // age at which unused files in the cache are removed
)

// A remote is a site that is published at a target other than a folder. Its index is downloaded
// into a folder of the cache:
//
//	<cache>/<digits>/CURRENT           of the last index that was verified
//	<cache>/<digits>/<generation>.idx.zst
//	<cache>/<digits>/chunks/ab/<sha256>.idx     the chunks of the index
//	<cache>/<digits>/<number>-<digits>.head     the head of the history, with --trust
//
// The digits are the first 16 hexadecimal digits of the SHA-256 of the name of the target.
//
// The first generation is served as soon as its index is there. Its chunks are downloaded when
// requests need them, and in the background. A later generation is served when all chunks are there
// that the one before does not have.
//
// Several servers may share a cache. If galshim cannot reach the site when it starts, it serves the
// generation in the cache.
//
// Each request is sent once: galshim polls index/CURRENT anyway, and its own clients do not wait
// for long.
type remote struct {
	at        target.Reader
	redirects target.Presigner // nil without --redirect
	dir       string
	fetches   chan struct{} // one for each running request for a blob; the index does not wait for them
	chunks    *chunkCache
	log       *slog.Logger

	text    []byte        // of the CURRENT file of the generation that is served
	failed  site.Current  // the last generation, if it could not be downloaded
	failure error         // the reason
	wait    time.Duration // between the last attempts
	retry   time.Time     // of the next attempt
}

func newRemote(at target.Reader, redirects target.Presigner, cache string, log *slog.Logger) (*remote, error) {
	sum := sha256.Sum256([]byte(at.String()))
	dir := filepath.Join(cache, hex.EncodeToString(sum[:8]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, hint.Add(fmt.Errorf("make cache folder: %w", err), "name another one with --cache DIR")
	}
	s := &remote{at: at, redirects: redirects, dir: dir, fetches: make(chan struct{}, maxFetches), chunks: newChunkCache(filepath.Join(dir, "chunks"), log), log: log}
	s.chunks.get = s.get
	return s, nil
}

// close implements [source].
func (s *remote) close() { s.chunks.close() }

// next implements [source].
func (s *remote) next(ctx context.Context, old *generation, t *trust) (*generation, error) {
	g, err := s.fetch(ctx, old, t)
	if err == nil || old != nil {
		return g, err
	}
	cached, cacheErr := s.openCached(t)
	if cacheErr != nil && (cacert.IsUnknown(err) || errors.Is(err, catalog.ErrFormat)) {
		return nil, err // it has a hint
	}
	if cacheErr != nil && t != nil && !errors.Is(cacheErr, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; and in the cache: %w", err, cacheErr)
	}
	if cacheErr != nil {
		return nil, hint.Add(err, "check that %s is a site made by galbuild; the cache has no earlier generation to start with", s.at)
	}
	s.log.Warn("serving the generation in the cache", "generation", cached.Generation, "err", err)
	return cached, nil
}

// fetch returns the current generation of the site, or nil if it is old.
func (s *remote) fetch(ctx context.Context, old *generation, t *trust) (*generation, error) {
	served := sound(old)
	text, err := s.read(ctx, site.CurrentPath, maxCurrent)
	if err != nil || served != nil && bytes.Equal(text, s.text) {
		return nil, err
	}
	c, named, err := site.ParseCurrent(text)
	if err != nil {
		return nil, explainFormat(fmt.Errorf("%s: %w", s.at, err))
	}
	head, err := t.check(func(path string, limit int64) ([]byte, error) { return s.read(ctx, path, limit) }, c, named)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.at, err)
	}
	if served != nil && c == served.Current {
		if err := t.accept(head); err != nil {
			return nil, err
		}
		s.text = text
		s.save(text, named, head)
		return nil, nil
	}
	g, err := s.prepare(ctx, c, old)
	if err != nil {
		return nil, err
	}
	if err := t.accept(head); err != nil {
		g.release()
		return nil, err
	}
	s.text = text
	s.save(text, named, head)
	s.prune(filepath.Base(s.file(c)), filepath.Base(named.Path()))
	s.pruneChunks(g, old)
	return g, nil
}

// read returns a small file of the site.
func (s *remote) read(ctx context.Context, path string, limit int64) (text []byte, err error) {
	err = s.get(ctx, path, func(body io.Reader) error {
		text, err = io.ReadAll(io.LimitReader(body, limit+1))
		if int64(len(text)) > limit {
			return fmt.Errorf("longer than %d bytes", limit)
		}
		return err
	})
	return text, err
}

// open verifies and opens an index in the cache.
func (s *remote) open(c site.Current) (*generation, error) {
	err := verifyIndex(s.file(c), c.Index)
	var ix *index.Index
	if err == nil {
		ix, err = index.Open(s.file(c), s.chunks.source())
	}
	if err != nil {
		return nil, fmt.Errorf("open generation %s: %w", c.Generation, err)
	}
	g := newGeneration(c, ix, newBlobProxy(s))
	g.cache = s.chunks
	return g, nil
}

// prepare returns a generation that can be served. After a failure, it returns the same error for
// some time before it tries again to download what may be large.
func (s *remote) prepare(ctx context.Context, c site.Current, old *generation) (*generation, error) {
	if c == s.failed && time.Now().Before(s.retry) {
		return nil, s.failure
	}
	g, err := s.open(c)
	if err != nil {
		g, err = s.download(ctx, c)
	}
	if err == nil {
		if err = g.openNew(ctx, old); err == nil {
			s.failed, s.wait = site.Current{}, 0
			return g, nil
		}
		err = fmt.Errorf("open generation %s: %w", c.Generation, err)
		g.release()
	}
	s.failed, s.failure, s.wait = c, err, nextWait(s.wait)
	s.retry = time.Now().Add(s.wait)
	return nil, err
}

// download downloads an index into the cache and opens it.
func (s *remote) download(ctx context.Context, c site.Current) (*generation, error) {
	if err := s.store(ctx, c); err != nil {
		return nil, err
	}
	g, err := s.open(c)
	if err != nil {
		os.Remove(s.file(c))
	}
	return g, err
}

// store downloads the index of c into the cache.
func (s *remote) store(ctx context.Context, c site.Current) error {
	return atomicfile.Replace(s.file(c), atomicfile.FileMode, func(file *os.File) error {
		return s.get(ctx, c.IndexPath(), func(body io.Reader) error {
			n, err := io.Copy(file, io.LimitReader(body, maxIndex+1))
			if n > maxIndex {
				return fmt.Errorf("longer than %d bytes", maxIndex)
			}
			return err
		})
	})
}

// get requests a file of the site and calls read with its content.
func (s *remote) get(ctx context.Context, path string, read func(io.Reader) error) error {
	body, err := s.at.Get(ctx, path, 0, -1)
	if err == nil {
		defer body.Close()
		err = read(body)
	}
	return s.explain(ctx, path, err)
}

// explain returns the error of a request, with the file and the target if it does not name them.
func (s *remote) explain(ctx context.Context, path string, err error) error {
	if err == nil {
		return nil
	}
	err = cmp.Or(context.Cause(ctx), err)
	switch text := err.Error(); {
	case strings.Contains(text, s.at.String()):
		return err
	case strings.Contains(text, path):
		return fmt.Errorf("%s: %w", s.at, err)
	}
	return fmt.Errorf("get %s from %s: %w", path, s.at, err)
}

func (s *remote) file(c site.Current) string { return filepath.Join(s.dir, c.Generation+".idx.zst") }

// openCached opens the generation in the cache that was served last.
func (s *remote) openCached(t *trust) (*generation, error) {
	text, err := s.cached(site.CurrentPath, maxCurrent)
	if err != nil {
		return nil, err
	}
	c, named, err := site.ParseCurrent(text)
	if err != nil {
		return nil, err
	}
	head, err := t.check(s.cached, c, named)
	if err != nil {
		return nil, err
	}
	g, err := s.open(c)
	if err != nil {
		return nil, err
	}
	if err := t.accept(head); err != nil {
		g.release()
		return nil, err
	}
	return g, nil
}

// cached returns the file of the cache that has the last name of a path of the site.
func (s *remote) cached(name string, limit int64) ([]byte, error) {
	return regularfile.ReadFile(filepath.Join(s.dir, path.Base(name)), limit)
}

// save records what to start with if the site cannot be reached: the text of CURRENT, and the head
// that it names if it is not zero. An error is only logged, because the generation is being served.
func (s *remote) save(current []byte, named site.Head, head history.Head) {
	var err error
	if head != (history.Head{}) {
		err = s.write(named.Path(), head.File())
	}
	if err == nil {
		err = s.write(site.CurrentPath, current)
	}
	if err != nil {
		s.log.Warn("the generation cannot be saved for the next start", "err", err)
	}
}

// write writes the file of the cache that cached reads.
func (s *remote) write(name string, text []byte) error {
	return atomicfile.Replace(filepath.Join(s.dir, path.Base(name)), atomicfile.FileMode, func(file *os.File) error {
		_, err := file.Write(text)
		return err
	})
}

// prune removes files of older generations and incomplete downloads. It leaves files that are
// younger than staleFile, because another server may be using them.
func (s *remote) prune(used ...string) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		s.log.Warn("the cache cannot be pruned", "err", err)
		return
	}
	for _, e := range entries {
		of := filepath.Ext(e.Name())
		unused := atomicfile.IsTemp(e.Name()) || (of == ".zst" || of == ".head") && !slices.Contains(used, e.Name())
		if unused {
			removeStale(filepath.Join(s.dir, e.Name()), e)
		}
	}
}

// pruneChunks removes the chunks of older generations than old, which may be nil.
func (s *remote) pruneChunks(g, old *generation) {
	used := []*index.Index{g.ix}
	if old != nil {
		used = append(used, old.ix)
	}
	if err := s.chunks.prune(used...); err != nil {
		s.log.Warn("the cache cannot be pruned", "err", err)
	}
}

// verifyIndex checks a file's SHA-256.
func verifyIndex(file string, want blob.Ref) error {
	got, _, err := blob.SumFile(file)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%s: its SHA-256 is %s, want %[4]s as in %[3]s: the file is incomplete or damaged", file, got, site.CurrentPath, want)
	}
	return nil
}
