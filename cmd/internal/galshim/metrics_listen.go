package galshim

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"galbuild/cmd/internal/hint"
)

// Limits of the listener of --metrics.
const (
	maxMetricsConnections = 64
	maxScrapes            = 4 // at a time; others get status 503
	scrapeTimeout         = 10 * time.Second
)

// observe begins to count and to serve metrics, with --metrics.
func (c *commandLine) observe(generations *live, log *slog.Logger) (stop func(), err error) {
	if c.Metrics == "" {
		return func() {}, nil
	}
	generations.metrics = newMetrics(c.MetricsExtensions)
	generations.metrics.observeView("", generations)
	return serveMetrics(c.Metrics, generations.metrics, health{generations, c.counter}, log)
}

// serveMetrics serves metrics and the state of galshim at the address of --metrics until stop is
// called. It begins before the first generation is there, so that it can be observed how galshim
// starts.
func serveMetrics(address string, m *metrics, h health, log *slog.Logger) (stop func(), err error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, hint.Add(fmt.Errorf("listen for --metrics: %w", err), "name another address with --metrics HOST:PORT; with port 0, galshim takes any free port")
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn), MaxRequestsInFlight: maxScrapes, Timeout: scrapeTimeout,
	}))
	mux.HandleFunc("GET /livez", h.alive)
	mux.HandleFunc("GET /readyz", h.ready)
	mux.HandleFunc("GET /healthz", h.report)
	srv := newHTTPServer(mux, nil, log)
	log.Info("serving metrics", "addr", "http://"+listener.Addr().String()+"/metrics")
	var serving sync.WaitGroup
	serving.Go(func() { srv.Serve(limitConnections(listener, srv, maxMetricsConnections)) })
	return func() { srv.Close(); serving.Wait() }, nil
}

// validateMetrics checks the flags of metrics and of the limit of a client.
func (c *commandLine) validateMetrics() error {
	if _, _, err := net.SplitHostPort(c.Metrics); err != nil && c.Metrics != "" {
		return hint.Add(fmt.Errorf("--metrics=%s: must be HOST:PORT or :PORT", c.Metrics), "--metrics 127.0.0.1:9464 serves metrics to this machine only")
	}
	switch {
	case c.MetricsExtensions < 0:
		return hint.Add(fmt.Errorf("--metrics-extensions=%d: must not be negative", c.MetricsExtensions), "0 counts no downloads")
	case c.MetricsExtensions > maxDownloadLabels:
		return hint.Add(fmt.Errorf("--metrics-extensions=%d: must be at most %d", c.MetricsExtensions, maxDownloadLabels), "--stats-log counts the downloads of all extensions, in files")
	case c.MetricsExtensions > 0 && c.Metrics == "":
		return hint.Add(errors.New("--metrics-extensions needs --metrics"), "name the address to serve metrics at with --metrics HOST:PORT")
	case c.ClientRate < 0:
		return hint.Add(fmt.Errorf("--client-rate=%d: must not be negative", c.ClientRate), "0 means no limit")
	case c.ClientBurst < 1:
		return hint.Add(fmt.Errorf("--client-burst=%d: must be positive", c.ClientBurst), "an editor sends about ten queries when it starts")
	case c.ClientRate == 0 && len(c.ClientExempt) > 0:
		return hint.Add(errors.New("--client-exempt needs --client-rate"), "without --client-rate, no client is limited")
	}
	return nil
}

// maxDownloadLabels is the largest value of --metrics-extensions. Prometheus keeps a time series
// for each.
const maxDownloadLabels = 10_000
