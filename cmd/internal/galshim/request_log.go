package galshim

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"galbuild/index/query"
)

// Limits of what a line of the log has of a request.
const (
	maxLoggedIDs  = 5   // ids and names of a query; their number is logged too
	maxLoggedText = 256 // bytes of a user agent, or of the texts of a query
	maxRequestID  = 128
	minRequestID  = 8
)

// requestIDHeader is the header with the id of a request, in canonical form.
const requestIDHeader = "X-Request-Id"

// identify gives a request its id, and writes it into the header of the response: the one that a
// trusted proxy has given it, so that the logs of both can be compared, or else a new one.
func (s *server) identify(w *reply, r *http.Request) {
	w.id[0] = s.requestID(r)
	w.Header()[requestIDHeader] = w.id[:]
}

func (s *server) requestID(r *http.Request) string {
	if given := r.Header[requestIDHeader]; len(given) == 1 && isRequestID(given[0]) && s.addresser.trustsPeer(peerOf(r)) {
		return given[0]
	}
	var number [8]byte
	var digits [16]byte
	binary.BigEndian.PutUint64(number[:], rand.Uint64())
	hex.Encode(digits[:], number[:])
	return string(digits[:])
}

// isRequestID reports whether a text can be used as the id of a request.
func isRequestID(s string) bool {
	return len(s) >= minRequestID && len(s) <= maxRequestID && consistsOf(s, isIDByte)
}

func isIDByte(c byte) bool { return isNameByte(c) || c == ':' || c == '/' || c == '+' || c == '=' }

// logRequest logs a request in one line: health checks at level debug, and failures as warnings or
// errors.
func (s *server) logRequest(w *reply, r *http.Request, start time.Time, took time.Duration) {
	level := slog.LevelInfo
	switch {
	case w.status >= 500:
		level = slog.LevelError
	case w.err != nil && w.status < 400:
		level = slog.LevelWarn
	case w.kind == kindHealth, r.URL.Path == authPath && w.status == http.StatusNoContent:
		level = slog.LevelDebug
	}
	if !s.log.Enabled(context.Background(), level) {
		return
	}
	line := slog.NewRecord(start.Add(took), level, "request", 0) // without the source position, which is slow to find
	path := cmp.Or(w.logged, r.URL.Path)
	handler, ok := s.queryLogs[path]
	if !ok || r.Method != http.MethodPost {
		handler = s.log.Handler()
		line.AddAttrs(requestAttrs(r.Method, path)...)
	}
	line.AddAttrs(
		slog.Int("status", w.status), slog.Int64("bytes", w.bytes()),
		slog.Float64("elapsedMs", float64(took.Microseconds())/1e3), slog.String("client", s.addresser.client(r)),
	)
	if w.token != nil {
		line.AddAttrs(slog.String("token", w.token.Name))
	}
	if w.hits >= 0 {
		line.AddAttrs(slog.Int("hits", w.hits))
	}
	s.logDetails(&line, w, r)
	if w.err != nil {
		line.AddAttrs(slog.String("err", clip(w.err.Error())))
	}
	handler.Handle(context.Background(), line) // if the log cannot be written, there is nowhere to report it
}

// requestAttrs are the first attributes of a request in the log.
func requestAttrs(method, path string) []slog.Attr {
	return []slog.Attr{slog.String("method", method), slog.String("path", clip(path))}
}

// logDetails adds to a line of the log who has sent a request, what was searched for, and the ids
// with which the line is found from other logs.
func (s *server) logDetails(line *slog.Record, w *reply, r *http.Request) {
	line.AddAttrs(slog.String("id", w.id[0]))
	if trace := traceID(r.Header); trace != "" {
		line.AddAttrs(slog.String("trace", trace))
	}
	if agent := r.Header["User-Agent"]; len(agent) > 0 {
		line.AddAttrs(slog.String("agent", clipTo(agent[0], maxLoggedText)))
	}
	if !s.noQueryLog && w.query != nil {
		logQuery(line, w.query)
	}
}

// traceID returns the id of the trace in a traceparent header, or "" if it has none. The format is
// that of W3C Trace Context: version, trace, parent and flags.
func traceID(h http.Header) string {
	given := h["Traceparent"]
	if len(given) != 1 {
		return ""
	}
	text := given[0]
	if len(text) < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-' || text[:2] == "ff" {
		return ""
	}
	trace := text[3:35]
	if !consistsOf(text[:2], isHexByte) || !consistsOf(trace, isHexByte) || !consistsOf(text[36:52], isHexByte) || strings.Trim(trace, "0") == "" {
		return ""
	}
	return trace
}

func isHexByte(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'f' }

// logQuery adds what a query searches for.
func logQuery(line *slog.Record, q *query.Query) {
	var text, ids, platforms []string
	count := 0
	for i := range q.Filters {
		f := &q.Filters[i]
		text = append(text, f.Text...)
		platforms = append(platforms, f.Platforms...)
		for _, names := range [][]string{f.Names, f.IDs} {
			ids = append(ids, names[:min(len(names), maxLoggedIDs-min(len(ids), maxLoggedIDs))]...)
			count += len(names)
		}
	}
	if len(text) > 0 {
		line.AddAttrs(slog.String("text", clipTo(strings.Join(text, " "), maxLoggedText)))
	}
	if count > 0 {
		line.AddAttrs(slog.String("ids", clipTo(strings.Join(ids, " "), maxLoggedText)), slog.Int("idCount", count))
	}
	if len(platforms) > 0 {
		line.AddAttrs(slog.String("platform", clipTo(strings.Join(platforms, " "), maxLoggedText)))
	}
}

// clip shortens a text of a client for the log.
func clip(text string) string { return clipTo(text, maxLogged) }

// clipTo shortens a text of a client to a number of bytes.
func clipTo(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
