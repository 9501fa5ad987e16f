package galshim

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"

	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/version"
)

// commandLine is the command line. Every flag is also an environment variable.
type commandLine struct {
	Index  string        `complete:"path" placeholder:"SITE" group:"Site:" help:"The site: ${readable}. The flags of targets name it as well."`
	Reload time.Duration `default:"5s" group:"Site:" help:"Look for a new generation at this interval, and on SIGHUP. 0 means only on SIGHUP."`
	Cache  string        `complete:"path" placeholder:"DIR" group:"Site:" help:"Folder for the index of a site that is not a folder (default: galshim in the user's cache folder)."`

	Redirect bool `group:"Site:" help:"Redirect requests for packages to addresses of the bucket that are valid for five minutes, instead of passing the packages on. Editors must be able to reach the bucket."`
	targets.Remote

	View          []namedView `sep:"," complete:"path" placeholder:"NAME=SITE" group:"Views:" help:"Serve this view of the gallery, which galbuild view has made, below /NAME/: a folder or an http(s) address. Its files of packages are those of --index. Several can be named."`
	AccelRedirect string      `placeholder:"PATH" group:"Views:" help:"Let nginx send the files of packages, after galshim has looked up which one it is: respond with X-Accel-Redirect and this path of the folder blobs/ of --index. galbuild config nginx --view prints the configuration, with the path /_blobs."`

	Trust   []string      `sep:"none" complete:"path" placeholder:"KEY" group:"Trust:" help:"Serve only generations whose head of the history is signed with one of these minisign public keys, and is not older than the newest one that was served. A folder stands for the *.pub files in it."`
	State   string        `complete:"path" placeholder:"FILE" group:"Trust:" help:"With --trust, keep the newest head in this file, so that older ones are also refused after a restart. Each galshim needs a file of its own."`
	AtLeast int64         `placeholder:"N" group:"Trust:" help:"With --trust, refuse heads with a lower number."`
	MaxAge  time.Duration `placeholder:"DURATION" group:"Trust:" help:"With --trust, refuse a head that was signed longer ago, such as 48h. While the one that is served is older, /healthz has status 503."`

	Listen       string    `default:"127.0.0.1:8080" placeholder:"ADDRESS" group:"Addresses:" help:"Listen at this address: HOST:PORT, :PORT or unix:PATH. The value systemd means the socket that systemd has opened."`
	BaseURL      string    `name:"base-url" placeholder:"URL" group:"Addresses:" help:"Address at which editors reach the gallery, with an optional path. Without it, responses contain the address of each request, and shared caches may not store them."`
	ContentURL   string    `name:"content-url" placeholder:"URL" group:"Addresses:" help:"Address from which editors load assets and files, if it is another host. Build the site with the same --content-url, or its page shows no pictures."`
	NoFiles      bool      `group:"Addresses:" help:"Serve no files but readmes, in which galshim fills in the address of the gallery. The web server in front of galshim serves all other files and pages."`
	TrustedProxy []network `placeholder:"CIDR" group:"Addresses:" help:"Trust Forwarded and X-Forwarded-* headers from these addresses, such as those of a load balancer, instead of from loopback addresses. The value none trusts no address. Unix sockets are always trusted."`

	Tokens string `complete:"path" placeholder:"FILE" group:"Access:" help:"Serve only clients with a token of this file, in the path /t/TOKEN/… or in the header Authorization. galbuild token new adds one. The file is read again when it changes."`

	TLSCert       string `name:"tls-cert" complete:"path" placeholder:"FILE" group:"TLS:" help:"Certificate chain (PEM). It is read again when the file changes."`
	TLSKey        string `name:"tls-key" complete:"path" placeholder:"FILE" group:"TLS:" help:"Private key of the certificate (PEM)."`
	TLSSelfSigned bool   `name:"tls-self-signed" group:"TLS:" help:"Make a certificate at start and keep it in memory, for a trial."`

	MaxConnections int `name:"max-connections" placeholder:"N" group:"Limits:" help:"Concurrent connections; others wait until one ends. 0 means as many as the limit of open files allows, at most 10000."`
	MaxQueries     int `name:"max-queries" placeholder:"N" group:"Limits:" help:"Concurrent queries; others wait for up to 5 seconds, then get status 503. 0 means four for each processor."`

	ClientRate   int       `name:"client-rate" placeholder:"N" group:"Limits:" help:"Queries a second that each client may send, and --client-burst more at once; others get status 503. A client is an address, or a /64 network of IPv6. Name the proxies in front of galshim with --trusted-proxy, or all clients behind one share its limit. Files and update checks by latest are never limited (default: no limit)."`
	ClientBurst  int       `name:"client-burst" default:"200" placeholder:"N" group:"Limits:" help:"With --client-rate, queries that a client may send at once after a pause."`
	ClientExempt []network `name:"client-exempt" placeholder:"CIDR" group:"Limits:" help:"With --client-rate, do not limit clients with these addresses, such as those of servers on which many people work."`

	Metrics           string `placeholder:"HOST:PORT" group:"Metrics:" help:"Serve metrics for Prometheus at /metrics of this address, and /livez, /readyz and /healthz. It must not be reachable from outside."`
	MetricsExtensions int    `name:"metrics-extensions" placeholder:"N" group:"Metrics:" help:"With --metrics, count the downloads of up to N extensions each, and those of all others together."`

	StatsLog string `name:"stats-log" complete:"path" placeholder:"DIR" group:"Log:" help:"Count downloads, installs and uninstalls of each extension and day in files of this folder, which galshims can share. galbuild stats fold adds them to the gallery. Behind a web server that serves the files, count its access logs with galbuild stats add instead."`

	NoLogQueries bool         `name:"no-log-queries" group:"Log:" help:"Do not log what editors search for: texts, ids and platforms. Texts that people type are personal data."`
	LogFormat    string       `default:"text" enum:"text,json" group:"Log:" help:"Format of the log on standard error."`
	Quiet        bool         `short:"q" xor:"loud" group:"Log:" help:"Log warnings and errors only, and no requests."`
	Verbose      bool         `short:"v" xor:"loud" group:"Log:" help:"Also log the queries."`
	Version      version.Flag `short:"V" env:"-" help:"Print the version and exit."`

	counter *counter         // nil without StatsLog
	views   map[string]*live // by name
}

