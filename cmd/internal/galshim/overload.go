package galshim

import (
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"galbuild/build/headers"
	"galbuild/build/jsondoc"
)

// An overload refuses the queries that have waited for too long when galshim begins with them. If
// more queries arrive than galshim can answer, the others wait in the buffers of the system, where
// galshim does not see them. Without an overload, the waiting time would grow until no response
// arrives in time, although none fails. With it, galshim spends its time on queries whose clients
// still wait, and refuses the rest before it reads their bodies. A refusal takes a fifth to two
// fifths of the time of a response from the cache, most of it in package http and the system.
//
// A short limit would refuse queries of a burst that ends soon, and clients that get a refusal at
// once send their next query at once.
//
// The system tells when the last bytes of the request arrived, on Linux and for TCP. Elsewhere no
// query is refused for it.
type overload struct {
	longest time.Duration // that a query may wait; 0 refuses none
	header  http.Header
	body    []byte

	refused atomic.Int64 // since the last line in the log
	logged  atomic.Int64 // time of that line, in nanoseconds since 1970
}

func newOverload(longest time.Duration) *overload {
	header := make(http.Header)
	headers.SetEvery(header, http.MethodPost)
	headers.SetError(header)
	body, err := jsondoc.Line(map[string]string{"error": busyMessage})
	if err != nil {
		panic(err) // a text can be encoded
	}
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
	return &overload{longest: longest, header: header, body: body}
}

// refuses reports whether a request is a query that has waited for too long.
func (o *overload) refuses(r *http.Request) bool {
	if o.longest == 0 || r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, queryPath) {
		return false
	}
	c := connectionOf(r)
	if c == nil {
		return false
	}
	waited, ok := sinceReceived(c.below)
	return ok && waited > o.longest
}

// refuse writes the response to a query that is refused. The log has one line for many of them,
// because logging each would take as long as refusing it.
func (o *overload) refuse(w http.ResponseWriter, log *slog.Logger) {
	maps.Copy(w.Header(), o.header)
	w.WriteHeader(http.StatusServiceUnavailable)
	w.Write(o.body)
	refused, now, last := o.refused.Add(1), time.Now().UnixNano(), o.logged.Load()
	if now-last >= int64(overloadLog) && o.logged.CompareAndSwap(last, now) {
		o.refused.Add(-refused)
		log.Warn("more queries arrive than galshim can answer; those that have waited for too long get status 503", "refused", refused)
	}
}
