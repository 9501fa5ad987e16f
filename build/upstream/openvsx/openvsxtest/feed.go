package openvsxtest

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// change is an entry of the feed.
type change struct {
	Namespace      string `json:"namespace"`
	Name           string `json:"name"`
	Version        string `json:"version"`
	TargetPlatform string `json:"targetPlatform"`
	State          string `json:"state"`
	Timestamp      string `json:"timestamp"`
	LastUpdated    string `json:"lastUpdated"`
	URL            string `json:"url"`

	id   int // in the order in which the registry has recorded changes
	when time.Time
}

// addChange adds an entry to the feed, which must be sorted then.
func (s *Server) addChange(p *pkg, state string, when time.Time) {
	c := change{
		Namespace: p.manifest.Publisher, Name: p.manifest.Name, Version: p.manifest.Version,
		TargetPlatform: p.platform, State: state,
		Timestamp: javaTime(p.extra.LastUpdated), LastUpdated: javaTime(when),
		id: len(s.changes) + 1, when: when,
	}
	s.changes = append(s.changes, c)
}

// feed responds to /api/-/version-changes. The real feed ends 30 seconds before the present; this
// one does not, so that tests need not wait.
func (s *Server) feed(w http.ResponseWriter, r *http.Request) {
	if s.faults[NoFeed] {
		respondError(w, http.StatusNotFound, "Extension not found: -.version-changes")
		return
	}
	q, size, _, ok := s.parameters(w, r, 100, 1, "after", "since", "until", "size")
	if !ok {
		return
	}
	if q.Has("after") && q.Has("since") {
		s.problem(w, r, "The 'after' and 'since' parameters cannot be combined")
		return
	}
	from, err := s.begin(q.Get("after"), q.Get("since"))
	if err != nil {
		s.problem(w, r, "%v", err)
		return
	}
	all := s.changes[from:]
	page := all[:min(s.pageSize(size), len(all))]
	result := map[string]any{"changes": s.withURLs(page), "hasMore": len(page) < len(all)}
	if after := q.Get("after"); len(page) == 0 && after != "" {
		result["nextCursor"] = after
	} else if len(page) > 0 {
		result["nextCursor"] = page[len(page)-1].cursor()
	}
	w.Header().Set("Cache-Control", "max-age=60, public")
	respond(w, r, result)
}

// cursor returns the position of an entry.
func (c *change) cursor() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s_%d", c.LastUpdated, c.id))
}

// begin returns the index of the first entry after a cursor, or since a time.
func (s *Server) begin(after, since string) (int, error) {
	if after != "" {
		text, err := base64.RawURLEncoding.DecodeString(after)
		_, number, _ := strings.Cut(string(text), "_")
		id, invalid := strconv.Atoi(number)
		i := slices.IndexFunc(s.changes, func(c change) bool { return c.id == id })
		if err != nil || invalid != nil || i < 0 {
			return 0, fmt.Errorf("the parameter 'after' is invalid: %s", after)
		}
		return i + 1, nil
	}
	if since == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339, since)
	if err != nil {
		return 0, fmt.Errorf("the parameter 'since' is invalid: %s", since)
	}
	i := slices.IndexFunc(s.changes, func(c change) bool { return !c.when.Before(t) })
	if i < 0 {
		i = len(s.changes)
	}
	return i, nil
}

// withURLs returns a copy of entries with their addresses.
func (s *Server) withURLs(all []change) []change {
	all = append([]change{}, all...)
	for i := range all {
		c := &all[i]
		c.URL = strings.Join([]string{s.URL, "api", c.Namespace, c.Name, c.TargetPlatform, c.Version}, "/")
	}
	return all
}
