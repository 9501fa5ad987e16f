package galbuild

import (
	"context"
	"errors"
	"fmt"

	"galbuild/build"
	"galbuild/build/blob"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
	"galbuild/publish/target"
)

type viewCmd struct {
	Of     string `arg:"" optional:"" name:"site" complete:"path" help:"The gallery: ${readable}."`
	Output string `short:"o" required:"" type:"newsite" placeholder:"VIEW" help:"Folder of the view."`

	NoPages bool `name:"no-pages" help:"Make no pages for people. The view of a target that is not a folder never has any."`
	DryRun  bool `help:"Print what the view would have, and change nothing."`
	policyFlags
	keepFlag
	authorFlags
	targets.Remote
}

// Validate implements Kong's hook.
func (v *viewCmd) Validate() error {
	if err := v.keepFlag.check(); err != nil {
		return err
	}
	if _, err := v.author(); err != nil {
		return err
	}
	if err := v.Check(v.Of); err != nil {
		return err
	}
	if folder, ok := v.Folder(); ok && isSame(folder, v.Output) {
		return fmt.Errorf("%s is both the gallery and the view: name another folder with -o", folder)
	}
	return nil
}

// Run makes a view of a gallery.
func (v *viewCmd) Run(ctx context.Context, e *env) error {
	before := folderBefore(v.Output)
	return before.cleanUp(v.run(ctx, e))
}

func (v *viewCmd) run(ctx context.Context, e *env) error {
	made, err := v.make(ctx, e)
	if err != nil {
		return err
	}
	return e.printViewed(&made)
}

// make makes the view, and prints nothing.
func (v *viewCmd) make(ctx context.Context, e *env) (made publish.Viewed, err error) {
	cfg, err := v.config(e)
	if err != nil {
		return made, err
	}
	from, err := v.OpenToRead(e.target)
	if err != nil {
		return made, err
	}
	defer closeTarget(from)
	dir, err := v.open()
	if err != nil {
		return made, err
	}
	defer dir.Close()
	if made, err = publish.View(ctx, from, dir, cfg); err != nil {
		return made, errors.Join(e.explainPolicy(v.explain(err, from)), abandonNew(dir))
	}
	made.View = v.Output
	return made, nil
}

// config returns the configuration that the flags describe.
func (v *viewCmd) config(e *env) (cfg publish.ViewConfig, err error) {
	cfg.NoPages = v.NoPages
	if folder, ok := v.Folder(); ok {
		if err := needSite(folder); err != nil {
			return cfg, err
		}
		cfg.Store = blob.ReadStore(folder)
	}
	if cfg.Policy, err = v.change(); err != nil {
		return cfg, err
	}
	cfg.Commit, err = e.commit(&v.authorFlags)
	cfg.Commit.Keep = v.KeepGenerations
	return cfg, err
}

func (v *viewCmd) open() (*site.Dir, error) {
	if v.DryRun {
		return site.DryRun(v.Output)
	}
	return site.Lock(v.Output)
}

// abandonNew removes the folder of a view that was not made.
func abandonNew(dir *site.Dir) error {
	if dir.IsDryRun() {
		return nil
	}
	return dir.Abandon()
}

// explain adds a hint to errors of making a view.
func (v *viewCmd) explain(err error, from target.Target) error {
	switch {
	case errors.Is(err, publish.ErrNoPolicy):
		return hint.Add(err, "name the policy of the view with --policy FILE; --no-policy makes a view with everything that the gallery has")
	case errors.Is(err, publish.ErrNotView):
		return hint.Add(err, "name a new or empty folder with -o, or an earlier view")
	case errors.Is(err, build.ErrNotVetted):
		return hint.Add(err, "the policy of %s must have the rule vet as well, and galbuild must be able to read private/ there", from)
	}
	return explainPublish(err)
}

// printViewed prints what a view has, and what it does not have of the gallery.
func (e *env) printViewed(made *publish.Viewed) error {
	e.printExcluded(made.Excluded)
	if e.json {
		return e.printJSON(made)
	}
	if e.quiet {
		return nil
	}
	would := ""
	if made.DryRun {
		would = "would be "
	}
	e.printKeys(would+"added", made.Added)
	e.printKeys(would+"removed", made.Removed)
	terminal.Fprintf(e.stdout, "%s: %s%s, %s of %s\n", made.View, would, plural(made.Extensions, "extension"), plural(made.Versions, "version"), made.Site)
	if made.DryRun {
		return nil
	}
	before := ", as before"
	switch {
	case made.Previous != "":
		before = fmt.Sprintf(" (before: %s)", made.Previous)
	case made.New:
		before = ""
	}
	_, err := terminal.Fprintf(e.stdout, "generation %s%s\n", made.Generation, before)
	return err
}

// explainView adds a hint to the error of a command that cannot change a view.
func explainView(err error) error {
	return hint.Add(err, "change the gallery, and then run galbuild view GALLERY -o VIEW, which gives the view what its policy lets in")
}
