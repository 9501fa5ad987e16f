// Package jsonc parses JSON with comments and trailing commas, as people write it in settings of
// editors and in policies. Errors name the line. The text is untrusted: the nesting of brackets is
// limited.
package jsonc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tailscale/hujson"
)

// Document is a text that was parsed. Offsets in Root are those of the text.
type Document struct {
	Name string
	Text []byte
	Root hujson.Value

	newlines []int // offsets
}

// Parse parses a text in UTF-8. The name is for errors.
func Parse(name string, text []byte) (*Document, error) {
	d := &Document{Name: name, Text: text}
	for i, b := range text {
		if b == '\n' {
			d.newlines = append(d.newlines, i)
		}
	}
	if i := InvalidUTF8(text); i >= 0 {
		return nil, fmt.Errorf("%s:%d: is not UTF-8", name, d.Line(i))
	}
	if i := tooDeep(text); i >= 0 {
		return nil, fmt.Errorf("%s:%d: more than %d brackets are open", name, d.Line(i), maxDepth)
	}
	// A comment at the end of the text need not have a newline, which hujson requires.
	root, err := hujson.Parse(slices.Concat(text, []byte("\n")))
	if err != nil {
		return nil, d.explain(err)
	}
	d.Root = root
	return d, nil
}

// Line returns the line of a byte, counted from 1.
func (d *Document) Line(offset int) int {
	i, _ := slices.BinarySearch(d.newlines, offset)
	return i + 1
}

// maxDepth limits the nesting of brackets, because hujson calls itself for each.
const maxDepth = 20

// tokens matches what has brackets in it that do not nest, and all other brackets.
var tokens = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|//[^\n]*|(?s:/\*.*?\*/)|[][{}]`)

// tooDeep returns the offset of the first bracket that is nested too deeply, or -1.
func tooDeep(text []byte) int {
	depth, offset := 0, 0
	for {
		at := tokens.FindIndex(text[offset:])
		if at == nil {
			return -1
		}
		switch text[offset+at[0]] {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		if depth > maxDepth {
			return offset + at[0]
		}
		offset += at[1]
	}
}

// InvalidUTF8 returns the offset of the first byte that is not UTF-8, or -1.
func InvalidUTF8(text []byte) int {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// explain returns a syntax error with its line.
func (d *Document) explain(err error) error {
	end := len(bytes.TrimRight(d.Text, " \t\r\n"))
	if end == 0 {
		return fmt.Errorf("%s:1: the file is empty; want an object such as {}", d.Name)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s:%d: the text ends before a bracket, a quotation mark or a comment is closed", d.Name, d.Line(end))
	}
	var line, column int
	if n, _ := fmt.Sscanf(err.Error(), "hujson: line %d, column %d:", &line, &column); n != 2 {
		return fmt.Errorf("%s: %w", d.Name, err)
	}
	_, reason, _ := strings.Cut(strings.TrimPrefix(err.Error(), "hujson: "), ": ")
	return fmt.Errorf("%s:%d: is not JSON with comments from column %d on: %s", d.Name, line, column, reason)
}
