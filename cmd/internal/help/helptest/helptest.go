// Package helptest tests the help of a program: its texts, its examples and its manual page.
package helptest

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/alecthomas/kong"

	"galbuild/cmd/internal/help"
)

// Run checks the help of a program. The function newParser returns a new parser of its command line
// with options. The commands in without have no examples; each other one must have two.
func Run(t *testing.T, program help.Program, without []string, newParser func(...kong.Option) *kong.Kong) {
	model := newParser().Model
	nodes := append([]*kong.Node{model.Node}, descendants(model.Node)...)
	for _, node := range nodes {
		name := strings.TrimSpace(model.Name + " " + help.Path(node))
		t.Run("text/"+name, func(t *testing.T) { checkText(t, program.Text(model.Name, node)) })
		t.Run("sentences/"+name, func(t *testing.T) { checkSentences(t, node) })
	}
	t.Run("examples", func(t *testing.T) { checkExamples(t, program, model, nodes, without, newParser) })
	t.Run("manual", func(t *testing.T) { checkManual(t, program.Manual(model, "1.0"), nodes) })
}

// descendants returns the visible nodes below a node.
func descendants(node *kong.Node) (nodes []*kong.Node) {
	for _, child := range node.Children {
		if !child.Hidden {
			nodes = append(append(nodes, child), descendants(child)...)
		}
	}
	return nodes
}

// checkText checks that lines fit on a terminal of 80 columns.
func checkText(t *testing.T, text string) {
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// sentence matches help that begins with a capital letter, a name or a character that is typed.
var sentence = regexp.MustCompile(`^["A-Z@]|^[a-z]+[.-]`)

// checkSentences checks that the help of a node, its arguments and its flags consists of whole
// sentences. They must not contain the default value if it is appended to them.
func checkSentences(t *testing.T, node *kong.Node) {
	check := func(name, text, value string) {
		if !sentence.MatchString(text) {
			t.Errorf("%s: does not begin like a sentence: %q", name, text)
		}
		if !strings.HasSuffix(text, ".") && node.Parent != nil {
			t.Errorf("%s: does not end with a full stop: %q", name, text)
		}
		if value != "" && strings.Contains(text, "(default: ") || strings.Count(text, "(default") > 1 {
			t.Errorf("%s: contains the default %q, which is appended, or has two defaults: %q", name, value, text)
		}
	}
	check(node.Name, node.Help, "")
	for _, arg := range node.Positional {
		check(arg.Name, arg.Help, arg.Default)
	}
	for _, f := range node.Flags {
		if !f.Hidden {
			check("--"+f.Name, f.Help, f.Default)
		}
	}
}

// checkExamples checks that each command has two examples, and that they can be parsed.
func checkExamples(t *testing.T, program help.Program, model *kong.Application, nodes []*kong.Node, without []string, newParser func(...kong.Option) *kong.Kong) {
	exists := make(map[string]bool)
	for _, node := range nodes {
		path := help.Path(node)
		exists[path] = true
		want := 2
		if len(node.Children) > 0 || slices.Contains(without, path) {
			want = 0
		}
		if got := program.Examples[path]; len(got) != want {
			t.Errorf("%q has %d examples, want %d", path, len(got), want)
		}
	}
	t.Chdir(t.TempDir())
	for path, examples := range program.Examples {
		if !exists[path] {
			t.Errorf("there is no command %q", path)
		}
		for _, e := range examples {
			if !strings.HasSuffix(e.Does, ".") {
				t.Errorf("%q does not end with a full stop", e.Does)
			}
			parse(t, e.Line, model.Name, path, newParser)
		}
	}
}

// file matches an argument that must be an existing file.
var file = regexp.MustCompile(`^[a-z]+\.(minisign|pub|zst|pem|txt|vsix|json)$|^SHA256SUMS$`)

// parse parses an example, after it has made the files in it.
func parse(t *testing.T, line, program, path string, newParser func(...kong.Option) *kong.Kong) {
	t.Helper()
	command, _, _ := strings.Cut(line, " > ")
	command, _, _ = strings.Cut(command, " | ")
	command = strings.TrimSuffix(strings.TrimPrefix(command, "source <("), ")")
	args := strings.Fields(command)
	if args[0] != program {
		t.Errorf("%s: does not begin with %s", line, program)
	}
	for _, arg := range args[1:] {
		if file.MatchString(arg) {
			if err := os.WriteFile(filepath.Base(arg), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	parsed, err := newParser(kong.Writers(io.Discard, io.Discard)).Parse(args[1:])
	if err != nil {
		t.Errorf("%s: %v", line, err)
		return
	}
	selected := parsed.Selected()
	if selected == nil {
		selected = parsed.Model.Node
	}
	if got := help.Path(selected); got != path {
		t.Errorf("%s: is an example of %q, not of %q", line, got, path)
	}
}

// checkManual checks that the manual page names all visible commands and flags.
func checkManual(t *testing.T, page string, nodes []*kong.Node) {
	plain := strings.NewReplacer(`\-`, "-", `\fB`, "", `\fR`, "", `\&`, "").Replace(page)
	for _, node := range nodes {
		if len(node.Children) == 0 && !strings.Contains(plain, help.Usage(nodes[0].Name, node)) {
			t.Errorf("the manual page does not name %s", node.FullPath())
		}
		for _, f := range node.Flags {
			if named := regexp.MustCompile(`(?m)^(-., )?--(\[no-\])?` + f.Name + `(=|$)`).MatchString(plain); named == f.Hidden {
				t.Errorf("the manual page names --%s: %v, want %v", f.Name, named, !f.Hidden)
			}
		}
	}
	for line := range strings.Lines(page) {
		for _, c := range line {
			if c >= utf8.RuneSelf {
				t.Errorf("a character outside of ASCII: %s", line)
			}
		}
	}
}
