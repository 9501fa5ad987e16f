package galshim

import (
	"net/http"
	"strings"
	"sync/atomic"

	"galbuild/render/gallery"
)

// A view is a gallery that is served. There is the main one, which --index names, and one for each
// --view, whose addresses begin with its name.
type view struct {
	name   string // "" of the main one
	live   *live
	recent atomic.Pointer[gallery.Address] // the address in the last response
	gzip   form                            // of responses to queries in caches
	json   form
}

func (s *server) newView(name string, of *live) *view {
	return &view{
		name: name, live: of,
		gzip: form{live: of, longest: maxCachedBody, encoding: gzipCoding, encode: s.compressBest},
		json: form{live: of, longest: maxCachedJSON, encode: s.renderWhole},
	}
}

// address returns a prepared address of assets. It is nearly always the same as for the last
// response.
func (v *view) address(of string) *gallery.Address {
	if a := v.recent.Load(); a != nil && a.URL == of {
		return a
	}
	a := gallery.NewAddress(of)
	v.recent.Store(a)
	return a
}

// address returns the prepared address of assets for a response.
func (s *server) address(w *reply) *gallery.Address { return w.view.address(s.contentBase(w)) }

// contentBase returns the address of assets and files for a response, without a slash at the end.
func (s *server) contentBase(w *reply) string {
	if s.content != "" {
		return s.content + w.mount
	}
	return w.base
}

// viewOf returns the name of the view that a path names by its first element, and the rest of the
// path. The path is relative to the base URL. It returns false if the path names no view.
func (s *server) viewOf(path string) (name, rest string, ok bool) {
	name, rest, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if name == "" || s.views[name] == nil {
		return "", path, false
	}
	return name, "/" + rest, true
}

// enterView sets the view of a request, and returns the request with a path relative to the address
// of the view. That is the view that the path names. If only is not "", the client may use only the
// view of this name: then a path that names no view is one of this view, and a path that names
// another view gets an error.
func (s *server) enterView(w *reply, r *http.Request, only string) (*http.Request, error) {
	name, rest, named := s.viewOf(r.URL.Path)
	switch {
	case only != "" && named && name != only, only != "" && s.views[only] == nil:
		return r, notFound("no such path: %s", r.URL.Path)
	case !named && only != "":
		w.view = s.views[only]
		return r, nil
	case !named:
		w.view = s.main
		return r, nil
	}
	w.view = s.views[name]
	w.mounted("/" + name)
	return withPath(r, rest), nil
}

// mounted adds a path to the base URL of the response, which was removed from the path of the
// request.
func (w *reply) mounted(path string) {
	w.base += path
	w.mount += path
}
