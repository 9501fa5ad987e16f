// Package jsondoc encodes JSON documents: files, output of --json, responses. All have the same
// form: UTF-8 with a newline at the end, without HTML escapes, so that < is < and not \u003c. A
// document that people read is indented by two spaces; any other is one line. Map keys are sorted,
// so that the same value gives the same bytes. [Explain] describes the syntax errors of documents.
//
// Where another encoder is needed:
//
//   - Package render/gallery writes responses to queries itself. They consist of fragments that are
//     made when the site is built, and it must know where each begins.
//   - Package build/ecmascript changes a package.json of others. It keeps the order of the keys,
//     and writes numbers as JavaScript does.
//   - A value inside another document, and an argument in the protocol of another program, has no
//     newline. These use [json.Marshal].
package jsondoc

import (
	"bytes"
	"encoding/json"
)

// Line returns v as a document of one line.
func Line(v any) ([]byte, error) { return AppendLine(nil, v) }

// AppendLine appends v to b as one line.
func AppendLine(b []byte, v any) ([]byte, error) { return appendTo(b, v, "") }

// Indented returns v as a document for people.
func Indented(v any) ([]byte, error) { return appendTo(nil, v, "  ") }

func appendTo(b []byte, v any, indent string) ([]byte, error) {
	to := bytes.NewBuffer(b)
	enc := json.NewEncoder(to)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	err := enc.Encode(v)
	return to.Bytes(), err
}
