package galbuild

import (
	"galbuild/cmd/internal/terminal"
	"galbuild/cmd/internal/version"
	"galbuild/render/deploy/helm"
)

type helmCmd struct {
	Output string `short:"o" required:"" type:"newfile" placeholder:"DIR" help:"New or empty folder for the chart."`
}

// Run writes the Helm chart.
func (h *helmCmd) Run(e *env) error {
	if err := helm.Write(h.Output, version.String()); err != nil {
		return explainFolder(err)
	}
	if e.quiet {
		return nil
	}
	_, err := terminal.Fprintf(e.stdout, "%s: chart %s of galbuild %s; %s/README.md describes its values\n", h.Output, helm.Chart, version.String(), h.Output)
	return err
}
