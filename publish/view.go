package publish

import (
	"context"
	"errors"
	"fmt"
	"time"

	"galbuild/build"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/publish/target"
	"galbuild/render"
)

// Errors about views.
var (
	// ErrView is wrapped by the errors of commands that change a gallery, for a view of one.
	ErrView = errors.New("is a view of another gallery, and cannot be changed itself")
	// ErrNotView is wrapped by the error of [View] for a site that is not a view.
	ErrNotView = errors.New("is a site with files of its own, and not a view")
	// ErrNoPolicy is wrapped by the error of [View] for a new view without a policy.
	ErrNoPolicy = errors.New("the view is new, and has no policy")
)

// A ViewConfig says how [View] makes a view.
type ViewConfig struct {
	Policy  build.PolicyChange
	NoPages bool
	// Store has the content of the gallery. Pages are made from it; if it is nil, the view has
	// none.
	Store  *blob.Store
	Commit site.Commit // what the history of the view says about it
}

// Viewed is the result of [View]. Its lists are never nil.
type Viewed struct {
	View       string           `json:"view"`       // its folder
	Site       string           `json:"site"`       // the gallery of which it is a view
	Generation string           `json:"generation"` // current in the view
	Previous   string           `json:"previous"`   // current before; "" if it still is
	New        bool             `json:"new"`        // there was no view before
	DryRun     bool             `json:"dryRun"`
	Extensions int              `json:"extensions"`
	Versions   int              `json:"versions"`
	Added      []string         `json:"added"`    // ids of versions
	Removed    []string         `json:"removed"`  // ids of versions
	Excluded   []build.Excluded `json:"excluded"` // versions of the gallery that the view does not have
}

// View makes the site in dir a view of the gallery at a target: a site with an index, pages and a
// history of its own, and without the files of packages. It reads the catalogue of the gallery, and
// no packages; see [build.View] for what is in the view. The sender in the history of the view is
// the head of the history of the gallery.
//
// The same catalogue and the same policy give the same generation, and then the view has no new
// entry in its history. See [render.Commit] for what is current after an error.
func View(ctx context.Context, from target.Target, dir *site.Dir, cfg ViewConfig) (Viewed, error) {
	current, old, err := readView(dir)
	if err != nil {
		return Viewed{}, err
	}
	of, err := readViewed(ctx, from)
	if err != nil {
		return Viewed{}, err
	}
	if current.IsZero() && cfg.Policy.IsZero() {
		return Viewed{}, fmt.Errorf("%s: %w", dir.Root, ErrNoPolicy)
	}
	head, err := readHead(ctx, from, of)
	if err != nil {
		return Viewed{}, err
	}
	now := cfg.Commit.When
	if now.IsZero() {
		now = time.Now()
	}
	c, excluded, err := build.View(of.Catalog, build.ViewConfig{
		Render: render.Version, Policy: cfg.Policy, NoPages: cfg.NoPages || cfg.Store == nil, Now: now, Old: old,
	})
	if err != nil {
		return Viewed{}, fmt.Errorf("%s: %w", from, err)
	}
	made := newViewed(dir, from, old, c, excluded)
	made.Generation, made.New = current.Generation, current.IsZero()
	if dir.IsDryRun() {
		return made, nil
	}
	cfg.Commit.Sender = site.SenderOf(head)
	next, err := cfg.write(ctx, dir, site.Generation{Current: current, Catalog: old}, c)
	if err == nil && next != current {
		made.Generation, made.Previous = next.Generation, current.Generation
	}
	return made, err
}

// write makes c the current generation of a view.
func (cfg *ViewConfig) write(ctx context.Context, dir *site.Dir, old site.Generation, c *catalog.Catalog) (site.Current, error) {
	if err := dir.MarkDirty(); err != nil {
		return site.Current{}, err
	}
	stores := []*blob.Store{dir.Blobs}
	if cfg.Store != nil {
		stores = append(stores, cfg.Store)
	}
	previous := site.Previous{Current: old.Current, Packages: site.PackagesOf(old.Catalog)}
	next, err := render.View(ctx, dir, c, old, render.ReadContent(stores...))
	if err != nil {
		return site.Current{}, err
	}
	return next, render.Commit(ctx, dir, site.Generation{Current: next, Catalog: c}, previous, cfg.Commit)
}

// readView returns the current generation of a view and its catalogue, which is empty if there is
// none.
func readView(dir *site.Dir) (site.Current, *catalog.Catalog, error) {
	current, err := site.ReadCurrent(dir.Root)
	if err != nil {
		return current, nil, site.Damaged(err)
	}
	c, err := site.ReadCatalog(dir.Root, current)
	switch {
	case err != nil:
		return current, nil, site.Damaged(err)
	case !current.IsZero() && !c.View:
		return current, nil, fmt.Errorf("%s %w", dir.Root, ErrNotView)
	}
	return current, c, nil
}

// readViewed returns the gallery of which a view is made, with what only auditors need if that can
// be read: policies may need it.
func readViewed(ctx context.Context, from target.Target) (State, error) {
	s, err := Read(ctx, from)
	switch {
	case err != nil:
		return s, err
	case s.IsZero():
		return s, fmt.Errorf("%s: %w", from, ErrNothing)
	case s.Catalog.View:
		return s, fmt.Errorf("%s %w: make views of the gallery itself", from, ErrView)
	}
	_, err = ReadPrivate(ctx, from, s)
	return s, err
}

func newViewed(dir *site.Dir, from target.Target, old, c *catalog.Catalog, excluded []build.Excluded) Viewed {
	made := Viewed{
		View: dir.Root, Site: from.String(), DryRun: dir.IsDryRun(), Extensions: len(c.Extensions),
		Added: missing(c, old, nil), Removed: missing(old, c, nil), Excluded: append([]build.Excluded{}, excluded...),
	}
	for range c.Versions() {
		made.Versions++
	}
	return made
}

// refuseView returns an error for a view, which commands that change a gallery cannot change.
func refuseView(where string, c *catalog.Catalog) error {
	if c != nil && c.View {
		return fmt.Errorf("%s %w", where, ErrView)
	}
	return nil
}

// checkKinds returns an error if one of two catalogues is that of a view and the other is not. The
// catalogue of the receiver may be empty.
func checkKinds(receiver string, old, next *catalog.Catalog, isNew bool) error {
	switch {
	case isNew || old.View == next.View:
		return nil
	case old.View:
		return fmt.Errorf("%s is a view, and would get a gallery: name another target", receiver)
	}
	return fmt.Errorf("%s is a gallery, and would get a view of one: name another target", receiver)
}

// CheckView returns a problem for each version of a view that the gallery at a target does not
// serve any more, so that galshim responds with status 404 to requests for its files.
func CheckView(ctx context.Context, view *catalog.Catalog, of target.Target) (problems []string, err error) {
	s, err := Read(ctx, of)
	if err == nil && s.IsZero() {
		err = fmt.Errorf("%s: %w", of, ErrNothing)
	}
	if err != nil {
		return nil, err
	}
	for _, key := range build.Absent(view, s.Catalog) {
		problems = append(problems, fmt.Sprintf("%s is in the view, and %s does not serve it any more", key, of))
	}
	return problems, nil
}
