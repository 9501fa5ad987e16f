package galshim

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"

	"galbuild/build/headers"
	"galbuild/index"
)

// config is what a handler needs.
type config struct {
	live          *live
	views         map[string]*live // by name
	addresser     *addresser
	content       string     // URL of assets and files, no slash at the end; "" if it is the base URL
	files         bool       // serve files and pages
	accelRedirect string     // the path at which nginx has the blobs of the main gallery, or ""
	tokens        *tokenFile // nil if clients need no token

	queries int           // concurrent queries
	streams int           // concurrent requests over HTTP/2
	stall   time.Duration // see pace
	slow    time.Duration // see longResponses
	late    time.Duration // see overload; 0 refuses no query for it
	clients *clientRates  // nil limits nothing

	counter    *counter // nil counts nothing
	metrics    *metrics // nil counts nothing
	log        *slog.Logger
	noQueryLog bool // do not log what is searched for
}

// server is the gallery as an [http.Handler].
type server struct {
	config
	main        *view
	views       map[string]*view // by name, without the main one
	mux         *http.ServeMux
	exact       map[string]http.HandlerFunc // what the mux finds for paths without parameters
	queryLogs   map[string]slog.Handler     // by path of a query; lines begin with its method and path
	compress    func(http.Handler) http.HandlerFunc
	compressing chan struct{} // a token for each file being compressed
	overload    *overload
	turns       *turns
	bodies      bodies
	buffers     buffers
	long        longResponses
	fast, best  compressors  // of responses to queries; best for those in the cache
	spare       spare        // for encoding responses for the caches
	streamCount atomic.Int64 // running requests over HTTP/2
	resetLogged atomic.Bool  // a reset of a request over HTTP/2 has been logged
}

// An endpoint serves one kind of request from generation g. If it returns an error, it has
// written nothing.
type endpoint func(w *reply, r *http.Request, g *generation) error

// apis are the prefixes that editors are configured with: galbuild's, Microsoft's and Open
// VSX's.
var apis = []string{"/api", "/_apis/public/gallery", "/vscode/gallery"}

// queryPath is the end of the paths of queries.
const queryPath = "/extensionquery"

func newServer(c config) (*server, error) {
	// Editors decode gzip and nothing else.
	compress, err := gzhttp.NewWrapper(gzhttp.EnableZstd(false), gzhttp.ContentTypeFilter(gzhttp.CompressAllContentTypeFilter))
	if err != nil {
		return nil, err
	}
	s := &server{
		config: c, mux: http.NewServeMux(), exact: make(map[string]http.HandlerFunc), queryLogs: make(map[string]slog.Handler),
		compress: compress, compressing: make(chan struct{}, maxCompressors),
		overload: newOverload(c.late), turns: newTurns(c.queries), bodies: bodies{budget: newBudget(maxBodies)}, buffers: buffers{budget: newBudget(maxResponses)},
		long: longResponses{slow: c.slow, wait: bufferTimeout, all: make(map[*pace]struct{})},
		fast: compressors{level: gzip.BestSpeed}, best: compressors{level: cachedLevel}, spare: spare{pause: cachePause},
	}
	s.main, s.views = s.newView("", c.live), make(map[string]*view)
	for name, l := range c.views {
		s.views[name] = s.newView(name, l)
	}
	s.routes()
	return s, nil
}

// routes registers the endpoints. Paths have no trailing slash, see normalizePath. Folders are
// registered too, or the mux would redirect requests for them.
func (s *server) routes() {
	for _, api := range apis {
		s.post(api+queryPath, s.query)
		s.queryLogs[api+queryPath] = s.log.Handler().WithAttrs(requestAttrs(http.MethodPost, api+queryPath))
		s.get(api+"/vscode/{publisher}/{name}/latest", s.latest)
		s.get(api+"/{publisher}/{name}/latest", s.latest)
		s.get(api+"/manifest.json", s.manifest)
		s.get(api, s.manifest)
	}
	for _, api := range append([]string{""}, apis...) {
		s.get(api+"/publishers/{publisher}/vsextensions/{name}/{version}/vspackage", s.vspackage)
		s.get(api+"/publisher/{publisher}/extension/{name}/{version}/assetbyname/{path...}", s.asset)
		s.post(api+"/publishers/{publisher}/extensions/{name}/{version}/stats", s.report)
		s.post(api+"/itemName/{id}/version/{version}/statType/{type}/vscodewebextension", s.report)
	}
	s.get("/manifest.json", s.manifest)
	s.get("/control.json", s.control)
	s.get("/healthz", s.state(health.report))
	s.get("/livez", s.state(health.alive))
	s.get("/readyz", s.state(health.ready))
	s.get("/version", s.version)
	if s.tokens != nil {
		s.get(authPath, s.auth)
	}

	for _, assets := range []string{"/assets", "/vscode/asset"} {
		s.get(assets+"/{publisher}/{name}/{version}/{path...}", s.asset)
		s.get(assets+"/{publisher}/{name}/{version}", s.asset)
	}
	for _, files := range []string{"/files", "/vscode/unpkg"} {
		s.get(files+"/{publisher}/{name}/{version}/{path...}", s.unpacked)
		s.get(files+"/{publisher}/{name}/{version}", s.unpacked)
	}
	s.get("/{$}", s.page)
	s.get("/item", s.item)
	s.get("/vscode/item", s.item)
	s.handle("/", withChunks(s.siteFile))
}

func (s *server) get(pattern string, e endpoint) {
	s.handle(pattern, allowMethods(withChunks(e), http.MethodGet, http.MethodHead))
}

