package readme

import (
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// Limits on what is read as Markdown, without which some texts of 1 MB take minutes.
const (
	// maxDepth is of quotes and list items in each other on one line; vsce fails at
	// some number above 1000.
	maxDepth = 500
	// maxMarks is of brackets and marks of emphasis in one paragraph, heading or cell;
	// vsce takes minutes for ten times as many that are not closed.
	maxMarks = 1024
)

// tooDeep returns the number of the first line that is nested deeper than maxDepth; 0 is none.
func tooDeep(s string) int {
	n := 0
	for line := range strings.Lines(s) {
		n++
		if depth(line) > maxDepth {
			return n
		}
	}
	return 0
}

// depth counts the quotes and list items that a line begins.
func depth(line string) int {
	n := 0
	for {
		line = strings.TrimLeft(line, " \t")
		rest, quote := strings.CutPrefix(line, ">")
		if !quote {
			rest = afterItem(line)
		}
		if rest == line {
			return n
		}
		n, line = n+1, rest
	}
}

// afterItem returns what follows the mark of a list item, or the whole line without one.
func afterItem(line string) string {
	rest := strings.TrimLeft(line, "0123456789")
	marks := ".)"
	if rest == line {
		marks = "-+*"
	}
	if len(rest) > 1 && strings.Contains(marks, rest[:1]) && (rest[1] == ' ' || rest[1] == '\t') {
		return rest[1:]
	}
	return line
}

// A limiter takes marks for text after the first maxMarks of a block. HTML is still
// read. It stands before goldmark's own parsers of marks.
type limiter struct {
	block ast.Node
	marks int // in block
	over  int // offset of the first that was taken for text, -1 if none was
}

func (l *limiter) Trigger() []byte { return []byte("![*_~") }

func (l *limiter) Parse(block ast.Node, r text.Reader, _ parser.Context) ast.Node {
	if block != l.block {
		l.block, l.marks = block, 0
	}
	if l.marks++; l.marks <= maxMarks {
		return nil
	}
	_, rest := r.PeekLine()
	if l.over < 0 {
		l.over = rest.Start
	}
	r.Advance(1)
	return ast.NewTextSegment(rest.WithStop(rest.Start + 1))
}
