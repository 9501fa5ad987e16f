package galshim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/headers"
	"galbuild/cmd/internal/hint"
	"galbuild/index"
	"galbuild/render/gallery"
)

// A namedView is a view that --view names.
type namedView struct{ name, site string }

// UnmarshalText reads NAME=SITE.
func (v *namedView) UnmarshalText(text []byte) error {
	var ok bool
	if v.name, v.site, ok = strings.Cut(string(text), "="); !ok || v.site == "" {
		return fmt.Errorf("%s: must be NAME=SITE, such as team-a=/srv/team-a", text)
	}
	return gallery.CheckViewName(v.name)
}

// validateViews checks the flags of views.
func (c *commandLine) validateViews() error {
	for i, v := range c.View {
		if slices.ContainsFunc(c.View[:i], func(other namedView) bool { return other.name == v.name }) {
			return fmt.Errorf("--view: two views have the name %s", v.name)
		}
		if _, err := c.Remote.At(v.site); err != nil {
			return fmt.Errorf("--view %s: %w", v.name, err)
		}
	}
	switch {
	case c.AccelRedirect == "":
		return nil
	case !strings.HasPrefix(c.AccelRedirect, "/") || !urlPrefix.MatchString(c.AccelRedirect):
		return hint.Add(fmt.Errorf("--accel-redirect=%s: must be a path that begins with a slash", c.AccelRedirect), "the printed nginx configuration has %s", gallery.AcceleratedDir)
	case !c.isFolder():
		return hint.Add(errors.New("--accel-redirect needs an --index that is a folder: nginx sends files of its own machine"), "leave it out, and galshim passes the files on")
	}
	return nil
}

// openViews opens the views, whose files of packages are those of the main gallery. It is an error
// if one cannot be opened.
func (c *commandLine) openViews(ctx context.Context, main *live, log *slog.Logger) error {
	c.views = make(map[string]*live)
	for _, v := range c.View {
		l, err := c.openView(ctx, v, main, log.With("view", v.name))
		if err != nil {
			c.closeViews()
			return hint.Add(fmt.Errorf("--view %s: %w", v.name, err), "make it with: galbuild view %s -o %s --policy FILE", c.Index, v.site)
		}
		c.views[v.name] = l
	}
	return nil
}

func (c *commandLine) openView(ctx context.Context, v namedView, main *live, log *slog.Logger) (*live, error) {
	at, err := c.Remote.At(v.site)
	if err != nil {
		return nil, err
	}
	of := *c
	of.Remote, of.Index, of.AtLeast = *at, v.site, 0 // the number is one of the main gallery's history
	of.Redirect = false                              // of packages, which a view has none of
	if of.State != "" {
		of.State += "." + v.name
	}
	from, err := of.source(log)
	if err != nil {
		return nil, err
	}
	trusted, err := of.newTrust(log)
	if err != nil {
		from.close()
		return nil, err
	}
	l := newLive(from, trusted, log)
	l.packages, l.hashing = main, main.hashing
	if err := l.poll(ctx); err != nil {
		l.close()
		return nil, err
	}
	main.metrics.observeView(v.name, l)
	return l, nil
}

// isFolder reports whether the gallery is a folder.
func (c *commandLine) isFolder() bool {
	_, ok := c.Folder()
	return ok
}

