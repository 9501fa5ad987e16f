package publish

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"

	"galbuild/build"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/publish/target"
	"galbuild/render"
)

// Errors of [Add]. The report of the result names the packages that were refused.
var (
	ErrNoneAccepted = errors.New("no package was accepted")
	ErrStrict       = errors.New("a package was refused, and nothing was added")
)

// Add adds the packages of cfg's sources to the gallery of a target. All versions of the gallery
// stay, and so do the settings, except for a policy that cfg gives or drops. A target without a
// gallery gets one. If some packages are refused, the others are added, unless cfg.Strict is set.
// Then nothing is added, and the error wraps ErrStrict.
//
// The returned build.Result is that of the last attempt, or nil if no attempt reached the build. It
// is valid also if the error wraps ErrNoneAccepted or ErrStrict.
//
// If choose is not nil, it returns the sources to add, given the catalogue of the gallery. If there
// are none, only a policy that cfg gives or drops changes the gallery. Add sets the fields Site,
// Old, Add and Settings of cfg. It writes new content to scratch.
func Add(ctx context.Context, at target.Target, scratch *site.Dir, cfg build.Config, choose func(*catalog.Catalog) []string, o Options) (Result, *build.Result, error) {
	a := &adding{at: at, cfg: cfg, choose: choose}
	a.cfg.Site, a.cfg.Add = scratch, true
	if err := a.saveStdin(); err != nil {
		return Result{}, nil, err
	}
	result, err := Change(ctx, at, scratch, o, func(old State) (*catalog.Catalog, error) { return a.build(ctx, old) })
	if a.result != nil {
		result.Excluded = append([]build.Excluded{}, a.result.Report.Excluded...)
	}
	if err != nil && result.Target == "" {
		attempts := result.Attempts
		excluded := result.Excluded
		result = newResult(at, a.generation, o)
		result.Attempts, result.Excluded = attempts, append(result.Excluded, excluded...)
	}
	return result, a.result, err
}

// adding is a call of [Add].
type adding struct {
	at     target.Target
	cfg    build.Config
	choose func(*catalog.Catalog) []string
	stdin  string // a file with the content of cfg.Stdin; "" if standard input is not a source
	result *build.Result

	generation string // the current generation of the target in the last attempt
}

// saveStdin saves standard input to a file if it is a source, because each attempt reads it again.
func (a *adding) saveStdin() error {
	if !slices.Contains(a.cfg.Sources, "-") {
		return nil
	}
	f, err := os.Create(filepath.Join(a.cfg.Site.Temp(), "stdin"))
	if err != nil {
		return err
	}
	a.stdin = f.Name()
	_, err = io.Copy(f, a.cfg.Stdin)
	return errors.Join(err, f.Close())
}

// changesPolicy reports whether the gallery gets another policy than that of its catalogue, or
// loses it.
func (a *adding) changesPolicy(old *catalog.Catalog) bool {
	next := a.cfg.Settings.Policy
	return next != "" && next != old.Settings.Policy || old.Settings.Policy != "" && slices.Contains(a.cfg.Drop, "policy")
}

// build returns the catalogue of the gallery with the added versions.
func (a *adding) build(ctx context.Context, old State) (*catalog.Catalog, error) {
	if err := refuseView(a.at.String(), old.Catalog); err != nil {
		return nil, err
	}
	cfg := a.cfg
	a.generation = old.Generation
	cfg.Old = func() (*catalog.Catalog, error) { return old.Catalog, nil }
	cfg.Settings = catalog.Settings{Render: render.Version, Policy: a.cfg.Settings.Policy} // the others stay
	if a.choose != nil {
		cfg.Sources = a.choose(old.Catalog)
		if len(cfg.Sources) == 0 && (old.IsZero() || !a.changesPolicy(old.Catalog)) {
			a.result = &build.Result{Catalog: old.Catalog, Report: build.Report{Refused: []build.Problem{}, Warnings: []build.Problem{}}}
			if old.IsZero() { // and there stays no gallery
				return nil, ErrNoneAccepted
			}
			return old.Catalog, nil
		}
	}
	if a.stdin != "" {
		f, err := os.Open(a.stdin)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		cfg.Stdin = f
	}
	var err error
	if a.result, err = build.Run(ctx, cfg); err != nil {
		return nil, err
	}
	switch refused := len(a.result.Report.Refused) > 0; {
	case refused && cfg.Strict:
		return nil, ErrStrict
	case refused && len(a.result.Report.Added) == 0:
		return nil, ErrNoneAccepted
	}
	return a.result.Catalog, nil
}
