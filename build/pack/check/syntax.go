package check

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"galbuild/build/pack/finding"
)

// syntaxError returns why a document is not JSON, and where.
func syntaxError(doc []byte, err error) finding.Finding {
	const space = " \t\r\n"
	switch {
	case bytes.HasPrefix(doc, []byte("\xEF\xBB\xBF")):
		return finding.Error(packageJSON+":1:1", "save it as UTF-8 without a byte order mark", "begins with a byte order mark, which editors do not accept")
	case isUTF16(doc):
		return finding.Error(packageJSON+":1:1", "save it as UTF-8", "is UTF-16, which editors cannot read")
	case len(bytes.Trim(doc, space)) == 0:
		return finding.Error(packageJSON, "", "is empty")
	}
	offset := min(offsetOf(doc, err), len(doc))
	if inString(err) {
		return finding.Error(position(doc, offset), `write it as an escape, \u and four digits, or remove it`, "is not JSON: %s", cause(err))
	}
	offset += len(doc[offset:]) - len(bytes.TrimLeft(doc[offset:], space))
	if at := len(bytes.TrimRight(doc[:offset], space)) - 1; at >= 0 && doc[at] == ',' && closes(doc[offset:]) {
		offset = at
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) { // the position of a word is its beginning
		offset = len(bytes.TrimRightFunc(doc[:offset], unicode.IsLetter))
	}
	what, hint := reason(doc[offset:], err)
	return finding.Error(position(doc, offset), hint, "is not JSON: %s", what)
}

// closes reports whether rest begins with the end of an object or a list.
func closes(rest []byte) bool { return len(rest) > 0 && (rest[0] == '}' || rest[0] == ']') }

// inString reports whether the error is in a string.
func inString(err error) bool { return strings.Contains(cause(err), " in string") }

// cause returns the message of the decoder without the position.
func cause(err error) string {
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok && syntax.Err != nil {
		return syntax.Err.Error()
	}
	return err.Error()
}

func isUTF16(doc []byte) bool {
	return len(doc) > 1 && (doc[0] == 0 || doc[1] == 0 || doc[0] == 0xFE && doc[1] == 0xFF || doc[0] == 0xFF && doc[1] == 0xFE)
}

func offsetOf(doc []byte, err error) int {
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return int(syntax.ByteOffset)
	}
	if trailing, ok := errors.AsType[errTrailing](err); ok {
		return int(trailing.offset) - 1
	}
	return len(doc)
}

// reason returns what is wrong, and a hint. The error is at the beginning of rest.
func reason(rest []byte, err error) (what, hint string) {
	switch {
	case bytes.HasPrefix(rest, []byte("//")), bytes.HasPrefix(rest, []byte("/*")):
		return "a comment", "remove it: editors do not accept comments in package.json"
	case bytes.HasPrefix(rest, []byte(",")):
		return "a trailing comma", "remove it"
	case bytes.HasPrefix(rest, []byte("'")):
		return "a single quote", `use "`
	case len(rest) == 0 || errors.Is(err, io.ErrUnexpectedEOF):
		return "the text ends too early", "close all strings, objects and lists"
	}
	if word := rest[:len(rest)-len(bytes.TrimLeftFunc(rest, unicode.IsLetter))]; len(word) > 0 {
		return fmt.Sprintf("%q without quotes", word), "put it in quotes"
	}
	return cause(err), ""
}

// position formats the line and the column of an offset, both from 1. Columns are characters.
func position(doc []byte, offset int) string {
	before := doc[:offset]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := 1 + utf8.RuneCount(before[1+bytes.LastIndexByte(before, '\n'):])
	return fmt.Sprintf("%s:%d:%d", packageJSON, line, column)
}
