package galbuild

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"galbuild/build"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/build/source"
	"galbuild/cmd/internal/hint"
	"galbuild/render"
	"galbuild/render/gallery"
)

type buildCmd struct {
	Sources []string `arg:"" name:"source" type:"source" help:"A .vsix file, a folder, a glob, an http(s) URL, @list.txt, or - for a list on standard input."`

	Output     string `short:"o" name:"output" default:"site" type:"newsite" placeholder:"SITE" help:"The site's folder (default: ${default})."`
	BaseURL    string `placeholder:"URL" help:"Address at which the site is served, with an optional path. With it, responses to update checks are plain files."`
	ContentURL string `placeholder:"URL" help:"Address from which editors load assets and files, if it is another host. A separate host keeps files of packages from running as part of the gallery."`

	Unpack string `enum:"web,all" default:"web" help:"Extensions whose files are served individually: web extensions and themes (web), or all (default: ${default})."`
	Sign   string `enum:",empty" default:"" placeholder:"empty" help:"Add an empty signature to packages without one, for editors before VS Code 1.100."`

	Featured []string `placeholder:"ID" help:"Extensions that @featured finds."`
	Control  string   `type:"existingfile" placeholder:"FILE" help:"Control manifest (JSON) with malicious, deprecated and preferred extensions."`

	CA string `name:"ca" aliases:"ca-bundle,ca-cert" type:"existingfile" placeholder:"FILE" help:"File of certificates (PEM) to trust in addition to the system's, for https sources."`

	Strict bool `help:"Keep the old generation if any package was refused."`
	Jobs   int  `placeholder:"N" help:"How many packages to read at a time (default: one for each processor)."`
	DryRun bool `help:"Read and report, but write nothing."`

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
	return checkAddresses(b.BaseURL, b.ContentURL)
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
	switch gallery.Origin(content) {
	case "":
		return fmt.Errorf("--content-url=%s: must be an absolute address such as https://files.example", content)
	case gallery.Origin(base):
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

// Run builds the site: content, then what follows from it, then the switch, then
// the sweep. Whatever ends it early, the old generation goes on being served.
func (b *buildCmd) Run(ctx context.Context, e *env) error {
	first := newFirstWrite(b.Output)
	return first.takeBack(b.run(ctx, e))
}

func (b *buildCmd) run(ctx context.Context, e *env) error {
	settings, err := b.settings()
	if err != nil {
		return err
	}
	dir, err := b.open()
	if err != nil {
		return err
	}
	defer dir.Close()
	report, err := b.build(ctx, e, dir, settings)
	if err != nil {
		return err
	}
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

func (b *buildCmd) build(ctx context.Context, e *env, dir *site.Dir, settings catalog.Settings) (build.Report, error) {
	current, err := site.ReadCurrent(dir.Root)
	if err != nil {
		return build.Report{}, hint.Add(err, "build into an empty folder, or put the site's last good copy back")
	}
	client, err := source.NewClient(b.CA)
	if err != nil {
		return build.Report{}, err
	}
	limits, err := b.limits()
	if err != nil {
		return build.Report{}, err
	}
	bar := newProgress(e)
	defer bar.close()
	result, err := build.Run(ctx, build.Config{
		Client: client, Sources: b.Sources, Stdin: e.stdin, Settings: settings, Limits: limits, Jobs: b.Jobs, Strict: b.Strict,
		Log: e.log, Progress: bar.show, Site: dir, Old: func() (*catalog.Catalog, error) { return b.begin(dir, current) }, Generation: current.Generation,
	})
	if err != nil {
		return build.Report{}, err
	}
	if result.Catalog != nil {
		result.Report.Warnings = append(result.Report.Warnings, notFeatured(result.Catalog)...)
	}
	result.Report.Site, result.Report.Generation, result.Report.DryRun = b.Output, current.Generation, b.DryRun
	switch {
	case b.DryRun, result.Catalog == nil, b.Strict && len(result.Report.Refused) > 0:
		return result.Report, nil
	case result.Report.Versions == 0 && result.Report.Read == 0 && current.IsZero():
		return result.Report, dir.Abandon()
	}
	return result.Report, b.publish(ctx, dir, current, result)
}

// notFeatured warns of ids of --featured that are not in the gallery. They may come later.
func notFeatured(c *catalog.Catalog) (warnings []build.Problem) {
	for _, id := range c.Featured {
		if c.Find(id) == nil {
			warnings = append(warnings, build.Problem{File: "--featured=" + id, Reason: "is not in the gallery" + similarIDs(c, id)})
		}
	}
	return warnings
}

// begin returns what the site serves, and marks it as being changed.
func (b *buildCmd) begin(dir *site.Dir, current site.Current) (*catalog.Catalog, error) {
	if dir.IndexOnly() {
		return nil, hint.Add(fmt.Errorf("%s has the index of a gallery only", dir.Root), "galbuild pull without --index-only brings the rest; or build into another folder")
	}
	old, err := site.ReadCatalog(dir.Root, current)
	if err != nil {
		return nil, hint.Add(err, "build into an empty folder, or put the site's last good copy back")
	}
	if b.DryRun {
		return old, nil
	}
	return old, dir.MarkDirty()
}

// publish makes the new catalogue count. What follows from it is written if it is
// new, and after a builder that did not come to its end: that one may have left
// answers of a generation that never counted.
func (b *buildCmd) publish(ctx context.Context, dir *site.Dir, current site.Current, result *build.Result) error {
	next := current
	if current.IsZero() || dir.Dirty || result.Changed {
		var err error
		known := current
		if result.Old.Render != render.Version {
			known = site.Current{}
		}
		if next, err = render.Site(ctx, dir, result.Catalog, known); err != nil {
			return err
		}
	}
	if next != current {
		if err := dir.Switch(ctx, next); err != nil {
			return err
		}
		result.Report.Generation, result.Report.Previous = next.Generation, current.Generation
	}
	if err := result.StoreCache(next.Generation); err != nil {
		return err
	}
	if result.Leftover {
		dir.Dirty = true // nobody lists what was stored of a package before it was refused
	}
	if err := render.Sweep(dir, next, current, result.Catalog); err != nil {
		return fmt.Errorf("the new generation is current, but removing old files failed: %w", err)
	}
	return dir.ClearDirty()
}

func (b *buildCmd) settings() (catalog.Settings, error) {
	s := catalog.Settings{Render: render.Version, BaseURL: strings.TrimRight(b.BaseURL, "/"), ContentURL: strings.TrimRight(b.ContentURL, "/"), Unpack: b.Unpack, Sign: b.Sign}
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
	if b.Control != "" {
		text, err := readSmallFile(b.Control, catalog.MaxControl)
		if err != nil {
			return s, err
		}
		if s.Control, err = catalog.ParseControl(text); err != nil {
			return s, fmt.Errorf("control manifest %s: %w", b.Control, err)
		}
	}
	return s, s.Check()
}

// readSmallFile reads a file of at most that many bytes.
func readSmallFile(file string, most int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s: larger than the limit of %d bytes", file, most)
	}
	return text, err
}

const hintSources = "sources are .vsix files, folders, globs, addresses and @lists; galbuild --help has the commands"

func (b *buildCmd) verdict(r build.Report) error {
	if len(r.Refused) == 0 {
		return nil
	}
	if b.Strict && !b.DryRun {
		return hint.Add(fmt.Errorf("%s refused, and nothing is published (--strict)", plural(len(r.Refused), "package")),
			"mend or remove what is named above and run it again")
	}
	if r.Versions == 0 && r.Generation != "" {
		return errors.New("no package could be taken, and the gallery is empty")
	}
	if r.Versions == 0 {
		return hint.Add(errors.New("no package could be taken"), "%s", hintSources)
	}
	if r.Read+r.Unchanged == 0 {
		return hint.Add(errors.New("no package could be taken; the gallery is as it was"), "%s", hintSources)
	}
	return fmt.Errorf("%s refused; the others are in the gallery", plural(len(r.Refused), "package"))
}
