//go:build e2e

package e2e

import (
	"context"
	"html"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// An editorCommand is a command line of code-server, or of VS Code's server in it, which has the
// flags --pre-release and --update-extensions.
type editorCommand struct {
	server bool
	args   []string
}

func (o editorCommand) command(ctx context.Context, e editor) *exec.Cmd {
	if o.server {
		return e.server(ctx, o.args...)
	}
	return e.command(ctx, o.args...)
}

func codeServer(args ...string) editorCommand { return editorCommand{args: args} }
func vsCode(args ...string) editorCommand     { return editorCommand{server: true, args: args} }

// installCases are run with editors that have no extensions.
var installCases = []struct {
	name     string
	commands []editorCommand
	want     []string // installed in the end, see extension.String
	fails    string   // if the last command must fail: what it prints
}{{
	name:     "latest",
	commands: []editorCommand{codeServer("--install-extension", "acme.hello")},
	want:     []string{"acme.hello@1.1.0"},
}, {
	name:     "version",
	commands: []editorCommand{codeServer("--install-extension", "acme.hello@1.0.0")},
	want:     []string{"acme.hello@1.0.0"},
}, {
	name:     "upper case",
	commands: []editorCommand{codeServer("--install-extension", "ACME.Hello")},
	want:     []string{"acme.hello@1.1.0"},
}, {
	name:     "several",
	commands: []editorCommand{codeServer("--install-extension", "acme.hello", "--install-extension", "acme.word-count")},
	want:     []string{"acme.hello@1.1.0", "acme.word-count@1.0.0"},
}, {
	name:     "pre-release",
	commands: []editorCommand{vsCode("--install-extension", "acme.notes", "--pre-release")},
	want:     []string{"acme.notes@1.1.0 pre-release"},
}, {
	name:     "release below a pre-release",
	commands: []editorCommand{codeServer("--install-extension", "acme.notes")},
	want:     []string{"acme.notes@1.0.0"},
}, {
	name: "pre-release and back",
	commands: []editorCommand{
		vsCode("--install-extension", "acme.notes", "--pre-release"),
		codeServer("--install-extension", "acme.notes@1.0.0", "--force"),
	},
	want: []string{"acme.notes@1.0.0"},
}, {
	name:     "platform",
	commands: []editorCommand{codeServer("--install-extension", "acme.system-probe")},
	want:     []string{"acme.system-probe@1.0.0 linux-x64"},
}, {
	name:     "dependency",
	commands: []editorCommand{codeServer("--install-extension", "acme.log-summary")},
	want:     []string{"acme.log-language@1.0.0", "acme.log-summary@2.0.0"},
}, {
	name:     "pack",
	commands: []editorCommand{codeServer("--install-extension", "acme.starter-pack")},
	want: []string{"acme.hello@1.1.0", "acme.log-language@1.0.0", "acme.log-summary@2.0.0",
		"acme.midnight@1.0.0", "acme.starter-pack@1.0.0"},
}, {
	name:     "newest needs a newer editor",
	commands: []editorCommand{codeServer("--install-extension", "acme.go-snippets")},
	want:     []string{"acme.go-snippets@1.0.0"},
}, {
	// A package from elsewhere. Code-server has it built in, and does not find it in another
	// folder for such extensions.
	name:     "foreign package",
	commands: []editorCommand{codeServer("--install-extension", "vscode.rust", "--builtin-extensions-dir", ".")},
	want:     []string{"vscode.rust@10.0.0"},
}, {
	name:     "unknown",
	commands: []editorCommand{codeServer("--install-extension", "acme.nobody")},
	fails:    "Extension 'acme.nobody' not found.",
}, {
	name:     "unknown version",
	commands: []editorCommand{codeServer("--install-extension", "acme.hello@9.9.9")},
	fails:    "Extension 'acme.hello@9.9.9' not found.",
}, {
	name:     "needs a newer editor",
	commands: []editorCommand{codeServer("--install-extension", "acme.go-snippets@2.0.0")},
	fails:    "Can't install 'acme.go-snippets' extension because it is not compatible",
}, {
	name:     "reported",
	commands: []editorCommand{codeServer("--install-extension", "acme.reported")},
	fails:    "Extension 'acme.reported' not found.",
}, {
	name: "uninstall",
	commands: []editorCommand{
		codeServer("--install-extension", "acme.hello"),
		codeServer("--uninstall-extension", "acme.hello"),
	},
}}

// installs runs installCases, as many at a time as there are processors.
func (s suite) installs(t *testing.T, g *gallery) {
	t.Run("command line", func(t *testing.T) {
		for _, c := range installCases {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				e := s.editor(t, g, strings.ReplaceAll(c.name, " ", "-"))
				for i, o := range c.commands {
					if fails := c.fails != "" && i == len(c.commands)-1; fails {
						g.explains(t, o.mustFail(t, e, c.fails))
					} else {
						o.must(t, e)
					}
				}
				e.wantInstalled(t, c.want...)
			})
		}
	})
}

