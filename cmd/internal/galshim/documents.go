package galshim

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"galbuild/build/headers"
	"galbuild/cmd/internal/version"
	"galbuild/render/gallery"
)

// latest serves GET …/latest: a single extension.
func (s *server) latest(w *reply, r *http.Request, g *generation) error {
	id := r.PathValue("publisher") + "." + r.PathValue("name")
	body, ok, err := gallery.AppendLatest(nil, g.ix, id, s.address(w))
	if err != nil {
		return err
	}
	if !ok {
		return notFound("no extension %q", id)
	}
	return s.sendDocument(w, r, body)
}

// manifest serves the manifest of the gallery, see [gallery.Manifest].
func (s *server) manifest(w *reply, r *http.Request, _ *generation) error {
	return s.sendDocument(w, r, gallery.Manifest(w.base, s.contentBase(w)))
}

// control serves the control manifest of the site, also with --no-files, because editors are
// configured with its address separately.
func (s *server) control(w *reply, r *http.Request, g *generation) error {
	f, ok, err := g.ix.File(gallery.ControlPath)
	if err != nil {
		return err
	}
	if ok {
		return s.serveFile(w, r, g, f, headers.ShortLived)
	}
	return s.sendDocument(w, r, []byte(gallery.Control))
}

// sendDocument serves JSON that was made for this request. Without --base-url it depends on the
// headers of proxies, which Vary lists for caches.
func (s *server) sendDocument(w *reply, r *http.Request, body []byte) error {
	sum := sha256.Sum256(body)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", headers.ShortLived)
	h.Set("ETag", `"`+hex.EncodeToString(sum[:])+`"`)
	s.limitCaches(w, s.addresser.fixed != "")
	s.compressed(w, r, func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	})
	return nil
}

// dependsOnRequest sets the headers of a response that has an address from the headers of proxies.
func dependsOnRequest(h http.Header) {
	h.Set("Cache-Control", headers.Private)
	h.Add("Vary", forwardedHeaders)
}

// version serves the version of galshim.
func (s *server) version(w *reply, _ *http.Request, _ *generation) error {
	w.Header().Set("Cache-Control", headers.NoStore)
	sendJSON(w, http.StatusOK, map[string]string{"name": "galshim", "version": version.String()})
	return nil
}
