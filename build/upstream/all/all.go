// Package all opens upstreams of every kind, with one client for all of them:
//
//	openvsx, https://open-vsx.org       Open VSX's REST interface, the default
//	https://host                        Open VSX or a gallery: the first request finds out
//	https://host/api                    a gallery, because of its path
//	openvsx+https://h, gallery+https://h
//	                                    what the address says
//	https://host/x.vsix                 a package
//	github:OWNER/REPO[@TAG]             releases; also https://github.com/OWNER/REPO
//
// Microsoft's Marketplace is a gallery like others, and is used only if it is named: see
// [gallery.Terms]. Credentials are those of addresses, of Config.Tokens and of Config.GitHubToken.
// Package route sends them only to the host that they are for.
package all

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"galbuild/build/retry"
	"galbuild/build/upstream"
	"galbuild/build/upstream/address"
	"galbuild/build/upstream/gallery"
	"galbuild/build/upstream/openvsx"
	"galbuild/build/upstream/route"
)

// Default is the address of the upstream that is used if none is named.
const Default = "https://open-vsx.org"

// Config has the settings of an [Opener]. The zero value works.
type Config struct {
	CA          string   // a file of PEM certificates that are trusted in addition to the system's
	Rate        float64  // requests to a host in a second; 0 is upstream.DefaultRate
	Agent       string   // the header User-Agent
	Mirrors     []string // as in route.ParseMirror
	Tokens      string   // as in route.Config
	GitHubAPI   string   // address of GitHub's REST interface; "" is that of GitHub.com
	GitHubToken string   // for the REST interface only
	Cache       string   // folder for responses; "" is none
	Log         *slog.Logger
	// Download is as in address.Config. It may use the client of the opener.
	Download func(ctx context.Context, address string) (path string, err error)
	// Transport sends the requests. nil is that of retry.NewTransport.
	Transport http.RoundTripper
	// Sleep waits between attempts. nil is retry.Wait.
	Sleep retry.Sleep
}

// An Opener opens upstreams. It may be used by several goroutines at once.
type Opener struct {
	// Client sends the requests of the upstreams, and must send those for packages, so that
	// mirrors, credentials and the limited rate apply to them.
	Client *retry.Client

	requests upstream.Requests
	routes   *route.Transport
	github   *address.GitHub
	download func(context.Context, string) (string, error)
}

// New returns an opener.
func New(c Config) (*Opener, error) {
	routes, err := newRoutes(c)
	if err != nil {
		return nil, err
	}
	github, err := address.NewGitHub(c.GitHubAPI)
	if err != nil {
		return nil, err
	}
	if c.GitHubToken != "" {
		routes.SetToken(github.API, c.GitHubToken)
	}
	client, err := upstream.NewClient(upstream.Config{Rate: c.Rate, Agent: c.Agent, Transport: routes, Sleep: c.Sleep})
	if err != nil {
		return nil, err
	}
	return &Opener{
		Client: client, requests: upstream.Requests{Client: client, Cache: c.Cache, Log: c.Log},
		routes: routes, github: github, download: c.Download,
	}, nil
}

func newRoutes(c Config) (*route.Transport, error) {
	routes := route.Config{Next: c.Transport, Tokens: c.Tokens}
	if routes.Next == nil {
		var err error
		if routes.Next, err = retry.NewTransport(c.CA); err != nil {
			return nil, err
		}
	}
	for _, text := range c.Mirrors {
		m, err := route.ParseMirror(text)
		if err != nil {
			return nil, err
		}
		routes.Mirrors = append(routes.Mirrors, m)
	}
	return route.New(routes)
}

// Open returns the upstream at an address; "" is [Default]. It sends no request.
func (o *Opener) Open(text string) (upstream.Upstream, error) {
	if text == "" || text == "openvsx" {
		text = Default
	}
	if r, ok, err := o.github.Repository(text); ok {
		return o.releases(r, err)
	}
	kind, rest, forced := strings.Cut(text, "+")
	if forced = forced && (kind == "openvsx" || kind == "gallery"); forced {
		text = rest
	}
	u, err := o.parse(text)
	if err != nil {
		return nil, err
	}
	switch {
	case forced && kind == "gallery":
		return o.gallery(u)
	case forced, u.String() == Default:
		return openvsx.New(u.String(), o.requests)
	case address.IsPackage(u):
		return o.atAddress(u), nil
	case gallery.IsService(u.Path):
		return o.gallery(u)
	}
	return o.detect(u)
}

// Package returns the upstream of the packages that are at an address which names them: a URL of a
// package, whatever its path is, or a repository on GitHub.
func (o *Opener) Package(text string) (upstream.Upstream, error) {
	if r, ok, err := o.github.Repository(text); ok && (err == nil || !strings.Contains(text, "://")) {
		return o.releases(r, err)
	}
	u, err := o.parse(text)
	if err != nil {
		return nil, err
	}
	return o.atAddress(u), nil
}

func (o *Opener) releases(r address.Repository, err error) (upstream.Upstream, error) {
	if err != nil {
		return nil, err
	}
	return o.github.Releases(r, address.Config{Requests: o.requests, Download: o.download}), nil
}

func (o *Opener) atAddress(u *url.URL) upstream.Upstream {
	return address.New(u, address.Config{Requests: o.requests, Download: o.download})
}

func (o *Opener) gallery(u *url.URL) (upstream.Upstream, error) {
	if err := checkPlain(u); err != nil {
		return nil, err
	}
	return gallery.New(u.String(), o.requests), nil
}

// parse returns a URL without its credentials, which it gives to the transport, and without slashes
// at its end. Errors do not contain the text, which may have a password.
func (o *Opener) parse(text string) (*url.URL, error) {
	const want = "want https://HOST, openvsx, https://HOST/x.vsix or github:OWNER/REPO"
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("the address of an upstream is malformed; " + want)
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		u.User = nil
		return nil, fmt.Errorf("%.200q is not the address of an upstream; %s", u.String(), want)
	}
	o.routes.SetLogin(u, u.User)
	u.User, u.Fragment, u.Path = nil, "", strings.TrimRight(u.Path, "/")
	u.RawPath = strings.TrimRight(u.RawPath, "/")
	return u, nil
}

// checkPlain refuses an address with a query, which cannot be that of a gallery.
func checkPlain(u *url.URL) error {
	if u.RawQuery != "" || u.ForceQuery {
		return fmt.Errorf("the address of the upstream on %s has a question mark; write it without", u.Host)
	}
	return nil
}
