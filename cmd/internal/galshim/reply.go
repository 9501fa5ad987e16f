package galshim

import (
	"io"
	"net/http"
	"strings"
	"time"
)

// A reply is one answer on its way. It keeps the client moving: whoever takes
// less than a chunk of it in its time loses the connection.
type reply struct {
	http.ResponseWriter
	stall  time.Duration // for a chunk
	base   string        // URL of the gallery, as this client knows it
	status int           // 0 before the header is written
	bytes  int64         // of the body
	hits   int           // extensions in the answer to a query, -1 to anything else
	err    error         // what went wrong, for the log
}

// chunk is how much of an answer goes out under one deadline.
const chunk = 256 << 10

func newReply(w http.ResponseWriter, stall time.Duration) *reply {
	return &reply{ResponseWriter: w, stall: stall, hits: -1}
}

// Unwrap lets [http.ResponseController] through.
func (w *reply) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader makes the entity tag of a compressed answer a weak one: the same
// content, other bytes, and no ranges of them.
func (w *reply) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	w.status = status
	if tag := w.Header().Get("ETag"); tag != "" && w.Header().Get("Content-Encoding") == "gzip" && !strings.HasPrefix(tag, "W/") {
		w.Header().Set("ETag", "W/"+tag)
	}
	w.extend()
	w.ResponseWriter.WriteHeader(status)
}

func (w *reply) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	} else {
		w.extend()
	}
	written := 0
	for {
		part := b[written:min(len(b), written+chunk)]
		n, err := w.ResponseWriter.Write(part)
		written += n
		w.bytes += int64(n)
		if err != nil || written == len(b) {
			return written, err
		}
		w.extend()
	}
}

// ReadFrom lets the kernel send a file, chunk by chunk: the reader below is
// passed on bare, for that is what net recognises.
func (w *reply) ReadFrom(src io.Reader) (int64, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	limited, ok := src.(*io.LimitedReader)
	if !ok {
		limited = &io.LimitedReader{R: src, N: 1<<63 - 1}
	}
	var sent int64
	for limited.N > 0 {
		w.extend()
		part := &io.LimitedReader{R: limited.R, N: min(limited.N, chunk)}
		want := part.N
		n, err := io.Copy(w.ResponseWriter, part)
		sent += n
		w.bytes += n
		limited.N -= n
		if err != nil || n < want {
			return sent, err
		}
	}
	return sent, nil
}

// extend gives the client time for another chunk. Where a connection has no
// deadlines, as in tests, there is nobody to wait for.
func (w *reply) extend() {
	http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(w.stall))
}
