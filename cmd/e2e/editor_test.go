//go:build e2e

package e2e

import (
	"context"
	"os/exec"
	"strings"
	"testing"
)

// An order is one command given to an editor: code-server's own, or that of VS
// Code's server, which alone knows --pre-release and --update-extensions.
type order struct {
	server bool
	args   []string
}

func (o order) command(ctx context.Context, e editor) *exec.Cmd {
	if o.server {
		return e.server(ctx, o.args...)
	}
	return e.command(ctx, o.args...)
}

func codeServer(args ...string) order { return order{args: args} }
func vsCode(args ...string) order     { return order{server: true, args: args} }

// What the command line is asked for, each time by an editor without extensions.
var installCases = []struct {
	name   string
	orders []order
	want   []string // installed in the end, see extension.String
	fails  string   // what the last order must say if it must fail
}{{
	name:   "latest",
	orders: []order{codeServer("--install-extension", "acme.hello")},
	want:   []string{"acme.hello@1.1.0"},
}, {
	name:   "version",
	orders: []order{codeServer("--install-extension", "acme.hello@1.0.0")},
	want:   []string{"acme.hello@1.0.0"},
}, {
	name:   "upper case",
	orders: []order{codeServer("--install-extension", "ACME.Hello")},
	want:   []string{"acme.hello@1.1.0"},
}, {
	name:   "several",
	orders: []order{codeServer("--install-extension", "acme.hello", "--install-extension", "acme.word-count")},
	want:   []string{"acme.hello@1.1.0", "acme.word-count@1.0.0"},
}, {
	name:   "pre-release",
	orders: []order{vsCode("--install-extension", "acme.notes", "--pre-release")},
	want:   []string{"acme.notes@1.1.0 pre-release"},
}, {
	name:   "release below a pre-release",
	orders: []order{codeServer("--install-extension", "acme.notes")},
	want:   []string{"acme.notes@1.0.0"},
}, {
	name: "pre-release and back",
	orders: []order{
		vsCode("--install-extension", "acme.notes", "--pre-release"),
		codeServer("--install-extension", "acme.notes@1.0.0", "--force"),
	},
	want: []string{"acme.notes@1.0.0"},
}, {
	name:   "platform",
	orders: []order{codeServer("--install-extension", "acme.system-probe")},
	want:   []string{"acme.system-probe@1.0.0 linux-x64"},
}, {
	name:   "dependency",
	orders: []order{codeServer("--install-extension", "acme.log-summary")},
	want:   []string{"acme.log-language@1.0.0", "acme.log-summary@2.0.0"},
}, {
	name:   "pack",
	orders: []order{codeServer("--install-extension", "acme.starter-pack")},
	want: []string{"acme.hello@1.1.0", "acme.log-language@1.0.0", "acme.log-summary@2.0.0",
		"acme.midnight@1.0.0", "acme.starter-pack@1.0.0"},
}, {
	name:   "newest needs a newer editor",
	orders: []order{codeServer("--install-extension", "acme.go-snippets")},
	want:   []string{"acme.go-snippets@1.0.0"},
}, {
	// A package that is none of ours. Code-server has it built in, unless it is
	// told to look elsewhere: in its home, where nothing is.
	name:   "foreign package",
	orders: []order{codeServer("--install-extension", "vscode.rust", "--builtin-extensions-dir", ".")},
	want:   []string{"vscode.rust@10.0.0"},
}, {
	name:   "unknown",
	orders: []order{codeServer("--install-extension", "acme.nobody")},
	fails:  "Extension 'acme.nobody' not found",
}, {
	name:   "unknown version",
	orders: []order{codeServer("--install-extension", "acme.hello@9.9.9")},
	fails:  "Extension 'acme.hello@9.9.9' not found",
}, {
	name: "uninstall",
	orders: []order{
		codeServer("--install-extension", "acme.hello"),
		codeServer("--uninstall-extension", "acme.hello"),
	},
}}

// installs takes every case, as many at a time as there are processors.
func (l lab) installs(t *testing.T, g *gallery) {
	t.Run("command line", func(t *testing.T) {
		for _, c := range installCases {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				e := l.editor(t, g, strings.ReplaceAll(c.name, " ", "-"))
				for i, o := range c.orders {
					if fails := c.fails != "" && i == len(c.orders)-1; fails {
						o.mustFail(t, e, c.fails)
					} else {
						o.must(t, e)
					}
				}
				e.wantInstalled(t, c.want...)
			})
		}
	})
}

func (o order) run(t *testing.T, e editor) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTime)
	defer cancel()
	out, err := o.command(ctx, e).CombinedOutput()
	return string(out), err
}

func (o order) must(t *testing.T, e editor) {
	t.Helper()
	if out, err := o.run(t, e); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(o.args, " "), err, out)
	}
}

func (o order) mustFail(t *testing.T, e editor, reason string) {
	t.Helper()
	if out, err := o.run(t, e); err == nil || !strings.Contains(out, reason) {
		t.Fatalf("%s: exit %v, want a failure that says %q\n%s", strings.Join(o.args, " "), err, reason, out)
	}
}

// tour takes steps on the page of a fresh editor.
func (l lab) tour(t *testing.T, g *gallery, steps ...string) {
	t.Run("page", func(t *testing.T) {
		l.editor(t, g, "page").tour(t, "page", g, l.authority, steps)
	})
}

// update adds a newer version to g, while galshim runs, and lets editors find it
// that have the one before: by command, and by themselves once their page is open.
func (l lab) update(t *testing.T, g *gallery) {
	t.Run("update", func(t *testing.T) {
		byCommand, byPage := l.editor(t, g, "update"), l.editor(t, g, "autoupdate")
		for _, e := range []editor{byCommand, byPage} {
			codeServer("--install-extension", "acme.hello").must(t, e)
			e.wantInstalled(t, "acme.hello@1.1.0")
		}
		g.add(t, l.packages.later)
		g.awaitReload(t)
		t.Run("command line", func(t *testing.T) {
			vsCode("--update-extensions").must(t, byCommand)
			byCommand.wantInstalled(t, "acme.hello@1.2.0")
		})
		if strings.HasPrefix(g.base, "https:") { // the page asks no others itself
			t.Run("page", func(t *testing.T) {
				byPage.tour(t, "autoupdate", g, l.authority, []string{"automatic update", "nothing blocked"})
			})
		}
	})
}
