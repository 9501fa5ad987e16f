//go:build e2e

package toolchain

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// runMasked is the hint when one of these tests fails.
const runMasked = "run the test by `make e2e`, which covers it"

// TestNothingOutsideTheCache fails if a test could use a component of the system, its
// folders, or a user's setting, instead of what is in the cache.
func TestNothingOutsideTheCache(t *testing.T) {
	tools := Tools(t)
	for _, path := range []string{tools.Node, tools.NPM, tools.Yarn, tools.VSCE, tools.CodeServer,
		tools.Playwright, tools.Axe, tools.Lighthouse, tools.Helm, tools.Kubernetes, tools.Minisign, tools.Nginx, tools.Chromium, tools.Zsh, tools.Fish, tools.Mandoc,
		tools.Prometheus, tools.OAuth2Proxy, tools.Caddy, tools.SystemdAnalyze, tools.SystemdSocketActivate} {
		if !strings.HasPrefix(path, cacheDir(t)+"/") {
			t.Errorf("%s is outside the cache", path)
		}
	}
	for _, name := range []string{"nginx", "node", "nodejs", "npm", "npx", "yarn", "yarnpkg", "corepack", "vsce",
		"code-server", "chromium", "chromium-browser", "google-chrome", "minisign", "versitygw", "helm", "kubectl", "zsh", "fish", "mandoc", "prometheus", "promtool", "oauth2-proxy", "caddy", "systemd-analyze", "systemd-socket-activate"} {
		if path, err := exec.LookPath(name); err == nil {
			t.Errorf("%s can be run; %s", path, runMasked)
		}
	}
	for _, path := range []string{"/etc/nginx", "/usr/share/nginx", "/var/lib/nginx", "/var/log/nginx",
		"/usr/lib/node_modules", "/usr/local/lib/node_modules", "/usr/share/nodejs", "/usr/include/node",
		"/etc/npmrc", "/usr/etc/npmrc", "/etc/chromium.d", "/usr/lib/chromium", "/usr/share/zsh", "/usr/share/fish", "/etc/caddy", "/opt/google/chrome"} {
		wantNothing(t, path)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".npmrc", ".yarnrc", ".vsce", ".nvm", ".minisign", ".aws"} {
		wantNothing(t, filepath.Join(home, name))
	}
}

// wantNothing checks that a path is absent, empty, or an empty folder that cannot be
// written to.
func wantNothing(t *testing.T, path string) {
	t.Helper()
	switch info, err := os.Stat(path); {
	case os.IsNotExist(err):
	case err != nil:
		t.Error(err)
	case info.IsDir():
		entries, err := os.ReadDir(path)
		if err != nil || len(entries) > 0 {
			t.Errorf("%s has %d entries, want none (%v); %s", path, len(entries), err, runMasked)
		}
		if err := os.Mkdir(filepath.Join(path, "body"), 0o777); err == nil {
			os.Remove(filepath.Join(path, "body"))
			t.Errorf("%s can be written to; %s", path, runMasked)
		}
	case info.Size() > 0:
		t.Errorf("%s has %d bytes, want none; %s", path, info.Size(), runMasked)
	}
}

// TestLibraries runs the programs of Debian packages and checks which libraries they load:
// only those of libc may be the system's.
func TestLibraries(t *testing.T) {
	tools, dir := Tools(t), t.TempDir()
	nginx := tools.NginxCommand(t, dir, "", "-g", "daemon off; error_log stderr notice;")
	chromium := exec.Command(tools.Chromium, "--headless", "--no-sandbox", "--disable-gpu",
		"--user-data-dir="+filepath.Join(dir, "profile"), "--remote-debugging-port=0", "about:blank")
	minisign := exec.Command(tools.Minisign, "-G", "-s", filepath.Join(dir, "key"), "-p", filepath.Join(dir, "key.pub"))
	for _, program := range []struct {
		command *exec.Cmd
		started string // what it prints when all is loaded
	}{
		{nginx, "start worker process"}, {chromium, "DevTools listening"}, {minisign, "Please enter a password"},
	} {
		t.Run(filepath.Base(program.command.Path), func(t *testing.T) {
			libraries := loaded(t, program.command, program.started)
			if len(libraries) < 3 {
				t.Errorf("found only %q", libraries)
			}
			for _, path := range libraries {
				if !strings.HasPrefix(path, cacheDir(t)+"/") && !partOfLibc(path) {
					t.Errorf("it uses %s, which is outside the cache", path)
				}
			}
		})
	}
}

func partOfLibc(path string) bool {
	name, _, _ := strings.Cut(filepath.Base(path), ".")
	return strings.HasPrefix(name, "libnss_") || // which /etc/nsswitch.conf names
		slices.Contains([]string{"libc", "libm", "libdl", "libpthread", "librt", "libresolv", "libutil", "ld-linux-x86-64"}, name)
}

// loaded returns the libraries that a command and its children have mapped when it prints
// the text that shows it has started. Then it kills the command.
func loaded(t *testing.T, command *exec.Cmd, started string) []string {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	input, err := command.StdinPipe() // left open, because minisign waits for a password
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	command.Stdout, command.Stderr = write, write
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = command.Start()
	write.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer command.Wait()
	defer syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
	awaitText(t, read, started)
	var libraries []string
	for _, pid := range processGroup(t, command.Process.Pid) {
		libraries = append(libraries, mapped(pid)...)
	}
	slices.Sort(libraries)
	return slices.Compact(libraries)
}

// awaitText reads until it finds a text, for at most a minute.
func awaitText(t *testing.T, from *os.File, text string) {
	t.Helper()
	if err := from.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	var seen strings.Builder
	for r := bufio.NewReader(from); !strings.Contains(seen.String(), text); {
		c, err := r.ReadByte()
		if err != nil {
			t.Fatalf("it did not print %q but: %s (%v)", text, &seen, err)
		}
		seen.WriteByte(c)
	}
}

// processGroup returns the processes of a group.
func processGroup(t *testing.T, group int) (pids []int) {
	t.Helper()
	folders, err := fs.Glob(os.DirFS("/proc"), "[0-9]*")
	if err != nil || len(folders) == 0 {
		t.Fatalf("/proc: %v, %v", folders, err)
	}
	for _, name := range folders {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if g, err := syscall.Getpgid(pid); err == nil && g == group {
			pids = append(pids, pid)
		}
	}
	return pids
}

// mapped returns the shared libraries in a process's memory, or nothing if the process has
// ended.
func mapped(pid int) (paths []string) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		_, path, ok := strings.Cut(strings.TrimSpace(line), " /")
		if ok && strings.Contains(filepath.Base(path), ".so") && path != "etc/ld.so.cache" {
			paths = append(paths, "/"+path)
		}
	}
	return paths
}
