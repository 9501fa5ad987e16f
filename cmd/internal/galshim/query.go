package galshim

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"galbuild/build/headers"
	"galbuild/index"
	"galbuild/index/query"
	"galbuild/render/gallery"
	"galbuild/render/splice"
)

// query serves POST …/extensionquery. The response is joined from parts in the index, unless it is
// in a cache.
func (s *server) query(w *reply, r *http.Request, g *generation) error {
	if err := s.limitClient(w, r); err != nil {
		return err
	}
	found, err := s.search(w, r, g)
	if err != nil {
		return err
	}
	w.hits = found.Hits()
	// Caches do not distinguish requests by their bodies.
	h := w.Header()
	h["Cache-Control"] = noStore
	h["Content-Type"] = jsonType
	at := s.address(w)
	form := &w.view.json
	if acceptsGzip(r.Header) {
		form = &w.view.gzip
	}
	switch {
	case s.sendCached(w, form, g, found, at):
		return nil
	case form == &w.view.gzip && found.HasGzip(at):
		h["Content-Encoding"] = gzipCoding
		return s.write(w, found.GzipBytes(), func(to *splice.Buffer) error { return found.WriteGzip(to, at) })
	case form == &w.view.gzip && found.Bytes() <= maxCompress:
		h["Content-Encoding"] = gzipCoding
		return s.compressJSON(w, r, found, at)
	}
	return s.write(w, found.Bytes(), func(to *splice.Buffer) error { return found.WriteJSON(to, at) })
}

var (
	noStore    = []string{headers.NoStore}
	jsonType   = []string{"application/json"}
	gzipCoding = []string{"gzip"}
)

// search reads a query and searches when its turn comes. The turn ends before the response
// is written, since a client may read slowly.
func (s *server) search(w *reply, r *http.Request, g *generation) (*gallery.Response, error) {
	q, err := s.readQuery(w, r)
	if err != nil {
		return nil, err
	}
	w.query = &q
	var found *gallery.Response
	err = g.withChunks(r.Context(), func() (err error) {
		found, err = s.searchInTurn(w, r, g, q)
		return err
	})
	if errors.Is(err, errNoChunk) {
		return nil, refused(w, err)
	}
	return found, err
}

// searchInTurn searches when its turn comes. It does not download chunks, which would take long.
func (s *server) searchInTurn(w *reply, r *http.Request, g *generation, q query.Query) (*gallery.Response, error) {
	turn, err := s.turns.wait(r.Context(), isHeavy(q))
	if err != nil {
		return nil, refused(w, err)
	}
	defer turn.end()
	work := index.NewWork(r.Context())
	found, err := gallery.Respond(work, g.ix, q)
	if ended := work.Err(); ended != nil {
		return nil, refused(w, ended)
	}
	return found, err
}

// statusClientGone is nginx's status for a client that has closed its connection.
const statusClientGone = 499

// refused returns the response to a query that was not completed.
func refused(w *reply, err error) error {
	if errors.Is(err, context.Canceled) {
		return &failure{statusClientGone, "the client has gone", err}
	}
	return overloaded(w, err)
}

// write writes a response of about this number of bytes through a buffer. A response that fits in
// the buffer is sent at once, with its length.
func (s *server) write(w *reply, about int, write func(to *splice.Buffer) error) error {
	w.pieces = pieces{to: w, turns: s.turns.long}
	to := s.buffer(about, &w.pieces)
	if to == nil {
		return overloaded(w, errNoMemory)
	}
	defer s.buffers.put(to)
	if isLong(about) {
		s.long.add(&w.pace)
		defer s.long.remove(&w.pace)
	}
	err := write(to)
	switch {
	case to.Err() != nil:
		w.err = fmt.Errorf("write response: %w", to.Err())
	case err != nil && to.Sent():
		panic(cutOff{err}) // the client must not take the part for the whole
	case err != nil:
		return err
	case to.Sent():
		to.Flush()
	default:
		return sendWhole(w, to.Bytes())
	}
	return nil
}

// sendWhole sends a response with its length.
func sendWhole(w *reply, body []byte) error {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if err := w.writeWhole(body); err != nil {
		w.err = fmt.Errorf("write response: %w", err)
	}
	return nil
}

// pieces writes a long response in pieces.
type pieces struct {
	to    *reply
	turns turn
}

