package pages

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Location is a page in the sitemap.
type Location struct {
	Path string
	Date string // of its last change, such as 2026-01-31; "" if it is not known
}

// mostLocations is the limit of the protocol, see https://www.sitemaps.org/protocol.html.
const mostLocations = 50_000

// Sitemap returns the list of pages for search engines, or nil if the base URL is not known,
// because its addresses must be absolute. If there are too many pages, it has the first ones.
func (s *Site) Sitemap(pages []Location) []byte {
	if s.BaseURL == "" {
		return nil
	}
	type location struct {
		Address string `xml:"loc"`
		Date    string `xml:"lastmod,omitempty"`
	}
	var list struct {
		XMLName   xml.Name   `xml:"urlset"`
		Namespace string     `xml:"xmlns,attr"`
		Locations []location `xml:"url"`
	}
	list.Namespace = "http://www.sitemaps.org/schemas/sitemap/0.9"
	for _, p := range pages[:min(len(pages), mostLocations)] {
		list.Locations = append(list.Locations, location{s.address(strings.TrimSuffix(p.Path, HomePath)), p.Date})
	}
	slices.SortFunc(list.Locations, func(a, b location) int { return strings.Compare(a.Address, b.Address) })
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	e.Indent("", " ")
	if err := e.Encode(list); err != nil {
		panic(err) // the list is plain data, and writing to memory does not fail
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// closed are the folders and files that search engines need not load.
var closed = []string{"api/", "assets/", "blobs/", "files/", "index/", "search/", "statistics/", "control.json"}

// Robots returns robots.txt, which search engines read at the root of a host. It allows pages, and
// names the sitemap if the base URL is known.
func (s *Site) Robots() []byte {
	root := "/"
	if u, err := url.Parse(s.BaseURL); err == nil {
		root = u.EscapedPath() + "/"
	}
	var b bytes.Buffer
	b.WriteString("User-agent: *\n")
	for _, path := range closed {
		fmt.Fprintf(&b, "Disallow: %s%s\n", root, path)
	}
	fmt.Fprintf(&b, "Allow: %s\n", root)
	if s.BaseURL != "" {
		fmt.Fprintf(&b, "\nSitemap: %s\n", s.address(SitemapPath))
	}
	return b.Bytes()
}
