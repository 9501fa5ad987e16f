// Package packtest compares the XML documents of packages. It is used only by tests.
package packtest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// DiffXML returns the lines of [CanonicalXML] that differ between two documents, with a leading -
// for want and + for got. It returns "" if the documents are equivalent.
func DiffXML(want, got []byte) string {
	var lines strings.Builder
	all := diff.Diff("want", []byte(canonical(want)), "got", []byte(canonical(got)))
	for line := range strings.Lines(string(all)) {
		header := strings.HasPrefix(line, "--- want") || strings.HasPrefix(line, "+++ got")
		if !header && (line[0] == '-' || line[0] == '+') {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

// canonical returns the result of CanonicalXML, or its error as text.
func canonical(text []byte) string {
	s, err := CanonicalXML(text)
	if err != nil {
		return fmt.Sprintf("cannot be read: %v\n", err)
	}
	return s
}

// CanonicalXML returns a text that is the same for equivalent documents. It has a line for each
// element, indented below its parent, with its attributes sorted by name:
//
//	{http://schemas.example/2011}Extension Version="2.0.0"
//	  DisplayName "Hello\nWorld"
//
// A name is preceded by its namespace if that differs from the parent's. Comments, and white space
// between elements, are removed. Text is quoted as in Go. It is an error if the document is not
// well-formed.
func CanonicalXML(text []byte) (string, error) {
	d := xml.NewDecoder(bytes.NewReader(normalizeAttributes(text)))
	var root element
	if err := d.Decode(&root); err != nil {
		return "", err
	}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
		if _, more := token.(xml.StartElement); more {
			return "", errors.New("a second element follows the first")
		}
	}
	var b strings.Builder
	root.print(&b, "", "")
	return b.String(), nil
}

// element is an element, with all its text concatenated.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Elements []element  `xml:",any"`
}

// print writes e and its children. parent is the namespace of its parent.
func (e *element) print(b *strings.Builder, indent, parent string) {
	b.WriteString(indent + fullName(e.XMLName, parent))
	slices.SortFunc(e.Attrs, func(a, b xml.Attr) int {
		return strings.Compare(fullName(a.Name, ""), fullName(b.Name, ""))
	})
	for _, a := range e.Attrs {
		fmt.Fprintf(b, " %s=%q", fullName(a.Name, ""), a.Value)
	}
	if len(e.Elements) == 0 && e.Text != "" || strings.TrimSpace(e.Text) != "" {
		fmt.Fprintf(b, " %q", e.Text)
	}
	b.WriteByte('\n')
	for i := range e.Elements {
		e.Elements[i].print(b, indent+"  ", e.XMLName.Space)
	}
}

func fullName(n xml.Name, parent string) string {
	if n.Space == "" || n.Space == parent {
		return n.Local
	}
	return "{" + n.Space + "}" + n.Local
}
