//go:build e2e

// Package toolchain provides the components that end-to-end tests use: node, npm, yarn, vsce,
// code-server, playwright-core, axe-core, Lighthouse, Helm, the schemas of Kubernetes, minisign,
// nginx, Caddy, systemd-analyze, Chromium, zsh, fish, mandoc, Prometheus and oauth2-proxy. No test
// is skipped: if a component cannot be installed, the test fails and names it.
//
// # Where the components are
//
// install.sh puts all of them into galbuild-e2e in the user's cache folder, about
// 1.3 GB, each in a folder named after its version, or after the Debian release where
// apt-get chooses the version. Packages of Debian are unpacked there with all their
// libraries but libc, and a wrapper script in bin/ runs the program with these. Nothing
// is installed into the system, and root is not needed. publish/target/s3/s3test builds versitygw
// into the same folder.
//
// # A new machine
//
// Tests must not pass only because of what is installed on a machine. That happened once,
// with an nginx that needed folders which only an installed nginx has. Therefore `make e2e`
// runs the tests with masked.sh, in a mount namespace and with a new environment:
//
//   - HOME is an empty folder, removed afterwards. Go's caches and the components are
//     passed by GOMODCACHE, GOCACHE and XDG_CACHE_HOME.
//   - PATH has Go and the system's folders, and of the other variables only those that
//     name proxies, certificates, Go's settings and TMPDIR are kept.
//   - The system's own nginx, node, npm, yarn, Chromium, minisign, zsh and so on, and their
//     folders, are covered by empty ones that cannot be written to. So are fonts, media
//     types, time zones and tools that a small system does not have.
//
// Tests of this package fail if a component outside of the cache could be used. So they also
// fail on a machine that has such components and runs the tests without masked.sh.
package toolchain

import (
	"bytes"
	_ "embed" // install.sh
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

//go:embed install.sh
var script string

// A Toolbox is where the components are; all paths are absolute.
type Toolbox struct {
	Node       string // program
	NPM        string // program that looks for node in PATH: see Environ
	Yarn       string // likewise, version 1
	VSCE       string // script for node, in the folder of the npm package @vscode/vsce
	CodeServer string // folder of the npm package
	Playwright string // folder of the npm package playwright-core
	Axe        string // script of axe-core, which checks pages for accessibility
	Lighthouse string // script of Lighthouse, which rates pages
	Helm       string // program
	Kubernetes string // folder of the OpenAPI schemas of Kubernetes, and of the CRD of ServiceMonitors
	Minisign   string // program
	Nginx      string // program; see NginxCommand
	Chromium   string // program
	Zsh        string // program, with all its modules
	Fish       string // program
	Mandoc     string // program
	Prometheus string // program
	Promtool   string // program, which checks files for Prometheus

	OAuth2Proxy           string // program
	Caddy                 string // program
	SystemdAnalyze        string // program
	SystemdSocketActivate string // program
	SystemdUnits          string // folder of the units of the system
}

// Tools runs install.sh, which does nothing if all components are installed. They are in
// galbuild-e2e in the user's cache folder. The first run takes minutes and prints its progress on
// standard error.
func Tools(t testing.TB) Toolbox {
	t.Helper()
	// The script is not on standard input, because the programs that it starts could read that.
	install := exec.Command("bash", "-c", script, "install.sh", cacheDir(t))
	install.Stderr = os.Stderr
	out, err := install.Output()
	if err != nil {
		t.Fatalf("install.sh: %v; what failed is named above", err)
	}
	found := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, path, _ := strings.Cut(strings.TrimSpace(line), "=")
		found[name] = path
	}
	return Toolbox{
		Node:       located(t, found, "node"),
		NPM:        located(t, found, "npm"),
		Yarn:       located(t, found, "yarn"),
		VSCE:       located(t, found, "vsce"),
		CodeServer: located(t, found, "code-server"),
		Playwright: located(t, found, "playwright"),
		Axe:        located(t, found, "axe"),
		Lighthouse: located(t, found, "lighthouse"),
		Helm:       located(t, found, "helm"),
		Kubernetes: located(t, found, "kubernetes"),
		Minisign:   located(t, found, "minisign"),
		Nginx:      located(t, found, "nginx"),
		Chromium:   located(t, found, "chromium"),
		Zsh:        located(t, found, "zsh"),
		Fish:       located(t, found, "fish"),
		Mandoc:     located(t, found, "mandoc"),
		Prometheus: located(t, found, "prometheus"),
		Promtool:   located(t, found, "promtool"),

		OAuth2Proxy:           located(t, found, "oauth2-proxy"),
		Caddy:                 located(t, found, "caddy"),
		SystemdAnalyze:        located(t, found, "systemd-analyze"),
		SystemdSocketActivate: located(t, found, "systemd-socket-activate"),
		SystemdUnits:          located(t, found, "systemd-units"),
	}
}

// cacheDir returns the folder of all components. It may be a link to another disk, which tests that
// run components in a root of their own would not find.
func cacheDir(t testing.TB) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatalf("find the user's cache folder: %v", err)
	}
	dir := filepath.Join(cache, "galbuild-e2e")
	if target, err := filepath.EvalSymlinks(dir); err == nil {
		return target
	}
	return dir
}

// located returns the path of a component, which exists.
func located(t testing.TB, found map[string]string, name string) string {
	t.Helper()
	if _, err := os.Stat(found[name]); err != nil {
		t.Fatalf("install.sh printed %q as the path of %s: %v", found[name], name, err)
	}
	return found[name]
}

// Environ returns the environment of vsce, npm and yarn. These components are first in PATH, and
// output has no colours, no commands for GitHub's log, and no notices of updates.
func (tools Toolbox) Environ() []string {
	env := slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "GITHUB_ACTIONS=") })
	path := []string{filepath.Dir(tools.Node), filepath.Dir(tools.NPM), filepath.Dir(tools.Yarn), os.Getenv("PATH")}
	return append(env, "PATH="+strings.Join(path, string(filepath.ListSeparator)),
		"NO_COLOR=1", "npm_config_update_notifier=false")
}

// withoutMarks is an argument of node: performance.mark does nothing. The library with which
// vsce searches for secrets keeps all its marks and searches them for each new one, so a process
// that packs hundreds of times would take minutes.
const withoutMarks = `--import=data:text/javascript,import hooks from "node:perf_hooks"; hooks.performance.mark = () => {}`

// RunScript runs a script in node. The script reads the input from standard input and writes its
// output to standard output, both as JSON. output is a pointer.
func (tools Toolbox) RunScript(t testing.TB, input, output any, script string, args ...string) {
	t.Helper()
	in, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	node := exec.Command(tools.Node, append([]string{withoutMarks, script}, args...)...)
	node.Env, node.Stdin, node.Stderr = tools.Environ(), bytes.NewReader(in), os.Stderr
	out, err := node.Output()
	if err == nil {
		err = json.Unmarshal(out, output)
	}
	if err != nil {
		t.Fatalf("node %s: %v", script, err)
	}
}
