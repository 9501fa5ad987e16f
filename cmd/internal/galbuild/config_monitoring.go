package galbuild

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"galbuild/build/atomicfile"
	"galbuild/cmd/internal/hint"
	"galbuild/render/deploy/monitoring"
)

type prometheusCmd struct {
	Target []string `placeholder:"HOST:PORT" default:"127.0.0.1:9464" help:"Addresses of the --metrics of galshims."`
	Output string   `short:"o" type:"path" complete:"path" placeholder:"DIR" help:"New or empty folder for the files prometheus.yml and galshim.rules.yml. Without it, the recording rules and alerts are printed."`
}

func (c *prometheusCmd) Run(e *env) error {
	if c.Output == "" {
		_, err := io.WriteString(e.stdout, monitoring.Rules)
		return err
	}
	config, err := monitoring.Config(c.Target)
	if err != nil {
		return hint.Add(fmt.Errorf("--target: %w", err), "galshim --metrics HOST:PORT serves metrics")
	}
	if err := makeEmptyFolder(c.Output); err != nil {
		return err
	}
	for name, text := range map[string]string{monitoring.ConfigName: config, monitoring.RulesName: monitoring.Rules} {
		if err := os.WriteFile(filepath.Join(c.Output, name), []byte(text), atomicfile.FileMode); err != nil {
			return err
		}
	}
	return nil
}

// makeEmptyFolder makes a folder, unless it exists and is empty.
func makeEmptyFolder(dir string) error {
	if err := atomicfile.MkdirAll(dir); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return hint.Add(errors.New(dir+": the folder is not empty"), "name a new or empty one with -o DIR")
	}
	return nil
}

type grafanaCmd struct{}

func (c *grafanaCmd) Run(e *env) error {
	_, err := io.WriteString(e.stdout, monitoring.Dashboard)
	return err
}
