//go:build e2e

package toolchain

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// nginxConf names every file that nginx writes, relative to its prefix. The default paths
// below /var exist only if the Debian package is installed.
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
// returns a command that runs nginx with it. The folder is nginx's prefix, and error.log in
// it the log. This nginx has no media types, so all of them must come from the text.
// Further arguments are passed to nginx, such as -t.
func (tools Toolbox) NginxCommand(t testing.TB, dir, http string, args ...string) *exec.Cmd {
	t.Helper()
	user := ""
	if os.Geteuid() == 0 {
		user = "user root root;" // otherwise the workers could not read files of this user
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
