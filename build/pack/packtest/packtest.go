// Package packtest compares the XML of packages, for tests.
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

// DiffXML returns the lines of CanonicalXML in which two documents differ, with -
// for want and + for got before them; "" if they say the same.
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

// canonical is CanonicalXML with the error in place of a document that cannot be
// read.
func canonical(text []byte) string {
	s, err := CanonicalXML(text)
	if err != nil {
		return fmt.Sprintf("cannot be read: %v\n", err)
	}
	return s
}

// CanonicalXML returns a document as readers take it, one element a line below
// the one that holds it, with its attributes in order of their names:
//
//	{http://schemas.example/2011}Extension Version="2.0.0"
//	  DisplayName "Hello\nWorld"
//
// A namespace stands before a name if it is another than that of the element
// around. Comments are dropped, and white space beside elements; text is quoted
// as in Go. It fails if the document is not well-formed.
func CanonicalXML(text []byte) (string, error) {
	d := xml.NewDecoder(bytes.NewReader(plainAttributes(text)))
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

// element is one, with all its text in one piece.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Elements []element  `xml:",any"`
}

// print writes e and what is in it; around is the namespace of what it is in.
func (e *element) print(b *strings.Builder, indent, around string) {
	b.WriteString(indent + fullName(e.XMLName, around))
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

func fullName(n xml.Name, around string) string {
	if n.Space == "" || n.Space == around {
		return n.Local
	}
	return "{" + n.Space + "}" + n.Local
}
