package galshim

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"galbuild/cmd/internal/version"
)

// metrics are the numbers for Prometheus, which --metrics serves; the README of
// render/deploy/monitoring describes each. They have a registry of their own. A request adds to
// numbers that were looked up when galshim started, and allocates nothing. What galshim counts
// anyway is read when Prometheus asks for it, see observe. The nil metrics count nothing.
type metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	kinds     [len(kindNames)]kindMetrics
	refused   *prometheus.CounterVec
	lateOnes  [2]prometheus.Counter // of requests and of refused, for queries that overload refuses
	cacheHit  [2]prometheus.Counter // of JSON, and of gzip
	cacheMiss [2]prometheus.Counter
	reloads   *prometheus.CounterVec
	downloads *downloadMetrics // nil without --metrics-extensions
}

// kindMetrics are those of a kind of requests.
type kindMetrics struct {
	ok       prometheus.Counter // status 200
	duration prometheus.Observer
	bytes    prometheus.Counter
}

// A requestKind is what a request is for.
type requestKind uint8

// The kinds of requests.
const (
	kindOther requestKind = iota
	kindQuery
	kindLatest
	kindAsset
	kindFile
	kindPage
	kindManifest
	kindPackage
	kindReport
	kindHealth
)

// kindNames are the values of the label kind.
var kindNames = [...]string{"other", "query", "latest", "asset", "file", "page", "manifest", "package", "report", "health"}

// kindOf returns the kind of the requests that a pattern of routes matches.
func kindOf(pattern string) requestKind {
	for _, end := range []struct {
		suffix string
		kind   requestKind
	}{
		{queryPath, kindQuery}, {"/latest", kindLatest}, {"/vspackage", kindPackage}, {"/stats", kindReport}, {"/vscodewebextension", kindReport},
		{"/manifest.json", kindManifest}, {"/control.json", kindManifest}, {"/healthz", kindHealth}, {"/livez", kindHealth}, {"/readyz", kindHealth},
	} {
		if strings.HasSuffix(pattern, end.suffix) {
			return end.kind
		}
	}
	switch {
	case strings.HasPrefix(pattern, "/assets/"), strings.HasPrefix(pattern, "/vscode/asset/"):
		return kindAsset
	case strings.HasPrefix(pattern, "/files/"), strings.HasPrefix(pattern, "/vscode/unpkg/"):
		return kindFile
	case pattern == "/", pattern == "/{$}", strings.HasSuffix(pattern, "/item"):
		return kindPage
	}
	for _, api := range apis {
		if pattern == api {
			return kindManifest
		}
	}
	return kindOther
}

// durationBuckets are the upper limits of the buckets of response times in seconds. Most queries
// take less than a millisecond; a package over a slow line takes minutes.
var durationBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 60}

// Reasons why a query was refused, the values of the label reason.
const (
	reasonTurn   = "busy"
	reasonMemory = "memory"
	reasonChunk  = "chunk"
	reasonClient = "client"
	reasonOther  = "other"
)

// Results of looking for a new generation, the values of the label result.
const (
	reloadNew     = "new"
	reloadSame    = "same"
	reloadRefused = "refused"
)

