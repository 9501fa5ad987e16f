package readme

import (
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// Limits of Markdown. Without them, some texts of 1 MB take minutes.
const (
	// maxDepth is the maximum number of nested quotes and list items on a line. vsce fails at
	// a number above 1000.
	maxDepth = 500
	// maxMarks is the maximum number of brackets and marks of emphasis in a paragraph, heading
	// or cell. vsce takes minutes for ten times as many that are not closed.
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

// depth returns the number of quotes and list items that begin on a line.
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

// afterItem returns the text after the marker of a list item, or the whole line if there is none.
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

// A limiter is an inline parser for which the marks in a block after the first maxMarks are literal
// text. It has a higher priority than goldmark's own parsers. HTML is still parsed.
type limiter struct {
	block ast.Node
	marks int // in block
	over  int // offset of the first literal mark; -1 if there is none
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
