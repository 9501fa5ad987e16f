//go:build e2e

package installed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// nginxConf names every file that nginx writes, relative to its prefix: the paths that
// are compiled in, below /var, exist only where the Debian package is installed.
const nginxConf = `%s
pid nginx.pid;
error_log error.log notice;
events {}
http {
	access_log access.log;
	client_body_temp_path body;
	proxy_temp_path proxy;
	fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi;
	scgi_temp_path scgi;
%s
}
`

// NginxCommand writes an nginx.conf with this text in its http block into a folder, and
// returns the nginx that runs it: with the folder as its prefix and its log in error.log
// there. It knows no media types, so that all of them must come from the text. More
// arguments are nginx's own, such as -t.
func (tools Toolbox) NginxCommand(t testing.TB, dir, http string, args ...string) *exec.Cmd {
	t.Helper()
	user := ""
	if os.Geteuid() == 0 {
		user = "user root root;" // else the workers could not read what belongs to this user
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, user, http), 0o666); err != nil {
		t.Fatal(err)
	}
	return exec.Command(tools.Nginx, append([]string{"-p", dir, "-c", conf, "-e", "error.log"}, args...)...)
}
