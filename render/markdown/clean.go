package markdown

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// rel is the rel attribute of links to other sites.
const rel = "nofollow noopener noreferrer"

// kept are the elements that stay, with attributes that are checked by attributesOf.
var kept = []atom.Atom{
	atom.A, atom.Abbr, atom.B, atom.Blockquote, atom.Br, atom.Caption, atom.Cite, atom.Code, atom.Dd, atom.Del, atom.Details, atom.Dfn,
	atom.Div, atom.Dl, atom.Dt, atom.Em, atom.Figcaption, atom.Figure, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Hr,
	atom.I, atom.Img, atom.Ins, atom.Kbd, atom.Li, atom.Mark, atom.Ol, atom.P, atom.Pre, atom.Q, atom.Rp, atom.Rt, atom.Ruby, atom.S,
	atom.Samp, atom.Small, atom.Strong, atom.Sub, atom.Summary, atom.Sup, atom.Table, atom.Tbody, atom.Td, atom.Tfoot, atom.Th, atom.Thead,
	atom.Tr, atom.U, atom.Ul, atom.Var, atom.Wbr,
}

// dropped are the elements that are removed with their content. Of all other elements that are not
// kept, the content stays.
var dropped = []atom.Atom{
	atom.Applet, atom.Area, atom.Audio, atom.Base, atom.Canvas, atom.Col, atom.Colgroup, atom.Embed, atom.Frame, atom.Frameset, atom.Head,
	atom.Iframe, atom.Input, atom.Link, atom.Map, atom.Math, atom.Meta, atom.Noembed, atom.Noframes, atom.Noscript, atom.Object,
	atom.Option, atom.Param, atom.Plaintext, atom.Script, atom.Select, atom.Source, atom.Style, atom.Svg, atom.Template, atom.Textarea,
	atom.Title, atom.Track, atom.Xmp,
}

// renamed are elements that are obsolete, with those that look the same.
var renamed = map[atom.Atom]atom.Atom{atom.Strike: atom.Del, atom.Tt: atom.Code, atom.Center: atom.Div}

// A cleaner changes the tree of a text so that it can be a part of a page.
type cleaner struct {
	options   Options
	headings  []Heading
	outline   []int           // the levels, in the text, of the headings around the current position
	ids       map[string]bool // all ids, with the prefix
	repeated  map[string]int  // how often a number was added to an id
	fragments []*html.Node    // links to places in the text
	links     int             // links around the current position
	colours   highlighter
}

func newCleaner(o Options) *cleaner {
	o.Level = min(max(o.Level, 1), 6)
	return &cleaner{options: o, ids: map[string]bool{}, repeated: map[string]int{}}
}

// run cleans everything in body.
func (c *cleaner) run(body *html.Node) {
	c.children(body)
	for _, a := range c.fragments {
		id := c.options.Prefix + strings.ToLower(attribute(a.Attr, "href")[1:])
		if c.ids[id] {
			a.Attr = []html.Attribute{{Key: "href", Val: "#" + id}}
		} else {
			unwrap(a)
		}
	}
}

func (c *cleaner) children(parent *html.Node) {
	for n := parent.FirstChild; n != nil; {
		next := n.NextSibling
		c.node(n)
		n = next
	}
}

// node cleans a node, which may remove it or replace it.
func (c *cleaner) node(n *html.Node) {
	switch n.Type {
	case html.TextNode:
		return
	case html.ElementNode:
	default:
		remove(n)
		return
	}
	given := n.Attr
	switch {
	case n.DataAtom == atom.Input && attribute(given, "type") == "checkbox":
		c.task(n)
		return
	case n.DataAtom == atom.Video:
		c.video(n)
		return
	case slices.Contains(dropped, n.DataAtom): // svg and math with all that is in them
		remove(n)
		return
	}
	if n.DataAtom == atom.Center {
		given = []html.Attribute{{Key: "align", Val: "center"}}
	}
	if name, ok := renamed[n.DataAtom]; ok {
		n.DataAtom, n.Data = name, name.String()
	}
	n.Attr = nil
	c.anchor(n, given)
	if !slices.Contains(kept, n.DataAtom) {
		c.children(n)
		unwrap(n)
		return
	}
	c.element(n, given)
}

// element cleans an element that is kept. given are its attributes in the text.
func (c *cleaner) element(n *html.Node, given []html.Attribute) {
	n.Attr = append(n.Attr, attributesOf(n, given)...)
	switch n.DataAtom {
	case atom.A:
		c.link(n, given)
	case atom.Img:
		c.picture(n, given)
	case atom.Pre:
		c.code(n)
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		c.heading(n)
	case atom.Blockquote:
		c.children(n)
		alert(n)
	case atom.Table:
		c.children(n)
		table(n)
	default:
		c.children(n)
		structure(n)
	}
}

// goodID matches the id attributes that are kept, as targets of links within the text.
func goodID(s string) bool {
	return s != "" && len(s) <= 200 && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_' && r != '.'
	})
}

// anchor gives n the id that it has in the text, or its name if it is an <a>.
func (c *cleaner) anchor(n *html.Node, given []html.Attribute) {
	id := attribute(given, "id")
	if id == "" && n.DataAtom == atom.A {
		id = attribute(given, "name")
	}
	id = strings.ToLower(id)
	if !goodID(id) || c.ids[c.options.Prefix+id] || isHeading(n) {
		return
	}
	c.ids[c.options.Prefix+id] = true
	setAttribute(n, "id", c.options.Prefix+id)
}

