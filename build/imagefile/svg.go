package imagefile

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
)

// maxDepth is the largest number of elements within each other in a drawing.
const maxDepth = 256

// ParseSVG returns the root element of a drawing. It refuses what can run a script or loads
// something from elsewhere. Pages show a drawing as an <img>, which does neither, but somebody may
// open its address.
func ParseSVG(content []byte) (root xml.StartElement, err error) {
	d := xml.NewDecoder(bytes.NewReader(content))
	d.CharsetReader = readCharset
	c := new(checker)
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && c.hasRoot {
			return c.root, nil
		}
		if err != nil {
			return root, errors.New("it is not XML")
		}
		if err := c.check(token); err != nil {
			return root, err
		}
	}
}

// readCharset accepts encodings in which all bytes of ASCII are ASCII, so that no browser sees
// other elements than the decoder does.
func readCharset(charset string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(charset) {
	case "us-ascii", "ascii", "iso-8859-1", "windows-1252":
		return in, nil
	}
	return nil, fmt.Errorf("encoding %.40q", charset)
}

// A checker checks the tokens of a drawing.
type checker struct {
	root    xml.StartElement
	hasRoot bool
	depth   int // of the element
	styles  int // how many of the elements around are <style>
}

func (c *checker) check(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		if isStyle(t.Name) {
			c.styles++
		}
		return errors.Join(c.begin(t), checkElement(t))
	case xml.EndElement:
		c.depth--
		if isStyle(t.Name) {
			c.styles--
		}
	case xml.CharData:
		if c.styles > 0 && loads(string(t)) {
			return errors.New("its style sheet loads something from elsewhere")
		}
	case xml.Directive:
		if bytes.ContainsAny(t, "[") {
			return errors.New("its document type declares entities")
		}
	case xml.ProcInst:
		if t.Target != "xml" {
			return fmt.Errorf("its instruction <?%.100s?> can load something from elsewhere", t.Target)
		}
	}
	return nil
}

func isStyle(name xml.Name) bool { return strings.EqualFold(name.Local, "style") }

// begin counts an element, and refuses another root than <svg>.
func (c *checker) begin(e xml.StartElement) error {
	if c.depth++; c.depth > maxDepth {
		return fmt.Errorf("it has more than %d elements within each other", maxDepth)
	}
	if c.hasRoot {
		return nil
	}
	c.root, c.hasRoot = e.Copy(), true
	if e.Name.Local != "svg" {
		return fmt.Errorf("its element is <%.100s>, not <svg>", e.Name.Local)
	}
	return nil
}

// checkElement refuses an element that can run a script or loads something.
func checkElement(e xml.StartElement) error {
	switch strings.ToLower(e.Name.Local) {
	case "script", "foreignobject", "handler", "iframe", "embed", "object":
		return fmt.Errorf("its element <%.100s> can run a script", e.Name.Local)
	}
	for _, a := range e.Attr {
		switch {
		case runs(a):
			return fmt.Errorf("its element <%.100s> can run a script", e.Name.Local)
		case isElsewhere(e.Name.Local, a), a.Name.Space == "" && loads(a.Value):
			return fmt.Errorf("its element <%.100s> loads %.100q from elsewhere", e.Name.Local, a.Value)
		}
	}
	return nil
}

// runs reports whether an attribute can run a script, or can change an address into one that does.
func runs(a xml.Attr) bool {
	name, value := strings.ToLower(a.Name.Local), withoutSpace(strings.ToLower(a.Value))
	return strings.HasPrefix(name, "on") || strings.Contains(value, "javascript:") ||
		name == "attributename" && strings.HasSuffix(value, "href")
}

// isElsewhere reports whether an attribute has an address that its element loads. A link <a> loads
// nothing until somebody follows it.
func isElsewhere(element string, a xml.Attr) bool {
	if name := strings.ToLower(a.Name.Local); name != "href" && name != "src" || strings.EqualFold(element, "a") {
		return false
	}
	address := withoutSpace(a.Value)
	return address != "" && !strings.HasPrefix(address, "#") && !isData(strings.ToLower(address)) &&
		!(strings.EqualFold(element, "image") && isDrawing(address))
}

// isData reports whether an address contains a picture that is not a drawing itself.
func isData(address string) bool {
	kinds := []string{"png", "jpeg", "jpg", "gif", "webp", "avif"}
	return slices.ContainsFunc(kinds, func(kind string) bool { return strings.HasPrefix(address, "data:image/"+kind) })
}

// isDrawing reports whether an address contains a drawing that is harmless itself and contains no
// other one. Badges have logos of this kind.
func isDrawing(address string) bool {
	const scheme = "data:" + SVG
	if len(address) < len(scheme) || !strings.EqualFold(address[:len(scheme)], scheme) {
		return false
	}
	parameters, data, _ := strings.Cut(address[len(scheme):], ",")
	content, err := url.PathUnescape(data)
	if err == nil && strings.HasSuffix(strings.ToLower(parameters), ";base64") {
		var decoded []byte
		decoded, err = base64.StdEncoding.DecodeString(content)
		content = string(decoded)
	}
	if err != nil || strings.Contains(strings.ToLower(content), "data:") {
		return false
	}
	_, err = ParseSVG([]byte(content))
	return err == nil
}

// loads reports whether a text with style loads something: by url(…) with an address that is not an
// element of the drawing, or by @import. It does not interpret escapes: a text with a backslash
// counts as one that does.
func loads(style string) bool {
	style = withoutSpace(strings.ToLower(style))
	if strings.Contains(style, "@import") || strings.Contains(style, "image-set(") || strings.Contains(style, `\`) {
		return true
	}
	for _, rest, ok := strings.Cut(style, "url("); ok; _, rest, ok = strings.Cut(rest, "url(") {
		address := strings.TrimLeft(rest, `"'`)
		if !strings.HasPrefix(address, "#") && !isData(address) && !strings.HasPrefix(address, "data:font/") {
			return true
		}
	}
	return false
}

// withoutSpace returns s without white space and control characters, which browsers ignore in
// addresses.
func withoutSpace(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' {
			return -1
		}
		return r
	}, s)
}
