package galshim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"galbuild/build/mediatype"
	"galbuild/index"
	"galbuild/render/gallery"
)

// policy returns the Content-Security-Policy of a file, or "" if it has none: that of
// the gallery's page, or that of a file which a browser may act on. Whatever is not
// the gallery's own was written by the author of some package.
func (s *server) policy(f index.File) string {
	switch {
	case f.Path == gallery.PagePath, f.Path == gallery.ItemPath, f.Path == gallery.PublisherPath:
		return gallery.PagePolicy(s.content) + gallery.NoFrames
	case mediatype.Active(f.Type):
		return mediatype.Policy
	}
	return ""
}

// page answers with the page for people. Its addresses are as many folders below the
// base as the file says that it is. Another spelling of an address (doubled slashes,
// one at the end, escaped ones) is redirected to the usual one, where the page finds
// its script and the gallery; people follow redirects, and no editor asks for pages. One
// that climbs is nobody's: browsers resolve what climbs before they ask.
func (s *server) page(w *reply, r *http.Request, g *generation) error {
	if !s.files {
		return s.missing(r, g)
	}
	address := target(r, pathOf(w.base))
	path, ok := pageFile(address)
	if ok {
		return s.file(w, r, g, path)
	}
	if climbs(address) {
		return notFound("no such path: %s", address)
	}
	to := url.URL{Path: r.URL.Path, RawQuery: r.URL.RawQuery}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, w.base+to.String(), http.StatusFound)
	return nil
}

// pageFile returns the file of the page for an address below the base, as it stands in
// the request.
func pageFile(address string) (path string, ok bool) {
	switch address {
	case "/", "/index.html", "/item", "/publishers":
		return gallery.PagePath, true
	case "/item/", "/item/index.html", "/vscode/item":
		return gallery.ItemPath, true
	}
	publisher, ok := strings.CutPrefix(address, "/publishers/")
	return gallery.PublisherPath, ok && !strings.Contains(publisher, "/")
}

// climbs reports whether an escaped path has an element that leads to the folder above.
func climbs(escaped string) bool {
	path, err := url.PathUnescape(escaped)
	return err != nil || slices.Contains(strings.Split(path, "/"), "..")
}

// target returns the path that r asks for, escaped as it came, without that of the
// base URL.
func target(r *http.Request, base string) string {
	u := r.URL
	if asked, err := url.ParseRequestURI(r.RequestURI); err == nil {
		u = asked
	}
	return strings.TrimPrefix(u.EscapedPath(), base)
}
