package help

import (
	"errors"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

const (
	width   = 80 // of a line of help
	maxName = 28 // of a flag or command whose text begins on the same line
)

// Option lets Kong print this help for --help.
func (p Program) Option() kong.Option {
	return kong.OptionFunc(func(k *kong.Kong) error {
		describeHelp := kong.PostBuild(func(k *kong.Kong) error {
			k.Model.HelpFlag.Help = "Print this help and exit."
			return nil
		})
		return errors.Join(kong.Help(p.print).Apply(k), describeHelp.Apply(k))
	})
}

// print prints the help of the command that was selected, or of the program.
func (p Program) print(_ kong.HelpOptions, ctx *kong.Context) error {
	node := ctx.Selected()
	if node == nil {
		node = ctx.Model.Node
	}
	_, err := io.WriteString(ctx.Stdout, p.Text(ctx.Model.Name, node))
	return err
}

// Text returns the help of a command, or of the program.
func (p Program) Text(program string, node *kong.Node) string {
	var b text
	b.wrap("Usage: "+Usage(program, node), 4)
	b.paragraphs(node.Help)
	if len(node.Aliases) > 0 {
		b.paragraphs("Other names: " + strings.Join(node.Aliases, ", "))
	}
	b.sections(commands(node))
	sections := p.flags(node)
	if args := arguments(node); len(args) > 0 {
		sections = append([]section{{"Arguments", args}}, sections...)
	}
	b.sections(sections)
	b.examples(p.Examples[Path(node)])
	if node.Parent == nil {
		b.paragraphs(p.Footer)
	}
	return b.String()
}

// A text is help that is being written.
type text struct{ strings.Builder }

func (t *text) line(s string) { t.WriteString(strings.TrimRight(s, " ") + "\n") }

// wrap writes words on lines of at most [width] characters. Lines after the first are indented.
func (t *text) wrap(s string, indent int) {
	for i, line := range wrap(s, width-indent) {
		if i > 0 {
			line = strings.Repeat(" ", indent) + line
		}
		t.line(line)
	}
}

// paragraphs writes an empty line and a paragraph for each part of s that empty lines separate.
// A part that begins with a space keeps its lines.
func (t *text) paragraphs(s string) {
	for part := range strings.SplitSeq(s, "\n\n") {
		switch {
		case part == "":
		case part[0] == ' ':
			t.line("\n" + part)
		default:
			t.line("")
			t.wrap(part, 0)
		}
	}
}

// sections writes sections. Their second columns are aligned.
func (t *text) sections(sections []section) {
	column := 0
	for _, s := range sections {
		for _, r := range s.rows {
			if n := len(r.name); n <= maxName {
				column = max(column, n)
			}
		}
	}
	for _, s := range sections {
		t.line("\n" + s.title + ":")
		for _, r := range s.rows {
			t.row(r, column)
		}
	}
}

// row writes two columns, of which the first has this width. A longer name has its own line.
func (t *text) row(r row, column int) {
	const indent, gap = 2, 3
	lines := wrap(r.text, width-indent-column-gap)
	if len(r.name) > column {
		t.line(strings.Repeat(" ", indent) + r.name)
		r.name = ""
	}
	for _, line := range lines {
		t.line(strings.Repeat(" ", indent) + r.name + strings.Repeat(" ", column-len(r.name)+gap) + line)
		r.name = ""
	}
}

func (t *text) examples(examples []Example) {
	if len(examples) == 0 {
		return
	}
	t.line("\nExamples:")
	for i, e := range examples {
		if i > 0 {
			t.line("")
		}
		t.line("  # " + e.Does)
		t.line("  " + e.Line)
	}
}

// wrap returns the words of s on lines of at most this number of characters.
func wrap(s string, most int) (lines []string) {
	for _, word := range strings.Fields(s) {
		if last := len(lines) - 1; last >= 0 && runes(lines[last])+1+runes(word) <= most {
			lines[last] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}

func runes(s string) int { return len([]rune(s)) }
