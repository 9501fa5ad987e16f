package galbuild

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize"

	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
	"galbuild/render"
)

type verifyCmd struct {
	Target string `arg:"" optional:"" complete:"path" help:"The target: ${readable}."`
	targets.Flags
}

// Validate implements Kong's hook.
func (v *verifyCmd) Validate() error {
	return v.Check(v.Target)
}

// Run verifies the site and prints each problem. It returns an error if there are problems.
func (v *verifyCmd) Run(ctx context.Context, e *env) error {
	report, err := v.verify(ctx, e)
	if err != nil {
		return err
	}
	for _, p := range report.Problems {
		terminal.Fprintf(e.stderr, "galbuild: problem: %s\n", p)
	}
	switch {
	case e.json:
		err = e.printJSON(report)
	case !e.quiet && len(report.Problems) == 0:
		_, err = terminal.Fprintf(e.stdout, "%s: generation %s is sound: %s, %s, %s served from %s (%s)\n",
			report.Site, report.Generation, plural(report.Extensions, "extension"), plural(report.Versions, "version"),
			plural(report.Files, "file"), plural(report.Blobs, "blob"), humanize.Bytes(uint64(report.Bytes)))
	}
	if err != nil {
		return err
	}
	if n := len(report.Problems); n > 0 {
		return hint.Add(fmt.Errorf("%s is damaged: %s", report.Site, plural(n, "problem")),
			"build it from its packages into an empty folder, or restore a good copy")
	}
	return nil
}

// verify verifies the site in a folder, or that of another target.
func (v *verifyCmd) verify(ctx context.Context, e *env) (*render.Report, error) {
	if folder, ok := v.Folder(); ok {
		if err := needSite(folder); err != nil {
			return nil, err
		}
		return render.Verify(ctx, folder)
	}
	at, err := v.OpenToRead(e.target)
	if err != nil {
		return nil, err
	}
	return publish.Verify(ctx, at)
}