// Validate checks the flags before anything is opened.
func (c *commandLine) Validate() error {
	if c.BaseURL != "" {
		base, err := parseBase(c.BaseURL)
		if err != nil {
			return hint.Add(fmt.Errorf("--base-url=%s: %w", c.BaseURL, err), "name the address that editors will use, for example https://gallery.example/tools")
		}
		c.BaseURL = base
	}
	if c.ContentURL != "" {
		content, err := parseBase(c.ContentURL)
		if err != nil {
			return hint.Add(fmt.Errorf("--content-url=%s: %w", c.ContentURL, err), "name the address that editors will use, for example https://files.example")
		}
		c.ContentURL = content
	}
	if err := errors.Join(c.checkIndex(), c.validateTrust()); err != nil {
		return err
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil && !strings.HasPrefix(c.Listen, "unix:") && c.Listen != systemdSocket {
		return hint.Add(fmt.Errorf("--listen=%s: must be HOST:PORT, :PORT, unix:PATH or systemd", c.Listen), "--listen :8080 listens on port 8080 of every address")
	}
	if err := c.validateViews(); err != nil {
		return err
	}
	if c.MaxConnections < 0 || c.MaxQueries < 0 {
		return hint.Add(errors.New("--max-connections and --max-queries: must not be negative"), "0 means the default")
	}
	if err := c.validateMetrics(); err != nil {
		return err
	}
	if c.Reload < 0 {
		return hint.Add(fmt.Errorf("--reload=%s: must not be negative", c.Reload), "0 means only on SIGHUP")
	}
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return hint.Add(errors.New("--tls-cert and --tls-key must be given together"), "--tls-self-signed needs neither")
	case c.TLSCert != "" && c.TLSSelfSigned:
		return hint.Add(errors.New("--tls-self-signed and --tls-cert exclude each other"), "give one of them")
	}
	return nil
}

func isURL(index string) bool {
	return strings.HasPrefix(index, "http://") || strings.HasPrefix(index, "https://")
}

// logger returns a logger that writes to stderr.
func (c *commandLine) logger(stderr io.Writer) *slog.Logger {
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

// A network is a range of addresses. The zero value contains none.
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
		return fmt.Errorf("%s: must be an address, a range such as 10.0.0.0/8, or none", s)
	}
	*n = network{p.Masked()}
	return nil
}
