// Package markdown converts the readmes and change logs of extensions, which are written by
// strangers, to HTML that is safe on a page of the gallery.
//
// The result looks as on GitHub: tables, task lists, struck-out text, bare addresses that are
// links, alerts such as > [!NOTE], coloured code, and HTML within Markdown. It is made in four
// steps:
//
//	goldmark       Markdown to HTML; HTML in the text stays as it is
//	x/net/html     parses that as a browser would, so that every element is closed
//	cleaner        keeps known elements and attributes, and changes some of them, see below
//	bluemonday     checks the result again, with a policy of the same elements and attributes
//
// Whoever reads the page sends no request to another host because of a text in it:
//
//   - Pictures are shown only if [Options.Picture] knows an address on this site. Others become
//     links with their alternative text.
//   - Links lead to http, https and mailto addresses, and to headings in the same text. They have
//     rel="nofollow noopener noreferrer". The text of any other link stays without the link.
//   - There are no scripts, styles, frames, forms, drawings (SVG), media or attributes for events.
//     The classes in the result are those of this package.
//
// A text fits into a page that has a heading of its own and one for the text. The first heading
// of a text has the level [Options.Level], and no level is left out below it. All ids begin with
// [Options.Prefix].
//
// The same text gives the same HTML, however busy the machine is: limits count bytes, tokens and
// nodes. Texts above them are cut or shown as they are, without being parsed, see [Document]. There
// is one exception, for texts that are made to be slow: no more code of a text is coloured after a
// block of it, which has at most 8 kB, needed more than ten seconds instead of the usual
// milliseconds. The expressions of chroma's lexers have no other limit.
package markdown

import (
	"bytes"
	"errors"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	markup "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"galbuild/build/markdownlimit"
)

// Limits of a text, besides those of package markdownlimit.
const (
	MaxHTML    = 4 << 20 // bytes of HTML, before and after cleaning
	maxAddress = 2048    // bytes of the address or the title of a link or picture
)

// Options determine what a text becomes.
type Options struct {
	// Prefix is the beginning of all ids, such as "readme-".
	Prefix string
	// Level is the level of the first heading, from 1 to 6. The zero value is 1.
	Level int
	// Picture returns the picture that is shown for the address in the text, which may be
	// relative. nil is a function that knows no picture.
	Picture func(address string) (Picture, bool)
}

// Picture is a picture on this site.
type Picture struct {
	Address       string // from the page
	Width, Height int    // in pixels, so that the page does not move when the picture arrives; 0 if not known
}

// Document is a text as HTML.
type Document struct {
	HTML     []byte
	Headings []Heading
	Cut      bool   // the text is longer than [markdownlimit.MaxBytes], and its end is missing
	Plain    string // why the text is shown as it is, without being parsed; "" if it was parsed
}

// Heading is a heading of a text.
type Heading struct {
	ID    string // with the prefix
	Level int    // as in the HTML
	Text  string
}

// Render converts Markdown to HTML. The text may be any bytes.
func Render(source []byte, o Options) Document {
	s, cut := readable(source)
	d, err := render(s, o)
	if err != nil {
		d = Document{HTML: plain(s), Plain: err.Error()}
	}
	d.Cut = cut
	return d
}

func render(s string, o Options) (Document, error) {
	if line := markdownlimit.TooDeep(s); line > 0 {
		return Document{}, errors.New("too many quotes and lists are nested")
	}
	converted, err := convert(s)
	if err != nil {
		return Document{}, err
	}
	body := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(bytes.NewReader(converted), body)
	if err != nil {
		return Document{}, errors.New("too many elements are nested")
	}
	for _, n := range nodes {
		body.AppendChild(n)
	}
	c := newCleaner(o)
	c.run(body)
	out := limitedBuffer{left: MaxHTML}
	for n := range body.ChildNodes() {
		if err := html.Render(&out, n); err != nil {
			return Document{}, err
		}
	}
	return Document{HTML: policy.SanitizeBytes(out.Bytes()), Headings: c.headings}, nil
}

// readable returns a text as UTF-8 without a byte order mark, with lines that end with LF, and
// whether its end was cut off.
func readable(source []byte) (s string, cut bool) {
	source, cut = markdownlimit.Cut(source)
	s = strings.ToValidUTF8(string(bytes.TrimPrefix(source, []byte("\ufeff"))), "\ufffd")
	return strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "\ufffd").Replace(s), cut
}

// plain returns a text as it is.
func plain(s string) []byte {
	return []byte(`<pre tabindex="0">` + html.EscapeString(s) + "</pre>")
}

// convert converts GitHub's Markdown to HTML, with the HTML that it contains.
func convert(s string) ([]byte, error) {
	md := goldmark.New(
		goldmark.WithExtensions(
			extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
			extension.Strikethrough, extension.Linkify, extension.TaskList, new(markdownlimit.Limiter),
		),
		goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(addressLimiter{}, 1))),
		goldmark.WithRendererOptions(markup.WithUnsafe()),
	)
	out := limitedBuffer{left: MaxHTML}
	if err := md.Convert([]byte(s), &out); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// An addressLimiter removes long addresses and titles. Otherwise, a text that defines a long
// address once and refers to it in each line would become as long as the product of both.
type addressLimiter struct{}

func (addressLimiter) Transform(document *ast.Document, _ text.Reader, _ parser.Context) {
	_ = ast.Walk(document, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch x := n.(type) {
		case *ast.Link:
			x.Destination, x.Title = short(x.Destination), short(x.Title)
		case *ast.Image:
			x.Destination, x.Title = short(x.Destination), short(x.Title)
		}
		return ast.WalkContinue, nil
	})
}

func short(b []byte) []byte {
	if len(b) > maxAddress {
		return nil
	}
	return b
}

// errTooLong is a reason for Document.Plain.
var errTooLong = errors.New("it would become too long")

// A limitedBuffer is a buffer that accepts a limited number of bytes.
type limitedBuffer struct {
	bytes.Buffer
	left int
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errTooLong
	}
	return b.Buffer.Write(p)
}
