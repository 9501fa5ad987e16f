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

// checkImages reports what a gallery would not show.
func checkImages(s string, o Options, r *report) {
	found := images(render(s, r))
	for _, i := range found {
		if !i.svg && !o.KeepLinks {
			checkImage(i, r)
		}
	}
	for _, i := range found {
		if i.svg {
			r.add(i.line, "put the drawing into a PNG file, and show that with <img>", "galleries show no <svg>")
		}
	}
}

func checkImage(i image, r *report) {
	if i.src == "" {
		r.add(i.line, "give it a src, or remove it", "image has no source")
		return
	}
	err := imagepolicy.Image(i.src)
	if err == nil || errors.Is(err, imagepolicy.ErrAddress) && r.broken[i.src] {
		return
	}
	r.add(i.line, wayOf(err), "image source %q %v", short(i.src), err)
}

// wayOf tells what to do about an error of trusted.
func wayOf(err error) string {
	switch err {
	case imagepolicy.ErrEscape:
		return "write % as %25"
	case imagepolicy.ErrScheme:
		return "put the image where it has an https:// address"
	case imagepolicy.ErrSVG:
		return "use another format, such as PNG"
	}
	return "write its whole https:// address; only those of ![text](path) and plain paths in <img src> are completed"
}

// images returns the images in a document, in its order.
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

// imagesOfTags returns the images of a document that is not parsed, but for those that a
// parser would not take for elements.
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

// attribute returns the value of the first attribute called key, as browsers do; "" is none.
func attribute(attributes []html.Attribute, key string) string {
	for _, a := range attributes {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
