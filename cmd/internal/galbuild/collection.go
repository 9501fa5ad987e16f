package galbuild

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"
	"time"

	"galbuild/build/collect"
	"galbuild/build/collect/lock"
	"galbuild/build/policy"
	"galbuild/build/retry"
	"galbuild/build/upstream"
	"galbuild/build/vsix"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
)

// A collection is the folder of packages that a command writes, and what it is written from.
type collection struct {
	env        *env
	dir        string
	flags      *upstreamFlags
	jobs       int
	dryRun     bool
	now        time.Time
	limits     vsix.Limits
	policy     *policy.Policy
	companions []collect.Companion
	vets       bool // what is downloaded is vetted
	scan       scanFlags

	folder    *collect.Folder // nil for a dry run
	old       *lock.Lock      // of the folder; nil if there is none
	settings  lock.Settings
	requests  []collect.Request
	ids       []string // of all extensions, with which those of new ones are compared
	client    *retry.Client
	upstreams []upstream.Upstream
	address   func(string) (upstream.Upstream, error)
	bar       *progress
}

// open opens the folder, unless it is for a dry run, and the upstreams.
func (r *collection) open() (err error) {
	r.bar = newProgress(r.env)
	if !r.dryRun {
		if r.folder, err = collect.OpenFolder(r.dir); err != nil {
			return err
		}
		if err := r.readLock(); err != nil { // another process may have replaced it
			return err
		}
	}
	return r.openUpstreams()
}

// readLock reads the lock of the folder.
func (r *collection) readLock() (err error) {
	if r.old, err = collect.ReadLock(r.dir); err != nil {
		return hint.Add(err, "restore it, for example from version control, or remove it to choose all versions again")
	}
	return nil
}

func (r *collection) close() {
	if r.bar != nil {
		r.bar.close()
	}
	if r.folder != nil {
		_ = r.folder.Close() // everything has been written
	}
}

// planConfig returns the settings of the plan.
func (r *collection) planConfig() collect.Config {
	c := collect.Config{
		Upstreams: r.upstreams, Address: r.address,
		Engines: r.settings.Engines, Platforms: r.settings.Platforms, PreReleases: r.settings.PreReleases, Keep: r.settings.Keep,
		Packs: r.settings.Packs, Policy: r.policy, Lock: r.old, State: collect.ReadState(r.dir), Now: r.now,
		Progress: r.bar.showLookUp,
	}
	if c.State == nil {
		c.State = new(collect.State)
	}
	if r.policy != nil {
		c.Packs = c.Packs || r.policy.Collect.Packs
	}
	return c
}

func (r *collection) fetchConfig() (collect.FetchConfig, error) {
	pictures, err := r.pictureClient()
	c := collect.FetchConfig{
		Client: r.client, PictureClient: pictures, Pictures: r.settings.Pictures, Limits: r.limits, Jobs: r.jobs, Now: r.now, Log: r.env.log,
		Upstreams: r.upstreams, Companions: r.companions, Progress: r.bar.showFetch,
	}
	if err == nil && r.vets {
		c.Vet, err = r.vetter()
	}
	return c, err
}

// plan asks the upstreams, and returns the plan for what is requested.
func (r *collection) plan(ctx context.Context) (*collect.Plan, error) {
	defer r.bar.close()
	return collect.MakePlan(ctx, r.requests, r.planConfig())
}

// carryOut prints a plan, and fetches its packages unless this is a dry run.
func (r *collection) carryOut(ctx context.Context, plan *collect.Plan, dryRun bool) error {
	result := newCollected(r.dir, plan)
	result.DryRun = dryRun
	r.suggest(ctx, result)
	r.env.printPlan(result, plan)
	if dryRun || len(plan.Entries) == 0 && len(plan.Missing) > 0 { // an outage must not empty a folder
		return r.end(result)
	}
	fetched, err := r.fetch(ctx, plan)
	if err != nil {
		return err
	}
	result.add(fetched)
	return r.end(result)
}

// fetch fetches the packages of a plan.
func (r *collection) fetch(ctx context.Context, plan *collect.Plan) (*collect.Fetched, error) {
	r.ids = r.idsOf(plan)
	c, err := r.fetchConfig()
	if err != nil {
		return nil, err
	}
	defer r.bar.close()
	return r.folder.Fetch(ctx, plan, &lock.Lock{Settings: r.settings, Requests: collect.LockRequests(r.requests)}, c)
}

// carryOutLock fetches the packages of a lock unless this is a dry run.
func (r *collection) carryOutLock(ctx context.Context, l *lock.Lock, dryRun bool) error {
	plan := &collect.Plan{}
	for _, e := range l.Entries {
		plan.Entries = append(plan.Entries, collect.Planned{Entry: e, Status: collect.Same})
	}
	result := newCollected(r.dir, plan)
	if result.DryRun = dryRun; dryRun {
		r.env.printPlan(result, plan)
		return r.end(result)
	}
	c, err := r.fetchConfig()
	if err != nil {
		return err
	}
	fetched, err := r.folder.FetchLocked(ctx, l, c)
	r.bar.close()
	if err != nil {
		return err
	}
	result.add(fetched)
	return r.end(result)
}

// end prints the result, and returns an error if the collection is not complete.
func (r *collection) end(result *collected) error {
	if err := r.env.printCollected(result); err != nil {
		return err
	}
	refused := 0
	for _, f := range result.Failed {
		if f.Rule != "" {
			refused++
		}
	}
	switch missing, failed := len(result.Missing), len(result.Failed); {
	case failed > 0 && failed == refused:
		return hint.Add(fmt.Errorf("the policy refuses %s; the others are in %s", plural(refused, "package"), r.dir),
			"--json has all findings; what somebody has reviewed, the key vet.except of the policy lets in")
	case failed > 0:
		return hint.Add(fmt.Errorf("%s failed; the others are in %s", plural(failed, "download"), r.dir), "run the command again; what has been downloaded is kept")
	case missing > 0:
		var ids []string
		for _, m := range result.Missing {
			ids = append(ids, m.ID)
		}
		slices.Sort(ids)
		ids = slices.Compact(ids)
		return fmt.Errorf("%s cannot be had: %s", plural(len(ids), "extension"), firstOf(ids, 5))
	}
	return nil
}

// isForbidden reports whether a file cannot be written because of its permissions or of the file
// system.
func isForbidden(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// printTerms prints what a user must know before downloading from an upstream.
func (r *collection) printTerms(terms string) {
	if terms != "" && !r.env.quiet {
		terminal.Fprintf(r.env.stderr, "galbuild: %s\n", terms)
	}
}
