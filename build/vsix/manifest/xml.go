package manifest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// XML is the content of extension.vsixmanifest.
type XML struct {
	XMLName  xml.Name `xml:"PackageManifest"`
	Format   string   `xml:"Version,attr"`
	XMLNS    string   `xml:"xmlns,attr"`
	XMLNSD   string   `xml:"xmlns:d,attr"`
	Metadata Metadata `xml:"Metadata"`
	Targets  []Target `xml:"Installation>InstallationTarget"`
	// Galleries require this element. It is always empty.
	Dependencies string  `xml:"Dependencies"`
	Assets       []Asset `xml:"Assets>Asset"`
}

// Metadata is everything except the assets.
type Metadata struct {
	Identity     Identity    `xml:"Identity"`
	DisplayName  string      `xml:"DisplayName"`
	Description  Description `xml:"Description"`
	Tags         string      `xml:"Tags"`         // comma-separated, see Split
	Categories   string      `xml:"Categories"`   // comma-separated, see Split
	GalleryFlags string      `xml:"GalleryFlags"` // Public, Preview; separated by spaces or commas
	Badges       *[]Badge    `xml:"Badges>Badge"` // nil if there is no element Badges
	Properties   []Property  `xml:"Properties>Property"`
	License      string      `xml:"License,omitempty"` // name of the entry
	Icon         string      `xml:"Icon,omitempty"`    // name of the entry
}

// Identity identifies a package.
type Identity struct {
	Language  string `xml:"Language,attr"`
	Name      string `xml:"Id,attr"`
	Version   string `xml:"Version,attr"`
	Publisher string `xml:"Publisher,attr"`
	Platform  string `xml:"TargetPlatform,attr,omitempty"`
}

// Description is the description, with an attribute that preserves its white space.
type Description struct {
	Space string `xml:"xml:space,attr"`
	Text  string `xml:",chardata"`
}

// Badge is an image with a link.
type Badge struct {
	Link        string `xml:"Link,attr"`
	Image       string `xml:"ImgUri,attr"`
	Description string `xml:"Description,attr"`
}

// Property is a property of a version in a response of a gallery.
type Property struct {
	ID    string `xml:"Id,attr"`
	Value string `xml:"Value,attr"`
}

// Target is a product in which the extension can be installed.
type Target struct {
	ID string `xml:"Id,attr"`
}

// Asset is an entry with a type.
type Asset struct {
	Type        string `xml:"Type,attr"`
	Path        string `xml:"Path,attr"`
	Addressable string `xml:"Addressable,attr"`
}

// ParseXML parses extension.vsixmanifest, in any encoding: see the package comment.
func ParseXML(text []byte) (*XML, error) {
	plain, err := plainXML(text)
	if err != nil {
		return nil, err
	}
	d := xml.NewDecoder(bytes.NewReader(plain))
	d.Strict = false
	// plain is UTF-8, whatever encoding it declares.
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	var x XML
	if err := d.Decode(&x); errors.Is(err, io.EOF) {
		return nil, errors.New("there is no XML element")
	} else if err != nil {
		return nil, err
	}
	return &x, nil
}

// Bytes returns the text of extension.vsixmanifest.
func (x *XML) Bytes() ([]byte, error) {
	body, err := xml.MarshalIndent(x, "", "\t")
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", XMLPath, err)
	}
	return append([]byte(xml.Header), append(body, '\n')...), nil
}

// Split returns the items of a comma-separated list, without surrounding white space, each once.
func Split(list string) []string {
	items := strings.Split(list, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return unique(items)
}

// Preview reports whether the gallery flags contain Preview.
func (m *Metadata) Preview() bool {
	separator := func(r rune) bool { return r == ',' || r <= ' ' }
	for flag := range strings.FieldsFuncSeq(m.GalleryFlags, separator) {
		if strings.EqualFold(flag, "preview") {
			return true
		}
	}
	return false
}
