// Package delivery brings a gallery to another side: it collects packages, builds the site, and
// writes what the other side does not have to a tarball, with a report for the person who approves
// it. A file describes all of it, so that cron or a pipeline can run it, see [File].
//
//	galbuild.json ─ Parse ▶ File
//	collect ▶ packages ─ publish.Build, which vets ▶ site ─ bundle.Export ▶ tarball, report
//
// What was delivered is noted in the work directory of the site, see [Delivered]. Until somebody
// says that a tarball has arrived, the next one also has what that one has.
//
// Each step goes on where an interrupted run has ended: what was downloaded is not downloaded
// again, a package that was read is not read again, the site has the old generation or the new one,
// and a tarball gets its name when it is complete. README.md has examples.
package delivery

import (
	"context"
	"errors"
	"time"

	"aead.dev/minisign"

	"galbuild/build"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/publish"
	"galbuild/publish/bundle"
	"galbuild/publish/delivery/report"
)

// Config configures [Run].
type Config struct {
	File *File
	// Collect fills the folder of packages. It is nil if that is filled in another way.
	Collect func(context.Context) (*Collected, error)
	// Vet looks at packages that the site does not have, given their paths. It returns what it
	// has found by the key of the version. It is nil if only the build vets.
	Vet     func(context.Context, []string) (map[string][]catalog.Finding, error)
	View    func(context.Context, View) (publish.Viewed, error) // makes a view of the site
	Build   build.Config                                        // with the folder of packages as its source
	Commit  site.Commit
	SignKey *minisign.PrivateKey // for the tarball; nil for no signature
	Now     time.Time            // the day of the tarball's name
	// Publish publishes the site to a target. It is nil if there is none.
	Publish  func(context.Context) (publish.Result, error)
	Progress bundle.Progress // of the tarball; may be nil
}

// Result is the result of a run.
type Result struct {
	Build  build.Report   `json:"build"`
	Report *report.Report `json:"report"`
	// Export is nil if there is no tarball, because the site has not changed, or because none
	// is wanted.
	Export *Exported `json:"export,omitempty"`
	// Delivered is the tarball with the current generation, if it was written before.
	Delivered *Delivered      `json:"delivered,omitempty"`
	Published *publish.Result `json:"published,omitempty"`
	Views     []MadeView      `json:"views,omitempty"`
}

// Run makes a delivery. The result is what was done before an error; it is nil if the site was not
// built. The error wraps [ErrRunning] if another run is in progress.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	s, err := openStore(cfg.File.Site)
	if err != nil {
		return nil, err
	}
	d := &delivery{Config: cfg, store: s, collected: new(Collected)}
	err = d.run(ctx)
	return d.result, errors.Join(err, s.close())
}

// A delivery is a call of Run.
type delivery struct {
	Config
	store     *store
	dir       *site.Dir        // locked
	before    *catalog.Catalog // of the current generation before the build
	after     *catalog.Catalog // and after it
	collected *Collected
	findings  map[string][]catalog.Finding // of Vet
	result    *Result
}

func (d *delivery) run(ctx context.Context) (err error) {
	if d.Collect != nil {
		if d.collected, err = d.Collect(ctx); err != nil {
			return err
		}
		d.Build.Stats = d.collected.Statistics
	}
	if err := d.vet(ctx); err != nil {
		return err
	}
	if err := d.buildAndExport(ctx); err != nil {
		return err
	}
	if d.result.Build.Generation == "" {
		return nil
	}
	if err := d.makeViews(ctx); err != nil {
		return err
	}
	if d.Publish == nil {
		return nil
	}
	published, err := d.Publish(ctx)
	if err == nil {
		d.result.Published = &published
	}
	return err
}

// vet looks at the packages that the site does not have.
func (d *delivery) vet(ctx context.Context) error {
	if d.Vet == nil {
		return nil
	}
	c, err := d.catalog()
	if err != nil {
		return err
	}
	files, err := newPackages(d.File.Packages, d.collected.Lock, c)
	if err != nil || len(files) == 0 {
		return err
	}
	d.findings, err = d.Vet(ctx, files)
	return err
}

// buildAndExport does what needs the lock of the site.
func (d *delivery) buildAndExport(ctx context.Context) (err error) {
	if d.dir, err = site.Lock(d.File.Site); err != nil {
		return err
	}
	defer d.dir.Close() // everything has been written
	if d.before, err = d.catalog(); err != nil {
		return err
	}
	built, err := publish.Build(ctx, d.dir, d.Build, d.Commit)
	if err != nil {
		return err
	}
	built.Site = d.File.Site
	d.result = &Result{Build: built}
	if d.after, err = d.catalog(); err != nil {
		return err
	}
	if d.File.Export == nil || built.Generation == "" { // without a package, there is no site
		return d.report(d.before)
	}
	return d.export(ctx)
}

// catalog returns the catalogue of the current generation.
func (d *delivery) catalog() (*catalog.Catalog, error) {
	current, err := site.ReadCurrent(d.File.Site)
	if err != nil {
		return nil, site.Damaged(err)
	}
	c, err := site.ReadCatalog(d.File.Site, current)
	if err != nil {
		return nil, site.Damaged(err)
	}
	return c, nil
}

// export writes the tarball, unless the last one has the current generation.
func (d *delivery) export(ctx context.Context) error {
	x := &exporter{
		Export: *d.File.Export, site: d.File.Site, store: d.store, date: d.Now.UTC().Format(time.DateOnly), key: d.SignKey, progress: d.Progress,
	}
	if err := x.resume(); err != nil {
		return err
	}
	from, bases, err := x.base()
	if err != nil {
		return err
	}
	if err := d.report(from); err != nil {
		return err
	}
	if last := d.store.last(); last != nil && last.Generation == d.result.Build.Generation {
		d.result.Delivered = last
		return nil
	}
	d.result.Export, err = x.write(ctx, d.after, bases, d.result.Report)
	return err
}

// report makes the report on how the site differs from what another side has.
func (d *delivery) report(from *catalog.Catalog) (err error) {
	d.result.Report, err = report.New(report.Input{
		From: from, To: d.after, Lock: d.collected.Lock, Build: &d.result.Build, Findings: d.findings, Changelog: changelogIn(d.File.Site),
		Held: d.collected.Held, Withdrawn: d.collected.Withdrawn, Missing: d.collected.Missing, Refused: d.collected.Refused,
	})
	if err == nil {
		d.result.Report.Generation = d.result.Build.Generation
	}
	return err
}
