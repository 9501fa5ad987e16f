package galshim

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"galbuild/cmd/internal/version"
	"galbuild/render/gallery"
)

// Cache-Control of what changes with a generation, and of what never does.
const (
	shortLived = "public, max-age=300"
	immutable  = "public, max-age=31536000, immutable"
)

// latest answers with one extension by itself.
func (s *server) latest(w *reply, r *http.Request, g *generation) error {
	id := r.PathValue("publisher") + "." + r.PathValue("name")
	body, ok := gallery.AppendLatest(nil, g.ix, id, s.address(w.base))
	if !ok {
		return notFound("no extension %q", id)
	}
	return s.document(w, r, body)
}

// manifest answers with what an editor may be given in place of product.json.
func (s *server) manifest(w *reply, r *http.Request, _ *generation) error {
	return s.document(w, r, gallery.Manifest(w.base, s.content))
}

// control answers with the site's control manifest, which also answers where
// files are left to others: editors ask for it at an address of its own.
func (s *server) control(w *reply, r *http.Request, g *generation) error {
	if f, ok := g.ix.File(gallery.ControlPath); ok {
		return s.send(w, r, g, f, shortLived)
	}
	return s.document(w, r, []byte(gallery.Control))
}

// document answers with JSON made for this request. Where the base URL is not
// fixed it differs with what proxies say, of which caches must know.
func (s *server) document(w *reply, r *http.Request, body []byte) error {
	sum := sha256.Sum256(body)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", shortLived)
	h.Set("ETag", `"`+hex.EncodeToString(sum[:])+`"`)
	if s.addresser.fixed == "" {
		h.Set("Cache-Control", "private, max-age=300") // the response depends on the request
		h.Add("Vary", forwardedHeaders)
	}
	send := func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	}
	if !acceptsGzip(r.Header) || !s.mayCompress() {
		h.Add("Vary", "Accept-Encoding")
		send(w, r)
		return nil
	}
	defer func() { <-s.compressing }()
	s.compress(http.HandlerFunc(send)).ServeHTTP(w, r)
	return nil
}

// uncounted accepts statistics, which nobody keeps.
func (s *server) uncounted(w *reply, _ *http.Request, _ *generation) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// health tells whether the server serves, and what. It is stale if there is a
// newer generation that had to be refused. It is damaged, with status 503, from when the
// index could not be read until it has been opened again.
func (s *server) health(w *reply, _ *http.Request, g *generation) error {
	w.Header().Set("Cache-Control", "no-store")
	status, word := http.StatusOK, "ok"
	if g.damaged.Load() {
		status, word = http.StatusServiceUnavailable, "damaged"
	}
	sendJSON(w, status, struct {
		Status     string `json:"status"`
		Generation string `json:"generation"`
		Extensions int    `json:"extensions"`
		Stale      bool   `json:"stale"`
	}{word, g.Generation, g.ix.Len(), s.live.stale.Load()})
	return nil
}

// version tells which galshim this is.
func (s *server) version(w *reply, _ *http.Request, _ *generation) error {
	w.Header().Set("Cache-Control", "no-store")
	sendJSON(w, http.StatusOK, map[string]string{"name": "galshim", "version": version.String()})
	return nil
}
