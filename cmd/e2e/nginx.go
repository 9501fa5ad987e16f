//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"testing"

	"galbuild/cmd/e2e/installed"
)

// The rest of an nginx.conf, for a process that needs no privilege: what it
// writes is below its prefix. It knows no media types, so that all must come from
// the configuration under test.
const nginxConf = `
user %s;
daemon off;
pid nginx.pid;
error_log stderr notice;
events {}
http {
	access_log access.log;
	client_body_temp_path body;
	proxy_temp_path proxy;
	fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi;
	scgi_temp_path scgi;
	include gallery.conf;
}
`

// serveNginx puts nginx in front of g, which must serve no files itself.
func (g *gallery) serveNginx(t *testing.T, tools installed.Toolbox, a authority) {
	t.Helper()
	prefix := filepath.Join(g.dir, "nginx")
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	flags := append([]string{"nginx", g.site, "--shim", host(t, g.shim), "--cert", a.cert, "--key", a.key}, g.addresses()...)
	config := g.commands.config(t, flags...)
	if err := os.MkdirAll(prefix, 0o777); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"nginx.conf": fmt.Sprintf(nginxConf, me.Username), "gallery.conf": config}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(prefix, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	s := start(t, "nginx", g.dir, exec.Command(tools.Nginx, "-p", prefix, "-c", "nginx.conf", "-e", "stderr"))
	s.await(t, "start worker process")
}

func host(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// freePort returns a port of 127.0.0.1 that nobody listened on a moment ago: the
// address of a site behind nginx must be known when the site is built.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
