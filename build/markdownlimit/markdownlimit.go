// Package markdownlimit limits the time and the memory that goldmark needs for a text. Without
// limits, some texts of 200 kB need gigabytes or minutes. Texts that people write are far below
// them.
package markdownlimit

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

const (
	// MaxBytes is the maximum length of a text, as on GitHub. See [Cut].
	MaxBytes = 512 << 10
	// MaxDepth is the maximum number of nested quotes and list items on a line. vsce fails at
	// a number above 1000.
	MaxDepth = 500
	// MaxMarks is the maximum number of brackets and marks of emphasis in a paragraph, heading
	// or cell. vsce takes minutes for ten times as many that are not closed.
	MaxMarks = 1024
	// MaxAddedCells is the maximum number of cells that a text does not have and that are added
	// to its tables, because a row is shorter than the header.
	MaxAddedCells = 50_000
	// MaxDefinitions is the maximum number of lines of a paragraph that begins with the
	// definition of a link. The time for them is quadratic.
	MaxDefinitions = 4000
)

// Cut returns a text without what is beyond MaxBytes, and whether that is anything. It cuts at the
// end of a line, or within one that is very long.
func Cut(text []byte) (kept []byte, cut bool) {
	if len(text) <= MaxBytes {
		return text, false
	}
	end := MaxBytes
	if i := bytes.LastIndexByte(text[:end], '\n'); i > MaxBytes/2 {
		return text[:i+1], true
	}
	for !utf8.RuneStart(text[end]) && end > MaxBytes-utf8.UTFMax {
		end--
	}
	return text[:end], true
}

// TooDeep returns the number of the first line that is nested deeper than MaxDepth; 0 is none.
// Such a text must not be parsed.
func TooDeep(s string) int {
	n := 0
	for line := range strings.Lines(s) {
		n++
		if depth(line) > MaxDepth {
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

// A Limiter is an extension of goldmark for one text. In a block, the marks after the first
// MaxMarks are literal text, but HTML is still parsed. Tables for which more than MaxAddedCells
// cells would be added, and paragraphs of more than MaxDefinitions lines that begin with the
// definition of a link, become blocks of code.
type Limiter struct {
	block ast.Node
	marks int // in block
	over  int // offset of the first literal mark, plus 1; 0 if there is none
	cells int // that were added
}

// Extend implements [goldmark.Extender]. The limiter has a higher priority than goldmark's own
// parsers.
func (l *Limiter) Extend(m goldmark.Markdown) {
	m.Parser().AddOptions(
		parser.WithInlineParsers(util.Prioritized(l, 1)),
		parser.WithParagraphTransformers(util.Prioritized(l, 1)),
	)
}

// Literal returns the offset of the first mark that is literal text because of MaxMarks, and
// whether there is one.
func (l *Limiter) Literal() (offset int, ok bool) { return l.over - 1, l.over > 0 }

// Trigger implements [parser.InlineParser].
func (l *Limiter) Trigger() []byte { return []byte("![*_~") }

// Parse implements [parser.InlineParser].
func (l *Limiter) Parse(block ast.Node, r text.Reader, _ parser.Context) ast.Node {
	if block != l.block {
		l.block, l.marks = block, 0
	}
	if l.marks++; l.marks <= MaxMarks {
		return nil
	}
	_, rest := r.PeekLine()
	if l.over == 0 {
		l.over = rest.Start + 1
	}
	r.Advance(1)
	return ast.NewTextSegment(rest.WithStop(rest.Start + 1))
}

// Transform implements [parser.ParagraphTransformer].
func (l *Limiter) Transform(node *ast.Paragraph, r text.Reader, _ parser.Context) {
	lines, source := node.Lines(), r.Source()
	l.cells += addedCells(lines, source)
	definitions := lines.Len() > MaxDefinitions && bytes.HasPrefix(bytes.TrimLeft(lines.Value(source), " "), []byte("["))
	if l.cells <= MaxAddedCells && !definitions {
		return
	}
	code := ast.NewCodeBlock()
	code.SetLines(lines)
	node.Parent().ReplaceChild(node.Parent(), node, code)
}

// addedCells returns at most how many cells are added to the tables in a paragraph.
func addedCells(lines *text.Segments, source []byte) int {
	columns, bars := 0, 0
	for _, line := range lines.Sliced(0, lines.Len()) {
		value := line.Value(source)
		n := bytes.Count(value, []byte("|"))
		bars += n
		if n >= columns && len(bytes.Trim(value, "|-: \t\r\n")) == 0 { // this line can follow a header
			columns = n + 1
		}
	}
	return max(columns*lines.Len()-bars, 0)
}
