package readme

import (
	"bytes"
	"errors"
	"strconv"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"galbuild/build/pack/imagepolicy"
)

// An image is an element <img> or <svg>.
type image struct {
	svg  bool
	src  string // of <img>
	line int    // in the text, from 1
}

// checkImages reports images that galleries do not show.
func checkImages(s string, o Options, r *report) {
	found := images(render(s, r))
	for _, i := range found {
		if !i.svg && !o.KeepLinks {
			checkImage(i, r)
		}
	}
	for _, i := range found {
		if i.svg {
			r.add(i.line, "convert the drawing to a PNG file, and show that with <img>", "galleries do not show <svg>")
		}
	}
}

func checkImage(i image, r *report) {
	if i.src == "" {
		r.add(i.line, "give it a src, or remove it", "image has no source")
		return
	}
	err := imagepolicy.Check(i.src)
	if err == nil || errors.Is(err, imagepolicy.ErrAddress) && r.broken[i.src] {
		return
	}
	r.add(i.line, hintOf(err), "image source %q %v", short(i.src), err)
}

// hintOf returns the hint for an error of package imagepolicy.
func hintOf(err error) string {
	switch err {
	case imagepolicy.ErrEscape:
		return "write % as %25"
	case imagepolicy.ErrScheme:
		return "publish the image at an https:// address"
	case imagepolicy.ErrSVG:
		return "use another format, such as PNG"
	}
	return "write the whole https:// address; only paths in ![text](path) and simple ones in <img src> are made absolute"
}

// images returns the images in an HTML document, in order.
func images(document []byte) []image {
	root, err := html.Parse(bytes.NewReader(document))
	if err != nil { // nested too deep
		return imagesOfTags(document)
	}
	var found []image
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && (n.DataAtom == atom.Img || n.DataAtom == atom.Svg) {
			found = append(found, newImage(n.Data, n.Attr))
		}
	}
	return found
}

// imagesOfTags returns the images in a document that cannot be parsed. These may include tags
// that a parser would ignore.
func imagesOfTags(document []byte) []image {
	var found []image
	z := html.NewTokenizer(bytes.NewReader(document))
	for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		switch t := z.Token(); t.DataAtom {
		case atom.Img, atom.Image, atom.Svg:
			found = append(found, newImage(t.Data, t.Attr))
		}
	}
	return found
}

func newImage(name string, attributes []html.Attribute) image {
	line, _ := strconv.Atoi(attribute(attributes, lineAttribute))
	return image{svg: name == "svg", src: attribute(attributes, "src"), line: line}
}

// attribute returns the value of the first attribute with a name, as in browsers, or "".
func attribute(attributes []html.Attribute, key string) string {
	for _, a := range attributes {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
