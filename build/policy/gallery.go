package policy

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"galbuild/build/catalog"
	"galbuild/build/imagefile"
	"galbuild/build/jsonc"
)

// A Gallery is how the pages of a gallery present it.
type Gallery struct {
	Title   string
	Contact string   // an https or a mailto address
	Install []string // editors for which pages say how to install, see Editors; nil if it is not given
	Logo    *Logo    // nil for none
}

// A Logo is the picture in the header of pages.
type Logo struct {
	File          string // logo.svg or logo.png
	Content       []byte
	Width, Height int // in pixels, of which only the ratio matters
}

// Editors are the names of editors, sorted.
var Editors = []string{"antigravity", "code-server", "cursor", "positron", "vscode", "vscode-insiders", "vscodium", "windsurf"}

const (
	maxTitle = 80 // characters
	maxLogo  = 64 << 10
)

// contact matches a mailto address.
var contact = regexp.MustCompile(`^mailto:[^\s@?&"'<>]+@[^\s@?&"'<>]+$`)

func (r *reader) readGallery(f jsonc.Field) (g Gallery) {
	for _, x := range r.Members(f, "title", "logo", "contact", "install") {
		switch x.Name {
		case "title":
			g.Title, _ = r.String(x, "a title")
			if n := utf8.RuneCountInString(g.Title); n > maxTitle {
				r.Problem(x, "has %d characters, more than the limit of %d", n, maxTitle)
			}
		case "logo":
			r.logo = &x
		case "contact":
			g.Contact = r.contact(x)
		case "install":
			g.Install = r.readInstall(x)
		}
	}
	return g
}

func (r *reader) contact(f jsonc.Field) string {
	const want = "an address such as https://acme.example/help or mailto:help@acme.example"
	s, ok := r.String(f, want)
	if ok && !contact.MatchString(s) && (!strings.HasPrefix(s, "https://") || catalog.CheckURL(s) != nil) {
		r.Problem(f, "want %s, found %.100q", want, s)
	}
	return s
}

func (r *reader) readInstall(f jsonc.Field) []string {
	names := []string{}
	for _, x := range r.Elements(f) {
		s, ok := r.String(x, "the name of an editor such as vscode")
		if ok && !slices.Contains(Editors, s) {
			r.Problem(x, "there is no editor %.100q%s", s, jsonc.OrOneOf(s, Editors))
		}
		if !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	return names
}

// readLogo reads the logo. It returns its path and content if the document does not include it, or
// nil.
func (r *reader) readLogo(read func(path string) ([]byte, error)) map[string]string {
	included := r.includedFiles()
	if r.logo == nil {
		r.notIncluded(included, "")
		return nil
	}
	path, ok := r.String(*r.logo, "the path of a PNG or SVG file")
	if !ok {
		return nil
	}
	r.notIncluded(included, path)
	text, ok := included[path]
	var content []byte
	var err error
	switch {
	case ok:
		content, err = base64.StdEncoding.DecodeString(text)
	case included != nil:
		err = errors.New(`the file is not among those of the key "files"; delete that key, so that the file is read again`)
	default:
		content, err = read(path)
	}
	if err == nil {
		r.policy.Gallery.Logo, err = parseLogo(content)
	}
	if err != nil {
		r.Problem(*r.logo, "%s: %v", path, err)
		return nil
	}
	if ok {
		return nil
	}
	return map[string]string{path: base64.StdEncoding.EncodeToString(content)}
}

// includedFiles returns the value of the key "files".
func (r *reader) includedFiles() map[string]string {
	if r.files == nil {
		return nil
	}
	all := make(map[string]string)
	for _, f := range r.Members(*r.files) {
		all[f.Name], _ = r.String(f, "a file in base 64")
	}
	return all
}

// notIncluded refuses files that the policy does not name.
func (r *reader) notIncluded(included map[string]string, named string) {
	for path := range included {
		if path != named {
			r.Problem(*r.files, "%.100q is not the file of a logo", path)
		}
	}
}

func parseLogo(content []byte) (*Logo, error) {
	if len(content) > maxLogo {
		return nil, fmt.Errorf("%d bytes, more than the limit of %d", len(content), maxLogo)
	}
	if bytes.HasPrefix(content, []byte("\x89PNG")) {
		c, err := png.DecodeConfig(bytes.NewReader(content))
		if err != nil {
			return nil, fmt.Errorf("is not a PNG file: %w", err)
		}
		return &Logo{"logo.png", content, c.Width, c.Height}, nil
	}
	width, height, err := parseSVG(content)
	if err != nil {
		return nil, fmt.Errorf("want a PNG or SVG file: %w", err)
	}
	return &Logo{"logo.svg", content, width, height}, nil
}

// parseSVG returns the size of a drawing. It refuses scripts, see [imagefile.ParseSVG].
func parseSVG(content []byte) (width, height int, err error) {
	root, err := imagefile.ParseSVG(content)
	if err != nil {
		return 0, 0, err
	}
	return sizeOfSVG(root)
}

// sizeOfSVG returns the width and height of a drawing, or else those of its viewBox.
func sizeOfSVG(root xml.StartElement) (width, height int, err error) {
	values := map[string]string{}
	for _, a := range root.Attr {
		values[a.Name.Local] = strings.TrimSuffix(a.Value, "px")
	}
	sizes := []string{values["width"], values["height"]}
	if box := strings.FieldsFunc(values["viewBox"], func(c rune) bool { return c == ' ' || c == ',' }); len(box) == 4 {
		sizes = box[2:]
	}
	w, errWidth := strconv.ParseFloat(sizes[0], 64)
	h, errHeight := strconv.ParseFloat(sizes[1], 64)
	if errWidth != nil || errHeight != nil || !(w > 0 && h > 0 && w < 1e6 && h < 1e6) {
		return 0, 0, errors.New("it has neither a viewBox, nor a width and a height in pixels")
	}
	const scale = 100 // of the smaller side, because only the ratio matters
	s := scale / min(w, h)
	return int(w*s + 0.5), int(h*s + 0.5), nil
}
