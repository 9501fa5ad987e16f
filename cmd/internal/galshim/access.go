package galshim

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"galbuild/build/tokens"
	"galbuild/render/gallery"
)

// The token of a request is in its path, /t/TOKEN/…, which works in every editor; or in the header
// Authorization, as a bearer token or as the password of Basic authentication. A token in the path
// is also in all addresses of the response.

const (
	// tokenFolder is the folder in whose place a path has a token.
	tokenFolder = "/t/"
	// inHeader stands there for the token of a header. A web server adds it to paths without a
	// token, so that a galshim that was started without tokens refuses them.
	inHeader = "-"
	// authPath is the address at which a web server asks whether it may serve a file.
	authPath = "/auth"
	// tokenHeader is the header in which that web server sends the token of a path.
	tokenHeader = "X-Gallery-Token"
	// nameHeader is the header with the name of the token, for the log of that web server.
	nameHeader = "X-Gallery-Token-Name"
	// viewHeader is the header with the view whose file the web server would serve.
	viewHeader = "X-Gallery-View"
)

// healthPaths need no token, because probes of orchestrators have none.
var healthPaths = []string{"/livez", "/readyz", "/healthz"}

// admit returns the request without the token in its path, and adds that token to the base URL of
// the response. The error is for a client without a valid token.
func (s *server) admit(w *reply, r *http.Request) (*http.Request, error) {
	if s.tokens == nil {
		return r, nil
	}
	w.private = true
	text, rest, inPath := cutToken(r.URL.Path)
	switch {
	case inPath && text == inHeader:
		r, inPath, w.logged = withPath(r, rest), false, rest
		r.RequestURI = strings.Replace(r.RequestURI, tokenFolder+inHeader, "", 1)
	case inPath:
		r = withPath(r, rest)
		w.logged = tokenFolder + "***" + rest
	}
	if !inPath {
		w.Header().Add("Vary", "Authorization")
		text = tokenOf(r)
	}
	if slices.Contains(healthPaths, r.URL.Path) {
		return r, nil
	}
	token, err := s.checkToken(text)
	if err != nil {
		challenge(w, r, inPath)
		return r, err
	}
	w.token = token
	w.Header().Set(nameHeader, token.Name)
	if inPath {
		w.logged = rest
		w.addToBase(tokenFolder + text)
	}
	return r, nil
}

// cutToken returns the token at the beginning of a path, or what is there instead, and the rest of
// the path.
func cutToken(path string) (token, rest string, ok bool) {
	below, ok := strings.CutPrefix(path, tokenFolder)
	if !ok {
		return "", path, false
	}
	token, rest, _ = strings.Cut(below, "/")
	return token, "/" + rest, true
}

// tokenOf returns the token in the headers of a request, or "".
func tokenOf(r *http.Request) string {
	if r.URL.Path == authPath {
		if text := r.Header.Get(tokenHeader); text != "" {
			return text
		}
	}
	header := r.Header.Get("Authorization")
	if scheme, text, ok := strings.Cut(header, " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(text)
	}
	if _, password, ok := r.BasicAuth(); ok && !isEmbedded(r) {
		return password
	}
	return ""
}

// isEmbedded reports whether a page of another origin has made a browser send the request, for a
// script or a picture in it. The browser adds the user's password by itself, so the page would
// learn something that only the user may read. It learns nothing if the user follows a link.
func isEmbedded(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site != "" && site != "same-origin" && site != "none" && !isNavigation(r)
}

// isNavigation reports whether a browser will show the response as a page of its own. Browsers send
// Sec-Fetch-Mode only over https.
func isNavigation(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// checkToken returns the token with this text.
func (s *server) checkToken(text string) (*tokens.Token, error) {
	if text == "" {
		return nil, &failure{status: http.StatusUnauthorized, message: "this gallery needs a token: in the address, as in https://HOST/t/TOKEN/, or in the header Authorization: Bearer TOKEN"}
	}
	token, ok := s.tokens.find(text)
	switch {
	case !ok:
		return nil, &failure{status: http.StatusUnauthorized, message: "the token is unknown, or was revoked"}
	case token.Expired(s.tokens.now()):
		return nil, &failure{status: http.StatusUnauthorized, message: "the token " + token.Name + " has expired"}
	}
	return &token, nil
}

// challenge sets the header that every response with status 401 has. Only a page of a browser may
// ask its user for a password: for other requests, the dialog would appear out of nowhere.
func challenge(w *reply, r *http.Request, inPath bool) {
	scheme := "Bearer"
	if !inPath && isNavigation(r) {
		scheme = "Basic"
	}
	w.Header().Set("WWW-Authenticate", scheme+` realm="gallery"`)
}

// auth serves GET /auth, which a web server requests before it serves a file itself. The client has
// a valid token if the request gets here.
func (s *server) auth(w *reply, r *http.Request, _ *generation) error {
	if only := w.onlyView(); only != "" && only != r.Header.Get(viewHeader) {
		return w.otherView()
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// onlyView returns the view that the token of the request is for, or "" for all.
func (w *reply) onlyView() string {
	if w.token == nil {
		return ""
	}
	return w.token.View
}

// otherView is the error for a token that is for another view than the one of the request.
func (w *reply) otherView() error {
	return &failure{status: http.StatusForbidden, message: "the token " + w.token.Name + " is only for the view " + w.token.View}
}

// addToBase adds to the base URL of the response what was removed from the path of the request: a
// token, or the name of a view.
func (w *reply) addToBase(path string) {
	w.base += path
	w.mount += path
}

// named adds a path to the base URL of the response, which the path of the request does not have.
func (w *reply) named(path string) {
	w.base += path
	w.added = path
}

// contentBase returns the address of assets and files for a response, without a slash at the end.
func (s *server) contentBase(w *reply) string {
	if s.content != "" {
		return s.content + w.mount + w.added
	}
	return w.base
}

// warnOfBase warns of a site that has addresses of the gallery, which have no token.
func warnOfBase(g *generation, known *tokenFile, log *slog.Logger) {
	if known == nil {
		return
	}
	if _, ok, err := g.ix.File(gallery.ManifestPath); err == nil && ok {
		log.Warn("the site was built with --base-url: clients with a token in the path see no pictures in its readmes; build it again with --no-base-url")
	}
}
