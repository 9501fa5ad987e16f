package galbuild

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"galbuild/build"
	"galbuild/build/catalog"
	"galbuild/build/headers"
	"galbuild/build/retry"
	"galbuild/build/site"
	"galbuild/build/stats"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/publish"
	"galbuild/render"
)

type buildCmd struct {
	Sources []string `arg:"" name:"source" type:"source" help:"A .vsix file, a folder, a glob, an http(s) URL, a file that lists such sources (@list.txt), or - for a list on standard input."`

	Output     string `short:"o" name:"output" default:"site" type:"newsite" placeholder:"SITE" help:"Folder of the site."`
	BaseURL    string `placeholder:"URL" help:"Address at which the site is served, with an optional path. With it, responses to update checks are plain files."`
	ContentURL string `placeholder:"URL" help:"Address from which editors load assets and files, if it is another host. A separate host keeps files of packages from running as part of the gallery."`

	Unpack string `enum:",web,all" default:"" placeholder:"web|all" help:"Serve the files of these packages individually: those of web extensions and themes (web, the first time), or of all extensions (all)."`
	Sign   string `enum:",empty" default:"" placeholder:"empty" help:"Add an empty signature to packages without one, for editors before VS Code 1.100."`

	Featured []string `placeholder:"ID" help:"Extensions that a search for @featured finds."`
	Control  string   `type:"existingfile" placeholder:"FILE" help:"Control manifest (JSON), which lists malicious, deprecated and preferred extensions."`

	Stats string `type:"file" placeholder:"FILE" help:"Statistics of another gallery, CSV or JSON. They replace those of sidecar files and of an earlier file, and the gallery's own counts are added."`

	With []companionFlag `name:"with" placeholder:"PATH=FILE" sep:"none" help:"Serve a file at companions/PATH, such as an archive of VS Code's server. PATH= drops it."`

	NoBaseURL    bool `name:"no-base-url" help:"Drop the base URL. It and the following settings stay until they are changed or dropped."`
	NoContentURL bool `name:"no-content-url" help:"Drop the content URL."`
	NoSign       bool `name:"no-sign" help:"Drop the empty signatures."`
	NoFeatured   bool `name:"no-featured" help:"Drop the featured extensions."`
	NoControl    bool `name:"no-control" help:"Drop the control manifest. Decisions stay."`
	NoPages      bool `name:"no-pages" help:"Write no pages for people, also in later builds."`
	Pages        bool `help:"Write pages for people again."`
	NoWith       bool `name:"no-with" help:"Drop all companions."`
	NoStats      bool `name:"no-stats" help:"Drop the statistics of --stats. The gallery's own counts stay."`

	policyFlags

	CA string `name:"ca" aliases:"ca-bundle,ca-cert" type:"existingfile" placeholder:"FILE" help:"File of certificates (PEM) to trust in addition to the system's, for https sources."`

	MaxRemovals build.MaxRemovals `placeholder:"N|N%" help:"Keep the old generation if more versions than this would vanish without a decision (default: 20%, and more than ten)."`

	Strict bool `help:"Keep the old generation if any package is refused."`
	Jobs   int  `placeholder:"N" help:"Number of packages to read at a time (default: one for each processor)."`
	DryRun bool `help:"Read the packages and report, but write nothing."`

	keepFlag
	authorFlags
	limitFlags
}

// Validate implements Kong's hook.
func (b *buildCmd) Validate() error {
	if b.Jobs < 0 {
		return fmt.Errorf("--jobs=%d: must not be negative", b.Jobs)
	}
	if _, err := b.limits(); err != nil {
		return err
	}
	if _, err := b.author(); err != nil {
		return err
	}
	if err := b.keepFlag.check(); err != nil {
		return err
	}
	for _, w := range b.With {
		if err := w.check(); err != nil {
			return err
		}
	}
	for _, s := range b.settingFlags() {
		if s.drop && s.given {
			return fmt.Errorf("--%s and --%s: give one of them", s.name, opposite(s.name))
		}
	}
	return checkAddresses(b.BaseURL, b.ContentURL)
}

