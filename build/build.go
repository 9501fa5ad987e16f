// Package build makes the content of a site from packages: blobs, assets, file trees, and the
// catalogue that lists them.
//
//	SOURCE… ─ source.Expand ▶ Item ─ vsix.Open ▶ Package ─ Store.Put ▶ Ref
//	        ─ assemble ▶ catalog.Catalog ─ Store.Link ▶ assets/, files/
//
// A package is read once: it is copied into the store and hashed, and then checked and unpacked
// from that copy, so that the site serves the bytes that were checked. Packages are read by
// several goroutines, but the catalogue does not depend on their number or order.
//
// If a package is invalid, the report names it and the reason, and the others are built. If a
// source cannot be read, the report names it, and no version is removed. If the site cannot be
// written, for example because the disk is full, the run ends with an error. A run does not
// change which generation is current. Its callers, publish.Build and publish.Add, do that.
package build

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/retry"
	"galbuild/build/site"
	"galbuild/build/source"
	"galbuild/build/stats"
	"galbuild/build/vsix"
)

// Config configures a run. Only Site is required.
type Config struct {
	Sources    []string          // as on the command line
	Stdin      io.Reader         // for the source "-"
	Settings   catalog.Settings  // those without a value stay as they are in the site
	Drop       []string          // names of settings that do not stay, such as "base-url"
	Companions []CompanionChange // of the site
	Stats      *stats.Import     // statistics that replace those that were imported before; nil keeps them
	Limits     vsix.Limits
	Jobs       int            // how many packages are read at a time; 0 is the number of processors
	Client     *retry.Client  // for sources that are URLs
	Log        *slog.Logger   // nil discards messages
	Progress   func(Progress) // called by several goroutines; nil is not called

	Strict bool // if a source was refused, do not link content to its paths
	Add    bool // add the packages to the gallery, and remove none
	Vet    bool // vet packages although the policy does not ask for it

	// MaxRemovals limits how many versions may vanish. It does not apply to Add.
	MaxRemovals  MaxRemovals
	AcceptPolicy bool // a policy that is new in Settings may take versions out of the gallery

	// Restore undoes the decisions by which packages of the sources were removed. Author is who
	// does it, why and when.
	Restore bool
	Author  decision.Author

	Site *site.Dir // the site that content is written to
	// Old returns the current catalogue of the site; nil is an empty one. It is called once,
	// before the site is changed. It is not called if there is nothing to do.
	Old        func() (*catalog.Catalog, error)
	Generation string // the current generation, that of Old

	// Now is when packages that are new are first seen. The zero time is that of the run.
	Now time.Time
}

// Progress is the progress of a run.
type Progress struct {
	Stage string // "download", "read" or "link"
	Done  int64  // bytes; for "link", versions
	Total int64  // in the same unit
	Name  string // of the source in progress, or ""
}

// Result is the result of a run.
type Result struct {
	Report Report
	// Catalog is nil if the sources and settings are the same as in the run that built the
	// current generation, so that there is nothing to do.
	Catalog *catalog.Catalog
	Changed bool // Catalog differs from that of the current generation
	// Leftover is set if packages were refused or kept out that may have left files in the
	// store.
	Leftover bool
	Old      catalog.Settings // of the current generation

	cache  *cache
	file   string // of cache
	digest blob.Ref
	recipe string
	next   time.Time // when the policy keeps out other versions although nothing else changes, or zero
}

// Run reads the sources and writes their content to the site. The report names the sources that
// were refused. An error means that there is no result. If an earlier run was interrupted, Run
// does not return early, even if the sources have not changed.
func Run(ctx context.Context, c Config) (*Result, error) {
	c = c.withDefaults()
	items, problems, err := source.Expand(ctx, c.Sources, c.sourceConfig())
	if err != nil {
		return nil, err
	}
	var warnings []Problem
	if !c.Add {
		var locked []CompanionChange
		locked, warnings = lockedCompanions(c.Sources)
		c.Companions = slices.Concat(locked, c.Companions)
	}
	lists := newLists()
	listed := lists.lookupAll(items)
	warnings = append(warnings, lists.warnings...)
	result := &Result{file: c.Site.CacheFile(), digest: digest(c, items, listed)}
	if len(problems)+len(warnings) == 0 && !c.Site.Dirty && c.Site.HasGeneration(c.Generation) {
		if last := loadHeader(result.file); last.matches(c.Generation, result.digest, c.Now) {
			result.Report = *last.Report
			return result, nil
		}
	}
	read := &reader{Config: c, listed: listed, interner: catalog.NewInterner()}
	return result, result.run(ctx, read, items, problems, warnings)
}

