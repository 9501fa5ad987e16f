package jsondoc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Explain returns a syntax error of encoding/json or go-json-experiment/json in plain words, with
// the line and the column in text, both counted from 1. Its message follows the name of the
// document, as in "is not JSON from line 2, column 9 on". Other errors are returned unchanged.
func Explain(text []byte, err error) error {
	offset := int64(-1)
	if standard, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = standard.Offset - 1 // Offset is that of the byte after the invalid one
		if strings.Contains(standard.Error(), "unexpected end") {
			err = io.ErrUnexpectedEOF
		}
	}
	if experimental, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		offset = experimental.ByteOffset
	}
	switch {
	case len(bytes.TrimSpace(text)) == 0 && err != nil:
		return errors.New("is empty")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("is not complete JSON: a bracket or a quotation mark is not closed")
	case offset >= 0:
		return fmt.Errorf("is not JSON from %s on", position(text, offset))
	}
	return err
}

// position returns the line and column of a byte in a text.
func position(text []byte, offset int64) string {
	before := text[:min(max(offset, 0), int64(len(text)))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Sprintf("line %d, column %d", line, column)
}
