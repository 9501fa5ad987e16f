package galshim

import (
	"io"
	"math"
	"net/http"
	"os"
	"strings"
	"time"

	"galbuild/build/headers"
	"galbuild/build/tokens"
	"galbuild/index/query"
)

// A reply is one response that is being written, to a client that must read it fast enough.
type reply struct {
	http.ResponseWriter
	pace       pace
	corked     *corkedConn   // nil if the connection cannot be corked
	pieces     pieces        // writer of a response that is held in memory
	base       string        // base URL of the gallery for this client
	mount      string        // the end of base that was removed from the path of the request
	added      string        // what follows mount in base, and is not in the path of the request
	view       *view         // the gallery of the request
	token      *tokens.Token // of the client; nil if it needs none
	private    bool          // only this client may store the response
	logged     string        // the path for the log, without a token; "" is the path of the request
	status     int           // 0 before the header is written
	hits       int           // extensions in the response to a query, -1 to anything else
	err        error         // the error of the request, for the log
	generation *generation   // the generation of the response

	kind  requestKind
	id    [1]string    // of the request, as the value of a header
	query *query.Query // the query, for the log; nil if there is none
}

const (
	// chunk is the number of bytes that are written at a time.
	chunk = 256 << 10
	// smallChunk is used instead if progress is known only between writes.
	smallChunk = 16 << 10
	// atOnce is the number of bytes that are written with one deadline: a minute at 1 kB/s.
	atOnce = 60_000
)

func newReply(w http.ResponseWriter, r *http.Request, stall time.Duration) *reply {
	made := &reply{ResponseWriter: w, hits: -1, pace: pace{response: w, stall: stall, chunk: math.MaxInt}}
	if c := connectionOf(r); c != nil && r.ProtoMajor == 1 {
		made.corked, made.pace.conn = c.corked, c.below
	}
	return made
}

// Unwrap lets [http.ResponseController] find the original writer.
func (w *reply) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// bytes returns the number of bytes of the body that were written.
func (w *reply) bytes() int64 { return w.pace.written.Load() }

// WriteHeader makes the entity tag of a compressed response weak, because its bytes are not those
// of the file, and a range of them cannot be requested.
func (w *reply) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	w.status = status
	if tag := w.Header().Get("ETag"); tag != "" && w.Header().Get("Content-Encoding") == "gzip" && !strings.HasPrefix(tag, "W/") {
		w.Header().Set("ETag", "W/"+tag)
	}
	if w.private {
		headers.SetPrivate(w.Header())
	}
	w.pace.begin()
	w.ResponseWriter.WriteHeader(status)
}

func (w *reply) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.bytes()+int64(len(b)) > atOnce {
		w.pace.watch(w.pace.stall.Milliseconds())
	}
	w.pace.beginWrite()
	defer w.pace.endWrite()
	written := 0
	for {
		n, err := w.ResponseWriter.Write(b[written:min(len(b), written+min(len(b), w.pace.chunk))])
		written += n
		w.pace.written.Add(int64(n))
		if err != nil || written == len(b) {
			return written, err
		}
	}
}

// writeWhole writes the body of a response, whose header has its length, at once with the header.
func (w *reply) writeWhole(body []byte) error {
	if w.corked == nil || len(body) < heldBytes/2 { // package http sends a short one at once
		_, err := w.Write(body)
		return err
	}
	w.corked.cork()
	defer w.corked.uncork() // after a panic
	if _, err := w.Write(body); err != nil {
		return err
	}
	w.pace.beginWrite()
	defer w.pace.endWrite()
	if err := http.NewResponseController(w.ResponseWriter).Flush(); err != nil {
		return err
	}
	return w.corked.uncork()
}

// ReadFrom lets the kernel send a file in chunks. The file itself is passed on, because package net
// does this for files only.
func (w *reply) ReadFrom(src io.Reader) (int64, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	limited, ok := src.(*io.LimitedReader)
	if !ok {
		limited = &io.LimitedReader{R: src, N: 1<<63 - 1}
	}
	least := w.pace.stall.Milliseconds()
	if _, ok := limited.R.(*os.File); ok {
		least = 1 // no memory is held for a slow client
	}
	if limited.N > atOnce {
		w.pace.watch(least)
	}
	w.pace.beginWrite()
	defer w.pace.endWrite()
	var sent int64
	for limited.N > 0 {
		part := &io.LimitedReader{R: limited.R, N: min(limited.N, int64(w.pace.chunk))}
		want := part.N
		n, err := io.Copy(w.ResponseWriter, part)
		sent += n
		w.pace.written.Add(n)
		limited.N -= n
		if err != nil || n < want {
			return sent, err
		}
	}
	return sent, nil
}
