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

	Trust          []string `sep:"none" type:"file" placeholder:"KEY" help:"The head of the history must be signed with one of these minisign public keys. A folder stands for the *.pub files in it."`
	ConsistentWith string   `complete:"path" placeholder:"HEAD|TARGET" help:"Only prove that the history of the target extends the one with this head: a file that was kept of one, that of galshim --state, or another target."`

	ViewOf string `complete:"path" placeholder:"SITE" help:"Also check that this gallery still serves all versions of the target, which is a view of it."`

	with   *targets.Remote // the other target, or nil for a file
	viewOf *targets.Remote // the gallery, or nil
	targets.Flags
}

// Validate implements Kong's hook.
func (v *verifyCmd) Validate() error {
	if err := v.Check(v.Target); err != nil {
		return err
	}
	var err error
	if v.ConsistentWith != "" && !isFile(v.ConsistentWith) {
		v.with, err = v.At(v.ConsistentWith)
	}
	if err == nil && v.ViewOf != "" {
		v.viewOf, err = v.At(v.ViewOf)
	}
	return err
}

// Run verifies the site and prints each problem. It returns an error if there are problems.
func (v *verifyCmd) Run(ctx context.Context, e *env) error {
	if v.ConsistentWith != "" {
		return v.checkConsistent(ctx, e)
	}
	report, err := v.verify(ctx, e)
	if err != nil {
		return err
	}
	older, err := v.checkView(ctx, e)
	if err != nil {
		return err
	}
	report.Problems = append(report.Problems, older...)
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
	switch n := len(report.Problems); {
	case n > 0 && n == len(older):
		return hint.Add(fmt.Errorf("%s is older than its gallery: %s", report.Site, plural(n, "problem")), "make the view again with: galbuild view %s -o %s", v.ViewOf, v.Target)
	case n > 0:
		return hint.Add(fmt.Errorf("%s is damaged: %s", report.Site, plural(n, "problem")),
			"restore these files from a backup, or send them to a target again with galbuild publish SITE TARGET --repair; "+
				"a build into an empty folder has no history, and no decisions such as blocks; "+
				"if only the history is damaged and has no backup, galbuild history --restart begins a new one")
	}
	return nil
}

// verify verifies the site in a folder, or that of another target, and the signature of its head if
// there is --trust.
func (v *verifyCmd) verify(ctx context.Context, e *env) (*render.Report, error) {
	folder, ok := v.Folder()
	if ok {
		if err := needSite(folder); err != nil {
			return nil, err
		}
	}
	at, err := v.OpenToRead(e.target)
	if err != nil {
		return nil, err
	}
	defer closeTarget(at)
	if len(v.Trust) > 0 {
		if _, err := v.head(ctx, at); err != nil {
			return nil, err
		}
	}
	if ok {
		return render.Verify(ctx, folder)
	}
	return publish.Verify(ctx, at)
}
