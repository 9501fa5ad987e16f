package galbuild

import (
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/cmd/internal/version"
	"galbuild/render/deploy/helm"
)

type helmCmd struct {
	Output string `short:"o" required:"" complete:"path" placeholder:"DIR" help:"Folder for the chart, which must be new or empty."`
}

// Run writes the Helm chart.
func (h *helmCmd) Run(e *env) error {
	if err := helm.Write(h.Output, version.String()); err != nil {
		return hint.Add(err, "name a new or empty folder with -o")
	}
	if e.quiet {
		return nil
	}
	_, err := terminal.Fprintf(e.stdout, "%s: chart %s of galbuild %s; %s/README.md describes its values\n", h.Output, helm.Chart, version.String(), h.Output)
	return err
}
