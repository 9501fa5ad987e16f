// Package pictures finds the pictures that a text in Markdown shows, such as the readme of an
// extension, and replaces their addresses.
//
// The text is parsed as GitHub's Markdown. Pictures are
//
//	![text](address)             in Markdown
//	![text][label]               in Markdown; the address is in the definition [label]: address
//	<img src="address">          in HTML, also with srcset
//	<source srcset="address">    in HTML, for <picture>
//
// [Repository.File] says which file of the package an address names.
package pictures

import (
	"bytes"
	"cmp"
	"html"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	markdown "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"galbuild/build/markdownlimit"
)

// A Reference is a place in a text that has the address of a picture.
type Reference struct {
	Address    string // without escapes of Markdown and HTML
	start, end int    // of the address in the text, as it is written there
}

// Find returns the addresses of the pictures in a text, in the order of the text. Each place is
// returned once, even if several pictures use the same definition. Of a long text, it reads as much
// as pages show, see [markdownlimit.Cut].
func Find(text []byte) []Reference {
	text, _ = markdownlimit.Cut(text)
	if !mayShow(text) || markdownlimit.TooDeep(string(text)) > 0 {
		return nil
	}
	plain := newPlain(text)
	document := goldmark.New(goldmark.WithExtensions(extension.GFM, new(markdownlimit.Limiter))).
		Parser().Parse(markdown.NewReader(plain.text))
	f := finder{source: plain.text}
	_ = ast.Walk(document, f.visit) // visit returns no error
	for i := range f.found {
		r := &f.found[i]
		r.start, r.end = plain.original(r.start), plain.original(r.end)
	}
	slices.SortStableFunc(f.found, func(a, b Reference) int { return cmp.Compare(a.start, b.start) })
	return slices.CompactFunc(f.found, func(a, b Reference) bool { return a.start == b.start })
}

// mayShow reports whether a text can show pictures. Most do not, and need not be parsed.
func mayShow(text []byte) bool {
	if bytes.Contains(text, []byte("![")) {
		return true
	}
	for _, rest, ok := bytes.Cut(text, []byte("<")); ok; _, rest, ok = bytes.Cut(rest, []byte("<")) {
		for _, name := range []string{"img", "image", "source"} {
			if len(rest) > len(name) && strings.EqualFold(string(rest[:len(name)]), name) {
				return true
			}
		}
	}
	return false
}

// Replace returns text, in which found was found, with other addresses. replace returns the new
// address for one of the text, and false if that stays. An address that has other characters than
// letters, digits and ./:@%~_- would need escapes, and is not used. Nothing but addresses changes.
func Replace(text []byte, found []Reference, replace func(address string) (string, bool)) []byte {
	var out []byte
	end := 0
	for _, r := range found {
		address, ok := replace(r.Address)
		if !ok || strings.ContainsFunc(address, needsEscape) {
			continue
		}
		out = append(out, text[end:r.start]...)
		out = append(out, address...)
		end = r.end
	}
	return append(out, text[end:]...)
}

func needsEscape(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("./:@%~_-", r)
}

// A plain is a text for goldmark, which knows only LF as the end of a line: without a byte order
// mark, and without CR.
type plain struct {
	text    []byte
	mark    int   // length of the byte order mark
	removed []int // where in text a CR was removed
}

func newPlain(original []byte) *plain {
	text := bytes.TrimPrefix(original, []byte("\ufeff"))
	p := &plain{text: text, mark: len(original) - len(text)}
	if bytes.IndexByte(text, '\r') < 0 {
		return p
	}
	p.text = make([]byte, 0, len(text))
	for i, c := range text {
		switch {
		case c != '\r':
			p.text = append(p.text, c)
		case i+1 < len(text) && text[i+1] == '\n':
			p.removed = append(p.removed, len(p.text))
		default:
			p.text = append(p.text, '\n')
		}
	}
	return p
}

// original returns the position in the original text.
func (p *plain) original(at int) int {
	before, _ := slices.BinarySearch(p.removed, at)
	return p.mark + at + before
}

// A finder collects the references in a document.
type finder struct {
	source []byte
	found  []Reference // with positions in source
}

func (f *finder) visit(n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	switch n := n.(type) {
	case *ast.Image:
		f.image(n.Destination)
		return ast.WalkSkipChildren, nil // pictures in the alternative text are not shown
	case *ast.HTMLBlock:
		segments := n.Lines().Sliced(0, n.Lines().Len())
		if n.HasClosure() {
			segments = append(slices.Clip(segments), n.ClosureLine)
		}
		f.html(segments)
	case *ast.RawHTML:
		f.html(n.Segments.Sliced(0, n.Segments.Len()))
	}
	return ast.WalkContinue, nil
}

// image adds the address of a picture in Markdown, which is a slice of the source. If the parser
// has copied it, it is left out.
func (f *finder) image(address []byte) {
	start := cap(f.source) - cap(address)
	if len(address) == 0 || start < 0 || start >= len(f.source) || &f.source[start] != &address[0] {
		return
	}
	f.found = append(f.found, Reference{string(util.URLEscape(address, true)), start, start + len(address)})
}

// html adds the addresses in HTML that consists of these segments of the source.
func (f *finder) html(segments []markdown.Segment) {
	var text []byte
	var starts []int // of the segments in text
	for _, s := range segments {
		starts = append(starts, len(text)+s.Padding)
		text = append(text, s.Value(f.source)...)
	}
	for _, r := range inHTML(text) {
		i, found := slices.BinarySearch(starts, r.start)
		if !found {
			i--
		}
		if i < 0 {
			continue
		}
		shift := segments[i].Start - starts[i]
		r.start, r.end = r.start+shift, r.end+shift
		if r.end <= segments[i].Stop { // an address that continues on the next line names no file
			f.found = append(f.found, r)
		}
	}
}

// trimmed returns the reference to an address within a value of HTML, without the white space
// around it. start is the position of the value.
func trimmed(value []byte, start int) Reference {
	address := bytes.TrimLeft(value, space)
	start += len(value) - len(address)
	address = bytes.TrimRight(address, space)
	return Reference{html.UnescapeString(string(address)), start, start + len(address)}
}
