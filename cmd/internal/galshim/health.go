package galshim

import (
	"net/http"
	"time"

	"galbuild/build/headers"
)

// health answers whether galshim works: to load balancers, to Kubernetes and to people.
//
// /livez has status 200 as long as galshim handles requests. A process that fails it can be
// restarted. /readyz has status 200 as soon as a verified generation is served, whatever became of
// newer ones, and 503 before that and while galshim stops. A replica that fails it gets no
// requests, so a damaged publish must not affect it: it would take out all replicas at once.
// /healthz describes the generation. It has status 503 if what is served is damaged or frozen, and
// with ?strict also if the newest generation is refused or cannot be read.
type health struct {
	live    *live
	counter *counter
}

func (health) alive(w http.ResponseWriter, _ *http.Request) { sendState(w, http.StatusOK, "alive") }

func (h health) ready(w http.ResponseWriter, _ *http.Request) {
	switch {
	case h.live.now.Load() == nil:
		sendState(w, http.StatusServiceUnavailable, "starting")
	case h.live.stopping.Load():
		sendState(w, http.StatusServiceUnavailable, "stopping")
	default:
		sendState(w, http.StatusOK, "ready")
	}
}

func sendState(w http.ResponseWriter, status int, word string) {
	w.Header().Set("Cache-Control", headers.NoStore)
	sendJSON(w, status, map[string]string{"status": word})
}

// report serves /healthz: the current generation and its number of extensions. "stale" is true if
// there is a newer generation that was refused. The status is "damaged", with HTTP status 503,
// while the index is damaged: from the first failed read until it has been opened again.
func (h health) report(w http.ResponseWriter, r *http.Request) {
	if h.live.now.Load() == nil {
		sendState(w, http.StatusServiceUnavailable, "starting")
		return
	}
	g := h.live.acquire()
	defer g.release()
	stale := h.live.stale.Load()
	status, word := http.StatusServiceUnavailable, "damaged"
	switch {
	case g.damaged.Load():
	case h.live.trust.frozen() != nil:
		word = "frozen"
	case stale && r.URL.Query().Has("strict"):
		word = "refused"
	default:
		status, word = http.StatusOK, "ok"
	}
	var head *servedHead
	if h := h.live.trust.served(); h != nil {
		head = &servedHead{h.Number, h.When}
	}
	w.Header().Set("Cache-Control", headers.NoStore)
	sendJSON(w, status, struct {
		Status     string `json:"status"`
		Generation string `json:"generation"`
		Extensions int    `json:"extensions"`
		Stale      bool   `json:"stale"`
		// Unwritten is how many counts are not in the folder of --stats-log yet.
		Unwritten int64 `json:"unwrittenCounts,omitempty"`
		// Head is that of the history, with --trust.
		Head *servedHead `json:"head,omitempty"`
	}{word, g.Generation, g.ix.Len(), stale, h.counter.unwritten(), head})
}

// servedHead is the newest head of the history that was served.
type servedHead struct {
	Number int64     `json:"number"`
	When   time.Time `json:"when"`
}

// state returns the endpoint of a method of health.
func (s *server) state(serve func(h health, w http.ResponseWriter, r *http.Request)) endpoint {
	return func(w *reply, r *http.Request, _ *generation) error {
		serve(health{w.view.live, s.counter}, w, r)
		return nil
	}
}
