package galshim

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"galbuild/build/atomicfile"
	"galbuild/build/blob"
	"galbuild/build/cacert"
	"galbuild/build/retry"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/version"
	"galbuild/index"
)

// Limits of responses of a published site.
const (
	maxCurrent   = 4 << 10
	maxIndex     = 4 << 30          // enough for half a million extensions
	stallTimeout = 30 * time.Second // without a byte
	maxRetry     = time.Minute      // between two downloads of an index that was refused
	staleFile    = time.Hour        // age at which unused files in the cache are removed
)

// A remote is a site that is published at a URL. Its index is downloaded into a folder of the
// cache:
//
//	<cache>/<digits>/CURRENT           of the last index that was verified
//	<cache>/<digits>/<generation>.idx
//
// The digits are the first 16 hexadecimal digits of the SHA-256 of the URL.
//
// Several servers may share a cache. If galshim cannot reach the site when it starts, it serves the
// generation in the cache.
type remote struct {
	base   *url.URL
	dir    string
	client *retry.Client // for blobs
	index  *retry.Client // for the index, which must not wait for blobs of slow clients
	log    *slog.Logger

	etag    string        // of the CURRENT file of the generation that is served
	failed  site.Current  // the last generation, if it could not be downloaded
	failure error         // the reason
	wait    time.Duration // between the last attempts
	retry   time.Time     // of the next attempt
}

func newRemote(address, cache, ca string, log *slog.Logger) (*remote, error) {
	base, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(address))
	dir := filepath.Join(cache, hex.EncodeToString(sum[:8]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, hint.Add(fmt.Errorf("make cache folder: %w", err), "name another one with --cache DIR")
	}
	client, err := newClient(ca, maxFetches)
	if err != nil {
		return nil, err
	}
	index, err := newClient(ca, 0)
	if err != nil {
		return nil, err
	}
	return &remote{base: base, dir: dir, client: client, index: index, log: log}, nil
}

// newClient returns a client with a limit of connections to a host; 0 means no limit. It sends each
// request only once: galshim polls index/CURRENT anyway, and its own clients do not wait for long.
func newClient(ca string, connections int) (*retry.Client, error) {
	transport, err := retry.NewTransport(ca)
	if err != nil {
		return nil, err
	}
	transport.MaxConnsPerHost = connections
	return retry.New(retry.Config{Transport: transport, Stall: stallTimeout})
}

// next implements [source].
func (s *remote) next(ctx context.Context, old *generation) (*generation, error) {
	g, err := s.fetch(ctx, old)
	if err == nil || old != nil {
		return g, err
	}
	cached, cacheErr := s.openCached()
	if cacheErr != nil && cacert.IsUnknown(err) {
		return nil, err // it has a hint
	}
	if cacheErr != nil {
		return nil, hint.Add(err, "check that %s is a site made by galbuild; the cache has no earlier generation to start with", s.base.Redacted())
	}
	s.log.Warn("serving the generation in the cache", "generation", cached.Generation, "err", err)
	return cached, nil
}

// fetch returns the current generation of the site, or nil if it is old.
func (s *remote) fetch(ctx context.Context, old *generation) (*generation, error) {
	served := sound(old)
	text, etag, err := s.current(ctx, served != nil)
	if err != nil || text == nil {
		return nil, err
	}
	c, _, err := site.ParseCurrent(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.base.Redacted(), err)
	}
	if served != nil && c == served.Current {
		s.etag = etag
		return nil, nil
	}
	g, err := s.open(c)
	if err != nil {
		g, err = s.download(ctx, c)
	}
	if err != nil {
		return nil, err
	}
	s.etag = etag
	s.saveCurrent(c, text)
	return g, nil
}

// current returns the content and entity tag of the site's CURRENT file. If conditional is true
// and the file has not changed since s.etag was stored, it returns nothing.
func (s *remote) current(ctx context.Context, conditional bool) (text []byte, etag string, err error) {
	header := http.Header{"Cache-Control": {"no-cache"}}
	if conditional && s.etag != "" {
		header.Set("If-None-Match", s.etag)
	}
	err = s.get(ctx, site.CurrentPath, header, func(resp *http.Response, body io.Reader) error {
		if resp.StatusCode == http.StatusNotModified && conditional {
			return nil
		}
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		etag = resp.Header.Get("ETag")
		text, err = io.ReadAll(io.LimitReader(body, maxCurrent))
		return err
	})
	return text, etag, err
}

