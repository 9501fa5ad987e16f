package publish

import (
	"context"
	"errors"
	"fmt"

	"galbuild/build"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/render"
	"galbuild/render/pages"
)

// ErrIndexOnly is returned, wrapped, by [Build] for a site that [Pull] has made with indexOnly.
var ErrIndexOnly = errors.New("the site has an index without the files that it lists")

// Build builds the site in dir from the sources of cfg, and makes the new generation current. It
// sets the fields Site, Old and Generation of cfg.
//
// The current generation stays if dir is for a dry run, if the sources and settings have not
// changed since it was built, or if a source was refused and cfg.Strict is set. If there are no
// packages and there is no generation yet, Build makes none, and removes a folder that [site.Lock]
// has made.
//
// The report is valid if the error is nil. See [render.Commit] for what is current after an error.
func Build(ctx context.Context, dir *site.Dir, cfg build.Config, by site.Commit) (build.Report, error) {
	current, err := site.ReadCurrent(dir.Root)
	if err != nil {
		return build.Report{}, site.Damaged(err)
	}
	l := &local{dir: dir, add: cfg.Add, current: current, by: by, old: site.Previous{Current: current}}
	cfg.Site, cfg.Old, cfg.Generation = dir, l.begin, current.Generation
	result, err := build.Run(ctx, cfg)
	if err != nil {
		return build.Report{}, err
	}
	report := &result.Report
	report.Generation, report.DryRun = current.Generation, dir.IsDryRun()
	switch {
	case dir.IsDryRun(), result.Catalog == nil, cfg.Strict && len(report.Refused) > 0:
		return *report, nil
	case report.Versions == 0 && report.Read == 0 && current.IsZero():
		return *report, dir.Abandon()
	}
	err = l.finish(ctx, result)
	return *report, err
}

// local is a call of [Build].
type local struct {
	dir     *site.Dir
	current site.Current
	add     bool
	by      site.Commit
	old     site.Previous
	catalog *catalog.Catalog // of current, once it has been read
}

// begin marks the site dirty, and returns its catalogue.
func (l *local) begin() (*catalog.Catalog, error) {
	if l.dir.IndexOnly() {
		return nil, fmt.Errorf("%s: %w", l.dir.Root, ErrIndexOnly)
	}
	old, err := site.ReadCatalog(l.dir.Root, l.current)
	switch {
	case err != nil:
		return nil, site.Damaged(err)
	case old.View:
		return nil, refuseView(l.dir.Root, old)
	case l.dir.IsDryRun():
		return old, nil
	}
	l.catalog = old
	l.old.Packages = site.PackagesOf(old)
	return old, l.dir.MarkDirty()
}

// finish renders the result, commits it, and stores the build cache. After a crash before the cache
// is stored, the next build reads again the packages that were new in this one.
func (l *local) finish(ctx context.Context, result *build.Result) error {
	next, report := l.current, l.report(result)
	if l.mustRender(result, report) {
		var err error
		if next, err = render.Site(ctx, l.dir, result.Catalog, site.Generation{Current: l.current, Catalog: l.catalog}, report); err != nil {
			return err
		}
	}
	if result.Leftover {
		l.dir.Dirty = true // no generation lists what was stored of a package before it was refused
	}
	if err := render.Commit(ctx, l.dir, site.Generation{Current: next, Catalog: result.Catalog}, l.old, l.by); err != nil {
		return err
	}
	if result.Report.Generation = next.Generation; next != l.current {
		result.Report.Previous = l.current.Generation
	}
	if err := result.StoreCache(next.Generation); err != nil {
		return fmt.Errorf("%w, but the build cache could not be written: %w", render.ErrSwitched, err)
	}
	return nil
}

// report returns what the page about the build shows. galbuild add knows only about the packages
// that it adds, so it returns nil, and the page stays as it is.
func (l *local) report(result *build.Result) *pages.Report {
	if l.add {
		return nil
	}
	return reportPage(&result.Report)
}

// mustRender reports whether files that are derived from the catalogue may have to be written. That
// is so if there is no generation yet, if the catalogue or its render.Version has changed, if the
// site is dirty, because an interrupted command may have left pages of another generation, if a
// file of the current generation is missing, or if other packages were refused.
func (l *local) mustRender(result *build.Result, report *pages.Report) bool {
	return l.dir.Dirty || result.Changed || !l.dir.HasGeneration(l.current.Generation) ||
		report != nil && l.catalog != nil && render.ReportChanged(l.catalog, report)
}
