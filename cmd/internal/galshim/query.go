package galshim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"

	"galbuild/index"
	"galbuild/index/query"
	"galbuild/render/gallery"
)

// maxBody is what a question may weigh; one about ten thousand extensions is 1 MiB.
const maxBody = 4 << 20

// maxQuestion is how much of a question is worth logging.
const maxQuestion = 8 << 10

// keepBuffer is how large a buffer may be to be used again.
const keepBuffer = 1 << 20

// query answers POST …/extensionquery, stitched from the index.
func (s *server) query(w *reply, r *http.Request, g *generation) error {
	buf := s.buffer() // for the question, then for the answer
	defer s.recycle(buf)
	q, err := s.readQuestion(w, r, buf)
	if err != nil {
		return err
	}
	work := index.NewWork(r.Context())
	// Each body is a question of its own, of which no cache knows.
	h := w.Header()
	h["Cache-Control"] = noStore
	h["Content-Type"] = jsonType
	if acceptsGzip(r.Header) {
		h["Content-Encoding"] = gzipCoding
		*buf, w.hits = s.appendPacked((*buf)[:0], work, g, q, s.address(w.base))
	} else {
		*buf, w.hits = gallery.AppendAnswer((*buf)[:0], work, g.ix, q, s.address(w.base))
	}
	if work.Err() != nil {
		return work.Err() // the client has gone
	}
	sendBody(w, *buf)
	return nil
}

var (
	noStore    = []string{"no-store"}
	jsonType   = []string{"application/json"}
	gzipCoding = []string{"gzip"}
)

// appendPacked appends the answer in gzip, joined from pieces. Where there are none,
// or they do not fit the base URL, the answer is compressed.
func (s *server) appendPacked(dst []byte, work *index.Work, g *generation, q query.Query, at *gallery.Address) ([]byte, int) {
	if packed, hits, ok := gallery.AppendPacked(dst, work, g.ix, q, at); ok {
		return packed, hits
	}
	plain := s.buffer()
	defer s.recycle(plain)
	hits := 0
	*plain, hits = gallery.AppendAnswer(*plain, work, g.ix, q, at)
	return s.pack(dst, *plain), hits
}

// pack appends b to dst, compressed.
func (s *server) pack(dst, b []byte) []byte {
	packed := bytes.NewBuffer(dst)
	z, ok := s.packers.Get().(*gzip.Writer)
	if !ok {
		z = gzip.NewWriter(nil)
	}
	defer s.packers.Put(z)
	z.Reset(packed)
	z.Write(b) // to memory: it cannot fail
	z.Close()
	return packed.Bytes()
}

func sendBody(w *reply, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body) // if the client has gone, there is nobody to tell
}

// readQuestion reads the body into buf, and what it asks.
//
// Some editors declare the length of the JSON in UTF-16 units: of text that is
// not ASCII, the end is missing here and comes where the next request should
// begin. Such a connection is closed behind the answer.
func (s *server) readQuestion(w *reply, r *http.Request, buf *[]byte) (q query.Query, err error) {
	if *buf, err = readBody(w, r, *buf); err == nil {
		q, err = s.parse(*buf)
	}
	if err != nil || q.Cut {
		w.Header().Set("Connection", "close")
	}
	return q, err
}

// parse reads a question. No question at all is about everything.
func (s *server) parse(body []byte) (query.Query, error) {
	if s.log.Enabled(context.Background(), slog.LevelDebug) {
		s.log.Debug("query", "body", string(body[:min(len(body), maxQuestion)]))
	}
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	q, err := query.Parse(body)
	if err != nil {
		return q, &failure{http.StatusBadRequest, "the body is not a gallery query in JSON", err}
	}
	return q, nil
}

// readBody appends the body to dst.
func readBody(w *reply, r *http.Request, dst []byte) ([]byte, error) {
	body, err := appendAll(dst, http.MaxBytesReader(w.ResponseWriter, r.Body, maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return body, &failure{status: http.StatusRequestEntityTooLarge, message: fmt.Sprintf("the body is longer than %d bytes", maxBody)}
	}
	if err != nil {
		return body, &failure{http.StatusBadRequest, "the body did not arrive", err}
	}
	return body, nil
}

// appendAll appends what r holds to dst.
func appendAll(dst []byte, r io.Reader) ([]byte, error) {
	for {
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}

// buffer returns an empty buffer to be recycled.
func (s *server) buffer() *[]byte {
	if b, ok := s.buffers.Get().(*[]byte); ok {
		*b = (*b)[:0]
		return b
	}
	b := make([]byte, 0, 64<<10)
	return &b
}

func (s *server) recycle(b *[]byte) {
	if cap(*b) <= keepBuffer {
		s.buffers.Put(b)
	}
}

// acceptsGzip tells whether the client decodes gzip: it says so, and not with a
// weight of zero.
func acceptsGzip(h http.Header) bool {
	for coding := range strings.SplitSeq(h.Get("Accept-Encoding"), ",") {
		name, params, _ := strings.Cut(coding, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		weight, weighted := strings.CutPrefix(strings.TrimSpace(params), "q=")
		q, err := strconv.ParseFloat(weight, 64)
		return !weighted || err == nil && q > 0
	}
	return false
}
