//go:build e2e

package e2e

import (
	"fmt"
	"net/url"
	"path/filepath"
	"testing"

	"galbuild/build/porttest"
	"galbuild/cmd/e2e/toolchain"
)

// serveNginx runs nginx in front of galshim, with the printed configuration.
func (g *gallery) serveNginx(t testing.TB, tools toolchain.Toolbox, a authority) {
	t.Helper()
	flags := append([]string{"nginx", g.site, "--shim", host(t, g.shim), "--cert", a.cert, "--key", a.key}, g.addresses()...)
	g.startNginx(t, tools, g.commands.config(t, flags...))
}

// startNginx runs nginx in the foreground with this configuration.
func (g *gallery) startNginx(t testing.TB, tools toolchain.Toolbox, config string) {
	t.Helper()
	nginx := tools.NginxCommand(t, filepath.Join(g.dir, "nginx"), config, "-g", "daemon off; error_log stderr notice;")
	start(t, "nginx", g.dir, nginx).await(t, "start worker process")
}

// serveFiles runs nginx with the site's files alone, at the path of the gallery on another host.
func (g *gallery) serveFiles(t testing.TB, tools toolchain.Toolbox) {
	t.Helper()
	base, err := url.Parse(g.base)
	if err != nil {
		t.Fatal(err)
	}
	address := porttest.Address(t)
	g.files = "http://" + address + base.Path
	config := fmt.Sprintf(`server { listen %s; location %s/ { alias %q; types {
		text/html html; text/css css; text/javascript js; application/json json; image/svg+xml svg; image/png Default; } } }`, address, base.Path, g.site+"/")
	nginx := tools.NginxCommand(t, filepath.Join(g.dir, "nginx-files"), config, "-g", "daemon off; error_log stderr notice;")
	start(t, "nginx-files", g.dir, nginx).await(t, "start worker process")
}

func host(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}