func isHeading(n *html.Node) bool {
	return len(n.Data) == 2 && n.Data[0] == 'h' && '1' <= n.Data[1] && n.Data[1] <= '6'
}

// heading gives a heading its level and its id, and notes it. A heading without text is removed.
func (c *cleaner) heading(n *html.Node) {
	c.children(n)
	title := strings.Join(strings.Fields(textOf(n)), " ")
	if title == "" {
		unwrap(n)
		return
	}
	level := int(n.Data[1] - '0')
	for len(c.outline) > 0 && c.outline[len(c.outline)-1] >= level {
		c.outline = c.outline[:len(c.outline)-1]
	}
	c.outline = append(c.outline, level)
	level = min(c.options.Level+len(c.outline)-1, 6)
	n.Data = "h" + strconv.Itoa(level)
	n.DataAtom = atom.Lookup([]byte(n.Data))
	id := c.unique(c.options.Prefix + slug(title))
	setAttribute(n, "id", id)
	c.headings = append(c.headings, Heading{ID: id, Level: level, Text: title})
}

// unique returns an id that no element has, and notes it.
func (c *cleaner) unique(id string) string {
	unused := id
	for c.ids[unused] {
		c.repeated[id]++
		unused = id + "-" + strconv.Itoa(c.repeated[id])
	}
	c.ids[unused] = true
	return unused
}

// slug returns the id that GitHub gives to a heading.
func slug(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-':
			return '-'
		case r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, title)
}

// link cleans a link. A link without text gets the host of its address as text.
func (c *cleaner) link(n *html.Node, given []html.Attribute) {
	c.links++
	c.children(n)
	c.links--
	href := strings.TrimSpace(attribute(given, "href"))
	if len(href) > 1 && href[0] == '#' {
		setAttribute(n, "href", href)
		c.fragments = append(c.fragments, n)
		return
	}
	address, host, ok := safe(href)
	switch {
	case ok:
		setAttribute(n, "href", address)
		setAttribute(n, "rel", rel)
		if strings.TrimSpace(textOf(n)) == "" {
			n.AppendChild(newText(host))
		}
	case attribute(n.Attr, "id") == "":
		unwrap(n)
	}
}

// safe returns an address that a page may link to, and the text that stands for it.
func safe(address string) (href, host string, ok bool) {
	if len(address) > maxAddress {
		return "", "", false
	}
	if strings.HasPrefix(address, "//") {
		address = "https:" + address
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.User != nil:
		return "", "", false
	case u.Scheme == "mailto" && u.Opaque != "":
		return u.String(), u.Opaque, true
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.Opaque == "":
		return u.String(), u.Host, true
	}
	return "", "", false
}

// picture shows a picture of this site. It replaces others by a link with the alternative text, or
// only by that text within a link.
func (c *cleaner) picture(n *html.Node, given []html.Attribute) {
	src := strings.TrimSpace(attribute(given, "src"))
	alt := strings.Join(strings.Fields(attribute(given, "alt")), " ")
	if c.options.Picture != nil && len(src) <= maxAddress && src != "" {
		if p, ok := c.options.Picture(src); ok {
			c.show(n, p, alt)
			return
		}
	}
	c.replaceBy(n, src, alt)
}

func (c *cleaner) show(n *html.Node, p Picture, alt string) {
	setAttribute(n, "src", p.Address)
	setAttribute(n, "alt", alt)
	setAttribute(n, "loading", "lazy")
	if p.Width > 0 && p.Height > 0 && attribute(n.Attr, "width") == "" && attribute(n.Attr, "height") == "" {
		setAttribute(n, "width", strconv.Itoa(p.Width))
		setAttribute(n, "height", strconv.Itoa(p.Height))
	}
}

// replaceBy replaces a picture or a video of another site.
func (c *cleaner) replaceBy(n *html.Node, src, alt string) {
	defer remove(n)
	if c.links > 0 {
		if alt != "" {
			n.Parent.InsertBefore(newText(alt), n)
		}
		return
	}
	href, host, ok := safe(src)
	switch {
	case ok && alt == "":
		alt = "Picture at " + host
	case alt == "":
		return
	}
	if !ok {
		n.Parent.InsertBefore(newText(alt), n)
		return
	}
	a := newElement(atom.A, "class", "picture", "href", href, "rel", rel)
	a.AppendChild(newText(alt))
	n.Parent.InsertBefore(a, n)
}

func (c *cleaner) video(n *html.Node) {
	src := attribute(n.Attr, "src")
	for child := range n.Descendants() {
		if src == "" && child.DataAtom == atom.Source {
			src = attribute(child.Attr, "src")
		}
	}
	c.replaceBy(n, strings.TrimSpace(src), "Video")
}

// task replaces the box of a task by a sign.
func (c *cleaner) task(n *html.Node) {
	sign, name := "☐", "to do"
	if slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "checked" }) {
		sign, name = "☑", "done"
	}
	span := newElement(atom.Span, "class", "task", "role", "img", "aria-label", name)
	span.AppendChild(newText(sign))
	n.Parent.InsertBefore(span, n)
	remove(n)
}

// code colours a block of code.
func (c *cleaner) code(n *html.Node) {
	setAttribute(n, "tabindex", "0") // so that a block that is too wide can be scrolled with keys
	code := n.FirstChild
	language := ""
	if code != nil && code.NextSibling == nil && code.DataAtom == atom.Code {
		language, _ = strings.CutPrefix(attribute(code.Attr, "class"), "language-")
	}
	if language == "" || !c.colours.replace(code, language) {
		c.children(n)
	}
}
