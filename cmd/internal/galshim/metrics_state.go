package galshim

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// observe adds the numbers that a server has anyway, and that are read when Prometheus asks for
// them.
func (m *metrics) observe(s *server, c *connections) {
	m.gauge("galshim_queries_running", "Queries that are being searched for.", func() float64 { return float64(len(s.turns.light) + len(s.turns.heavy)) })
	m.gauge("galshim_queries_waiting", "Queries that wait for their turn.", func() float64 { return float64(s.turns.waiting.Load()) })
	m.counter("galshim_queries_waited_total", "Queries that have waited for their turn.", func() float64 { return float64(s.turns.waited.Load()) })
	m.gauge("galshim_request_body_memory_bytes", "Memory that bodies of requests use.", func() float64 { return float64(s.bodies.budget.used.Load()) })
	m.gauge("galshim_response_memory_bytes", "Memory that buffers of responses use.", func() float64 { return float64(s.buffers.budget.used.Load()) })
	m.gauge("galshim_connections", "Open connections.", func() float64 { return float64(c.open()) })
	m.gauge("galshim_connections_limit", "Limit of open connections.", func() float64 { return float64(cap(c.free)) })
	m.gauge("galshim_clients", "Clients that --client-rate keeps in its table.", func() float64 { return float64(s.clients.len()) })
	m.gauge("galshim_unwritten_counts", "Counts of --stats-log that are not in its folder yet.", func() float64 { return float64(s.counter.unwritten()) })
}

func (m *metrics) gauge(name, help string, value func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

func (m *metrics) counter(name, help string, value func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value))
}

// generationMetrics is a [prometheus.Collector] of numbers about the generation that is served.
// They are read together, so that they are of one generation. There are none before the first one
// is served.
type generationMetrics struct{ live *live }

var (
	descGeneration = prometheus.NewDesc("galshim_generation_info", "The generation that is served; the value is 1.", []string{"generation"}, nil)
	descAge        = prometheus.NewDesc("galshim_generation_age_seconds", "With --trust, the time since the head of the history was signed; otherwise since galshim began to serve the generation.", nil, nil)
	descRefused    = prometheus.NewDesc("galshim_generation_refused", "1 while the newest generation is refused or cannot be read, else 0.", nil, nil)
	descDamaged    = prometheus.NewDesc("galshim_generation_damaged", "1 while a part of the index cannot be read, else 0.", nil, nil)
	descExtensions = prometheus.NewDesc("galshim_extensions", "Extensions in the generation that is served.", nil, nil)
	descChunks     = prometheus.NewDesc("galshim_index_chunks", "Chunks of the index.", nil, nil)
	descChecked    = prometheus.NewDesc("galshim_index_chunks_ready", "Chunks of the index that are on this machine and were found to be sound.", nil, nil)
	descFetching   = prometheus.NewDesc("galshim_requests_waiting_for_chunks", "Requests, and checks in the background, that wait for chunks of a published site.", nil, nil)
)

// observeView adds the numbers about the generation of a view, or of the main gallery, whose name
// is "". There are as many series as views.
func (m *metrics) observeView(name string, l *live) {
	if m != nil {
		prometheus.WrapRegistererWith(prometheus.Labels{"view": name}, m.registry).MustRegister(generationMetrics{l})
	}
}

// Describe implements [prometheus.Collector].
func (generationMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descGeneration, descAge, descRefused, descDamaged, descExtensions, descChunks, descChecked, descFetching} {
		to <- d
	}
}

// Collect implements [prometheus.Collector].
func (m generationMetrics) Collect(to chan<- prometheus.Metric) {
	if m.live.now.Load() == nil {
		return
	}
	g := m.live.acquire()
	defer g.release()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	gauge(descGeneration, 1, g.Generation)
	gauge(descAge, time.Since(m.live.dateOf(g)).Seconds())
	gauge(descRefused, oneIf(m.live.stale.Load()))
	gauge(descDamaged, oneIf(g.damaged.Load()))
	gauge(descExtensions, float64(g.ix.Len()))
	checked := 0
	for i := range g.checked {
		if g.checked[i].Load() {
			checked++
		}
	}
	gauge(descChunks, float64(len(g.checked)))
	gauge(descChecked, float64(checked))
	waiting := int64(0)
	if g.cache != nil {
		waiting = g.cache.waiting.Load()
	}
	gauge(descFetching, float64(waiting))
}

// dateOf returns the date of a generation: when the head of the history was signed, or without
// --trust when galshim began to serve it.
func (l *live) dateOf(g *generation) time.Time {
	if head := l.trust.served(); head != nil {
		return head.When
	}
	return g.since
}

func oneIf(condition bool) float64 {
	if condition {
		return 1
	}
	return 0
}
