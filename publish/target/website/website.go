// Package website implements a read-only target: a published site that a web server serves. The
// server may be nginx with the configuration that galbuild prints, a public bucket, or any other
// server of plain files. Reading a file of the site is one GET of its path below the address.
//
// Web servers have no common way to list files or to write on a condition, so all other methods
// of a target return [ErrReadOnly].
package website

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"galbuild/build/errmsg"
	"galbuild/build/retry"
	"galbuild/build/site"
	"galbuild/publish/target"
	"galbuild/publish/target/internal/rest"
	"galbuild/publish/target/internal/weburl"
)

// ErrReadOnly is returned, wrapped, by the methods that would write or list.
var ErrReadOnly = errors.New("a site at an http(s) address can be read, but not listed or written to")

// Config is the address of a site and how to connect to it.
type Config struct {
	// URL is the address below which index/CURRENT is, such as https://host/tools/gallery.
	// It may contain a user and a password for HTTP basic authentication.
	URL string
	// CA is a file of PEM certificates that are trusted in addition to the system's.
	CA string
	// Transport sends the requests. The default honours CA and the variables HTTP_PROXY,
	// HTTPS_PROXY and NO_PROXY.
	Transport http.RoundTripper
	// Once sends each request once: the caller repeats it.
	Once bool
	// Stall is how long no data may be transferred; 0 is the default of package retry.
	Stall time.Duration
	// Agent is the header User-Agent. The default is Go's.
	Agent string

	sleep retry.Sleep // for tests
}

// Target is a site at an address.
type Target struct {
	client *rest.Client
	base   *url.URL
}

// New returns the site at an address. It sends no request.
func New(c Config) (*Target, error) {
	base, err := weburl.Parse(c.URL, "https://host/gallery")
	if err != nil {
		return nil, err
	}
	client, err := rest.New(rest.Config{CA: c.CA, Transport: c.Transport, Once: c.Once, Stall: c.Stall, Agent: c.Agent, Sleep: c.sleep})
	if err != nil {
		return nil, err
	}
	return &Target{client: client, base: base}, nil
}

// String implements [target.Target].
func (t *Target) String() string { return errmsg.Redact(strings.TrimRight(t.base.Redacted(), "/")) }

// Get implements [target.Target].
func (t *Target) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	r := rest.Request{Method: http.MethodGet, URL: strings.TrimRight(t.base.String(), "/") + "/" + rest.EscapePath(key), Header: http.Header{}}
	if key == site.CurrentPath { // caches must not respond with an older one
		r.Header.Set("Cache-Control", "no-cache")
	}
	section, err := t.client.Open(ctx, r, offset, length, func(response *http.Response) (string, error) { return identify(key, response) })
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", key, t.explain(key, err))
	}
	return section, nil
}

// identify returns the entity tag of a file. An HTML page instead of CURRENT is an error: it
// comes from a login, or from a server that returns a page for every path.
func identify(key string, response *http.Response) (string, error) {
	if key == site.CurrentPath && strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
		return "", fmt.Errorf("%s returns a web page instead of %s: it may be a login, or the address is not that of a site", response.Request.URL.Host, key)
	}
	return response.Header.Get("ETag"), nil
}

// explain names the cause of a failed GET. A site without CURRENT is an error here: nothing
// can be published at the address, so it is more likely mistyped than empty.
func (t *Target) explain(key string, err error) error {
	refused, ok := errors.AsType[*rest.StatusError](err)
	if !ok {
		return err
	}
	switch refused.Status {
	case http.StatusNotFound, http.StatusGone:
		if key == site.CurrentPath {
			return fmt.Errorf("%d %s: give the address below which %s is; a web server in front of the site and a bucket serve it, galshim alone does not", refused.Status, http.StatusText(refused.Status), key)
		}
		return target.ErrNotExist
	case http.StatusUnauthorized, http.StatusForbidden:
		if strings.HasPrefix(key, site.PrivateDir) { // as it should be
			return target.ErrNotExist
		}
		return fmt.Errorf("%d %s: the site is not public; name a private bucket or repository as a target of its own kind, with its credentials", refused.Status, http.StatusText(refused.Status))
	}
	return err
}

// IsPublic reports that everyone can read what Get returns.
func (t *Target) IsPublic() bool { return t.base.User == nil }

// List implements [target.Target].
func (t *Target) List(context.Context, string) iter.Seq2[target.Entry, error] {
	return func(yield func(target.Entry, error) bool) { yield(target.Entry{}, t.readOnly()) }
}

// Put implements [target.Target].
func (t *Target) Put(context.Context, target.Object) error { return t.readOnly() }

// Copy implements [target.Target].
func (t *Target) Copy(context.Context, string, target.Object) error { return t.readOnly() }

// Delete implements [target.Target].
func (t *Target) Delete(context.Context, []string) error { return t.readOnly() }

// Swap implements [target.Target].
func (t *Target) Swap(context.Context, []byte, target.Object) error { return t.readOnly() }

func (t *Target) readOnly() error { return fmt.Errorf("%s: %w", t, ErrReadOnly) }
