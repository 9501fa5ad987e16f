package galbuild

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/alecthomas/kong"

	"galbuild/build"
	"galbuild/build/catalog"
	"galbuild/build/policy"
	"galbuild/build/retry"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
	"galbuild/publish/delivery"
	"galbuild/publish/delivery/report"
	"galbuild/render"
)

type syncCmd struct {
	File string `arg:"" optional:"" default:"galbuild.json" type:"file" help:"The file that describes the delivery (JSON)."`

	Arrived string         `placeholder:"TARBALL" help:"Note that this tarball has arrived at the other side, so that the next ones leave out what it has, and do nothing else."`
	DryRun  bool           `help:"Print what would be collected, and change nothing."`
	Schema  syncSchemaFlag `env:"-" help:"Print the JSON Schema of the file, with which editors complete and check it, and exit."`

	AcceptPolicy bool              `help:"Let a policy that is new take versions out of the gallery. Without it, they are only named."`
	MaxRemovals  build.MaxRemovals `placeholder:"N|N%" help:"Keep the old generation if more versions than this would vanish without a decision (default: 20%, and more than ten)."`
	Jobs         int               `placeholder:"N" help:"Number of packages to read at a time (default: one for each processor)."`
	keepFlag
	authorFlags
	recordKeyFlags
	credentialFlags
	limitFlags
	targets.Remote
}

// syncSchemaFlag prints the schema and ends the program.
type syncSchemaFlag bool

// BeforeReset implements Kong's hook.
func (syncSchemaFlag) BeforeReset(app *kong.Kong) error { return printSchema(app, delivery.Schema()) }

// Validate implements Kong's hook.
func (s *syncCmd) Validate() error {
	if s.Jobs < 0 {
		return fmt.Errorf("--jobs=%d: must not be negative", s.Jobs)
	}
	if s.DryRun && s.Arrived != "" {
		return errors.New("--dry-run and --arrived: give one of them")
	}
	_, limits := s.limits()
	_, author := s.author()
	return errors.Join(limits, author, s.keepFlag.check())
}

// Run makes a delivery.
func (s *syncCmd) Run(ctx context.Context, e *env) error {
	file, err := s.read()
	switch {
	case err != nil:
		return err
	case s.Arrived != "":
		return s.arrived(e, file)
	case s.DryRun:
		return s.printCollection(ctx, e, file)
	}
	return s.run(ctx, e, file)
}

// example is a file that has what most deliveries need.
const example = `{"collect": {"requests": ["acme.hello"]}, "export": {"output": "gallery.tar.zst"}}`

// read reads the file, and checks the target in it.
func (s *syncCmd) read() (*delivery.File, error) {
	text, err := targets.ReadSmallFile(s.File, delivery.MaxText)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, hint.Add(err, "it describes what is collected and delivered, such as %s; galbuild sync --schema has all keys", example)
	}
	if err != nil {
		return nil, err
	}
	file, err := delivery.Parse(s.File, text)
	if err == nil && file.Publish != "" {
		err = s.Check(file.Publish)
	}
	return file, err
}

// arrived notes that a tarball has arrived.
func (s *syncCmd) arrived(e *env, file *delivery.File) error {
	d, err := delivery.Arrived(file.Site, s.Arrived)
	switch {
	case errors.Is(err, delivery.ErrUnknownExport):
		return hint.Add(err, "name a tarball that galbuild sync has written for %s", file.Site)
	case err != nil:
		return explainSync(err)
	case e.json:
		return e.printJSON(d)
	case e.quiet:
		return nil
	}
	_, err = terminal.Fprintf(e.stdout, "%s has arrived: the next tarball has what is new since generation %s\n", d.Name, d.Generation)
	return err
}

func (s *syncCmd) run(ctx context.Context, e *env, file *delivery.File) error {
	bar := newProgress(e)
	defer bar.close()
	cfg, err := s.config(e, file, bar)
	if err != nil {
		return err
	}
	if file.Publish != "" {
		at, err := s.Open(e.target)
		if err != nil {
			return err
		}
		defer closeTarget(at)
		cfg.Publish = func(ctx context.Context) (result publish.Result, err error) {
			err = e.inWorkspace(func(scratch *site.Dir, bar *progress) error {
				o := publish.Options{Progress: bar.showPublish, Commit: cfg.Commit, MaxRemovals: s.MaxRemovals}
				result, err = publish.Site(ctx, at, file.Site, scratch, false, o)
				return err
			})
			return result, explainPublish(err)
		}
	}
	result, err := delivery.Run(ctx, cfg)
	bar.close()
	if result != nil { // what was done before an error, too
		if failed := s.print(e, result); err == nil {
			err = failed
		}
	}
	if err != nil {
		return e.explainPolicy(explainSync(err))
	}
	return verdictOf(result.Report)
}

// verdictOf returns an error if the gallery does not have all that was requested. That an extension
// lacks what it needs is only a warning of the build if nobody has tried to collect it.
func verdictOf(r *report.Report) error {
	missing := 0
	for i := range r.Missing {
		if r.Missing[i].Kind == "" {
			missing++
		}
	}
	switch refused := len(r.Refused); {
	case r.Generation == "":
		return hint.Add(errors.New("there is no package, so there is no gallery"), "the lines above have the reasons")
	case refused > 0:
		return fmt.Errorf("%s refused; the others are in the gallery", plural(refused, "package"))
	case missing > 0:
		return fmt.Errorf("%s cannot be had; the others are in the gallery", plural(missing, "extension"))
	}
	return nil
}

