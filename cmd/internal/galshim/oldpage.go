package galshim

import (
	"cmp"
	"net/http"
	"strings"

	"galbuild/build/headers"
	"galbuild/render/gallery"
)

// hasPages reports whether a generation has the pages of package render/pages.
func hasPages(g *generation) bool {
	_, ok, err := g.ix.File(gallery.MissingPath)
	return ok && err == nil
}

// oldPage serves the page of package render/page, which is the same for all extensions. Each of its
// files works only at addresses of a certain depth below the base URL, because its links are
// relative. People may type an address with a slash too many at its end, or the base URL without a
// slash: these are redirected to the usual address. Other spellings are not found.
func (s *server) oldPage(w *reply, r *http.Request, g *generation) error {
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