// A settingFlag is a setting that stays until it is dropped.
type settingFlag struct {
	name        string
	given, drop bool
}

// opposite returns the flag that drops the setting of a flag.
func opposite(name string) string {
	if flag, ok := strings.CutPrefix(name, "no-"); ok {
		return flag
	}
	return "no-" + name
}

func (b *buildCmd) settingFlags() []settingFlag {
	return []settingFlag{
		{"base-url", b.BaseURL != "", b.NoBaseURL},
		{"content-url", b.ContentURL != "", b.NoContentURL},
		{"sign", b.Sign != "", b.NoSign},
		{"featured", len(b.Featured) > 0, b.NoFeatured},
		{"control", b.Control != "", b.NoControl},
		{"policy", b.Policy != "", b.NoPolicy},
		{"no-pages", b.NoPages, b.Pages},
		{"with", len(b.With) > 0, b.NoWith},
		{"stats", b.Stats != "", b.NoStats},
	}
}

// checkAddresses checks the flags --base-url and --content-url, each of which may be "". A
// content URL that differs only in its path would not separate anything, since browsers
// distinguish hosts and ports, not paths.
func checkAddresses(base, content string) error {
	if err := checkAddress("--base-url", base); err != nil {
		return err
	}
	if err := checkAddress("--content-url", content); err != nil || content == "" {
		return err
	}
	switch headers.Origin(content) {
	case "":
		return fmt.Errorf("--content-url=%s: must be an absolute address such as https://files.example", content)
	case headers.Origin(base):
		return hint.Add(fmt.Errorf("--content-url=%s: has the host and port of --base-url=%s", content, base), "files of packages need a separate host, for example https://files.example")
	}
	return nil
}

func checkAddress(flag, address string) error {
	if address == "" {
		return nil
	}
	if err := catalog.CheckURL(address); err != nil {
		return fmt.Errorf("%s=%s: %w", flag, address, err)
	}
	return nil
}

// Run builds the site.
func (b *buildCmd) Run(ctx context.Context, e *env) error {
	before := folderBefore(b.Output)
	return before.cleanUp(b.run(ctx, e))
}

func (b *buildCmd) run(ctx context.Context, e *env) error {
	cfg, err := b.config(e)
	if err != nil {
		return err
	}
	commit, err := e.commit(&b.authorFlags)
	if err != nil {
		return err
	}
	commit.Keep = b.KeepGenerations
	dir, err := b.open()
	if err != nil {
		return err
	}
	defer dir.Close()
	bar := newProgress(e)
	defer bar.close()
	cfg.Progress = bar.show
	report, err := publish.Build(ctx, dir, cfg, commit)
	bar.close()
	if err != nil {
		return e.explainPolicy(explainBuild(err))
	}
	report.Site = b.Output
	if err := e.printReport(report); err != nil {
		return err
	}
	return b.verdict(report)
}

func (b *buildCmd) open() (*site.Dir, error) {
	if b.DryRun {
		return site.DryRun(b.Output)
	}
	return site.Lock(b.Output)
}

// config returns the configuration that the flags describe. [publish.Build] completes it.
func (b *buildCmd) config(e *env) (build.Config, error) {
	cfg := build.Config{Sources: b.Sources, Stdin: e.stdin, Jobs: b.Jobs, Strict: b.Strict, Log: e.log, MaxRemovals: b.MaxRemovals, AcceptPolicy: b.AcceptPolicy}
	var err error
	if cfg.Settings, err = b.settings(); err != nil {
		return cfg, err
	}
	if b.Stats != "" {
		text, err := targets.ReadSmallFile(b.Stats, stats.MaxImport)
		if err != nil {
			return cfg, err
		}
		if cfg.Stats, err = stats.ParseImport(b.Stats, text); err != nil {
			return cfg, hint.Add(err, "nothing has changed; the first column of CSV is id, and the others are install, downloadCount, averagerating and ratingcount")
		}
	}
	for _, w := range b.With {
		cfg.Companions = append(cfg.Companions, w.change())
	}
	for _, s := range b.settingFlags() {
		if s.drop {
			cfg.Drop = append(cfg.Drop, s.name)
		}
	}
	if cfg.Client, err = retry.New(retry.Config{CA: b.CA}); err != nil {
		return cfg, err
	}
	if cfg.Now, err = b.time(); err != nil {
		return cfg, err
	}
	cfg.Limits, err = b.limits()
	return cfg, err
}

