package galshim

import (
	"encoding/binary"
	"encoding/hex"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"

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
	if !s.noQueryLog && w.question != nil {
		logQuestion(line, w.question)
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

// logQuestion adds what a query searches for.
func logQuestion(line *slog.Record, q *query.Query) {
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
