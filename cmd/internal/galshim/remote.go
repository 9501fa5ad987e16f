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

	"galbuild/build/blob"
	"galbuild/build/roots"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/version"
	"galbuild/index"
)

// Limits on what a published site may answer, and how slowly.
const (
	maxCurrent   = 4 << 10
	maxIndex     = 4 << 30          // of half a million extensions
	stallTimeout = 30 * time.Second // without a byte, or without an answer
	maxRetry     = time.Minute      // between two downloads of an index that was refused
	staleFile    = time.Hour        // after which a file in the cache that nothing names may go
)

// remote is a site published at a URL. Its index is downloaded into a folder of
// the cache that is the URL's own:
//
//	<cache>/<16 hex digits of the URL's SHA-256>/CURRENT            as it was when its index was proved
//	<cache>/<16 hex digits of the URL's SHA-256>/<generation>.idx
//
// Several servers may share it. Without the network, the first look falls back
// to what is there.
type remote struct {
	base   *url.URL
	dir    string
	client *http.Client // for blobs
	index  *http.Client // for the index, which must not wait for blobs of slow clients
	log    *slog.Logger

	etag    string       // of the CURRENT that names the generation being served
	failed  site.Current // could not be had
	failure error        // why
	wait    time.Duration
	retry   time.Time // when to try it again
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
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if err := roots.Trust(transport, ca); err != nil {
		return nil, err
	}
	transport.ResponseHeaderTimeout = stallTimeout
	transport.MaxIdleConnsPerHost = 64 // all downloads go to one host
	index := transport.Clone()
	transport.MaxConnsPerHost = maxFetches
	return &remote{base: base, dir: dir, client: &http.Client{Transport: transport}, index: &http.Client{Transport: index}, log: log}, nil
}

// next implements [source].
func (s *remote) next(ctx context.Context, old *generation) (*generation, error) {
	g, err := s.fetch(ctx, old)
	if err == nil || old != nil {
		return g, err
	}
	kept, keptErr := s.kept()
	if keptErr != nil && roots.IsUnknown(err) {
		return nil, hint.Add(err, roots.Hint)
	}
	if keptErr != nil {
		return nil, hint.Add(err, "is %s a site made by galbuild? there is no earlier generation in the cache to start with", s.base.Redacted())
	}
	s.log.Warn("serving the generation kept in the cache", "generation", kept.Generation, "err", err)
	return kept, nil
}

// fetch asks the site which generation counts, and gets it unless it is old.
func (s *remote) fetch(ctx context.Context, old *generation) (*generation, error) {
	kept := sound(old)
	text, etag, err := s.current(ctx, kept != nil)
	if err != nil || text == nil {
		return nil, err
	}
	c, err := site.ParseCurrent(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.base.Redacted(), err)
	}
	if kept != nil && c == kept.Current {
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
	s.keep(c)
	return g, nil
}

// current returns what CURRENT says and its entity tag; nothing, if it says what
// it said when s.etag was noted.
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

// open maps an index in the cache after proving that it is the one meant.
func (s *remote) open(c site.Current) (*generation, error) {
	err := proveIndex(s.file(c), c.Index)
	var ix *index.Index
	if err == nil {
		ix, err = index.Open(s.file(c))
	}
	if err != nil {
		return nil, fmt.Errorf("open generation %s: %w", c.Generation, err)
	}
	return newGeneration(c, ix, newBlobProxy(s)), nil
}

// download brings an index into the cache and maps it. One that fails is not
// tried at every look: it may be large.
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

// store writes the index of c into the cache, under its name when it is whole.
func (s *remote) store(ctx context.Context, c site.Current) error {
	temp, err := os.CreateTemp(s.dir, "*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	defer temp.Close()
	err = s.get(ctx, c.IndexPath(), nil, func(resp *http.Response, body io.Reader) error {
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		n, err := io.Copy(temp, io.LimitReader(body, maxIndex+1))
		if n > maxIndex {
			return fmt.Errorf("longer than %d bytes", maxIndex)
		}
		return err
	})
	if err := cmp.Or(err, temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), s.file(c))
}

// get asks for a path of the site and hands the answer to read, whose body ends
// with an error if nothing comes for a while.
func (s *remote) get(ctx context.Context, path string, header http.Header, read func(*http.Response, io.Reader) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(stallTimeout, func() { cancel(fmt.Errorf("no data for %s", stallTimeout)) })
	defer timer.Stop()

	address := s.base.JoinPath(path)
	resp, err := do(ctx, s.index, http.MethodGet, address, header)
	if err == nil {
		defer resp.Body.Close()
		err = read(resp, &watched{resp.Body, timer})
	}
	if err != nil {
		return fmt.Errorf("get %s: %w", address.Redacted(), cmp.Or(context.Cause(ctx), err))
	}
	return nil
}

// do sends a request for bytes as they are stored. Redirects are followed: the
// blobs of some hosts are elsewhere.
func do(ctx context.Context, client *http.Client, method string, address *url.URL, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, address.String(), nil)
	if err != nil {
		return nil, err
	}
	for key, values := range header {
		req.Header[key] = values
	}
	req.Header.Set("User-Agent", "galshim/"+version.String())
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := client.Do(req)
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err // the caller names the address, without a password
	}
	return resp, err
}

// watched is a body that restarts a timer whenever something came.
type watched struct {
	io.Reader
	timer *time.Timer
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Reader.Read(b)
	w.timer.Reset(stallTimeout)
	return n, err
}

func (s *remote) file(c site.Current) string { return filepath.Join(s.dir, c.Generation+".idx") }

// kept opens the generation that was served last.
func (s *remote) kept() (*generation, error) {
	c, err := readCurrent(filepath.Join(s.dir, "CURRENT"))
	if err != nil {
		return nil, err
	}
	return s.open(c)
}

func readCurrent(file string) (site.Current, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return site.Current{}, err
	}
	return site.ParseCurrent(text)
}

// keep notes that c is to be started with when the site cannot be reached, and
// clears away what is older. It is no failure if it cannot: c is being served.
func (s *remote) keep(c site.Current) {
	temp := filepath.Join(s.dir, c.Generation+".tmp")
	err := os.WriteFile(temp, c.Bytes(), 0o644)
	if err == nil {
		err = os.Rename(temp, filepath.Join(s.dir, "CURRENT"))
	}
	if err != nil {
		s.log.Warn("cannot keep the generation for the next start", "err", err)
	}
	s.sweep(filepath.Base(s.file(c)))
}

// sweep removes older generations and what killed downloads left, though nothing
// so young that another server may be at work on it.
func (s *remote) sweep(current string) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		s.log.Warn("cannot clear the cache", "err", err)
		return
	}
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if info, err := e.Info(); err != nil || e.Name() == current || ext != ".idx" && ext != ".tmp" || time.Since(info.ModTime()) < staleFile {
			continue
		}
		os.Remove(filepath.Join(s.dir, e.Name()))
	}
}

// proveIndex checks a file's SHA-256.
func proveIndex(file string, want blob.Ref) error {
	got, _, err := blob.SumFile(file)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%s: its SHA-256 is %s, %s says %s: half copied or damaged", file, got, site.CurrentPath, want)
	}
	return nil
}