// open verifies and maps an index in the cache.
func (s *remote) open(c site.Current) (*generation, error) {
	err := verifyIndex(s.file(c), c.Index)
	var ix *index.Index
	if err == nil {
		ix, err = index.Open(s.file(c))
	}
	if err != nil {
		return nil, fmt.Errorf("open generation %s: %w", c.Generation, err)
	}
	return newGeneration(c, ix, newBlobProxy(s)), nil
}

// download downloads an index into the cache and maps it. After a failure, it returns the same
// error for some time before it downloads the same index again, which may be large.
func (s *remote) download(ctx context.Context, c site.Current) (*generation, error) {
	if c == s.failed && time.Now().Before(s.retry) {
		return nil, s.failure
	}
	err := s.store(ctx, c)
	if err == nil {
		var g *generation
		if g, err = s.open(c); err == nil {
			s.failed, s.wait = site.Current{}, 0
			return g, nil
		}
		os.Remove(s.file(c))
	}
	s.failed, s.failure = c, err
	s.wait = min(maxRetry, max(5*time.Second, 2*s.wait))
	s.retry = time.Now().Add(s.wait)
	return nil, err
}

// store downloads the index of c into the cache.
func (s *remote) store(ctx context.Context, c site.Current) error {
	return atomicfile.Replace(s.file(c), atomicfile.FileMode, func(file *os.File) error {
		return s.get(ctx, c.IndexPath(), nil, func(resp *http.Response, body io.Reader) error {
			if resp.StatusCode != http.StatusOK {
				return errors.New(resp.Status)
			}
			n, err := io.Copy(file, io.LimitReader(body, maxIndex+1))
			if n > maxIndex {
				return fmt.Errorf("longer than %d bytes", maxIndex)
			}
			return err
		})
	})
}

// get requests a path of the site and calls read with the response.
func (s *remote) get(ctx context.Context, path string, header http.Header, read func(*http.Response, io.Reader) error) error {
	address := s.base.JoinPath(path)
	resp, err := do(ctx, s.index, http.MethodGet, address, header)
	if err == nil {
		defer resp.Body.Close()
		err = read(resp, resp.Body)
	}
	if err != nil {
		return fmt.Errorf("get %s: %w", address.Redacted(), cmp.Or(context.Cause(ctx), err))
	}
	return nil
}

// do sends a request for a file without content encoding. It follows redirects, because some
// hosts redirect to their storage.
func do(ctx context.Context, client *retry.Client, method string, address *url.URL, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, address.String(), nil)
	if err != nil {
		return nil, err
	}
	for key, values := range header {
		req.Header[key] = values
	}
	req.Header.Set("User-Agent", "galshim/"+version.String())
	req.Header.Set("Accept-Encoding", "identity")
	return client.Send(req)
}

func (s *remote) file(c site.Current) string { return filepath.Join(s.dir, c.Generation+".idx") }

// openCached opens the generation in the cache that was served last.
func (s *remote) openCached() (*generation, error) {
	c, err := readCurrent(filepath.Join(s.dir, "CURRENT"))
	if err != nil {
		return nil, err
	}
	return s.open(c)
}

// readCurrent reads and parses the CURRENT file of the cache.
func readCurrent(file string) (site.Current, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return site.Current{}, err
	}
	c, _, err := site.ParseCurrent(text)
	return c, err
}

// saveCurrent records that c is the generation to start with if the site cannot be reached, and
// removes older ones. The text is that of CURRENT. An error is only logged, because c is being
// served.
func (s *remote) saveCurrent(c site.Current, text []byte) {
	err := atomicfile.Replace(filepath.Join(s.dir, "CURRENT"), atomicfile.FileMode, func(file *os.File) error {
		_, err := file.Write(text)
		return err
	})
	if err != nil {
		s.log.Warn("the generation cannot be saved for the next start", "err", err)
	}
	s.prune(filepath.Base(s.file(c)))
}

// prune removes older generations and incomplete downloads. It leaves files that are younger
// than staleFile, because another server may be using them.
func (s *remote) prune(current string) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		s.log.Warn("the cache cannot be pruned", "err", err)
		return
	}
	for _, e := range entries {
		unused := atomicfile.IsTemp(e.Name()) || filepath.Ext(e.Name()) == ".idx" && e.Name() != current
		if info, err := e.Info(); err != nil || !unused || time.Since(info.ModTime()) < staleFile {
			continue
		}
		os.Remove(filepath.Join(s.dir, e.Name()))
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
