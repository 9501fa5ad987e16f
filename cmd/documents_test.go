package cmd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// TestCommandLines checks that galbuild and galshim understand every command line in a document, be
// it in a block of code or in a code span. Each is run with --help as its last argument, which
// prints the help of the command instead of running it, but only after all arguments before it
// were parsed. Every target of make in a document exists, too.
//
// A command line ends at a comment, a redirection, a pipe, a semicolon or an ampersand. Brackets
// around what may be left out are ignored, and an ellipsis is an argument like any other.
func TestCommandLines(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join("..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	lines := documentedCommands(t, "galbuild", "galshim", "make")
	inFolderOfDocuments(t)
	for _, line := range lines {
		if line.words[0] != "make" {
			if out, ok := understands(line.words); !ok {
				t.Errorf("%s: %s: %s", line.document, strings.Join(line.words, " "), out)
			}
		} else if i := slices.IndexFunc(line.words[1:], isTarget); i >= 0 && !strings.Contains(string(makefile), "\n"+line.words[1+i]+":") {
			t.Errorf("%s: make has no target %s", line.document, line.words[1+i])
		}
	}
	if len(lines) < 120 {
		t.Errorf("only %d command lines were found", len(lines))
	}
}

// flagCommands are commands that have all flags.
var flagCommands = []string{
	"galbuild build", "galbuild publish", "galbuild remove", "galbuild package", "galbuild pull", "galbuild export",
	"galbuild import", "galbuild image", "galbuild config nginx", "galbuild config systemd", "galbuild config code-server", "galbuild ls-remote", "galbuild show", "galbuild doctor", "galshim",
}

// TestFlags checks each flag that a document has in a code span without a command: galbuild or
// galshim has it, or galbuild knows whose it is and prints a hint.
func TestFlags(t *testing.T) {
	var help strings.Builder
	for _, command := range flagCommands {
		out, _ := exec.Command("sh", "-c", command+" --help").Output()
		help.Write(out)
	}
	checked := 0
	var spans []commandLine
	for _, document := range repositoryFiles(t, ".md") {
		spans = append(spans, commandsIn(t, document)...)
	}
	inFolderOfDocuments(t)
	for _, span := range spans {
		flag, _, _ := strings.Cut(span.words[0], "=")
		if !strings.HasPrefix(flag, "--") || strings.Contains(flag, "…") {
			continue
		}
		checked++
		if !regexp.MustCompile(regexp.QuoteMeta(flag)+`\b`).MatchString(help.String()) && !isForeign(flag) && !isHidden(flag) {
			t.Errorf("%s: neither program has the flag %s", span.document, flag)
		}
	}
	if checked < 40 {
		t.Errorf("only %d flags were found", checked)
	}
}

// isForeign reports whether galbuild explains a flag of another program.
func isForeign(flag string) bool {
	out, ok := understands([]string{"galbuild", flag, "x"})
	return !ok && strings.Contains(out, "is a flag of")
}

// isHidden reports whether a command has a flag that its help does not show.
func isHidden(flag string) bool {
	return slices.ContainsFunc(flagCommands, func(command string) bool {
		words := strings.Fields(command + " " + flag)
		_, alone := understands(words)
		words[len(words)-1] += "=key.pub"
		_, withValue := understands(words)
		return alone || withValue
	})
}

// understands reports whether a program accepts a command line, and what it prints otherwise.
func understands(words []string) (out string, ok bool) {
	args := append(slices.Clone(words[1:]), "--help")
	if len(words) == 2 && words[1] == "help" { // galshim help takes no flags
		args = words[1:]
	}
	text, err := exec.Command(words[0], args...).CombinedOutput()
	return string(text), err == nil
}

// inFolderOfDocuments changes to a folder with the files that flags in documents name.
func inFolderOfDocuments(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, file := range []string{"config.json", "key.minisign", "key.pub", "malicious.json", "ca.pem", "product.json"} {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func isTarget(word string) bool { return !strings.Contains(word, "=") }

// A commandLine is a command in a document.
type commandLine struct {
	document string
	words    []string
}

// documentedCommands returns the command lines of these programs in all documents.
func documentedCommands(t *testing.T, programs ...string) (lines []commandLine) {
	t.Helper()
	for _, document := range repositoryFiles(t, ".md") {
		for _, line := range commandsIn(t, document) {
			if len(line.words) > 1 && slices.Contains(programs, line.words[0]) {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// commandsIn returns all lines of code of a document as if they were commands.
func commandsIn(t *testing.T, document string) (lines []commandLine) {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", document))
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range codeIn(source) {
		for _, words := range splitCommands(strings.TrimPrefix(code, "$ ")) {
			lines = append(lines, commandLine{document, words})
		}
	}
	return lines
}

// codeIn returns the lines of all blocks of code, and the code spans, of a document.
func codeIn(source []byte) (code []string) {
	document := goldmark.DefaultParser().Parse(text.NewReader(source))
	_ = ast.Walk(document, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch {
		case !entering:
		case n.Kind() == ast.KindCodeBlock || n.Kind() == ast.KindFencedCodeBlock:
			for i := range n.Lines().Len() {
				line := n.Lines().At(i)
				code = append(code, string(line.Value(source)))
			}
		case n.Kind() == ast.KindCodeSpan:
			var span strings.Builder
			for c := n.FirstChild(); c != nil; c = c.NextSibling() {
				span.Write(c.(*ast.Text).Segment.Value(source))
			}
			code = append(code, strings.ReplaceAll(span.String(), "\n", " "))
		}
		return ast.WalkContinue, nil
	})
	return code
}

// shellWord matches a word of a shell, or what ends a command. In a document, brackets surround
// arguments that may be left out.
var shellWord = regexp.MustCompile(`'[^']*'|"[^"]*"|#.*|[|;&>]+\s*|[^\s|;&>'"\[\]]+`)

// splitCommands returns the words of each command in a line of a shell. The file of a redirection
// is returned as if it were the first word of another command.
func splitCommands(line string) (commands [][]string) {
	var words []string
	line = strings.ReplaceAll(line, " 2>", " >")
	for _, word := range append(shellWord.FindAllString(line, -1), ";") {
		switch {
		case !strings.ContainsAny(word[:1], "#|;&>"):
			words = append(words, strings.Trim(word, `'"`))
		case len(words) > 0:
			commands, words = append(commands, words), nil
		}
	}
	return commands
}
