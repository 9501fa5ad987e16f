package galbuild

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"galbuild/build/atomicfile"
	"galbuild/build/units"
	"galbuild/render/deploy"
	"galbuild/render/gallery"
)

type nginxCmd struct {
	servedSite
	BaseURL    string   `placeholder:"URL" default:"http://localhost" help:"Address at which the site is served, with an optional path."`
	ContentURL string   `placeholder:"URL" help:"Address from which editors load assets and files, if it is another host; nginx then gets a second server for them."`
	Shim       string   `placeholder:"HOST:PORT" default:"127.0.0.1:8080" help:"Address at which galshim listens."`
	Listen     string   `placeholder:"ADDRESS" help:"Address at which nginx listens (default: the ports of --base-url and --content-url)."`
	ServerName string   `placeholder:"NAME" help:"Value of nginx's server_name (default: the host of --base-url)."`
	Cert       string   `type:"path" placeholder:"FILE" help:"TLS certificate (PEM), for an https --base-url."`
	Key        string   `type:"path" placeholder:"FILE" help:"Private key of the certificate (PEM)."`
	Part       string   `enum:"all,http,server" default:"all" help:"What to print: everything (all), or a part for a host that already has a server block: its locations (server), or what belongs in http { } (http), including a server for the gallery at --listen or 127.0.0.1:8081."`
	View       []string `placeholder:"NAME" help:"Also serve this view, below /NAME/, as galshim --view does. Several can be named."`
	Tokens     bool     `env:"-" help:"Serve only clients with a token, which galshim --tokens checks. It makes the responses that have addresses; build the site without --base-url."`
	AccessLog  string   `type:"path" placeholder:"FILE" help:"With --tokens, nginx's access log, in which tokens are masked (default: /var/log/nginx/access.log)."`
	ClientCA   string   `name:"client-ca" type:"path" placeholder:"FILE" help:"Serve only clients with a certificate of an authority in this file (PEM)."`
	RateLimit  int      `placeholder:"N" help:"Number of queries per second that one client address may send, with a burst of 1000. Clients that share an address share the limit (default: no limit)."`
	Output     string   `short:"o" complete:"path" placeholder:"FILE" help:"Write to this file instead of standard output, such as in a container without a shell."`

	Cache    units.Size `placeholder:"SIZE" help:"Keep up to this much of the responses of galshim to queries for five seconds, such as 256MB (default: no cache)."`
	CacheDir string     `type:"path" placeholder:"DIR" help:"Folder for --cache (default: one below /var/cache)."`
}

// Validate implements Kong's hook.
func (n *nginxCmd) Validate() error {
	if n.RateLimit < 0 {
		return fmt.Errorf("--rate-limit=%d: must not be negative", n.RateLimit)
	}
	return checkAddresses(n.BaseURL, n.ContentURL)
}

// Run prints the configuration of nginx.
func (n *nginxCmd) Run(e *env) error {
	root, err := n.root()
	if err != nil {
		return err
	}
	conf := deploy.Nginx{
		BaseURL: strings.TrimRight(n.BaseURL, "/"), ContentURL: strings.TrimRight(n.ContentURL, "/"), Root: root,
		Shim: n.Shim, Listen: n.Listen, ServerName: n.ServerName, Cert: n.Cert, Key: n.Key, RateLimit: n.RateLimit,
		Behind: n.Part != "all", Tokens: n.Tokens, AccessLog: n.AccessLog, ClientCA: n.ClientCA, Views: n.View,
		Cache: int64(n.Cache), CacheDir: n.CacheDir,
	}
	n.warnOfBase(e)
	write := conf.Write
	if n.Part == "server" {
		write = conf.WriteLocations
	}
	if n.Output == "" {
		return write(e.stdout)
	}
	return atomicfile.Replace(n.Output, atomicfile.FileMode, func(f *os.File) error { return write(f) })
}

// warnOfBase warns of a site whose files have addresses without a token.
func (n *nginxCmd) warnOfBase(e *env) {
	if !n.Tokens {
		return
	}
	if _, err := os.Stat(filepath.Join(n.Site, gallery.ManifestPath)); err == nil {
		e.log.Warn(fmt.Sprintf("%s was built with --base-url: clients with a token in the path see no pictures in its readmes; build it again with --no-base-url", n.Site))
	}
}
