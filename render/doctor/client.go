package doctor

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/klauspost/compress/gzip"

	"galbuild/build/retry"
)

// Limits for a gallery that is not trusted.
const (
	maxBody        = 64 << 20  // of a response, compressed or not
	maxPackage     = 128 << 20 // of a package
	maxBurstBody   = 64 << 10  // of each of many responses at once
	maxHops        = 3         // redirects that are followed, as editors do
	defaultTimeout = 10 * time.Second
	// packageTimeouts is how many times longer the download of a package may take.
	packageTimeouts = 12
)

// desktopOrigin is the origin of the page in a desktop window.
const desktopOrigin = "vscode-file://vscode-app"

// A Request is a request that was sent, for --verbose.
type Request struct {
	Method, URL string
	Status      int // 0 if there was no response
	Bytes       int
	Elapsed     time.Duration
}

// A client sends the requests, and keeps a list of them.
type client struct {
	transport *http.Transport
	timeout   time.Duration
	agent     string
	origin    string
	header    http.Header // for the gallery only
	own       string      // the origin of the gallery
	secrets   []string    // texts that are never shown

	mutex    sync.Mutex // of what follows
	requests []Request
	limited  []limited
}

// limited is a response 429 or 503.
type limited struct {
	status int
	after  string // Retry-After
}

func newClient(c Config) (*client, error) {
	transport, err := retry.NewTransport(c.CA)
	if err != nil {
		return nil, err
	}
	transport.DisableCompression = true
	made := &client{
		transport: transport, timeout: cmp.Or(c.Timeout, defaultTimeout), agent: "galbuild-doctor (" + cmp.Or(c.Client, "galbuild") + ")",
		origin: cmp.Or(c.Origin, desktopOrigin), header: c.Header, own: originOf(c.Gallery.Service),
	}
	if token := tokenOf(c.Gallery.Service); token != "" {
		made.secrets = append(made.secrets, token)
	}
	for _, values := range c.Header {
		for _, v := range values {
			_, credentials, _ := strings.Cut(v, " ")
			made.secrets = append(made.secrets, v, credentials)
		}
	}
	return made, nil
}

func (c *client) close() { c.transport.CloseIdleConnections() }

