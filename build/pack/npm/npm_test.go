package npm_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"galbuild/build/pack/npm"
)

func TestNextVersion(t *testing.T) {
	// Recorded from npm version of npm 11.19, except for the build after a +, which npm drops.
	for _, c := range []struct{ current, word, want string }{
		{"1.2.3", "patch", "1.2.4"},
		{"1.2.3", "minor", "1.3.0"},
		{"1.2.3", "major", "2.0.0"},
		{"1.2.3-beta.1", "patch", "1.2.3"},
		{"1.3.0-beta", "minor", "1.3.0"},
		{"1.3.1-beta", "minor", "1.4.0"},
		{"2.0.0-rc", "major", "2.0.0"},
		{"2.1.0-rc", "major", "3.0.0"},
		{"1.2.3+build", "patch", "1.2.4"},
		{"1.2.3", "v1.4.0", "1.4.0"},
		{"1.2.3", "1.4.0-pre+b", "1.4.0-pre+b"},
		{"nonsense", "1.4.0", "1.4.0"},
		{"nonsense", "patch", ""},
		{"1.2.3", "nonsense", ""},
		{"1.2.3", "=1.4.0", ""},
		{"1.2.3", "1.4", ""},
		{"1.2.3", "01.2.3", ""},
		{"1.2.3", "prerelease", ""},
		{"1.2.3", "", ""},
	} {
		got, err := npm.NextVersion(c.current, c.word)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("NextVersion(%q, %q) = %q, %v; want %q", c.current, c.word, got, err, c.want)
		}
	}
}

func TestIsVersion(t *testing.T) {
	for word, want := range map[string]bool{
		"patch": true, "from-git": true, "1.2.3": true, "v1.2.3": true, "1.2.3-x": true,
		"./patch": false, "1.2": false, "": false, "v": false, "ext": false, ".": false, "Patch": false,
	} {
		if got := npm.IsVersion(word); got != want {
			t.Errorf("IsVersion(%q) = %v", word, got)
		}
	}
}

func TestRead(t *testing.T) {
	for text, want := range map[string]npm.Package{
		`{"name": "a", "version": "1.0.0", "scripts": {"vscode:prepublish": "make"}}`: {Name: "a", Version: "1.0.0", Prepublish: true},
		`{"name": 5, "version": ["x"], "scripts": "make", "vsce": true}`:              {},
		`{"engines": {"vscode": "^1.80.0"}}`:                                          {Engine: "^1.80.0"},
		`{"engines": "^1.80.0"}`:                                                      {},
		`{"scripts": {"vscode:prepublish": ""}}`:                                      {},
		`{"scripts": {"vscode:prepublish": null, "test": 1}}`:                         {},
		`[]`: {}, `{"name": "a"`: {}, ``: {}, `null`: {},
	} {
		f := npm.Folder{Path: folder(t, "package.json", text)}
		got, err := f.Read()
		if err != nil || got.Name != want.Name || got.Version != want.Version || got.Engine != want.Engine || got.Prepublish != want.Prepublish || len(got.Settings) != 0 {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
	f := npm.Folder{Path: folder(t, "package.json", `{"vsce": {"yarn": true}}`)}
	if got, err := f.Read(); err != nil || string(got.Settings["yarn"]) != "true" {
		t.Errorf("settings: got %+v, %v", got, err)
	}
}

func TestTool(t *testing.T) {
	yes, no := true, false
	const required = `{"devEngines": {"packageManager": {"name": "pnpm"}}}`
	for _, c := range []struct {
		name, file, text string
		yarn             *bool
		installed, want  string
	}{
		{"npm", "package-lock.json", "", nil, "npm yarn pnpm bun", "npm"},
		{"yarn", "yarn.lock", "", nil, "npm yarn pnpm bun", "yarn"},
		{"plug'n'play", ".pnp.cjs", "", nil, "npm yarn pnpm bun", "yarn"},
		{".yarnrc.yml, as in vsce", ".yarnrc.yml", "", nil, "npm yarn pnpm bun", "npm"},
		{"pnpm", "pnpm-lock.yaml", "", nil, "npm yarn pnpm bun", "pnpm"},
		{"bun", "bun.lock", "", nil, "npm yarn pnpm bun", "bun"},
		{"--no-yarn", "yarn.lock", "", &no, "npm yarn", "npm"},
		{"--yarn", "package-lock.json", "", &yes, "npm yarn", "yarn"},
		{"--yarn, not installed", "package-lock.json", "", &yes, "npm", "yarn"},
		{"pnpm, not installed", "pnpm-lock.yaml", "", nil, "npm", "npm"},
		{"yarn, not installed", "yarn.lock", "", nil, "npm", "npm"},
		{"required, not installed", "package.json", required, nil, "npm", "pnpm"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bin := t.TempDir()
			for _, name := range strings.Fields(c.installed) {
				if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("PATH", bin)
			f := npm.Folder{Path: folder(t, c.file, c.text)}
			if got, err := f.Tool(c.yarn); got != c.want || err != nil {
				t.Errorf("got %s, %v, want %s", got, err, c.want)
			}
		})
	}
}

func TestMissingTool(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	f := npm.Folder{Path: t.TempDir()}
	if err := f.Prepublish(t.Context(), "npm"); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestPrepublishFails(t *testing.T) {
	script(t, "npm", "echo ran $*; exit 3")
	var out bytes.Buffer
	f := npm.Folder{Path: t.TempDir(), Output: &out}
	err := f.Prepublish(t.Context(), "npm")
	if err == nil || !strings.Contains(err.Error(), "npm run vscode:prepublish failed with exit code 3") {
		t.Errorf("got %v", err)
	}
	if out.String() != "ran run vscode:prepublish\n" {
		t.Errorf("printed %q", &out)
	}
}

func TestInterrupted(t *testing.T) {
	script(t, "npm", "sleep 60 & echo ready; wait") // the pipe is closed when both processes have ended
	ctx, cancel := context.WithCancel(t.Context())
	f := npm.Folder{Path: t.TempDir(), Output: writer(func(p []byte) (int, error) {
		cancel()
		return len(p), nil
	})}
	if err := f.Prepublish(ctx, "npm"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestDaemon has a script that starts a process which keeps Output open, like the daemon of a
// build tool.
func TestDaemon(t *testing.T) {
	script(t, "npm", "sleep 20 & echo $! >pid")
	dir := t.TempDir()
	t.Cleanup(func() {
		if text, err := os.ReadFile(filepath.Join(dir, "pid")); err == nil {
			_ = exec.Command("kill", strings.TrimSpace(string(text))).Run()
		}
	})
	f := npm.Folder{Path: dir, Output: writer(func(p []byte) (int, error) { return len(p), nil }), Grace: time.Millisecond}
	if err := f.Prepublish(t.Context(), "npm"); err != nil {
		t.Errorf("got %v", err)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func folder(t *testing.T, name, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// script puts a shell script with this name first in PATH.
func script(t *testing.T, name, text string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}
