package galshim

import (
	"bytes"
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"

	"galbuild/build/headers"
	"galbuild/index"
	"galbuild/render/gallery"
)

// item serves the address that editors open for an extension, /item?itemName=Acme.Notes: it
// redirects to the page of the extension.
func (s *server) item(w *reply, r *http.Request, g *generation) error {
	id := r.URL.Query().Get("itemName")
	if id == "" {
		return s.siteFile(w, r, g)
	}
	path := gallery.ItemDir + strings.ToLower(id) + ".html"
	if _, ok, err := g.ix.File(path); err != nil {
		return err
	} else if ok {
		return redirect(w, r, path, "")
	}
	return s.missing(w, r, g, notFound("no extension %q", id))
}

// page serves a page at its address. The address of a folder ends in a slash, and is that of the
// page index.html in it. Other addresses of a page are redirected to it: those in another case,
// without .html, with a slash too many at the end, or without the one of a folder.
//
// Links in pages are relative, so a page works only at an address of the right depth, for which a
// browser counts doubled slashes, and does not count escaped ones. There is no page at such an
// address.
//
// With --no-files, the web server in front of galshim serves pages. It leaves redirects to galshim.
func (s *server) page(w *reply, r *http.Request, g *generation) error {
	address := requestPath(r, w)
	if address == "" {
		return redirect(w, r, indexPage, r.URL.RawQuery)
	}
	name, ok := plainPath(address)
	if !ok {
		return s.missing(w, r, g, s.notFound(r, g))
	}
	file := name
	if name == "" || strings.HasSuffix(name, "/") {
		file += indexPage
	}
	if f, found, err := findPage(g, file); err != nil {
		return err
	} else if found && !s.files {
		return s.notFound(r, g)
	} else if found {
		return s.serveFile(w, r, g, f, headers.ShortLived)
	}
	usual := strings.ToLower(strings.TrimSuffix(name, "/"))
	for _, end := range []string{"", ".html", "/" + indexPage} {
		if _, found, err := findPage(g, usual+end); err != nil {
			return err
		} else if found {
			return redirect(w, r, usual+end, r.URL.RawQuery)
		}
	}
	return s.missing(w, r, g, s.notFound(r, g))
}

// indexPage is the page at the address of its folder.
const indexPage = "index.html"

// findPage returns the file of a page by its path.
func findPage(g *generation, path string) (f index.File, ok bool, err error) {
	if !headers.IsPage(path) {
		return f, false, nil
	}
	return g.ix.File(path)
}

// redirect redirects to the address of a page. The path is that of a file of the site, so the
// address cannot be one that whoever sent the link has chosen.
func redirect(w *reply, r *http.Request, path, query string) error {
	if folder, ok := strings.CutSuffix("/"+path, "/"+indexPage); ok {
		path = strings.TrimPrefix(folder+"/", "/")
	}
	address := url.URL{Path: "/" + path, RawQuery: query}
	w.Header().Set("Cache-Control", headers.NoStore)
	http.Redirect(w, r, w.base+address.String(), http.StatusFound)
	return nil
}

// requestPath returns the path of a request, escaped as in the request and without the path of the
// base URL. A proxy may have removed the path of the gallery, but not what was mounted below it.
func requestPath(r *http.Request, w *reply) string {
	u := r.URL
	if original, err := url.ParseRequestURI(r.RequestURI); err == nil {
		u = original
	}
	p, below := u.EscapedPath(), strings.TrimSuffix(pathOf(w.base), w.mount+w.added)
	return strings.TrimPrefix(strings.TrimPrefix(p, below), w.mount)
}

// plainPath returns the path of an address without the slash at its beginning. It returns false if
// the path has escaped slashes, or parts that are only dots. Doubled slashes are in no file's path.
func plainPath(address string) (path string, ok bool) {
	path, err := url.PathUnescape(address)
	if err != nil || !strings.HasPrefix(path, "/") || strings.Count(path, "/") != strings.Count(address, "/") {
		return "", false
	}
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if part == "." || part == ".." {
			return "", false
		}
	}
	return path[1:], true
}

// missing responds with the page for addresses that have none to a client that shows pages. It
// returns err, the response to all others, and to all if there is no such page.
func (s *server) missing(w *reply, r *http.Request, g *generation, err error) error {
	w.Header().Add("Vary", "Accept")
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		return err
	}
	page, failed := g.missingPage(r.Context())
	if failed != nil || page == nil {
		return cmp.Or(failed, err)
	}
	page = withRoot(page, pathOf(w.base)+"/")
	w.err = err
	h := w.Header()
	headers.Served(gallery.MissingPath, "text/html; charset=utf-8", s.content).Set(h)
	h.Set("Cache-Control", headers.NoStore)
	s.compressed(w, r, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		w.Write(page)
	})
	return nil
}

// missingPage returns the page for addresses that have none, or nil if there is no such page of a
// usual size. It is read once, because clients may send many requests for it.
func (g *generation) missingPage(ctx context.Context) ([]byte, error) {
	if p := g.missing.Load(); p != nil {
		return *p, nil
	}
	f, ok, err := g.ix.File(gallery.MissingPath)
	if err != nil || !ok || f.Size > maxMissingPage {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	if err != nil {
		return nil, err
	}
	w := bodyWriter{header: http.Header{"Content-Type": {f.Type}}} // otherwise it would be guessed
	if err := g.serve(&w, r, f); err != nil {
		return nil, err
	}
	page := w.body.Bytes()
	g.missing.Store(&page)
	return page, nil
}

// bodyWriter is an [http.ResponseWriter] that keeps the body.
type bodyWriter struct {
	header http.Header
	body   bytes.Buffer
}

func (b *bodyWriter) Header() http.Header         { return b.header }
func (b *bodyWriter) WriteHeader(int)             {}
func (b *bodyWriter) Write(p []byte) (int, error) { return b.body.Write(p) }

// withRoot returns the page for addresses that have none, for a gallery at the path root. This page
// can be at an address of any depth, so its links are not relative: they begin with the path at
// which the gallery was expected when the page was made, which is in its attribute data-root.
func withRoot(page []byte, root string) []byte {
	_, rest, _ := bytes.Cut(page, []byte(`data-root="`))
	was, _, ok := bytes.Cut(rest, []byte(`"`))
	if !ok || string(was) == root || len(was) == 0 {
		return page
	}
	return bytes.ReplaceAll(page, append([]byte(`="`), was...), []byte(`="`+root))
}