// newMetrics returns metrics that count downloads of at most this number of extensions.
func newMetrics(extensions int) *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.requests = m.vector("galshim_requests_total", "Responses by kind of request and status code.", "kind", "code")
	sent := m.vector("galshim_response_bytes_total", "Bytes of the bodies of responses, as they were sent.", "kind")
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "galshim_request_duration_seconds", Help: "Time from the header of a request to the end of its response.", Buckets: durationBuckets,
	}, []string{"kind"})
	m.registry.MustRegister(duration)
	for kind, name := range kindNames {
		m.kinds[kind] = kindMetrics{ok: m.requests.WithLabelValues(name, "200"), duration: duration.WithLabelValues(name), bytes: sent.WithLabelValues(name)}
	}
	m.refused = m.vector("galshim_queries_refused_total", "Queries that got status 503, by reason.", "reason")
	for _, reason := range []string{reasonTurn, reasonMemory, reasonChunk, reasonClient, reasonOther} {
		m.refused.WithLabelValues(reason)
	}
	m.lateOnes = [...]prometheus.Counter{m.requests.WithLabelValues(kindNames[kindQuery], "503"), m.refused.WithLabelValues(reasonTurn)}
	cache := m.vector("galshim_response_cache_requests_total", "Lists that were looked up in the cache of responses, by encoding and result.", "encoding", "result")
	for i, encoding := range []string{"json", "gzip"} {
		m.cacheHit[i], m.cacheMiss[i] = cache.WithLabelValues(encoding, "hit"), cache.WithLabelValues(encoding, "miss")
	}
	m.reloads = m.vector("galshim_reloads_total", "Attempts to load a new generation, by result.", "result")
	for _, result := range []string{reloadNew, reloadSame, reloadRefused} {
		m.reloads.WithLabelValues(result)
	}
	build := m.gauges("galshim_build_info", "The version of galshim; the value is 1.", "version", "goversion")
	build.WithLabelValues(version.String(), runtime.Version()).Set(1)
	if extensions > 0 {
		counts := m.vector("galshim_downloads_total", "Packages that were downloaded as a whole, by extension.", "extension")
		m.downloads = &downloadMetrics{most: extensions, counts: counts, known: make(map[string]prometheus.Counter), other: counts.WithLabelValues("other")}
	}
	return m
}

func (m *metrics) vector(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *metrics) gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

// request counts a response.
func (m *metrics) request(w *reply, took time.Duration) {
	if m == nil {
		return
	}
	k := &m.kinds[w.kind]
	if w.status == http.StatusOK {
		k.ok.Inc()
	} else {
		m.requests.WithLabelValues(kindNames[w.kind], strconv.Itoa(w.status)).Inc()
	}
	k.duration.Observe(took.Seconds())
	k.bytes.Add(float64(w.bytes()))
	if w.kind == kindQuery && w.status == http.StatusServiceUnavailable {
		m.refused.WithLabelValues(reasonOf(w.err)).Inc()
	}
}

// late counts a query that has waited for too long when galshim begins with it.
func (m *metrics) late() {
	if m == nil {
		return
	}
	for _, c := range m.lateOnes {
		c.Inc()
	}
}

// reasonOf returns why a query was refused with this error.
func reasonOf(err error) string {
	switch {
	case errors.Is(err, errNoTurn), errors.Is(err, context.DeadlineExceeded):
		return reasonTurn
	case errors.Is(err, errNoMemory):
		return reasonMemory
	case errors.Is(err, errNoChunk):
		return reasonChunk
	case errors.Is(err, errClientRate):
		return reasonClient
	}
	return reasonOther
}

// cached counts a look-up in a cache of responses.
func (m *metrics) cached(gzip, hit bool) {
	if m == nil {
		return
	}
	encoding := 0
	if gzip {
		encoding = 1
	}
	if hit {
		m.cacheHit[encoding].Inc()
	} else {
		m.cacheMiss[encoding].Inc()
	}
}

// reload counts an attempt to load a new generation.
func (m *metrics) reload(result string) {
	if m != nil {
		m.reloads.WithLabelValues(result).Inc()
	}
}

// downloadMetrics count downloads by extension. Only ids of the index are counted, so a client
// cannot make up labels, and at most a number of them: those that are downloaded first. The
// downloads of all others are counted together.
type downloadMetrics struct {
	most   int
	counts *prometheus.CounterVec
	other  prometheus.Counter

	mu    sync.Mutex
	known map[string]prometheus.Counter
}

// download counts a download of a package of g.
func (m *metrics) download(g *generation, id string) {
	if m == nil || m.downloads == nil {
		return
	}
	if _, ok := g.ix.Find(id); ok {
		m.downloads.of(strings.ToLower(id)).Inc()
	}
}

func (d *downloadMetrics) of(id string) prometheus.Counter {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c, ok := d.known[id]; ok {
		return c
	}
	if len(d.known) == d.most {
		return d.other
	}
	c := d.counts.WithLabelValues(id)
	d.known[id] = c
	return c
}
