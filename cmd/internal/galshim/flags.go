package galshim

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"galbuild/cmd/internal/addresses"
	"galbuild/cmd/internal/hint"

	"github.com/alecthomas/kong"
)

// Command is the command line. Every flag is also an environment variable.
type Command struct {
	Index   string        `required:"" placeholder:"SITE|URL" help:"The site: a folder that galbuild made, or the http(s) address where one is published."`
	Listen  string        `default:"127.0.0.1:8080" help:"Where to listen: host:port, :port or unix:PATH."`
	BaseURL string        `name:"base-url" placeholder:"URL" help:"The address editors reach this server at, path allowed. Without it, the address is taken from each request, and shared caches may not store the responses."`
	NoFiles bool          `help:"Answer questions only; leave the site's files and pages to the web server in front."`
	Reload  time.Duration `default:"5s" help:"How often to look for a new generation; 0 for never. SIGHUP looks at once."`
	Cache   string        `placeholder:"DIR" help:"Where the index of a site at a URL is kept; galshim in the user's cache folder by default."`
	CA      string        `name:"ca" type:"existingfile" placeholder:"FILE" help:"More certificate authorities to trust (PEM), for a site at an https address."`

	ContentURL string `name:"content-url" placeholder:"URL" help:"The address editors load assets and files from, if it is another host. Build the site with the same --content-url, or its page shows no pictures."`

	TrustedProxy []network `placeholder:"CIDR" help:"Believe Forwarded and X-Forwarded-* from these addresses, such as a load balancer, instead of from loopback only; the value none trusts no address. Unix sockets are always trusted. Repeatable."`

	MaxConnections int `name:"max-connections" default:"0" placeholder:"N" help:"Concurrent connections; others wait until one ends. 0: as many as the limit of open files allows, at most 10000."`
	MaxQueries     int `name:"max-queries" default:"0" placeholder:"N" help:"Concurrent queries; others wait up to 5 seconds, then get status 503. 0: four for each processor."`

	TLSCert       string `name:"tls-cert" placeholder:"FILE" help:"Certificate chain, PEM; read again when the file changes."`
	TLSKey        string `name:"tls-key" placeholder:"FILE" help:"Its private key, PEM."`
	TLSSelfSigned bool   `name:"tls-self-signed" help:"For a trial: a certificate made at start and kept in memory."`

	LogFormat string           `default:"text" enum:"text,json" help:"Log lines on stderr as text or json."`
	Quiet     bool             `short:"q" xor:"loud" help:"Log warnings and errors only, no requests."`
	Verbose   bool             `short:"v" xor:"loud" help:"Log the questions too."`
	Version   kong.VersionFlag `short:"V" env:"-" help:"Print the version and exit."`
}

// Validate refuses what cannot work before anything is opened.
func (c *Command) Validate() error {
	if c.BaseURL != "" {
		base, err := parseBase(c.BaseURL)
		if err != nil {
			return hint.Add(fmt.Errorf("--base-url %q: %w", c.BaseURL, err), "write the address that editors will use, for example https://gallery.example/tools")
		}
		c.BaseURL = base
	}
	if c.ContentURL != "" {
		content, err := parseBase(c.ContentURL)
		if err != nil {
			return hint.Add(fmt.Errorf("--content-url %q: %w", c.ContentURL, err), "write the address that editors will use, for example https://files.example")
		}
		c.ContentURL = content
	}
	if isURL(c.Index) {
		if u, err := url.Parse(c.Index); err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			return hint.Add(errors.New("--index: not the http(s) address of a folder"), "give the address below which index/CURRENT is, without a query")
		}
	}
	if err := checkIndex(c.Index); err != nil {
		return err
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil && !strings.HasPrefix(c.Listen, "unix:") {
		return hint.Add(fmt.Errorf("--listen %q: neither host:port nor unix:PATH", c.Listen), "--listen :8080 is port 8080 on every address")
	}
	if c.MaxConnections < 0 || c.MaxQueries < 0 {
		return hint.Add(errors.New("--max-connections and --max-queries: must not be negative"), "0 means the default")
	}
	if c.Reload < 0 {
		return hint.Add(fmt.Errorf("--reload %s: below zero", c.Reload), "0 means never")
	}
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return hint.Add(errors.New("--tls-cert and --tls-key: one without the other"), "--tls-self-signed needs neither")
	case c.TLSCert != "" && c.TLSSelfSigned:
		return hint.Add(errors.New("--tls-self-signed and --tls-cert: only one certificate can be shown"), "leave one out")
	}
	return nil
}

// checkIndex refuses an address that galshim cannot read: a folder of that name is not meant.
func checkIndex(index string) error {
	scheme := addresses.Scheme(index)
	if scheme == "" || isURL(index) {
		return nil
	}
	err := fmt.Errorf("--index %s: want the folder of a site, or the http(s) address where one is published", index)
	if scheme == "file" {
		return hint.Add(err, "write it as a path: %s", addresses.Path(index))
	}
	return hint.Add(err, "copy the site to a folder of this machine, and name that folder; from a target of galbuild, "+
		"galbuild pull %s -o shim --index-only --follow 30s copies the index, for: galshim --index shim --no-files", index)
}

func isURL(index string) bool {
	return strings.HasPrefix(index, "http://") || strings.HasPrefix(index, "https://")
}

// source returns where generations come from.
func (c *Command) source(log *slog.Logger) (source, error) {
	if !isURL(c.Index) {
		return folder{c.Index}, nil
	}
	cache := c.Cache
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil, hint.Add(fmt.Errorf("find a place for the index: %w", err), "name one with --cache DIR")
		}
		cache = filepath.Join(user, "galshim")
	}
	return newRemote(c.Index, cache, c.CA, log)
}

// logger returns what writes the log to stderr.
func (c *Command) logger(stderr io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelInfo}
	switch {
	case c.Quiet:
		options.Level = slog.LevelWarn
	case c.Verbose:
		options.Level = slog.LevelDebug
	}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(stderr, options))
	}
	return slog.New(slog.NewTextHandler(stderr, options))
}

// A network is a range of addresses; the zero value holds none.
type network struct{ netip.Prefix }

// UnmarshalText reads a range, a single address, or "none".
func (n *network) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "none" {
		*n = network{}
		return nil
	}
	if a, err := netip.ParseAddr(s); err == nil {
		*n = network{netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())}
		return nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return fmt.Errorf("%q is neither an address, nor a range like 10.0.0.0/8, nor none", s)
	}
	*n = network{p.Masked()}
	return nil
}