func (r *Result) run(ctx context.Context, read *reader, items []source.Item, problems []source.Problem, warnings []Problem) error {
	loaded := make(chan *cache, 1)
	go func() { loaded <- loadCache(r.file) }()
	old, err := read.Old()
	if err != nil {
		return err
	}
	r.Old = old.Settings
	others, err := read.prepare(ctx, old)
	if err != nil {
		return err
	}
	warnings = append(warnings, others...)
	c := read.Config
	r.recipe = c.recipe()
	oldVersions := maps.Collect(versions(old))
	read.setOld(oldVersions, old.Packages)
	read.cache = <-loaded
	read.cache.use(r.origin(c.Generation))
	candidates, err := read.readAll(ctx, items)
	if err != nil {
		return err
	}
	// If a source cannot be read, its versions stay: the network may be down, or a disk may not
	// be mounted.
	keep := len(problems) > 0 || slices.ContainsFunc(candidates, func(c candidate) bool { return c.unreadable() })
	assembled, err := read.assemble(candidates, old, keep || c.Add)
	if err != nil {
		return err
	}
	assembled.warnings = append(assembled.warnings, warnings...)
	if c.Add {
		assembled.kept = nil // all versions of the last generation stay, and the report does not list them
	} else {
		assembled.warnings = append(assembled.warnings, settingsWarnings(assembled.catalog)...)
	}
	r.Catalog, r.Report = assembled.catalog, newReport(oldVersions, assembled, problems)
	r.Report.Dropped = append(r.Report.Dropped, c.dropped(old)...)
	r.Leftover = slices.ContainsFunc(candidates, func(c candidate) bool { return (c.refused != nil || c.excluded != nil) && !c.reused })
	r.Changed = !reflect.DeepEqual(old, assembled.catalog)
	r.cache = assembled.cache
	if len(problems)+len(warnings) > 0 || r.cache.partial {
		r.digest = blob.Ref{} // the next run must read a source again
	}
	if c.Strict && len(r.Report.Refused) > 0 {
		return nil
	}
	r.next = assembled.next
	if err := c.checkRemovals(old, assembled); err != nil {
		return err
	}
	return link(ctx, c, assembled)
}

// checkRemovals refuses a generation without versions that should have stayed.
func (c *Config) checkRemovals(old *catalog.Catalog, a *assembly) error {
	if err := (PolicyChange{Accept: c.AcceptPolicy}).check(old, a.catalog, a.excluded); err != nil {
		return err
	}
	return c.MaxRemovals.Check(old, a.catalog, a.excluded)
}

// dropped returns the settings of the last generation that the build drops.
func (c *Config) dropped(old *catalog.Catalog) []string {
	names := Dropped(old.Settings, c.Settings)
	if slices.Contains(c.Drop, settingStats) && hasImported(old) {
		names = append(names, settingStats)
	}
	return names
}

// prepare takes from the last generation what the packages are read with. It returns warnings.
func (r *reader) prepare(ctx context.Context, old *catalog.Catalog) (warnings []Problem, err error) {
	if err := r.keepSettings(old.Settings); err != nil {
		return nil, err
	}
	if warnings, err = r.changeCompanions(ctx); err != nil {
		return nil, err
	}
	r.decisions = decision.In(old.Records, r.Settings.Control)
	r.seen = seenOf(old.Packages)
	return warnings, r.setVets()
}

// settingsWarnings returns warnings about settings that name what does not exist.
func settingsWarnings(c *catalog.Catalog) []Problem {
	return slices.Concat(notFeatured(c), notRated(c), notRules(c))
}

// StoreCache stores the build cache, so that the next run reads only sources that have changed.
// The caller calls it after the generation with the result's catalogue has become current.
func (r *Result) StoreCache(generation string) error {
	h := header{origin: r.origin(generation)}
	if !r.digest.IsZero() {
		report := r.Report.repeated()
		h.Sources, h.Report, h.Next = r.digest, &report, r.next
	}
	return r.cache.store(r.file, h)
}

func (r *Result) origin(generation string) origin { return origin{r.recipe, generation} }

func (c Config) withDefaults() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Progress == nil {
		c.Progress = func(Progress) {}
	}
	if c.Now.IsZero() {
		c.Now = time.Now()
	}
	if c.Old == nil {
		c.Old = func() (*catalog.Catalog, error) { return &catalog.Catalog{}, nil }
	}
	return c
}

func (c Config) sourceConfig() source.Config {
	return source.Config{
		Downloads: c.Site.Downloads(),
		Client:    c.Client,
		Stdin:     c.Stdin,
		Skip:      c.Site.Root,
		MaxBytes:  c.Limits.WithDefaults().PackageBytes,
		MaxRatio:  c.Limits.WithDefaults().Ratio,
		Progress: func(name string, done, total int64) {
			c.Progress(Progress{Stage: "download", Done: done, Total: total, Name: name})
		},
		Log: c.Log,
	}
}

// link links the content of new versions to its paths in the site.
func link(ctx context.Context, c Config, assembled *assembly) error {
	total := len(assembled.added)
	return c.forEach(ctx, total, func(i int) error {
		if i%256 == 0 {
			c.Progress(Progress{Stage: "link", Done: int64(i), Total: int64(total)})
		}
		return linkVersion(c.Site.Blobs, assembled.added[i])
	})
}

func linkVersion(store *blob.Store, n addition) error {
	dir := catalog.VersionDir(n.publisher, n.name, n.version.Version, n.version.Platform)
	for _, a := range n.version.Assets {
		if err := store.Link(a.Ref, catalog.AssetsDir+dir+"/"+a.Type); err != nil {
			return err
		}
	}
	for _, f := range n.version.Files {
		if err := store.Link(f.Ref, catalog.FilesDir+dir+"/"+f.Path); err != nil {
			return err
		}
	}
	return nil
}