// mask removes secrets from a text: those of the client, and tokens of galshim in a path.
func (c *client) mask(text string) string {
	for _, secret := range c.secrets {
		if len(secret) >= 4 {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	return tokenInPath.ReplaceAllString(text, "/t/…")
}

var tokenInPath = regexp.MustCompile(`/t/gal_[^/\s"]+`)

// A request is what to send.
type request struct {
	method, url string
	body        []byte
	header      map[string]string // beside those of an editor
	accept      string
	gzip        bool // accept gzip
	preflight   bool // without the headers that only the request itself has
	large       bool // a package
	many        bool // one of many at once
	anonymous   bool // without the headers of the configuration
}

// A response is a response whose body was read. Its body is as it was sent.
type response struct {
	url      string // the last one
	status   int
	proto    string
	header   http.Header
	body     []byte
	err      error    // of the request, or of reading the body
	cut      bool     // the body is shorter than its Content-Length says
	hops     []string // the values of Location that were followed
	relative bool     // a Location was relative
}

// send sends a request once, without following redirects.
func (c *client) send(ctx context.Context, r request) *response {
	timeout := c.timeout
	if r.large {
		timeout *= packageTimeouts
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	start := time.Now()
	resp := c.roundTrip(ctx, r)
	if errors.Is(resp.err, context.DeadlineExceeded) {
		resp.err = fmt.Errorf("no complete response after %s", timeout)
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.requests = append(c.requests, Request{r.method, c.mask(r.url), resp.status, len(resp.body), time.Since(start)})
	if resp.status == http.StatusTooManyRequests || resp.status == http.StatusServiceUnavailable {
		c.limited = append(c.limited, limited{resp.status, resp.header.Get("Retry-After")})
	}
	return resp
}

// roundTrip sends the request and reads the body.
func (c *client) roundTrip(ctx context.Context, r request) *response {
	made := &response{url: r.url, header: http.Header{}}
	out, err := http.NewRequestWithContext(ctx, r.method, r.url, bytes.NewReader(r.body))
	if err != nil {
		made.err = errors.New("not a URL")
		return made
	}
	c.setHeader(out, r)
	in, err := c.transport.RoundTrip(out)
	if err != nil {
		made.err = plain(err)
		return made
	}
	defer in.Body.Close()
	made.status, made.proto, made.header = in.StatusCode, in.Proto, in.Header
	limit := r.limit()
	made.body, made.err = io.ReadAll(io.LimitReader(in.Body, limit+1))
	switch {
	case errors.Is(made.err, io.ErrUnexpectedEOF):
		made.cut = true
	case int64(len(made.body)) > limit:
		made.err = fmt.Errorf("the body is larger than %s", humanize.IBytes(uint64(limit)))
	}
	return made
}

// limit returns the size of the largest body of the response.
func (r request) limit() int64 {
	switch {
	case r.large:
		return maxPackage
	case r.many:
		return maxBurstBody
	}
	return maxBody
}

// setHeader sets the headers of an editor, and those of the configuration for the gallery's host.
func (c *client) setHeader(out *http.Request, r request) {
	h := out.Header
	h.Set("User-Agent", c.agent)
	h.Set("Origin", c.origin)
	if !r.preflight {
		h.Set("X-Market-Client-Id", "VSCode 1.139.1")
		if originOf(r.url) == c.own && !r.anonymous {
			for name, values := range c.header {
				h[name] = values
			}
		}
	}
	if r.accept != "" {
		h.Set("Accept", r.accept)
	}
	if r.gzip {
		h.Set("Accept-Encoding", "gzip")
	}
	for name, value := range r.header {
		h.Set(name, value)
	}
}

// follow is send, and follows redirects of a GET as editors do.
func (c *client) follow(ctx context.Context, r request) *response {
	var hops []string
	relative := false
	for {
		resp := c.send(ctx, r)
		resp.hops, resp.relative = hops, relative
		next, isRelative := resp.location()
		if next == "" || len(hops) == maxHops {
			return resp
		}
		hops, relative = append(hops, next), relative || isRelative
		r.url = next
	}
}

// location returns where a response redirects to, or "".
func (r *response) location() (next string, relative bool) {
	to := r.header.Get("Location")
	if r.err != nil || r.status < 300 || r.status > 399 || to == "" {
		return "", false
	}
	from, err := url.Parse(r.url)
	if err != nil {
		return "", false
	}
	u, err := url.Parse(to)
	if err != nil {
		return "", false
	}
	return from.ResolveReference(u).String(), !u.IsAbs()
}

// mediaType returns the media type without parameters.
func (r *response) mediaType() string {
	kind, _, _ := strings.Cut(r.header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

// mayGuess reports whether a browser may guess the media type.
func (r *response) mayGuess() bool { return r.header.Get("X-Content-Type-Options") == "" }

// isHTML reports whether the body is a web page.
func (r *response) isHTML() bool {
	start := bytes.ToLower(bytes.TrimSpace(r.body[:min(len(r.body), 256)]))
	return r.mediaType() == "text/html" || bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}

// isGzip reports whether a text begins as gzip does.
func isGzip(body []byte) bool { return len(body) > 2 && body[0] == 0x1f && body[1] == 0x8b }

// decoded returns the body without its gzip encoding.
func (r *response) decoded() ([]byte, error) {
	if r.header.Get("Content-Encoding") != "gzip" {
		return r.body, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(z, maxBody+1))
	if err == nil && len(text) > maxBody {
		err = fmt.Errorf("the body is larger than %d MiB", maxBody>>20)
	}
	return text, err
}

// plain returns the error of a request without its URL, and with the hint of package retry.
func plain(err error) error {
	hint := retry.Hint(err)
	if e, isURL := errors.AsType[*url.Error](err); isURL {
		err = e.Err
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("the connection was closed")
	}
	if hint != "" {
		return fmt.Errorf("%w; %s", err, hint)
	}
	return err
}

// insecure returns a transport that accepts any certificate, to look at it.
func (c *client) insecure() *http.Transport {
	t := c.transport.Clone()
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	t.TLSClientConfig.InsecureSkipVerify = true // #nosec G402 -- only to read the certificates; nothing secret is sent
	t.DisableKeepAlives = true
	return t
}