func (c *commandLine) closeViews() {
	for _, l := range c.views {
		l.close()
	}
}

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
	most := int(newBudget(maxCached).most) / (1 + len(s.config.views))
	return &view{
		name: name, live: of,
		gzip: form{live: of, most: most, longest: maxCachedBody, encoding: gzipCoding, encode: s.compressBest},
		json: form{live: of, most: most, longest: maxCachedJSON, encode: s.renderWhole},
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
// view of this name: then a path that names no view is one of this view, whose name addresses of
// the response have, and a path that names another view gets an error.
func (s *server) enterView(w *reply, r *http.Request, only string) (*http.Request, error) {
	name, rest, named := s.viewOf(r.URL.Path)
	switch {
	case r.URL.Path == authPath: // which compares the views itself
		w.view = s.main
		return r, nil
	case only != "" && named && name != only, only != "" && s.views[only] == nil:
		return r, w.otherView()
	case !named && only != "":
		w.view = s.views[only]
		w.named("/" + only)
		return r, nil
	case !named:
		w.view = s.main
		return r, nil
	}
	w.view = s.views[name]
	w.addToBase("/" + name)
	return withPath(r, rest), nil
}

// limitCaches keeps shared caches from storing a response with an address: if the address is not a
// fixed one, and if the response is that of a view, which not everybody may read.
func (s *server) limitCaches(w *reply, fixed bool) {
	switch {
	case !fixed:
		dependsOnRequest(w.Header())
	case w.view != s.main:
		w.Header().Set("Cache-Control", headers.Private)
	}
}

// isOfPackage reports whether a path is that of a file of a package.
func isOfPackage(path string) bool {
	return strings.HasPrefix(path, catalog.AssetsDir) || strings.HasPrefix(path, catalog.FilesDir)
}

// sendsFromMain reports whether the main gallery has the blob of a file of the generation.
func (g *generation) sendsFromMain(f index.File) bool {
	return g.packages == nil || isOfPackage(f.Path)
}

// serve responds with the blob of f, as [store.serve] does. The files of packages of a view are
// those of the main gallery, which must list them too: what it has removed since is not served.
func (g *generation) serve(w http.ResponseWriter, r *http.Request, f index.File) error {
	if g.packages == nil || !isOfPackage(f.Path) {
		return g.blobs.serve(w, r, f)
	}
	main := g.packages.acquire()
	defer main.release()
	if err := g.packages.mustList(r, main, f); err != nil {
		return err
	}
	return main.blobs.serve(w, r, f)
}

// sendByProxy responds with the path at which nginx has the blob of f. nginx sends the blob with
// the headers of this response, and handles ranges and conditions itself.
func (s *server) sendByProxy(w *reply, r *http.Request, g *generation, f index.File) error {
	if g.packages != nil {
		main := g.packages.acquire()
		defer main.release()
		if err := g.packages.mustList(r, main, f); err != nil {
			return err
		}
	}
	w.Header().Set("X-Accel-Redirect", strings.TrimSuffix(s.accelRedirect, "/")+strings.TrimPrefix(blob.Ref(f.SHA256).Path(), "blobs"))
	w.WriteHeader(http.StatusOK)
	return nil
}

// mustList returns an error, that of a response, unless the generation main of the live gallery
// lists a file of a view.
func (l *live) mustList(r *http.Request, main *generation, f index.File) (err error) {
	listed := false
	err = main.withChunks(r.Context(), func() (err error) {
		listed, err = main.lists(f)
		return err
	})
	if _, damaged := errors.AsType[*index.ChunkError](err); damaged {
		l.damaged(main, err)
	}
	switch {
	case err != nil:
		return &failure{http.StatusBadGateway, "the gallery of the view cannot be read", errors.New(err.Error())} // the chunk is not one of the view
	case !listed:
		return &failure{status: http.StatusNotFound, message: fmt.Sprintf("%s: the gallery does not have this file any more", r.URL.Path)}
	}
	return nil
}

// lists reports whether a generation lists a file with the same content at the same path. In a
// gallery that was built with its address, the readme of a view is another asset.
func (g *generation) lists(f index.File) (bool, error) {
	have, ok, err := g.ix.File(f.Path)
	if err != nil || ok && have.SHA256 == f.SHA256 || !headers.IsDetails(f.Path) {
		return ok && err == nil && have.SHA256 == f.SHA256, err
	}
	have, ok, err = g.ix.File(strings.TrimSuffix(f.Path, headers.DetailsAsset) + catalog.ReadmeAsset)
	return ok && have.SHA256 == f.SHA256, err
}
