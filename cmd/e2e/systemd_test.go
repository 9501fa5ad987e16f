//go:build e2e

package e2e

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"galbuild/build/porttest"
)

// socketActivation starts galshim with the socket that systemd's own program passes to it, at the
// first connection, and checks what galshim tells systemd about its state.
func socketActivation(t *testing.T, s suite, site string) {
	dir := t.TempDir()
	states, name := listenForStates(t)
	address := porttest.Address(t)
	command := exec.Command(s.tools.SystemdSocketActivate, "--listen="+address, "--setenv=NOTIFY_SOCKET="+name, s.commands.galshim, "--listen", "systemd", "--index", site)
	service := start(t, "galshim", dir, command)
	service.await(t, "Listening on "+address)
	response, err := http.Get("http://" + address + "/healthz") // this connection starts galshim
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(body), `"status":"ok"`) {
		t.Errorf("%s, %v: %s", response.Status, err, body)
	}
	service.await(t, "msg=listening addr=http://"+address)
	if got := readState(t, states); got != "READY=1" {
		t.Errorf("after the start: %q", got)
	}
	service.stop(t)
	if got := readState(t, states); got != "STOPPING=1" {
		t.Errorf("after SIGTERM: %q", got)
	}
}

// listenForStates opens a socket like that of systemd for the states of services.
func listenForStates(t *testing.T) (*net.UnixConn, string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "notify") // the path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	name := filepath.Join(dir, "s")
	states, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { states.Close() })
	return states, name
}

func readState(t *testing.T, states *net.UnixConn) string {
	t.Helper()
	buffer := make([]byte, 1024)
	if err := states.SetReadDeadline(time.Now().Add(startTimeout)); err != nil {
		t.Fatal(err)
	}
	n, err := states.Read(buffer)
	if err != nil {
		t.Fatal(err)
	}
	return string(buffer[:n])
}
