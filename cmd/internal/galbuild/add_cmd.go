package galbuild

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"galbuild/build"
	"galbuild/build/catalog"
	"galbuild/build/pack/finding"
	"galbuild/build/site"
	"galbuild/build/source"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
	"galbuild/render"
)

type addCmd struct {
	Sources []string `arg:"" name:"source" type:"source" help:"A .vsix file, a folder, a glob, an http(s) URL, @list.txt, or - for a list on standard input."`
	Strict  bool     `help:"Add nothing if any package was refused."`

	stdin    string                          // file with a copy of stdin, if that is a source
	scratch  string                          // folder of the packages made in this run; messages leave it out
	only     func(*catalog.Catalog) []string // chooses the sources, given what the gallery has; nil chooses all
	findings []finding.Finding               // warnings of packing the extension's folder

	transfer
	location
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
	return a.location.Validate()
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
	ID    string       `json:"id"` // publisher.name@version[@platform]
	Needs []build.Need `json:"needs"`
}

// Run adds packages to a published site. It reads the catalogue of the site and no other file.
func (a *addCmd) Run(ctx context.Context, e *env) error {
	first := a.firstWrite()
	return first.takeBack(a.run(ctx, e))
}

func (a *addCmd) run(ctx context.Context, e *env) error {
	at, err := a.open(e)
	if err != nil {
		return err
	}
	defer closeTarget(at)
	var made *build.Result
	result := publish.NewResult(at, "", publish.Options{DryRun: a.DryRun})
	err = e.working(func(dir *site.Dir, bar *progress) error {
		if err := a.copyStdin(e, dir); err != nil {
			return err
		}
		changed, err := publish.Change(ctx, at, dir, a.options(bar), func(old publish.State) (*catalog.Catalog, error) {
			result.Generation = old.Generation
			if made, err = a.read(ctx, e, dir, old, bar); err != nil {
				return nil, err
			}
			return made.Catalog, nil
		})
		if err == nil {
			result = changed
		}
		return err
	})
	if made != nil {
		e.printRefused(made.Report)
		if !e.quiet {
			e.printWarnings(made.Report.Warnings)
		}
	}
	if err != nil && made != nil {
		err = errors.Join(err, e.printJSON(added{result, []addition{}, made.Report.Refused, made.Report.Warnings, a.findings}))
	}
	if err != nil {
		return explainPublish(err)
	}
	if err := e.printAdded(added{result, additions(made), made.Report.Refused, made.Report.Warnings, a.findings}); err != nil {
		return err
	}
	if n := len(made.Report.Refused); n > 0 {
		if a.DryRun {
			return fmt.Errorf("%s would be refused", plural(n, "package"))
		}
		return fmt.Errorf("%s refused; the others are in the gallery", plural(n, "package"))
	}
	return nil
}

// copyStdin copies standard input to a file, because each attempt reads it again.
func (a *addCmd) copyStdin(e *env, dir *site.Dir) error {
	if !slices.Contains(a.Sources, "-") {
		return nil
	}
	f, err := os.Create(filepath.Join(dir.Temp(), "stdin"))
	if err != nil {
		return err
	}
	defer f.Close()
	a.stdin = f.Name()
	_, err = io.Copy(f, e.stdin)
	return err
}

// read returns the old catalogue with the packages added; it is the old one if none is new. If
// it returns a result with an error, all packages were refused, or one and --strict is set.
func (a *addCmd) read(ctx context.Context, e *env, dir *site.Dir, old publish.State, bar *progress) (*build.Result, error) {
	settings := old.Catalog.Settings
	if old.IsZero() {
		settings.Unpack = "web"
	}
	settings.Render = render.Version
	sources := a.Sources
	if a.only != nil {
		if sources = a.only(old.Catalog); len(sources) == 0 {
			return &build.Result{Catalog: old.Catalog, Report: build.Report{Refused: []build.Problem{}, Warnings: []build.Problem{}}}, nil
		}
	}
	stdin := e.stdin
	if a.stdin != "" {
		f, err := os.Open(a.stdin)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		stdin = f
	}
	client, err := source.NewClient(a.CA)
	if err != nil {
		return nil, err
	}
	limits, err := a.limits()
	if err != nil {
		return nil, err
	}
	made, err := build.Run(ctx, build.Config{
		Client: client, Sources: sources, Stdin: stdin, Settings: settings, Limits: limits, Add: true, Strict: a.Strict,
		Log: e.log, Progress: bar.show, Site: dir, Old: func() (*catalog.Catalog, error) { return old.Catalog, nil },
	})
	if err != nil {
		return nil, err
	}
	a.shorten(made.Report.Refused)
	a.shorten(made.Report.Warnings)
	refused := len(made.Report.Refused)
	switch {
	case a.Strict && refused > 0:
		err := fmt.Errorf("%s refused, and nothing is added (--strict)", plural(refused, "package"))
		return made, hint.Add(err, "fix the packages named above, or leave them out")
	case len(made.Report.Added) == 0 && refused > 0:
		return made, errNoneAdded
	}
	return made, nil
}

var errNoneAdded = errors.New("no package was added")

// shorten removes the scratch folder, which is deleted at the end, from the names of packages.
func (a *addCmd) shorten(problems []build.Problem) {
	for i, p := range problems {
		if a.scratch != "" && filepath.Dir(p.File) == a.scratch {
			problems[i].File = filepath.Base(p.File)
		}
	}
}

func additions(made *build.Result) []addition {
	all := []addition{}
	for key, v := range made.Catalog.Versions() {
		if _, ok := slices.BinarySearch(made.Report.Added, key); ok { // it is sorted
			all = append(all, addition{key, build.Needs(made.Catalog, v)})
		}
	}
	return all
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
	for _, one := range a.Added {
		would := ""
		if a.DryRun {
			would = "would be "
		}
		terminal.Fprintf(e.stdout, "%sadded  %s\n", would, one.ID)
		for _, n := range one.Needs {
			missing := ""
			if n.Missing {
				missing = ", which is not in the gallery"
			}
			terminal.Fprintf(e.stdout, "       needs %s (%s)%s\n", n.ID, n.As, missing)
		}
	}
	return e.printResult(a.Result)
}
