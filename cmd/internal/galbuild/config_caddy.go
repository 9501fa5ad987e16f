package galbuild

import (
	"path/filepath"
	"strings"

	"galbuild/render/deploy"
)

type caddyCmd struct {
	Site    string `arg:"" default:"site" type:"site" help:"Folder of the site."`
	BaseURL string `placeholder:"URL" default:"http://localhost" help:"Address at which the site is served, with an optional path. For https, Caddy gets a certificate by itself, unless --cert names one."`
	Shim    string `placeholder:"HOST:PORT" default:"127.0.0.1:8080" help:"Address at which galshim listens."`
	Listen  string `placeholder:"ADDRESS" help:"HOST:PORT or :PORT at which Caddy serves plain http, if another server terminates TLS (default: the address of --base-url)."`
	Cert    string `type:"path" placeholder:"FILE" help:"TLS certificate (PEM), for an https --base-url."`
	Key     string `type:"path" placeholder:"FILE" help:"Private key of the certificate (PEM)."`
	NoCheck bool   `help:"Do not check that the site exists on this machine."`
}

// Run prints the site of a Caddyfile.
func (c *caddyCmd) Run(e *env) error {
	root, err := filepath.Abs(c.Site)
	if err != nil {
		return err
	}
	if err := (&nginxCmd{Site: c.Site, NoCheck: c.NoCheck}).checkSite(); err != nil {
		return err
	}
	return deploy.Caddy{
		BaseURL: strings.TrimRight(c.BaseURL, "/"), Root: root, Shim: c.Shim, Listen: c.Listen, Cert: c.Cert, Key: c.Key,
	}.Write(e.stdout)
}
