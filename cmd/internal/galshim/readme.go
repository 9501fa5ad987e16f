package galshim

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"slices"

	"galbuild/build/catalog"
	"galbuild/build/headers"
	"galbuild/index"
)

// serveReadme serves the readme f of a version, in which [catalog.ReadmeBase] stands for the
// address of the files of packages. A site that was built with that address has readmes without the
// placeholder. They are sent in the same way: with an entity tag of the blob and the address, and
// never a range.
func (s *server) serveReadme(w *reply, r *http.Request, g *generation, f index.File) (err error) {
	address := s.contentBase(w) + "/"
	sum := sha256.Sum256(append(f.SHA256[:], address...))
	h := w.Header()
	headers.Served(f.Path, f.Type, s.content).Set(h)
	h.Set("ETag", `"`+hex.EncodeToString(sum[:])+`"`)
	if s.content == "" && s.addresser.fixed == "" {
		dependsOnRequest(h)
	}
	s.compressed(w, withoutRange(r), func(w http.ResponseWriter, r *http.Request) {
		to := &filler{ResponseWriter: w, address: address}
		if err = g.blobs.serve(to, r, f); err == nil {
			to.end()
		}
	})
	return err
}

// withoutRange returns r as a request for the whole file.
func withoutRange(r *http.Request) *http.Request {
	if r.Header.Get("Range") == "" {
		return r
	}
	whole := *r
	whole.Header = r.Header.Clone()
	whole.Header.Del("Range")
	return &whole
}

// A filler is a writer of a response that replaces [catalog.ReadmeBase] by an address. It needs a
// small buffer, however long the text is and however slow the client.
type filler struct {
	http.ResponseWriter
	address string
	held    []byte // the end of what was written, in which a placeholder may begin
}

// WriteHeader removes what holds only for the original text.
func (f *filler) WriteHeader(status int) {
	f.Header().Del("Content-Length")
	f.Header().Del("Accept-Ranges")
	f.ResponseWriter.WriteHeader(status)
}

// Write implements [io.Writer].
func (f *filler) Write(b []byte) (int, error) {
	text := bytes.ReplaceAll(slices.Concat(f.held, b), []byte(catalog.ReadmeBase), []byte(f.address))
	end := max(0, len(text)-len(catalog.ReadmeBase)+1)
	f.held = text[end:]
	_, err := f.ResponseWriter.Write(text[:end])
	return len(b), err
}

// ReadFrom implements [io.ReaderFrom]: [io.Copy] would use a larger buffer.
func (f *filler) ReadFrom(from io.Reader) (n int64, err error) {
	return io.CopyBuffer(struct{ io.Writer }{f}, from, make([]byte, fillBuffer))
}

// end writes the rest of the text. An error means that the client has gone.
func (f *filler) end() {
	if len(f.held) > 0 {
		f.ResponseWriter.Write(f.held)
	}
}
