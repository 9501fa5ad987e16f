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

	stdin   string                          // a file with what came there, if it is a source
	scratch string                          // a folder of packages made just now, which are told without it
	only    func(*catalog.Catalog) []string // which sources, for what the gallery has; nil is all

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

// added is what add prints, as --json has it.
type added struct {
	publish.Result
	Added    []addition      `json:"added"`
	Refused  []build.Problem `json:"refused"`
	Warnings []build.Problem `json:"warnings"`
}

type addition struct {
	Version string       `json:"version"` // publisher.name@version[@platform]
	Needs   []build.Need `json:"needs"`
}

// Run adds packages to a published site. Of what is there it reads the catalogue only.
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
	var result publish.Result
	err = e.working(func(dir *site.Dir, bar *progress) error {
		if err := a.keepStdin(e, dir); err != nil {
			return err
		}
		result, err = publish.Change(ctx, at, dir, a.options(bar), func(old publish.State) (*catalog.Catalog, error) {
			if made, err = a.read(ctx, e, dir, old, bar); err != nil {
				return nil, err
			}
			return made.Catalog, nil
		})
		return err
	})
	if made != nil {
		e.printRefused(made.Report)
		if !e.quiet {
			e.printWarnings(made.Report.Warnings)
		}
	}
	if err != nil {
		return explainPublish(err)
	}
	if err := e.printAdded(added{result, additions(made), made.Report.Refused, made.Report.Warnings}, made); err != nil {
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

// keepStdin keeps what comes on standard input: it is read again for each attempt.
func (a *addCmd) keepStdin(e *env, dir *site.Dir) error {
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

// read makes the catalogue of what is there and what is to be added. If there is
// nothing new, it is the one that is there.
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
		e.printRefused(made.Report)
		return nil, hint.Add(fmt.Errorf("%s refused, and nothing is added (--strict)", plural(refused, "package")), "mend or leave out what is named above")
	case len(made.Report.Added) == 0 && refused > 0:
		e.printRefused(made.Report)
		return nil, errNoneTaken
	}
	return made, nil
}

var errNoneTaken = errors.New("no package could be taken")

// shorten names packages made just now without their folder, which is gone soon.
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

func (e *env) printAdded(a added, made *build.Result) error {
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
		terminal.Fprintf(e.stdout, "%sadded  %s\n", would, one.Version)
		for _, n := range one.Needs {
			missing := ""
			if n.Missing {
				missing = ", which is not in the gallery"
			}
			terminal.Fprintf(e.stdout, "       needs %s (%s)%s\n", n.ID, n.Kind, missing)
		}
	}
	return e.printResult(a.Result)
}
