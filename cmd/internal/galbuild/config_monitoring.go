package galbuild

import (
	"fmt"
	"io"

	"galbuild/cmd/internal/hint"
	"galbuild/render/deploy"
	"galbuild/render/deploy/monitoring"
)

type prometheusCmd struct {
	Target []string `placeholder:"HOST:PORT" default:"127.0.0.1:9464" help:"Address at which a galshim serves its metrics, as its --metrics names it. Several can be named."`
	Output string   `short:"o" type:"newfile" placeholder:"DIR" help:"New or empty folder for the files prometheus.yml and galshim.rules.yml. Without it, the recording rules and alerts are printed."`
}

// Run prints the rules, or writes the configuration of Prometheus.
func (c *prometheusCmd) Run(e *env) error {
	if c.Output == "" {
		_, err := io.WriteString(e.stdout, monitoring.Rules)
		return err
	}
	config, err := monitoring.Config(c.Target)
	if err != nil {
		return hint.Add(fmt.Errorf("--target: %w", err), "galshim --metrics HOST:PORT serves metrics")
	}
	return writeFolder(e, c.Output, []deploy.File{{Name: monitoring.ConfigName, Text: config}, {Name: monitoring.RulesName, Text: monitoring.Rules}})
}

type grafanaCmd struct{}

// Run prints the dashboard.
func (c *grafanaCmd) Run(e *env) error {
	_, err := io.WriteString(e.stdout, monitoring.Dashboard)
	return err
}
