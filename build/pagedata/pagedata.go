// Package pagedata has what the page of an extension shows of a package, besides what is in the
// line of its version in the catalogue. It is a JSON document, an asset of the version with the
// type catalog.PageAsset, that is made when the package is read:
//
//	{"links":{"repository":"https://github.com/acme/notes","directory":"packages/vscode"},
//	 "network":"The setting notes.server is https://api.acme.example by default.",
//	 "contributions":[{"kind":"Commands","items":[{"name":"Notes: Add","detail":"notes.add"}]}]}
//
// All texts are those of the package, which is not trusted. Both [Document.Encode] and [Decode]
// keep a document within the limits below, and its links are http, https or mailto addresses. Texts
// may still contain anything else, such as HTML.
package pagedata

import (
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	json2 "github.com/go-json-experiment/json"

	"galbuild/build/jsondoc"
)

// Limits of a document. What exceeds them is cut or left out.
const (
	MaxBytes    = 64 << 10 // of the document
	MaxKinds    = 40       // of contributions
	MaxItems    = 200      // of one kind
	MaxColours  = 8        // of a theme
	maxMore     = 1 << 20  // items that are left out
	maxText     = 300      // bytes of a text
	maxAddress  = 2048     // bytes of a link, and of the address of a picture
	maxFile     = 100      // bytes of the path of a picture
	maxPictures = 200
)

// Document is what the page shows of a package.
type Document struct {
	Links         Links          `json:"links,omitzero"`
	Network       string         `json:"network,omitempty"` // sentences about what shows that it needs the network when it runs; "" if nothing does
	Contributions []Contribution `json:"contributions,omitempty"`
	Pictures      []Picture      `json:"pictures,omitempty"` // that the readme and the change log show, and the package does not hold
}

// Picture is a picture that was collected.
type Picture struct {
	Address string `json:"address"` // absolute
	File    string `json:"file"`    // among the files of the version, such as pictures/0123….png
}

// Links are the addresses in package.json, "" if there is none.
type Links struct {
	Repository string `json:"repository,omitempty"` // of its page
	Directory  string `json:"directory,omitempty"`  // of the extension in the repository; a path, not an address
	Homepage   string `json:"homepage,omitempty"`
	Bugs       string `json:"bugs,omitempty"`
	QnA        string `json:"qna,omitempty"`
	Sponsor    string `json:"sponsor,omitempty"`
}

// Contribution is one kind of what an extension adds to an editor.
type Contribution struct {
	Kind  string `json:"kind"` // in the words of VS Code, such as "Commands"
	Items []Item `json:"items,omitempty"`
	More  int    `json:"more,omitempty"` // items that are left out
}

// Item is a command, a setting, a theme, …
type Item struct {
	Name    string   `json:"name"`              // for people; never empty
	Detail  string   `json:"detail,omitempty"`  // for programs: the id of a command, the key of a setting, …
	Default string   `json:"default,omitempty"` // of a setting, as JSON
	Colours []string `json:"colours,omitempty"` // of a colour theme, such as #1e1e1e: the background, the text, and colours of code
}

// IsEmpty reports whether there is nothing to show.
func (d Document) IsEmpty() bool {
	return d.Links == Links{} && d.Network == "" && len(d.Contributions)+len(d.Pictures) == 0
}

// Encode returns the document within its limits. If it is too long, every kind of contributions has
// fewer items, and then there are fewer pictures. The same document gives the same bytes.
func (d Document) Encode() []byte {
	d = d.within()
	for items := MaxItems; ; items /= 2 {
		for i := range d.Contributions {
			d.Contributions[i].keep(items)
		}
		text, err := jsondoc.Line(d)
		if err != nil {
			panic(err) // a struct of strings and numbers can always be encoded
		}
		if len(text) <= MaxBytes || items == 0 && len(d.Pictures) == 0 {
			return text
		}
		if items == 0 {
			d.Pictures = d.Pictures[:len(d.Pictures)/2]
		}
	}
}