func (o editorCommand) run(t *testing.T, e editor) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	defer cancel()
	out, err := o.command(ctx, e).CombinedOutput()
	return string(out), err
}

func (o editorCommand) must(t *testing.T, e editor) {
	t.Helper()
	if out, err := o.run(t, e); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(o.args, " "), err, out)
	}
}

// mustFail runs a command that must fail, and returns what it prints.
func (o editorCommand) mustFail(t *testing.T, e editor, reason string) string {
	t.Helper()
	out, err := o.run(t, e)
	if err == nil || !strings.Contains(out, reason) {
		t.Fatalf("%s: exit %v, want a failure with %q\n%s", strings.Join(o.args, " "), err, reason, out)
	}
	return out
}

// messageText matches a message on the page about messages of editors.
var messageText = regexp.MustCompile(`<section class="message">\s*<h2>(.*?)</h2>`)

// explains checks that the gallery's page about messages has one that an editor has printed.
func (g *gallery) explains(t *testing.T, output string) {
	t.Helper()
	page := string(g.request(t, "GET", "/about/messages.html", "", nil).body)
	for _, found := range messageText.FindAllStringSubmatch(page, -1) {
		text := strings.ReplaceAll(regexp.QuoteMeta(html.UnescapeString(found[1])), "…", ".+")
		if regexp.MustCompile(`(?m)^(Error while installing extension \S+: )?` + text).MatchString(output) {
			return
		}
	}
	t.Errorf("the page about messages has none that matches:\n%s", output)
}

// editorPage runs steps on the page of a new editor.
func (s suite) editorPage(t *testing.T, g *gallery, steps ...string) {
	t.Run("page", func(t *testing.T) {
		s.editor(t, g, "page").runSteps(t, "page", g, s.authority, steps)
	})
}

// update adds a newer version to the gallery while galshim runs. Editors with the version before it
// must find it: one by a command, the other by itself when its page is open.
func (s suite) update(t *testing.T, g *gallery) {
	t.Run("update", func(t *testing.T) {
		byCommand, byPage := s.editor(t, g, "update"), s.editor(t, g, "autoupdate")
		for _, e := range []editor{byCommand, byPage} {
			codeServer("--install-extension", "acme.hello").must(t, e)
			e.wantInstalled(t, "acme.hello@1.1.0")
		}
		g.add(t, s.packages.later)
		g.awaitReload(t)
		t.Run("command line", func(t *testing.T) {
			vsCode("--update-extensions").must(t, byCommand)
			byCommand.wantInstalled(t, "acme.hello@1.2.0")
		})
		if strings.HasPrefix(g.base, "https:") { // over http, the page does not look for updates
			t.Run("page", func(t *testing.T) {
				byPage.runSteps(t, "autoupdate", g, s.authority, []string{"automatic update", "nothing blocked"})
			})
		}
	})
}