// config returns the configuration that the file and the flags describe.
func (s *syncCmd) config(e *env, file *delivery.File, bar *progress) (cfg delivery.Config, err error) {
	cfg = delivery.Config{File: file, Progress: bar.bytes("export", file.Site)}
	if cfg.Now, err = s.time(); err != nil {
		return cfg, err
	}
	if cfg.SignKey, err = s.key(e); err != nil {
		return cfg, err
	}
	if cfg.Commit, err = e.commit(&s.authorFlags); err != nil {
		return cfg, err
	}
	cfg.Commit.Keep = s.KeepGenerations
	rules, err := s.policy(file)
	if err != nil {
		return cfg, err
	}
	if file.Collect != nil {
		cfg.Collect = func(ctx context.Context) (*delivery.Collected, error) { return s.collect(ctx, e, file, rules) }
	}
	cfg.Vet = s.vetter(e, file, rules)
	cfg.View = func(ctx context.Context, v delivery.View) (publish.Viewed, error) {
		return s.view(ctx, e, file.Site, v)
	}
	cfg.Build, err = s.buildConfig(e, file, rules)
	cfg.Build.Now, cfg.Build.Progress = cfg.Now, bar.show
	return cfg, err
}

// policy returns the policy of the file, or else that of the site. It is nil if there is none.
func (s *syncCmd) policy(file *delivery.File) (*policy.Policy, error) {
	if file.Policy != "" {
		return loadPolicy(file.Policy)
	}
	if !isSite(file.Site) {
		return nil, nil
	}
	current, err := site.ReadCurrent(file.Site)
	if err != nil || current.IsZero() {
		return nil, err
	}
	main, _, err := site.ReadMain(file.Site, current)
	if err != nil || main.Settings.Policy == "" {
		return nil, err
	}
	return policyOf(main.Settings, file.Site)
}

// buildConfig returns the configuration of the build. [publish.Build] completes it.
func (s *syncCmd) buildConfig(e *env, file *delivery.File, rules *policy.Policy) (build.Config, error) {
	cfg := build.Config{
		Sources: []string{file.Packages}, Settings: catalog.Settings{Render: render.Version, BaseURL: file.BaseURL}, Jobs: s.Jobs, Log: e.log,
		MaxRemovals: s.MaxRemovals, AcceptPolicy: s.AcceptPolicy,
	}
	if rules != nil {
		cfg.Settings.Policy = string(rules.Text())
	}
	var err error
	if cfg.Client, err = retry.New(retry.Config{CA: s.CA}); err != nil {
		return cfg, err
	}
	if cfg.Limits, err = s.limits(); err != nil {
		return cfg, err
	}
	return cfg, cfg.Settings.Check()
}

// explainSync adds hints to the errors of deliveries.
func explainSync(err error) error {
	switch {
	case errors.Is(err, delivery.ErrRunning):
		return hint.Add(err, "wait until it ends; a killed process leaves no lock behind")
	case errors.Is(err, context.Canceled):
		return hint.Add(errors.New("interrupted"), "run the command again to continue: nothing is downloaded twice, and there is no incomplete tarball")
	case hint.Has(err):
		return err
	}
	return explainBuild(err)
}

// print prints what a delivery has done.
func (s *syncCmd) print(e *env, r *delivery.Result) error {
	e.printRefused(r.Build)
	if !e.quiet {
		e.printWarnings(r.Build.Warnings)
		e.printMissing(r.Build.Missing)
		e.printExcluded(r.Build.Excluded)
	}
	switch {
	case e.json:
		return e.printJSON(r)
	case e.quiet:
		return nil
	}
	if err := e.printSummary(r.Build); err != nil {
		return err
	}
	for i := range r.Views {
		if err := e.printViewed(&r.Views[i].Viewed); err != nil {
			return err
		}
	}
	if r.Published != nil {
		if err := e.printResult(*r.Published); err != nil {
			return err
		}
	}
	return e.printDelivered(r)
}

// printDelivered prints the tarball that was written, or why there is none.
func (e *env) printDelivered(r *delivery.Result) error {
	switch {
	case r.Export != nil:
		if err := printExported(e, r.Export.Tarball, r.Export.Exported); err != nil {
			return err
		}
		_, err := terminal.Fprintf(e.stdout, "report: %s\n", r.Export.Reports[0])
		return err
	case r.Delivered != nil && r.Delivered.Arrived:
		_, err := terminal.Fprintf(e.stdout, "nothing to deliver: %s has this generation, and has arrived\n", r.Delivered.Name)
		return err
	case r.Delivered != nil:
		name := filepath.Base(r.Delivered.Name)
		_, err := terminal.Fprintf(e.stdout, "nothing to deliver: %s has this generation; when it has arrived: galbuild sync --arrived %s\n", name, name)
		return err
	}
	return nil
}
