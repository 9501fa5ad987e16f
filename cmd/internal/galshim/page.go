package galshim

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"galbuild/build/mediatype"
	"galbuild/index"
	"galbuild/render/gallery"
)

// policy returns the Content-Security-Policy of a file, or "" if it has none. There is one
// policy for the gallery's page, and one for files that a browser could run. Every file
// that is not part of the page was written by the author of some package.
func (s *server) policy(f index.File) string {
	switch {
	case f.Path == gallery.PagePath, f.Path == gallery.ItemPath, f.Path == gallery.PublisherPath:
		return gallery.PagePolicy(s.content) + gallery.NoFrames
	case mediatype.Active(f.Type):
		return mediatype.Policy
	}
	return ""
}

// page serves the page for people. A file of the page states how many folders below the
// base its address must be, so that it finds its script and the gallery. An address with a
// slash too many at its end, or without the one after the base URL, is redirected to the
// usual one, because people type it. Other spellings are not found.
func (s *server) page(w *reply, r *http.Request, g *generation) error {
	if !s.files {
		return s.notFound(r, g)
	}
	address := target(r, pathOf(w.base))
	if path, ok := pageFile(address); ok {
		return s.file(w, r, g, path)
	}
	usual := cmp.Or(strings.TrimSuffix(address, "/"), "/")
	if _, ok := pageFile(usual); !ok || strings.Contains(address, "//") {
		return s.notFound(r, g)
	}
	if r.URL.RawQuery != "" {
		usual += "?" + r.URL.RawQuery
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, w.base+usual, http.StatusFound)
	return nil
}

// pageFile returns the file of the page for an address below the base, as the request
// spells it.
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

// target returns the path that r asks for, escaped as in the request and without the path
// of the base URL.
func target(r *http.Request, base string) string {
	u := r.URL
	if asked, err := url.ParseRequestURI(r.RequestURI); err == nil {
		u = asked
	}
	return strings.TrimPrefix(u.EscapedPath(), base)
}
