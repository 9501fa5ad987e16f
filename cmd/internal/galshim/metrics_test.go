package galshim

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"galbuild/build/porttest"
	"galbuild/build/site"
)

// measured returns an option for open: metrics that count downloads of two extensions.
func measured(c *config) {
	c.metrics = newMetrics(2)
	c.live.metrics = c.metrics
	c.metrics.observeView("", c.live)
}

// scrape returns the metrics in the text format of Prometheus, without comments.
func (g *testGallery) scrape(t *testing.T) string {
	t.Helper()
	w := httptest.NewRecorder()
	promhttp.HandlerFor(g.metrics.registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	var lines []string
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "galshim_") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// TestMetrics sends requests of each kind and compares the metrics.
func TestMetrics(t *testing.T) {
	dir := t.TempDir()
	sample{more: 60, full: true, pages: defaultPages()}.write(t, dir)
	g := open(t, dir, folder{dir}, measured, func(c *config) { c.clients = newClientRates(1, 5, nil) })
	g.metrics.observe(g.server, &connections{free: make(chan struct{}, 10)})
	for range 6 {
		g.request("POST", "/api/extensionquery", queryBody("", 50, 4), "Accept-Encoding", "gzip")
	}
	g.request("POST", "/vscode/gallery/extensionquery", "no JSON")
	for _, path := range []string{
		"/api/vscode/acme/hello/latest", "/assets/acme/hello/1.2.3/" + iconType, "/files/acme/hello/1.2.3/none", "/", "/item/acme.hello.html", "/manifest.json", "/api",
		"/assets/ACME/hello/1.2.3/" + pkg, "/publishers/acme/vsextensions/hello/latest/vspackage", "/assets/acme/hello/9.9.9/" + pkg,
		"/livez", "/version",
	} {
		g.request("GET", path, "")
	}
	for _, id := range []string{"Many.N1", "many.n2", "many.n3", "made.up"} {
		g.metrics.download(g.live.now.Load(), id)
	}
	g.request("POST", "/publishers/acme/extensions/hello/1.2.3/stats?statType=install", "")
	got := g.scrape(t)
	for _, want := range []string{
		`galshim_requests_total{code="200",kind="query"} 5`,
		`galshim_requests_total{code="503",kind="query"} 2`, // the burst is five queries
		`galshim_queries_refused_total{reason="client"} 2`,
		`galshim_queries_refused_total{reason="busy"} 0`,
		`galshim_clients 1`,
		`galshim_requests_total{code="200",kind="latest"} 1`,
		`galshim_requests_total{code="200",kind="asset"} 1`,
		`galshim_requests_total{code="404",kind="asset"} 1`, // a package that does not exist
		`galshim_requests_total{code="404",kind="file"} 1`,
		`galshim_requests_total{code="200",kind="page"} 2`,
		`galshim_requests_total{code="200",kind="manifest"} 2`,
		`galshim_requests_total{code="200",kind="package"} 2`,
		`galshim_requests_total{code="204",kind="report"} 1`,
		`galshim_requests_total{code="200",kind="health"} 1`,
		`galshim_requests_total{code="200",kind="other"} 1`,
		`galshim_request_duration_seconds_count{kind="query"} 7`,
		`galshim_response_cache_requests_total{encoding="gzip",result="miss"} 2`, // the second request encodes it
		`galshim_response_cache_requests_total{encoding="gzip",result="hit"} 3`,
		`galshim_downloads_total{extension="acme.hello"} 2`,
		`galshim_downloads_total{extension="many.n1"} 1`,
		`galshim_downloads_total{extension="other"} 2`,
		`galshim_extensions{view=""} 61`,
		`galshim_generation_refused{view=""} 0`,
		`galshim_generation_info{generation="` + g.live.now.Load().Generation + `",view=""} 1`,
		`galshim_connections_limit 10`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

// TestMetricsGeneration publishes a generation that is damaged, and then a sound one.
func TestMetricsGeneration(t *testing.T) {
	dir := t.TempDir()
	sample{}.write(t, dir)
	g := open(t, dir, folder{dir}, measured)
	g.metrics.observeView("team-a", g.live)
	current := filepath.Join(dir, filepath.FromSlash(site.CurrentPath))
	for _, x := range []struct{ text, want, strict string }{
		{"", `galshim_generation_refused{view=""} 0`, `200 {"status":"ok"`},
		{"damaged", `galshim_generation_refused{view=""} 1`, `503 {"status":"refused"`},
		{"sound", `galshim_generation_refused{view=""} 0`, `200 {"status":"ok"`},
	} {
		switch x.text {
		case "damaged":
			overwrite(t, current, "damaged")
		case "sound":
			sample{more: 1}.write(t, dir)
		}
		g.live.report(g.live.poll(t.Context()))
		if got := g.scrape(t); !strings.Contains(got, x.want) {
			t.Errorf("%s: no %s in %s", x.text, x.want, got)
		}
		for target, want := range map[string]string{"/healthz?strict": x.strict, "/healthz": `200 {"status":"ok"`, "/readyz": `200 {"status":"ready"`, "/livez": `200 {"status":"alive"`} {
			resp := g.request("GET", target, "")
			if got := fmt.Sprint(resp.StatusCode, " ", text(t, resp)); !strings.HasPrefix(got, want) || resp.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s, %s: got %s, want %s", x.text, target, got, want)
			}
		}
	}
	got := g.scrape(t)
	for _, want := range []string{`galshim_reloads_total{result="new"} 1`, `galshim_reloads_total{result="same"} 1`, `galshim_reloads_total{result="refused"} 1`, `galshim_extensions{view=""} 2`, `galshim_extensions{view="team-a"} 2`} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("no %s in %s", want, got)
		}
	}
	g.live.stopping.Store(true)
	if resp := g.request("GET", "/readyz", ""); resp.StatusCode != 503 {
		t.Errorf("status %d while galshim stops", resp.StatusCode)
	}
}

