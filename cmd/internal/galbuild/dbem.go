package galbuild

import (
	"context"
	"errors"
	"fmt"

	"github.com/dustin/go-humanize"

	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
	"galbuild/publish/dbem"
	"galbuild/publish/target"
)

// layoutDbem is the value of --layout for a repository of dbem.
const layoutDbem = "dbem"

// publishDbem publishes a site to a repository of dbem.
func (p *publishCmd) publishDbem(ctx context.Context, e *env, at target.Target, root string) error {
	bar := newProgress(e)
	defer bar.close()
	result, err := dbem.Publish(ctx, at, root, dbem.Options{Options: p.options(bar, site.Commit{}), Replace: p.Replace, Prune: p.Prune, Grace: p.Grace})
	bar.close()
	if err != nil {
		return explainDbem(err)
	}
	if !e.quiet {
		e.printSome(len(result.Warnings), func(i int) string { return "warning: " + result.Warnings[i] })
		e.printSome(len(result.Kept), func(i int) string {
			return fmt.Sprintf("kept: %s, which somebody else has published; --replace removes it", result.Kept[i])
		})
	}
	return e.printDbem(result)
}

func explainDbem(err error) error {
	switch {
	case errors.Is(err, dbem.ErrShared):
		return hint.Add(err, "leave one of them out of the site; if only the repository has it, --replace removes it")
	case errors.Is(err, dbem.ErrOther):
		return hint.Add(err, "give the package a new version, or replace the other one with --replace")
	case errors.Is(err, dbem.ErrList):
		return hint.Add(err, "restore its last good copy, or write a new one with --replace, which does not list what others have published")
	}
	return explainPublish(err)
}

// printDbem prints the result of publishDbem.
func (e *env) printDbem(r dbem.Result) error {
	if e.json {
		return e.printJSON(r)
	}
	if e.quiet {
		return nil
	}
	for _, line := range r.Plan {
		terminal.Fprintln(e.stdout, line)
	}
	if !r.DryRun {
		for _, name := range r.Unlisted {
			terminal.Fprintf(e.stdout, "removed  %s\n", name)
		}
	}
	would := ""
	if r.DryRun {
		would = "would be "
	}
	_, err := terminal.Fprintf(e.stdout, "%s: %s %ssent (%s), %d removed; %s listed\n", r.Target, plural(r.Objects, "object"), would,
		humanize.Bytes(uint64(r.Bytes)), len(r.Pruned), plural(r.Extensions, "extension"))
	return err
}

// pullDbem copies a repository of dbem to a folder.
func (p *pullCmd) pullDbem(ctx context.Context, e *env, from target.Target) error {
	if current, err := site.ReadCurrent(p.Output); err != nil || !current.IsZero() {
		return hint.Add(fmt.Errorf("%s is the folder of a gallery", p.Output), "copy the packages to another folder with -o, and build the gallery from that folder")
	}
	bar := newProgress(e)
	defer bar.close()
	result, err := dbem.Pull(ctx, from, p.Output, publish.Options{Jobs: p.Jobs, Progress: bar.showPublish})
	bar.close()
	if err != nil {
		return explainPull(err)
	}
	if e.json {
		return e.printJSON(result)
	}
	if e.quiet {
		return nil
	}
	e.printSome(len(result.Extra), func(i int) string {
		return fmt.Sprintf("extra: %s, which is not in %s", result.Extra[i], result.Target)
	})
	_, err = terminal.Fprintf(e.stdout, "%s: %s of %s, %s downloaded (%s)\n", result.Folder, plural(result.Packages, "package"), result.Target,
		plural(result.Objects, "object"), humanize.Bytes(uint64(result.Bytes)))
	return err
}
