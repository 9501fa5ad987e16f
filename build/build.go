// Package build turns packages into a site's content: blobs, assets, file trees,
// and the catalogue that lists them.
//
//	SOURCE… ─ source.Expand ▶ Item ─ vsix.Open ▶ Package ─ blob.Put ▶ Ref
//	        ─ assemble ▶ catalog.Catalog ─ Store.Link ▶ assets/, files/
//
// A package is read once: copied into the store while it is hashed, then
// examined and unpacked from that copy, so that what was checked is what is
// served. Workers fill slot i of a list; what follows is sorted, and the same
// packages give the same catalogue whatever their number.
//
// One bad package is refused, by name and with the reason, and the others are
// built. A source that cannot be had is too, and then nothing is removed. What cannot be written (a full disk, a folder of someone else's) ends
// the run. Nothing here makes a generation count: until the caller switches, the
// site serves what it did.
package build

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/build/source"
	"galbuild/build/vsix"
)

// Config says what to build from. The zero value of every field but Site is
// usable.
type Config struct {
	Sources  []string // as on the command line
	Stdin    io.Reader
	Settings catalog.Settings
	Limits   vsix.Limits
	Jobs     int // packages read at a time; 0 is one a processor
	Client   *http.Client
	Log      *slog.Logger
	Progress func(Progress) // called now and then, by several goroutines

	Strict bool // give content no paths if anything was refused
	Add    bool // old versions stay although no source has them

	Site *site.Dir // where content goes
	// Old returns what the site serves now; nil is nothing. It is called once, before
	// anything is put into the site, and not at all where there is nothing to do.
	Old        func() (*catalog.Catalog, error)
	Generation string // of Old

	now func() time.Time // when packages are first seen; nil is time.Now
}

// Progress is how far a run has come.
type Progress struct {
	Stage string // "download", "read" or "link"
	Done  int64  // bytes, or packages for "link"
	Total int64
	Name  string // what is being worked on, if anything in particular
}

// Result is what a run made.
type Result struct {
	Report Report
	// Catalog is nil if the sources and settings are those of the run that made the
	// site what it is, so that there is nothing to do.
	Catalog *catalog.Catalog
	Changed bool // Catalog is another than the old one
	// Leftover says that packages were refused, of which something may have been stored.
	Leftover bool
	Old      catalog.Settings

	memory *memory
	file   string // of memory
	digest blob.Ref
	recipe string
}

// Run reads the sources and brings the site's content up to them. The report
// names what was refused; an error means that nothing can be made of it all.
// Where an earlier builder did not come to its end, everything is looked at.
func Run(ctx context.Context, c Config) (*Result, error) {
	c = c.withDefaults()
	items, problems, err := source.Expand(ctx, c.Sources, c.sourceConfig())
	if err != nil {
		return nil, err
	}
	lists := newLists()
	said := lists.aboutAll(items)
	result := &Result{file: c.Site.Memory(), digest: digest(c.Settings, items, said), recipe: c.recipe()}
	if last := readHeading(result.file); len(problems)+len(lists.warnings) == 0 && !c.Site.Unclean && c.Site.HasGeneration(c.Generation) && last.fits(result.origin(c.Generation), result.digest) {
		result.Report = *last.Report
		return result, nil
	}
	read := &reader{Config: c, said: said, texts: catalog.NewInterner()}
	return result, result.run(ctx, read, items, problems, lists.warnings)
}

func (r *Result) run(ctx context.Context, read *reader, items []source.Item, problems []source.Problem, warnings []Problem) error {
	c := read.Config
	old, err := c.Old()
	if err != nil {
		return err
	}
	r.Old = old.Settings
	before := maps.Collect(versions(old))
	read.memory = recall(r.file, r.origin(c.Generation))
	read.setOld(before)
	candidates, err := read.all(ctx, items)
	if err != nil {
		return err
	}
	// A source that cannot be had is no reason to take its packages away: the
	// network may be down, the disk not mounted.
	keep := len(problems) > 0 || slices.ContainsFunc(candidates, func(c candidate) bool { return c.unreadable() })
	made, err := assemble(c, candidates, before, keep || c.Add)
	if err != nil {
		return err
	}
	if c.Add {
		made.kept = nil // as was to be expected
	}
	made.warnings = append(made.warnings, warnings...)
	r.Catalog, r.Report = made.catalog, makeReport(before, made, problems)
	r.Leftover = slices.ContainsFunc(candidates, func(c candidate) bool { return c.refused != nil && !c.known })
	r.Changed = !reflect.DeepEqual(old, made.catalog)
	r.memory = made.memory
	if len(problems)+len(warnings) > 0 || len(r.memory.order) < len(items) {
		r.digest = blob.Ref{} // another run would read something again
	}
	if c.Strict && len(r.Report.Refused) > 0 {
		return nil
	}
	return link(ctx, c, made)
}

// Remember keeps what the run learnt of the sources, so that the next one reads
// only what changed. To be called when its catalogue counts, as that generation.
func (r *Result) Remember(generation string) error {
	h := heading{origin: r.origin(generation)}
	if !r.digest.IsZero() {
		again := r.Report.again()
		h.Sources, h.Report = r.digest, &again
	}
	return r.memory.save(r.file, h)
}

func (r *Result) origin(generation string) origin { return origin{r.recipe, generation} }

func (c Config) withDefaults() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Progress == nil {
		c.Progress = func(Progress) {}
	}
	if c.now == nil {
		c.now = time.Now
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

// link gives the content of new versions its paths.
func link(ctx context.Context, c Config, made *assembly) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(c.jobs())
	for i, n := range made.added {
		if i%256 == 0 {
			c.Progress(Progress{Stage: "link", Done: int64(i), Total: int64(len(made.added))})
		}
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return linkVersion(c.Site.Blobs, n)
		})
	}
	return group.Wait()
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