// Write implements [io.Writer].
func (p *pieces) Write(b []byte) (int, error) {
	return p.turns.piece(func() (int, error) { return p.to.Write(b) })
}

// compressJSON compresses a response whose base URL does not fit in the compressed fragments. This
// takes long, so it waits for a turn. It compresses everything before it writes anything, because a
// request must not wait for its client during its turn.
func (s *server) compressJSON(w *reply, r *http.Request, found *gallery.Response, at *gallery.Address) error {
	short := found.Bytes() <= pieceBuffer/2
	about := wholeBuffer / 2
	if short {
		about = 0
	}
	to := s.buffer(about, io.Discard)
	defer s.buffers.put(to)
	if to == nil || !short && to.Cap() < wholeBuffer {
		return overloaded(w, errNoMemory)
	}
	err := s.compressInTurn(r.Context(), to, short, found, at)
	if errors.Is(err, errNoMemory) || errors.Is(err, errNoTurn) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return refused(w, err)
	}
	if err != nil || to.Sent() {
		return fmt.Errorf("compress a response of %d bytes: %w", found.Bytes(), cmp.Or(err, io.ErrShortBuffer))
	}
	return sendWhole(w, to.Bytes())
}

// compressInTurn compresses a response into a buffer. It ends its turn even if reading the index
// panics; see [index.PanicOnFault].
func (s *server) compressInTurn(ctx context.Context, to *splice.Buffer, short bool, found *gallery.Response, at *gallery.Address) error {
	turn, err := s.turns.wait(ctx, !short)
	if err != nil {
		return err
	}
	defer turn.end()
	reserve := s.buffers.budget.reserveLong
	if short {
		reserve = s.buffers.budget.reserve
	}
	return s.compressTo(to, &s.fast, reserve, found, at)
}

// compressTo compresses a response into a buffer. It releases the memory for compressing even if
// reading the index panics.
func (s *server) compressTo(to *splice.Buffer, by *compressors, reserve func(n int) bool, found *gallery.Response, at *gallery.Address) error {
	if !reserve(compressBytes) {
		return errNoMemory
	}
	defer s.buffers.budget.release(compressBytes)
	z := by.get(to)
	defer by.pool.Put(z)
	plain := s.buffer(0, z)
	if plain == nil {
		return errNoMemory
	}
	defer s.buffers.put(plain)
	return errors.Join(found.WriteJSON(plain, at), plain.Flush(), z.Close())
}

// readQuery reads the body and parses the query in it.
//
// In Content-Length, some editors count the JSON in UTF-16 units. If the text is not ASCII, its end
// then comes after the end of the body, where the next request should begin. Such a connection is
// closed after the response.
func (s *server) readQuery(w *reply, r *http.Request) (q query.Query, err error) {
	b := s.bodies.get()
	defer s.bodies.put(b)
	if err = b.read(http.MaxBytesReader(w.ResponseWriter, r.Body, maxBody), s.turns.long); err != nil {
		err = badBody(w, err)
	} else {
		q, err = s.parse(w, r, b.bytes)
	}
	if err != nil || q.Truncated {
		w.Header().Set("Connection", "close")
	}
	return q, err
}

// badBody returns the response to a body that could not be read to its end.
func badBody(w *reply, err error) error {
	if errors.Is(err, errNoMemory) {
		return overloaded(w, err)
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &failure{status: http.StatusRequestEntityTooLarge, message: fmt.Sprintf("the body is longer than %d bytes", maxBody)}
	}
	return &failure{http.StatusBadRequest, "the request body could not be read", err}
}

// parse parses a query. An empty body is a query for all extensions.
func (s *server) parse(w *reply, r *http.Request, body []byte) (query.Query, error) {
	if s.log.Enabled(context.Background(), slog.LevelDebug) {
		s.log.Debug("query", "body", string(body[:min(len(body), maxLoggedQuery)]))
	}
	if isHeavyBody(len(body)) {
		turn, err := s.turns.wait(r.Context(), true)
		if err != nil {
			return query.Query{}, refused(w, err)
		}
		defer turn.end()
	}
	if body = bytes.TrimSpace(body); len(body) == 0 {
		body = []byte("{}")
	}
	q, err := query.Parse(body)
	if err != nil {
		return q, &failure{http.StatusBadRequest, "the body is not a gallery query in JSON", err}
	}
	return q, nil
}

// acceptsGzip reports whether Accept-Encoding contains gzip with a weight above zero.
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
