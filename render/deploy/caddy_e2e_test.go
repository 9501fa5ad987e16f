//go:build e2e

package deploy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"galbuild/build/porttest"
	"galbuild/cmd/e2e/toolchain"
)

// caddy runs the printed sites, and returns a client that connects to it for every host.
func caddy(t *testing.T, sites ...Caddy) *http.Client {
	t.Helper()
	tools, dir := toolchain.Tools(t), t.TempDir()
	plain, secure := porttest.Address(t), porttest.Address(t)
	text := bytes.NewBufferString(fmt.Sprintf("{\n\tadmin off\n\tauto_https disable_redirects\n\thttp_port %s\n\thttps_port %s\n}\n", portOf(plain), portOf(secure)))
	for _, c := range sites {
		if err := c.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	writeInto(t, dir, "Caddyfile", text.String(), 0o644)
	command := exec.Command(tools.Caddy, "run", "--config", filepath.Join(dir, "Caddyfile"))
	command.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	log, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command.Process.Signal(syscall.SIGTERM)
		command.Wait()
	})
	awaitCaddy(t, log)
	return &http.Client{
		Transport: &http.Transport{
			DisableCompression: true, ForceAttemptHTTP2: true,
			DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
				to := plain
				if portOf(address) == "443" {
					to = secure
				}
				return new(net.Dialer).DialContext(ctx, "tcp", to)
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func portOf(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

// awaitCaddy waits until Caddy serves its configuration, and then reads its log to the end.
func awaitCaddy(t *testing.T, log io.Reader) {
	t.Helper()
	var lines []string
	for in := bufio.NewScanner(log); in.Scan(); {
		if lines = append(lines, in.Text()); strings.Contains(in.Text(), "serving initial configuration") {
			go io.Copy(io.Discard, log)
			return
		}
	}
	t.Fatalf("Caddy ended:\n%s", strings.Join(lines, "\n"))
}

// TestCaddy makes the requests of the tests of nginx to two galleries in one Caddy: at the root of
// a host, and below a path with TLS.
func TestCaddy(t *testing.T) {
	certified := httptest.NewTLSServer(http.NotFoundHandler()) // only for its certificate for example.com
	defer certified.Close()
	cert, key := writeCertificate(t, certified)
	shim := strings.TrimPrefix(fakeShim(t).URL, "http://")
	table, checkTable := makeTable(t)
	root := Caddy{BaseURL: "http://gallery.example", Root: table, Shim: shim}
	sub := Caddy{BaseURL: "https://example.com/tools/gallery", Root: makeSite(t), Shim: shim, Cert: cert, Key: key}
	client := caddy(t, root, sub)
	roots := x509.NewCertPool()
	roots.AddCert(certified.Certificate())
	client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
	for _, c := range []Caddy{root, sub} {
		t.Run(c.BaseURL, func(t *testing.T) { runProbes(t, client, c.BaseURL) })
	}
	runOutside(t, client, sub.BaseURL)
	checkTable(client)
	t.Run("forged headers", func(t *testing.T) {
		p := fromShim("/api/x")
		p.header = map[string]string{"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", "X-Forwarded-Prefix": "/evil",
			"X-Forwarded-Port": "666", "X-Forwarded-Proto": "ftp", "X-Forwarded-For": "192.0.2.1"}
		p.run(t, client, root.BaseURL)
	})
}
