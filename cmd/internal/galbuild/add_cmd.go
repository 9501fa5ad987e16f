package galbuild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"galbuild/build"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/pack/finding"
	"galbuild/build/retry"
	"galbuild/build/site"
	"galbuild/cmd/internal/addresses"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
)

type addCmd struct {
	Sources []string `arg:"" name:"source" complete:"path" help:"A .vsix file, a folder, a glob, an http(s) URL, a file that lists such sources (@list.txt), or - for a list on standard input. The last argument is the target if it is the address of a target or the folder of a site."`
	Strict  bool     `help:"Add nothing if any package is refused."`
	Restore bool     `help:"Restore versions that were removed, if their packages are named one by one."`

	scratch  string                          // temporary folder with the packages, whose name is left out of messages; may be ""
	restorer decision.Author                 // who restores, and when
	choose   func(*catalog.Catalog) []string // see publish.Add; may be nil
	findings []finding.Finding               // warnings about the extension's folder

	policyFlags
	authorFlags
	transfer
	targets.Flags
	limitFlags
}

// Validate implements Kong's hook.
func (a *addCmd) Validate() error {
	if err := a.transfer.check(); err != nil {
		return err
	}
	if _, err := a.limits(); err != nil {
		return err
	}
	sources, named, err := a.Last(a.Sources, otherSource)
	if err != nil {
		return err
	}
	if a.Sources = sources; len(sources) == 0 {
		return errors.New("name the packages to add; the target is the last argument")
	}
	if err := errors.Join(checkSources(sources), checkRestore(a.Restore, sources)); err != nil {
		return err
	}
	if a.restorer, err = a.author(); err != nil {
		return err
	}
	return a.Check(named)
}

// otherSource returns what an argument is if it can be a source, or "".
func otherSource(arg string) string {
	switch {
	case addresses.IsWeb(arg):
		return "the address of a package"
	case hasPackages(arg):
		return "a folder with packages"
	}
	return ""
}

// added is the JSON document of add, and of publish if it publishes packages.
type added struct {
	publish.Result
	Added    []addition        `json:"added"`
	Refused  []build.Problem   `json:"refused"`
	Warnings []build.Problem   `json:"warnings"`
	Findings []finding.Finding `json:"findings,omitempty"` // of publish, about the extension's folder
}

type addition struct {
	ID    string         `json:"id"` // publisher.name@version[@platform]
	Needs []catalog.Need `json:"needs"`
}

// Run adds packages to the gallery of a target. Of the gallery, it reads only the catalogue.
func (a *addCmd) Run(ctx context.Context, e *env) error {
	before := targetBefore(&a.Flags)
	return before.cleanUp(a.run(ctx, e))
}

func (a *addCmd) run(ctx context.Context, e *env) error {
	cfg, err := a.config(e)
	if err != nil {
		return err
	}
	at, err := a.Open(e.target)
	if err != nil {
		return err
	}
	defer closeTarget(at)
	commit, err := e.commit(&a.authorFlags)
	if err != nil {
		return err
	}
	var made *build.Result
	var result publish.Result
	err = e.inWorkspace(func(dir *site.Dir, bar *progress) error {
		cfg.Progress = bar.show
		result, made, err = publish.Add(ctx, at, dir, cfg, a.choose, a.options(bar, commit))
		return err
	})
	if made != nil {
		a.printProblems(e, made.Report)
		if _, taken := errors.AsType[*build.PolicyError](err); !taken {
			e.printExcluded(made.Report.Excluded)
		}
	}
	if err != nil && made != nil {
		err = errors.Join(err, e.printJSON(added{result, []addition{}, made.Report.Refused, made.Report.Warnings, a.findings}))
	}
	switch {
	case errors.Is(err, publish.ErrStrict):
		return hint.Add(fmt.Errorf("%s refused, and nothing is added (--strict)", plural(len(made.Report.Refused), "package")), "fix or leave out the packages named above")
	case errors.Is(err, publish.ErrNoneAccepted):
		return a.hintFolder(err)
	case err != nil:
		return e.explainPolicy(explainPublish(err))
	}
	if err := e.printAdded(added{result, additions(made), made.Report.Refused, made.Report.Warnings, a.findings}); err != nil {
		return err
	}
	return a.incomplete(made)
}

