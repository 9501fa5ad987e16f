//go:build e2e

// Package toolchain provides the components that the end-to-end tests drive: node, npm,
// yarn, vsce, code-server, playwright-core, minisign, nginx and Chromium. Every such test
// gets them here, and none is skipped: a component that cannot be installed fails the
// test and is named.
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
//   - The system's own nginx, node, npm, yarn, Chromium, minisign and similar, and their
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
	Minisign   string // program
	Nginx      string // program; see NginxCommand
	Chromium   string // program
}

// Tools runs install.sh, which does nothing if all is there. The components are in
// galbuild-e2e in the user's cache folder; the first run takes minutes and tells its
// progress on standard error.
func Tools(t testing.TB) Toolbox {
	t.Helper()
	// Not on standard input, from which the programs it starts could read.
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
		Minisign:   located(t, found, "minisign"),
		Nginx:      located(t, found, "nginx"),
		Chromium:   located(t, found, "chromium"),
	}
}

// cacheDir returns the folder of all components.
func cacheDir(t testing.TB) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatalf("find the user's cache folder: %v", err)
	}
	return filepath.Join(cache, "galbuild-e2e")
}

func located(t testing.TB, found map[string]string, name string) string {
	t.Helper()
	if _, err := os.Stat(found[name]); err != nil {
		t.Fatalf("install.sh says %s is at %q: %v", name, found[name], err)
	}
	return found[name]
}

// Environ returns what vsce, npm and yarn run in: these components come first in
// PATH, and nothing is coloured, written for GitHub's log, or said about updates.
func (tools Toolbox) Environ() []string {
	env := slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "GITHUB_ACTIONS=") })
	path := []string{filepath.Dir(tools.Node), filepath.Dir(tools.NPM), filepath.Dir(tools.Yarn), os.Getenv("PATH")}
	return append(env, "PATH="+strings.Join(path, string(filepath.ListSeparator)),
		"NO_COLOR=1", "npm_config_update_notifier=false")
}

// What vsce looks for secrets with keeps each mark it sets on the clock, and searches
// all of them at the next: a process that packs hundreds of times would take minutes.
const noMarks = `--import=data:text/javascript,import hooks from "node:perf_hooks"; hooks.performance.mark = () => {}`

// Ask runs a script in node. It reads the question from standard input and writes
// the answer to standard output, both as JSON; answer points to where that goes.
func (tools Toolbox) Ask(t testing.TB, question, answer any, script string, args ...string) {
	t.Helper()
	in, err := json.Marshal(question)
	if err != nil {
		t.Fatal(err)
	}
	node := exec.Command(tools.Node, append([]string{noMarks, script}, args...)...)
	node.Env, node.Stdin, node.Stderr = tools.Environ(), bytes.NewReader(in), os.Stderr
	out, err := node.Output()
	if err == nil {
		err = json.Unmarshal(out, answer)
	}
	if err != nil {
		t.Fatalf("node %s: %v", script, err)
	}
}
