// Package monitoring has the configuration with which Prometheus and Grafana observe galshim: what
// to scrape, recording rules and alerts, and a dashboard. README.md describes the metrics and
// alerts.
//
// The files work as they are printed. promtool checks and tests them in this package, and the tests
// of galshim compare the names of metrics in them with those that galshim has.
package monitoring

import (
	_ "embed" // the files
	"fmt"
	"net"
	"strconv"
	"strings"

	"galbuild/build/jsondoc"
)

// Names of the files for Prometheus. The first one names the second.
const (
	ConfigName = "prometheus.yml"
	RulesName  = "galshim.rules.yml"
)

// Dashboard is a dashboard for Grafana 10 or later, as JSON. It asks for the data source when it is
// imported.
//
//go:embed dashboard.json
var Dashboard string

// Rules are the recording rules and alerts for Prometheus 2.40 or later, as YAML.
//
//go:embed rules.yml
var Rules string

//go:embed prometheus.yml
var config string

// Config returns a configuration of Prometheus, as YAML, that scrapes galshims at the addresses of
// their --metrics.
func Config(targets []string) (string, error) {
	for _, target := range targets {
		host, port, err := net.SplitHostPort(target)
		if _, number := strconv.ParseUint(port, 10, 16); err != nil || number != nil || host == "" {
			return "", fmt.Errorf("target %q: must be HOST:PORT, the address of a galshim's --metrics", target)
		}
	}
	list, err := jsondoc.Line(targets) // JSON is YAML
	if err != nil {
		return "", err
	}
	return strings.Replace(config, "[TARGETS]", strings.TrimSuffix(string(list), "\n"), 1), nil
}
