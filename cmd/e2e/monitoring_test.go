//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"galbuild/build/porttest"
	"galbuild/cmd/e2e/toolchain"
)

// TestMonitoring runs Prometheus with the printed configuration. It must find galshim and load the
// rules, promtool must accept the metrics, and Prometheus must be able to answer each query of the
// dashboard.
func TestMonitoring(t *testing.T) {
	dir, tools := t.TempDir(), toolchain.Tools(t)
	c := compile(t, filepath.Join(dir, "bin"))
	s := suite{tools: tools, commands: c, dir: dir, authority: newAuthority(t, dir)}
	packFolder(t, s, filepath.Join("..", "..", "testdata", "samples", "hello"))
	g := newGallery(t, c, s.authority.client(), filepath.Join(dir, "gallery"), "", "", filepath.Join(dir, "vsix"))
	g.serve(t, "--metrics", "127.0.0.1:0", "--metrics-extensions", "10", "--client-rate", "100")
	metrics := g.galshim.await(t, `msg="serving metrics" addr=(\S+)`)[1]

	check := exec.Command(tools.Promtool, "check", "metrics")
	observed := gallery{client: g.client, base: metrics}
	check.Stdin = bytes.NewReader(observed.request(t, "GET", "", "", nil).body)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
	folder := filepath.Join(dir, "monitoring")
	if out, err := exec.Command(c.galbuild, "config", "prometheus", "-o", folder, "--target", host(t, metrics)).CombinedOutput(); err != nil {
		t.Fatalf("galbuild config prometheus: %v\n%s", err, out)
	}
	p := prometheus{gallery: g, address: "http://" + porttest.Address(t)}
	p.start(t, tools, folder)
	p.await(t, `up{job="galshim"} == 1`)
	p.await(t, `galshim:requests:rate5m{kind="query"}`)
	for _, expr := range dashboardQueries(t, c.config(t, "grafana")) {
		if a := p.query(t, expr); a.Status != "success" {
			t.Errorf("%s: %s", expr, a.Error)
		}
	}
}

// dashboardQueries returns the queries of a dashboard, with values for its variables.
func dashboardQueries(t *testing.T, text string) (queries []string) {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(text), &dashboard); err != nil {
		t.Fatal(err)
	}
	variables := strings.NewReplacer("$job", ".*", "$instance", ".*", "$__rate_interval", "1m")
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			queries = append(queries, variables.Replace(target.Expr))
		}
	}
	if len(queries) < 10 {
		t.Fatalf("the dashboard has only the queries %q", queries)
	}
	return queries
}

// prometheus is a running Prometheus.
type prometheus struct {
	gallery *gallery
	address string
}

// start runs Prometheus with the configuration in a folder, but with an interval of a second.
func (p prometheus) start(t *testing.T, tools toolchain.Toolbox, folder string) {
	t.Helper()
	file := filepath.Join(folder, "prometheus.yml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), "30s", "1s")), 0o644); err != nil {
		t.Fatal(err)
	}
	start(t, "prometheus", p.gallery.dir, exec.Command(tools.Prometheus, "--config.file", file, "--web.listen-address", strings.TrimPrefix(p.address, "http://"),
		"--storage.tsdb.path", filepath.Join(folder, "data"))).await(t, "Server is ready to receive web requests")
}

// A prometheusAnswer is that of Prometheus to a query.
type prometheusAnswer struct {
	Status, Error string
	Data          struct{ Result []json.RawMessage }
}

func (p prometheus) query(t *testing.T, expr string) (a prometheusAnswer) {
	t.Helper()
	response, err := p.gallery.client.Get(p.address + "/api/v1/query?query=" + url.QueryEscape(expr))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a
}

// await waits until a query has a result.
func (p prometheus) await(t *testing.T, expr string) {
	t.Helper()
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); time.Sleep(pollInterval) {
		if a := p.query(t, expr); len(a.Data.Result) > 0 {
			return
		}
	}
	t.Fatalf("%s has no result after %s", expr, startTimeout)
}
