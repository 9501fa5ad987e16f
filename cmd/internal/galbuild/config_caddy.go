package galbuild

import (
	"strings"

	"galbuild/render/deploy"
)

type caddyCmd struct {
	servedSite
	BaseURL string `placeholder:"URL" default:"http://localhost" help:"Address at which the site is served, with an optional path. For https, Caddy gets a certificate by itself, unless --cert names one."`
	Shim    string `placeholder:"HOST:PORT" default:"127.0.0.1:8080" help:"Address at which galshim listens."`
	Listen  string `placeholder:"ADDRESS" help:"HOST:PORT or :PORT at which Caddy serves plain http, if another server terminates TLS (default: the address of --base-url)."`
	Cert    string `type:"path" placeholder:"FILE" help:"TLS certificate (PEM), for an https --base-url."`
	Key     string `type:"path" placeholder:"FILE" help:"Private key of the certificate (PEM)."`
}

// Run prints the site of a Caddyfile.
func (c *caddyCmd) Run(e *env) error {
	root, err := c.root()
	if err != nil {
		return err
	}
	return deploy.Caddy{
		BaseURL: strings.TrimRight(c.BaseURL, "/"), Root: root, Shim: c.Shim, Listen: c.Listen, Cert: c.Cert, Key: c.Key,
	}.Write(e.stdout)
}
