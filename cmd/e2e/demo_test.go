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
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"galbuild/build/porttest"
)

// withoutNetwork is set if TestDemo runs again in a separate network namespace.
const withoutNetwork = "GALBUILD_E2E_WITHOUT_NETWORK"

// TestDemo runs `make demo` in a new copy of the repository. The path has a space, files are
// private by default, and there is no network. It must serve a query and a page, and end on Ctrl-C.
func TestDemo(t *testing.T) {
	if os.Getenv(withoutNetwork) == "" {
		runWithoutNetwork(t)
		return
	}
	loopbackUp(t)
	clone, artefacts := filepath.Join(t.TempDir(), "a clone"), t.TempDir()
	copyRepository(t, clone)
	address := porttest.Address(t)
	demo := exec.Command("sh", "-c", `umask 077 && cd "$1" && exec make demo LISTEN="$2"`, "sh", clone, address)
	s := start(t, "make-demo", artefacts, demo)
	s.await(t, "msg=listening")

	query := `{"filters":[{"criteria":[{"filterType":7,"value":"acme.hello"}]}],"flags":914}`
	wantBody(t, `"extensionName":"hello"`)(http.Post("http://"+address+"/api/extensionquery", "application/json", strings.NewReader(query)))
	wantBody(t, "<html")(http.Get("http://" + address + "/"))
	if text := tail(s.log, 1000); !strings.Contains(text, "EXTENSIONS_GALLERY") || !strings.Contains(text, "http://"+address+"/ ") {
		t.Errorf("make demo does not print the configuration of the editor and the address:\n%s", text)
	}

	// A terminal sends this to the whole process group.
	if err := syscall.Kill(-demo.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.exit:
	case <-time.After(stopTimeout):
		t.Fatalf("make demo still runs %s after Ctrl-C", stopTimeout)
	}
	if c, err := net.Dial("tcp", address); err == nil {
		c.Close()
		t.Error("galshim still listens after Ctrl-C")
	}
}

// runWithoutNetwork runs the calling test again in a network namespace that has only a
// loopback interface, which is down.
func runWithoutNetwork(t *testing.T) {
	t.Helper()
	again := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	again.Env = append(os.Environ(), withoutNetwork+"=1")
	again.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Geteuid() != 0 {
		again.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		again.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		again.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	if out, err := again.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("without a network: %v\n%s", err, out)
	}
}

// loopbackUp starts the loopback interface, and checks that there is no other.
func loopbackUp(t *testing.T) {
	t.Helper()
	interfaces, err := net.Interfaces()
	if err != nil || len(interfaces) != 1 {
		t.Fatalf("the network interfaces are %v (%v), want one", interfaces, err)
	}
	request, err := unix.NewIfreq(interfaces[0].Name)
	if err != nil {
		t.Fatal(err)
	}
	request.SetUint16(unix.IFF_UP)
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(socket)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request); err != nil {
		t.Fatalf("start the loopback interface: %v", err)
	}
}

// copyRepository copies the files that are in git, or would be after `git add`.
func copyRepository(t *testing.T, to string) {
	t.Helper()
	root := filepath.Join("..", "..")
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files in the repository: %v", err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		source, target := filepath.Join(root, name), filepath.Join(to, name)
		info, err := os.Stat(source)
		if os.IsNotExist(err) {
			continue // deleted, and not yet committed
		}
		if err == nil {
			err = os.MkdirAll(filepath.Dir(target), 0o777)
		}
		var text []byte
		if err == nil {
			text, err = os.ReadFile(source)
		}
		if err == nil {
			err = os.WriteFile(target, text, info.Mode())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// wantBody returns a check of a response: status 200, and this text in the body.
func wantBody(t *testing.T, want string) func(*http.Response, error) {
	return func(response *http.Response, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: %s, %.300q (%v); want 200 and %q in it", response.Request.URL, response.Status, body, err, want)
		}
	}
}
