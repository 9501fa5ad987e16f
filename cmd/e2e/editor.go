//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"galbuild/cmd/e2e/toolchain"
)

// An editor is a code-server with its own home, configured for one gallery.
type editor struct {
	tools   toolchain.Toolbox
	home    string // all that it writes is in this folder
	gallery string // value of EXTENSIONS_GALLERY
	ca      string // PEM file of an authority to trust
}

// newEditor returns an editor for a gallery. It has no extensions.
func newEditor(t *testing.T, tools toolchain.Toolbox, g *gallery, a authority, name string) editor {
	t.Helper()
	e := editor{tools: tools, home: filepath.Join(g.dir, "editors", name), gallery: g.settings(t), ca: a.ca}
	if err := os.MkdirAll(e.home, 0o777); err != nil {
		t.Fatal(err)
	}
	return e
}

// commandTimeout is the time for one command of the editor, which usually takes one or two seconds.
const commandTimeout = 2 * time.Minute

func (e editor) extensions() string { return filepath.Join(e.home, "extensions") }
func (e editor) data() string       { return filepath.Join(e.home, "data") }

func (e editor) environment() []string {
	return append(os.Environ(),
		"EXTENSIONS_GALLERY="+e.gallery,
		"NODE_EXTRA_CA_CERTS="+e.ca,
		"HOME="+e.home,
		"XDG_CONFIG_HOME="+filepath.Join(e.home, "config"),
		"XDG_DATA_HOME="+filepath.Join(e.home, "share"),
		"CS_DISABLE_GETTING_STARTED_OVERRIDE=1",
	)
}

// command returns the command `code-server args`.
func (e editor) command(ctx context.Context, args ...string) *exec.Cmd {
	args = append([]string{filepath.Join(e.tools.CodeServer, "out", "node", "entry.js"),
		"--extensions-dir", e.extensions(), "--user-data-dir", e.data()}, args...)
	return e.node(ctx, args...)
}

// server returns a command line of VS Code's server, which has flags that code-server does not
// have: --pre-release and --update-extensions.
func (e editor) server(ctx context.Context, args ...string) *exec.Cmd {
	args = append([]string{filepath.Join(e.tools.CodeServer, "lib", "vscode", "out", "server-main.js"),
		"--accept-server-license-terms", "--telemetry-level", "off",
		"--extensions-dir", e.extensions(), "--server-data-dir", e.data()}, args...)
	return e.node(ctx, args...)
}

func (e editor) node(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, e.tools.Node, args...)
	cmd.Env = e.environment()
	cmd.Dir = e.home
	return cmd
}

// An extension is one that is installed in an editor.
type extension struct {
	ID         string
	Version    string
	Platform   string // empty if it is universal
	PreRelease bool
	Folder     string // absolute
}

// String returns id@version, with the platform and "pre-release" where they apply.
func (x extension) String() string {
	s := x.ID + "@" + x.Version
	if x.Platform != "" {
		s += " " + x.Platform
	}
	if x.PreRelease {
		s += " pre-release"
	}
	return s
}

// installed reads the editor's list of installed extensions, and checks that each has a
// package.json of the listed version.
func (e editor) installed() ([]extension, error) {
	text, err := os.ReadFile(filepath.Join(e.extensions(), "extensions.json"))
	if os.IsNotExist(err) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var list []struct {
		Identifier       struct{ ID string }
		Version          string
		RelativeLocation string
		Metadata         struct {
			TargetPlatform      string
			IsPreReleaseVersion bool
		}
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("extensions.json: %w", err)
	}
	var found []extension
	for _, l := range list {
		x := extension{l.Identifier.ID, l.Version, l.Metadata.TargetPlatform, l.Metadata.IsPreReleaseVersion,
			filepath.Join(e.extensions(), l.RelativeLocation)}
		if slices.Contains([]string{"universal", "undefined"}, x.Platform) {
			x.Platform = ""
		}
		manifest, err := x.manifest()
		if err != nil {
			return nil, err
		}
		if manifest.Version != x.Version {
			return nil, fmt.Errorf("%s: its package.json has version %q", x, manifest.Version)
		}
		if manifest.BuiltFor != "" && x.Platform != "" && manifest.BuiltFor != x.Platform {
			return nil, fmt.Errorf("%s: its content was built for %s", x, manifest.BuiltFor)
		}
		found = append(found, x)
	}
	return found, nil
}

// manifest has members of an installed package.json.
type manifest struct {
	Version  string
	BuiltFor string // platform that acme.system-probe was packed for
}

func (x extension) manifest() (manifest, error) {
	text, err := os.ReadFile(filepath.Join(x.Folder, "package.json"))
	if err != nil {
		return manifest{}, fmt.Errorf("%s is listed, but is not installed: %w", x, err)
	}
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return manifest{}, fmt.Errorf("%s: package.json: %w", x, err)
	}
	return m, nil
}

// wantInstalled fails the test unless exactly these are installed, as String
// writes them, in any order.
func (e editor) wantInstalled(t *testing.T, want ...string) {
	t.Helper()
	found, err := e.installed()
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, x := range found {
		got = append(got, x.String())
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("installed: %q\n     want: %q", got, want)
	}
}