// incomplete returns an error if packages were refused, or if nothing was added because all of it
// is kept out.
func (a *addCmd) incomplete(made *build.Result) error {
	if n := len(made.Report.Excluded); n > 0 && len(made.Report.Added)+len(made.Report.Refused) == 0 {
		return hint.Add(fmt.Errorf("nothing is added: %s kept out", plural(n, "package")), "%s", restoring(made.Report.Excluded))
	}
	if n := len(made.Report.Refused); n > 0 {
		if a.DryRun {
			return fmt.Errorf("%s would be refused", plural(n, "package"))
		}
		return a.hintFolder(fmt.Errorf("%s refused; the others are in the gallery", plural(n, "package")))
	}
	return nil
}

// hintFolder adds a hint to an error if the last source is missing and may be meant as the target.
func (a *addCmd) hintFolder(err error) error {
	last := a.Sources[len(a.Sources)-1]
	if _, missing := os.Lstat(last); missing == nil || a.Named() || len(a.Sources) == 1 || !isFolder(last) || filepath.Ext(last) == ".vsix" {
		return err
	}
	return hint.Add(err, "if %s is the target, name it with -o: a folder that is not a site yet is not taken for one", last)
}

// printProblems shortens and prints the refused packages and the warnings.
func (a *addCmd) printProblems(e *env, r build.Report) {
	a.shorten(r.Refused)
	a.shorten(r.Warnings)
	e.printRefused(r)
	if !e.quiet {
		e.printWarnings(r.Warnings)
	}
}

// restoring returns how to bring back packages that are kept out.
func restoring(all []build.Excluded) string {
	is := func(kinds ...string) bool {
		return slices.ContainsFunc(all, func(x build.Excluded) bool { return slices.Contains(kinds, x.Kind) })
	}
	switch {
	case is(decision.Blocked, decision.Malicious):
		return "galbuild unblock ends a block"
	case is(decision.Removed):
		return "--restore brings them back"
	case slices.ContainsFunc(all, func(x build.Excluded) bool { return !x.SHA256.IsZero() }):
		return "galbuild approve ID --key FILE lets in what somebody has reviewed"
	}
	return "the policy of the gallery decides, and --policy FILE changes it"
}

// checkRestore returns an error unless --restore is for packages that are named one by one.
func checkRestore(restore bool, sources []string) error {
	for _, s := range sources {
		info, err := os.Stat(s)
		if restore && !addresses.IsWeb(s) && (err != nil || info.IsDir()) {
			return fmt.Errorf("--restore: name the packages one by one; %s may stand for more of them", s)
		}
	}
	return nil
}

// config returns the configuration of the build. [publish.Add] completes it.
func (a *addCmd) config(e *env) (build.Config, error) {
	cfg := build.Config{Sources: a.Sources, Stdin: e.stdin, Strict: a.Strict, Log: e.log, Restore: a.Restore, Author: a.restorer, Now: a.restorer.When, AcceptPolicy: a.AcceptPolicy}
	change, err := a.change()
	if err != nil {
		return cfg, err
	}
	if cfg.Settings.Policy = change.Text; change.Drop {
		cfg.Drop = []string{"policy"}
	}
	if cfg.Client, err = retry.New(retry.Config{CA: a.CA}); err != nil {
		return cfg, err
	}
	cfg.Limits, err = a.limits()
	return cfg, err
}

// shorten removes the folder from the paths of packages in a.scratch.
func (a *addCmd) shorten(problems []build.Problem) {
	for i, p := range problems {
		if a.scratch != "" && filepath.Dir(p.File) == a.scratch {
			problems[i].File = filepath.Base(p.File)
		}
	}
}

// additions returns the versions that were added, with what they need.
func additions(made *build.Result) []addition {
	list := []addition{}
	for key, v := range made.Catalog.Versions() {
		if _, ok := slices.BinarySearch(made.Report.Added, key); ok {
			list = append(list, addition{key, made.Catalog.Needs(v)})
		}
	}
	return list
}

func (e *env) printRefused(r build.Report) {
	for _, p := range r.Refused {
		terminal.Fprintf(e.stderr, "galbuild: refused: %s: %s\n", p.File, p.Reason)
	}
}

func (e *env) printAdded(a added) error {
	if e.json {
		return e.printJSON(a)
	}
	if e.quiet {
		return nil
	}
	would := ""
	if a.DryRun {
		would = "would be "
	}
	for _, v := range a.Added {
		terminal.Fprintf(e.stdout, "%sadded  %s\n", would, v.ID)
		for _, n := range v.Needs {
			missing := ""
			if n.Missing {
				missing = ", which is not in the gallery"
			}
			terminal.Fprintf(e.stdout, "       needs %s (%s)%s\n", n.ID, n.Kind, missing)
		}
	}
	return e.printResult(a.Result)
}
