package deploy

import (
	"io"
	"testing"
)

func TestCaddyfile(t *testing.T) {
	golden(t, "Caddyfile", Caddy{BaseURL: "https://host.example/tools/gallery", Root: `/srv/my "gallery"`, Shim: "unix:/run/galshim.sock"}.Write)
}

func TestCaddyRefuses(t *testing.T) {
	good := Caddy{BaseURL: "https://h", Root: "/s"}
	for want, spoil := range map[string]func(*Caddy){
		`base URL "h": want http:// or https://`:                                  func(c *Caddy) { c.BaseURL = "h" },
		`root: the folder of the site is not given`:                               func(c *Caddy) { c.Root = "" },
		`root "site": want an absolute path`:                                      func(c *Caddy) { c.Root = "site" },
		"root \"/s/`x\": Caddy does not support a path with braces or backquotes": func(c *Caddy) { c.Root = "/s/`x" },
		`root "/s/{x}": Caddy does not support a path with braces or backquotes`:  func(c *Caddy) { c.Root = "/s/{x}" },
		`certificate and key: want both or none`:                                  func(c *Caddy) { c.Cert = "/c" },
		`certificate: Caddy needs one only for an https base URL, and if no other server terminates TLS`: func(c *Caddy) {
			c.BaseURL, c.Cert, c.Key = "http://h", "/c", "/k"
		},
		`shim "127.0.0.1": want host:port or unix:/path`: func(c *Caddy) { c.Shim = "127.0.0.1" },
		`listen ":80 {": want host:port or :port`:        func(c *Caddy) { c.Listen = ":80 {" },
	} {
		c := good
		spoil(&c)
		if err := c.Write(io.Discard); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