// explainBuild adds hints to the errors of [publish.Build].
func explainBuild(err error) error {
	if removals, ok := errors.AsType[*build.RemovalsError](err); ok {
		return explainRemovals(err, removals, "nothing is published; check that all sources are there")
	}
	switch {
	case errors.Is(err, site.ErrDamaged):
		return hint.Add(err, "restore the damaged files from a backup; a build into an empty folder has no history, and no decisions such as blocks")
	case errors.Is(err, publish.ErrIndexOnly):
		return hint.Add(err, "copy the files too, with galbuild pull without --index-only, or build into another folder")
	}
	return err
}

// explainRemovals adds to an error about removals which versions would be removed, and a hint with
// the first steps to take and how to allow it.
func explainRemovals(err error, removals *build.RemovalsError, first string) error {
	return hint.Add(fmt.Errorf("%w: %s", err, firstOf(removals.Versions, 5)), "%s, or allow it with --max-removals %d", first, len(removals.Versions))
}

func (b *buildCmd) settings() (catalog.Settings, error) {
	s := catalog.Settings{Render: render.Version, BaseURL: strings.TrimRight(b.BaseURL, "/"), ContentURL: strings.TrimRight(b.ContentURL, "/"), Unpack: b.Unpack, Sign: b.Sign, NoPages: b.NoPages}
	ids, err := parseIDs(b.Featured)
	if err != nil {
		return s, fmt.Errorf("--featured: %w", err)
	}
	for _, id := range ids {
		if err := id.CheckExtension(); err != nil {
			return s, fmt.Errorf("--featured: %w", err)
		}
		s.Featured = append(s.Featured, strings.ToLower(id.Extension))
	}
	slices.Sort(s.Featured)
	s.Featured = slices.Compact(s.Featured)
	change, err := b.change()
	if err != nil {
		return s, err
	}
	s.Policy = change.Text
	if b.Control != "" {
		text, err := targets.ReadSmallFile(b.Control, catalog.MaxControl)
		if err != nil {
			return s, err
		}
		if s.Control, err = catalog.ParseControl(text); err != nil {
			return s, fmt.Errorf("control manifest %s: %w", b.Control, err)
		}
	}
	return s, s.Check()
}

const hintSources = "sources are .vsix files, folders, globs, addresses and @lists; galbuild --help has the commands"

// verdict returns an error if packages were refused.
func (b *buildCmd) verdict(r build.Report) error {
	if len(r.Refused) == 0 {
		return nil
	}
	if b.Strict && !b.DryRun {
		return hint.Add(fmt.Errorf("%s refused, and nothing is published (--strict)", plural(len(r.Refused), "package")),
			"fix or remove the packages named above, and run the command again")
	}
	if r.Versions == 0 && r.Generation != "" {
		return errors.New("no package was accepted, and the gallery is empty")
	}
	if r.Versions == 0 {
		return hint.Add(publish.ErrNoneAccepted, "%s", hintSources)
	}
	if r.Read+r.Unchanged == 0 {
		return hint.Add(fmt.Errorf("%w; the gallery has not changed", publish.ErrNoneAccepted), "%s", hintSources)
	}
	return fmt.Errorf("%s refused; the others are in the gallery", plural(len(r.Refused), "package"))
}
