package galshim

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"galbuild/build/headers"
	"galbuild/render/gallery"
)

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
	w.Header().Set("Cache-Control", headers.NoStore)
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