// TestMetricsListener runs galshim with a listener for metrics, and reads what it serves there.
func TestMetricsListener(t *testing.T) {
	dir := t.TempDir()
	sample{}.write(t, dir)
	address := porttest.Address(t)
	p := start(t, "--index", dir, "--metrics", address)
	for path, want := range map[string]string{"/metrics": "galshim_build_info{", "/livez": `"alive"`, "/readyz": `"ready"`, "/healthz?strict": `"ok"`, "/api": "404"} {
		resp, err := http.Get("http://" + address + path)
		if err != nil {
			t.Fatal(err)
		}
		if got := text(t, resp); !strings.Contains(resp.Status+got, want) {
			t.Errorf("%s: got %s %s, want %s", path, resp.Status, got, want)
		}
	}
	if resp, err := http.Get(p.addr + "/metrics"); err != nil || resp.StatusCode != 404 {
		t.Errorf("metrics at the address of the gallery: %v, %v", resp, err)
	}
	if status := p.stop(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// TestStarting checks the state before the first generation is there.
func TestStarting(t *testing.T) {
	h := health{live: newLive(folder{t.TempDir()}, nil, nil)}
	for name, serve := range map[string]http.HandlerFunc{"200 alive": h.alive, "503 starting": h.ready, "503  starting": h.report} {
		w := httptest.NewRecorder()
		serve(w, httptest.NewRequest("GET", "/", nil))
		if got := fmt.Sprint(w.Code, " ", w.Body); !strings.Contains(got, name[:3]) || !strings.Contains(got, strings.Fields(name)[1]) {
			t.Errorf("got %s, want %s", got, name)
		}
	}
	empty := newMetrics(0)
	empty.registry.MustRegister(generationMetrics{h.live})
	if _, err := empty.registry.Gather(); err != nil {
		t.Error(err)
	}
}

// TestMetricsAllocate checks that counting a request allocates nothing.
func TestMetricsAllocate(t *testing.T) {
	m, w := newMetrics(0), &reply{status: 200, kind: kindQuery}
	if n := testing.AllocsPerRun(100, func() { m.request(w, 1e6); m.cached(true, true) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// metricName matches the names of metrics, but not those of recording rules, which have colons.
var metricName = regexp.MustCompile(`\b(?:galshim|process|go)_[a-z_]+\b`)

// TestMonitoring checks that the dashboard and the alerts use metrics that galshim has, and that
// the README describes each of them.
func TestMonitoring(t *testing.T) {
	g := openSample(t, measured)
	g.metrics.observe(g.server, &connections{})
	families, err := g.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	exported := make(map[string]bool)
	for _, f := range families {
		exported[f.GetName()] = true
	}
	const folder = "../../../render/deploy/monitoring/"
	described := make(map[string]bool)
	for line := range strings.Lines(read(t, folder+"README.md")) {
		if name, _, ok := strings.Cut(strings.TrimPrefix(line, "| `"), "`"); ok && strings.HasPrefix(line, "| `galshim_") {
			name, _, _ = strings.Cut(name, "{")
			described[name] = true
			if !exported[name] {
				t.Errorf("README.md describes %s, which galshim does not have", name)
			}
		}
	}
	for name := range exported {
		if strings.HasPrefix(name, "galshim_") && !described[name] {
			t.Errorf("README.md does not describe %s", name)
		}
	}
	for _, file := range []string{"rules.yml", "dashboard.json"} {
		names := metricName.FindAllString(read(t, folder+file), -1)
		if len(names) < 10 {
			t.Errorf("%s has only %q", file, names)
		}
		for _, name := range names {
			base := name
			for _, suffix := range []string{"_bucket", "_count", "_sum"} {
				base = strings.TrimSuffix(base, suffix)
			}
			if !exported[base] && !exported[name] {
				t.Errorf("%s uses %s, which galshim does not have", file, name)
			}
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// BenchmarkObserved sends queries without a connection to a server that neither counts nor logs
// them, and to one that does. ratio is the median of the time of the second divided by that of the
// first, each for a hundred queries in turn.
func BenchmarkObserved(b *testing.B) {
	dir := b.TempDir()
	sample{more: 1000, full: true}.write(b, dir)
	log := slog.New(slog.NewJSONHandler(&lineWriter{out: io.Discard}, nil))
	for _, of := range []struct {
		name   string
		change func(*config)
	}{
		{"metrics", measured},
		{"clients", func(c *config) { c.clients = newClientRates(1_000_000_000, 1_000_000_000, nil) }},
		{"log", func(c *config) { c.log = log }},
		{"log-without-queries", func(c *config) { c.log, c.noQueryLog = log, true }},
	} {
		for _, kind := range kinds(1000) {
			b.Run("of="+of.name+"/kind="+kind.name, func(b *testing.B) {
				plain, observed := open(b, dir, folder{dir}), open(b, dir, folder{dir}, of.change)
				plain.spare.pause, observed.spare.pause = 0, 0
				var ratios []float64
				for b.Loop() {
					before := plain.timeOf(b, kind.bodies)
					ratios = append(ratios, observed.timeOf(b, kind.bodies)/before)
				}
				b.ReportMetric(median(ratios), "ratio")
			})
		}
	}
}

// timeOf returns the seconds that a hundred queries take.
func (g *testGallery) timeOf(b *testing.B, bodies []string) float64 {
	start := time.Now()
	for i := range 100 {
		g.ask("gallery.test", bodies[i%len(bodies)], "gzip")
	}
	return time.Since(start).Seconds()
}