// Decode returns the document in a text. Unknown members are ignored.
func Decode(text []byte) (Document, error) {
	if len(text) > MaxBytes {
		return Document{}, fmt.Errorf("%d bytes, more than the limit of %d", len(text), MaxBytes)
	}
	var d Document
	if err := json2.Unmarshal(text, &d); err != nil {
		return Document{}, fmt.Errorf("it %w", jsondoc.Explain(text, err))
	}
	return d.within(), nil
}

// within returns the document within its limits, except for MaxBytes. It shares no slice with d.
func (d Document) within() Document {
	d.Links = d.Links.within()
	d.Network = oneLine(d.Network, 3*maxText)
	var all []Contribution
	for _, c := range d.Contributions[:min(len(d.Contributions), MaxKinds)] {
		if c = c.within(); c.Kind != "" && len(c.Items)+c.More > 0 {
			all = append(all, c)
		}
	}
	d.Contributions = all
	valid := slices.DeleteFunc(slices.Clone(d.Pictures), func(p Picture) bool { return !p.isValid() })
	d.Pictures = valid[:min(len(valid), maxPictures)]
	return d
}

func (p Picture) isValid() bool {
	return IsLink(p.Address) && len(p.File) <= maxFile && fs.ValidPath(p.File) && !strings.ContainsFunc(p.File, hidden)
}

func (c Contribution) within() Contribution {
	c.Kind, c.More, c.Items = oneLine(c.Kind, maxText), min(max(c.More, 0), maxMore), slices.Clone(c.Items)
	c.keep(MaxItems)
	for i := range c.Items {
		c.Items[i] = c.Items[i].within()
	}
	c.Items = slices.DeleteFunc(c.Items, func(i Item) bool { return i.Name == "" })
	return c
}

// keep leaves out the items after the first.
func (c *Contribution) keep(items int) {
	if n := len(c.Items) - items; n > 0 {
		c.Items, c.More = c.Items[:items], c.More+n
	}
}

func (i Item) within() Item {
	i.Name, i.Detail, i.Default = oneLine(i.Name, maxText), oneLine(i.Detail, maxText), oneLine(i.Default, maxText)
	colours := slices.DeleteFunc(slices.Clone(i.Colours), func(c string) bool { return !IsColour(c) })
	i.Colours = colours[:min(len(colours), MaxColours)]
	return i
}

func (l Links) within() Links {
	for _, address := range []*string{&l.Repository, &l.Homepage, &l.Bugs, &l.QnA, &l.Sponsor} {
		if !IsLink(*address) {
			*address = ""
		}
	}
	l.Directory = oneLine(l.Directory, maxText)
	return l
}

// IsLink reports whether an address can be a link of a document.
func IsLink(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil || len(address) > maxAddress || strings.ContainsFunc(address, hidden) {
		return false
	}
	return (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" || u.Scheme == "mailto" && u.Opaque != ""
}

// IsColour reports whether s is # and six hexadecimal digits.
func IsColour(s string) bool {
	digits, ok := strings.CutPrefix(s, "#")
	return ok && len(digits) == 6 && strings.Trim(digits, "0123456789abcdefABCDEF") == ""
}

// hidden reports whether a character is not shown, or changes the direction of the text around it.
func hidden(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

// oneLine returns a text on one line, without hidden characters. If it has more bytes than most, it
// is cut and ends with an ellipsis.
func oneLine(s string, most int) string {
	if s == "" {
		return ""
	}
	const ellipsis = "…"
	long := len(s) > 4*most // white space may follow
	if long {
		s = strings.ToValidUTF8(s[:4*most], "")
	}
	s = strings.Map(func(r rune) rune {
		if hidden(r) && !unicode.IsSpace(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= most && !long {
		return s
	}
	end := min(len(s), most-len(ellipsis))
	for end > 0 && end < len(s) && !utf8.RuneStart(s[end]) {
		end--
	}
	return strings.TrimRight(s[:end], " ") + ellipsis
}
