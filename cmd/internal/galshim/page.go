package galshim

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"galbuild/build/headers"
	"galbuild/render/gallery"
)

// page serves the gallery's page. Each of its files works only at addresses of a certain depth
// below the base URL, because its links are relative. People may type an address with a slash too
// many at its end, or the base URL without a slash: these are redirected to the usual address.
// Other spellings are not found.
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

// pageFile returns the file of the page for the path of an address, escaped as in the request.
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

// target returns the path of a request, escaped as in the request and without the path of the base
// URL.
func target(r *http.Request, base string) string {
	u := r.URL
	if original, err := url.ParseRequestURI(r.RequestURI); err == nil {
		u = original
	}
	return strings.TrimPrefix(u.EscapedPath(), base)
}
