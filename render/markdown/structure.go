package markdown

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// small matches numbers that an attribute may have.
var small = regexp.MustCompile(`^[0-9]{1,4}$`)

// attributesOf returns the attributes that an element keeps, except those of links, pictures'
// addresses, and ids.
func attributesOf(n *html.Node, given []html.Attribute) (all []html.Attribute) {
	number := func(keys ...string) {
		for _, key := range keys {
			if value := strings.TrimSuffix(attribute(given, key), "px"); small.MatchString(value) {
				all = append(all, html.Attribute{Key: key, Val: value})
			}
		}
	}
	switch n.DataAtom {
	case atom.Img:
		number("width", "height")
	case atom.Ol:
		number("start")
	case atom.Td, atom.Th:
		for _, key := range []string{"colspan", "rowspan"} {
			if i, err := strconv.Atoi(attribute(given, key)); err == nil && 1 < i && i <= 100 {
				all = append(all, html.Attribute{Key: key, Val: strconv.Itoa(i)})
			}
		}
	case atom.Details:
		if slices.ContainsFunc(given, func(a html.Attribute) bool { return a.Key == "open" }) {
			all = append(all, html.Attribute{Key: "open"})
		}
	case atom.Abbr:
		if title := attribute(given, "title"); title != "" && len(title) <= maxAddress {
			all = append(all, html.Attribute{Key: "title", Val: title})
		}
	}
	if dir := attribute(given, "dir"); dir == "ltr" || dir == "rtl" || dir == "auto" {
		all = append(all, html.Attribute{Key: "dir", Val: dir})
	}
	if align := strings.ToLower(attribute(given, "align")); align == "center" || align == "right" || align == "left" {
		all = append(all, html.Attribute{Key: "class", Val: align})
	}
	return all
}

// structure changes elements that do not have the parent or the children that they need.
func structure(n *html.Node) {
	parent := atom.Atom(0)
	if n.Parent != nil {
		parent = n.Parent.DataAtom
	}
	switch n.DataAtom {
	case atom.Ul, atom.Ol:
		onlyChildren(n, atom.Li)
	case atom.Dl:
		if !onlyDefinitions(n) {
			become(n, atom.Div)
			for child := range n.ChildNodes() {
				if child.DataAtom == atom.Dt || child.DataAtom == atom.Dd {
					become(child, atom.Div)
				}
			}
		}
	case atom.Li:
		if parent != atom.Ul && parent != atom.Ol {
			become(n, atom.Div)
		}
	case atom.Dt, atom.Dd:
		if parent != atom.Dl {
			become(n, atom.Div)
		}
	case atom.Summary:
		if parent != atom.Details || strings.TrimSpace(textOf(n)) == "" {
			become(n, atom.Div)
		}
	}
}

// onlyChildren puts everything in a list that is not an item into items.
func onlyChildren(n *html.Node, item atom.Atom) {
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		if child.DataAtom == item && child.Type == html.ElementNode || isSpace(child) {
			continue
		}
		wrapper := newElement(item)
		n.InsertBefore(wrapper, child)
		n.RemoveChild(child)
		wrapper.AppendChild(child)
		child = wrapper
	}
}

// onlyDefinitions reports whether a list of definitions has terms with definitions and nothing
// else.
func onlyDefinitions(n *html.Node) bool {
	last := atom.Atom(0)
	for child := range n.ChildNodes() {
		switch {
		case isSpace(child):
		case child.Type != html.ElementNode, child.DataAtom != atom.Dt && child.DataAtom != atom.Dd,
			child.DataAtom == atom.Dd && last == 0:
			return false
		default:
			last = child.DataAtom
		}
	}
	return last == atom.Dd
}

func isSpace(n *html.Node) bool {
	return n.Type == html.TextNode && strings.TrimSpace(n.Data) == ""
}

// table puts a table into an element that can be scrolled. Headers that are empty, or that no cell
// belongs to, become cells.
func table(n *html.Node) {
	cells := 0
	for child := range n.Descendants() {
		if child.DataAtom == atom.Td {
			cells++
		}
	}
	for child := range n.Descendants() {
		if child.DataAtom == atom.Th && (cells == 0 || strings.TrimSpace(textOf(child)) == "") {
			become(child, atom.Td)
		}
	}
	wrapper := newElement(atom.Div, "class", "scroll", "tabindex", "0", "role", "group", "aria-label", "Table")
	n.Parent.InsertBefore(wrapper, n)
	remove(n)
	wrapper.AppendChild(n)
}

// alertKinds are GitHub's alerts.
var alertKinds = []string{"Note", "Tip", "Important", "Warning", "Caution"}

// alert makes a quote that begins with a line such as [!NOTE] an alert.
func alert(n *html.Node) {
	p := n.FirstChild
	for p != nil && isSpace(p) {
		p = p.NextSibling
	}
	if p == nil || p.DataAtom != atom.P || p.FirstChild == nil || p.FirstChild.Type != html.TextNode {
		return
	}
	first, rest, _ := strings.Cut(p.FirstChild.Data, "\n")
	for _, kind := range alertKinds {
		if !strings.EqualFold(strings.TrimSpace(first), "[!"+kind+"]") {
			continue
		}
		become(n, atom.Div)
		n.Attr = nil
		setAttribute(n, "class", "alert alert-"+strings.ToLower(kind))
		title := newElement(atom.P, "class", "alert-title")
		title.AppendChild(newText(kind))
		n.InsertBefore(title, p)
		p.FirstChild.Data = rest
		if p.FirstChild.NextSibling != nil && rest == "" && p.FirstChild.NextSibling.DataAtom == atom.Br {
			remove(p.FirstChild.NextSibling)
		}
		if p.FirstChild.NextSibling == nil && strings.TrimSpace(rest) == "" {
			remove(p)
		}
		return
	}
}

// become makes an element one with another name and the same children.
func become(n *html.Node, name atom.Atom) { n.DataAtom, n.Data = name, name.String() }

func remove(n *html.Node) { n.Parent.RemoveChild(n) }

// unwrap replaces an element by its children.
func unwrap(n *html.Node) {
	for child := n.FirstChild; child != nil; child = n.FirstChild {
		n.RemoveChild(child)
		n.Parent.InsertBefore(child, n)
	}
	remove(n)
}

// newElement returns an element with attributes, which are pairs of keys and values.
func newElement(name atom.Atom, attributes ...string) *html.Node {
	n := &html.Node{Type: html.ElementNode, Data: name.String(), DataAtom: name}
	for i := 0; i+1 < len(attributes); i += 2 {
		setAttribute(n, attributes[i], attributes[i+1])
	}
	return n
}

func newText(s string) *html.Node { return &html.Node{Type: html.TextNode, Data: s} }

// textOf returns what a reader sees of a node: its text, and the alternative text of pictures.
func textOf(n *html.Node) string {
	var b strings.Builder
	for child := range n.Descendants() {
		switch {
		case child.Type == html.TextNode:
			b.WriteString(child.Data)
		case child.DataAtom == atom.Img:
			b.WriteString(attribute(child.Attr, "alt"))
		}
	}
	return b.String()
}

// attribute returns the value of the first attribute with a key, as in browsers, or "".
func attribute(attributes []html.Attribute, key string) string {
	for _, a := range attributes {
		if a.Key == key && a.Namespace == "" {
			return a.Val
		}
	}
	return ""
}

func setAttribute(n *html.Node, key, value string) {
	n.Attr = append(slices.DeleteFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key }), html.Attribute{Key: key, Val: value})
}