func (s *server) post(pattern string, e endpoint) {
	s.handle(pattern, allowMethods(e, http.MethodPost))
}

// handle registers an endpoint for all methods. A mux with patterns for methods would refuse other
// methods with a response in plain text.
func (s *server) handle(pattern string, e endpoint) {
	kind := kindOf(pattern)
	handler := func(rw http.ResponseWriter, r *http.Request) {
		w := rw.(*reply)
		w.kind = kind
		g := w.view.live.acquire()
		defer g.release()
		w.generation = g
		if err := e(w, r, g); err != nil {
			if _, ok := errors.AsType[*index.ChunkError](err); ok {
				w.view.live.damaged(g, err)
			}
			w.err = err
			sendError(w, err)
		}
	}
	s.mux.HandleFunc(pattern, handler)
	if !strings.HasSuffix(pattern, "/") && !strings.Contains(pattern, "{") {
		s.exact[pattern] = handler
	}
}

// allowMethods returns an endpoint that refuses other methods. OPTIONS does not get here.
func allowMethods(e endpoint, methods ...string) endpoint {
	allow := strings.Join(append(methods, http.MethodOptions), ", ")
	return func(w *reply, r *http.Request, g *generation) error {
		if slices.Contains(methods, r.Method) {
			return e(w, r, g)
		}
		w.Header().Set("Allow", allow)
		return &failure{status: http.StatusMethodNotAllowed, message: fmt.Sprintf("%s %s: use %s", r.Method, r.URL.Path, allow)}
	}
}

// ServeHTTP implements [http.Handler]. A request over HTTP/2 is counted until the whole
// response has been passed to its client.
func (s *server) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor > 1 {
		defer s.beginStream(r)()
	}
	if s.overload.refuses(r) {
		s.overload.refuse(rw, s.log)
		s.metrics.late()
	} else {
		s.respond(rw, r)
	}
	if r.ProtoMajor > 1 {
		http.NewResponseController(rw).Flush() // an error means that the client has gone
	}
}

func (s *server) respond(rw http.ResponseWriter, r *http.Request) {
	index.PanicOnFault() // the index may be truncated while it is read
	w := newReply(rw, r, s.stall)
	defer s.finish(w, r, time.Now())
	headers.SetEvery(w.Header(), r.Method)
	s.identify(w, r)
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.base = s.addresser.base(r)
	r = normalizePath(r, pathOf(w.base))
	r, err := s.admit(w, r)
	if err == nil {
		r, err = s.enterView(w, r, w.onlyView())
	}
	if err != nil {
		w.err = err
		sendError(w, err)
		return
	}
	if handler, ok := s.exact[r.URL.Path]; ok { // a query, most of the time; the mux would take a microsecond
		handler(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// beginStream counts a request over HTTP/2. It resets the request if there are too many and its
// connection has more than fairStreams. Requests over HTTP/1 are not counted: each has its own
// connection, and the number of connections is limited.
func (s *server) beginStream(r *http.Request) (end func()) {
	own := new(atomic.Int64)
	if c := connectionOf(r); c != nil {
		own = &c.streams
	}
	end = func() { own.Add(-1); s.streamCount.Add(-1) }
	if ownCount, total := own.Add(1), s.streamCount.Add(1); ownCount <= fairStreams || total <= int64(s.streams) {
		return end
	}
	end()
	if !s.resetLogged.Swap(true) {
		s.log.Warn("too many concurrent requests over HTTP/2; the excess is reset, which is logged only once", "limit", s.streams)
	}
	panic(http.ErrAbortHandler)
}

// finish logs the request. After a panic, it sends an error, or cuts the connection if a response
// has begun.
func (s *server) finish(w *reply, r *http.Request, start time.Time) {
	p, begun := recover(), w.status != 0
	if p != nil {
		w.err = s.panicked(w, p)
	}
	if p != nil && !begun {
		sendError(w, w.err)
	}
	w.pace.end()
	took := time.Since(start)
	s.metrics.request(w, took)
	s.logRequest(w, r, start, took)
	if p != nil && begun {
		panic(http.ErrAbortHandler)
	}
}

// cutOff is the panic value of a request that fails after a part of the response was sent.
// The error is for the log.
type cutOff struct{ error }

// panicked returns the error for the value of a panic.
func (s *server) panicked(w *reply, p any) error {
	if p == http.ErrAbortHandler {
		return cmp.Or(w.err, errors.New("the response was cut off"))
	}
	if cut, ok := p.(cutOff); ok {
		return cut.error
	}
	if err := index.FaultError(p); err != nil {
		if g := w.generation; g != nil {
			err = g.ix.InChunk(err)
			w.view.live.damaged(g, err)
		}
		return err
	}
	return fmt.Errorf("panic: %v\n%s", p, debug.Stack())
}

// normalizePath returns r with a path relative to the base URL, without doubled and trailing
// slashes, and with escaped slashes decoded.
func normalizePath(r *http.Request, base string) *http.Request {
	p := r.URL.Path
	if !strings.HasPrefix(p, "/") {
		p = "/" + p
	}
	p = path.Clean(p)
	if below, ok := strings.CutPrefix(p, base); ok && base != "" && (below == "" || below[0] == '/') {
		p = "/" + strings.TrimPrefix(below, "/")
	}
	if p == r.URL.Path && r.URL.RawPath == "" {
		return r
	}
	return withPath(r, p)
}

// withPath returns r with another path.
func withPath(r *http.Request, path string) *http.Request {
	changed, u := *r, *r.URL
	u.Path, u.RawPath = path, ""
	changed.URL = &u
	return &changed
}
