package galbuild

import (
	"context"
	"errors"
	"path/filepath"

	"galbuild/build/collect"
	"galbuild/build/collect/lock"
	"galbuild/build/policy"
	"galbuild/cmd/internal/hint"
	"galbuild/publish/delivery"
)

// newCollection returns the collection that a file describes. It reads the lock of the folder.
func (s *syncCmd) newCollection(e *env, file *delivery.File, rules *policy.Policy) (*collection, error) {
	c := file.Collect
	r := &collection{
		env: e, dir: file.Packages, jobs: s.Jobs, dryRun: s.DryRun, policy: rules, companions: c.With,
		vets:  rules != nil && rules.Vets(), // otherwise vetter looks at all that is new
		flags: &upstreamFlags{Rate: float64(c.Rate), Mirror: c.Mirrors, CA: s.CA, credentialFlags: s.credentialFlags},
		settings: lock.Settings{
			From: c.From, Engines: c.Engines, Platforms: c.Platforms, PreReleases: c.PreReleases, Keep: c.Keep, Packs: c.Packs, Pictures: c.Pictures,
		},
	}
	var err error
	if r.now, err = s.time(); err != nil {
		return nil, err
	}
	if r.limits, err = s.limits(); err != nil {
		return nil, err
	}
	if r.requests, err = collect.Parse(c.Requests, collect.ParseConfig{}); err != nil {
		return nil, err
	}
	for i := range r.requests {
		r.requests[i].Source = sourceFrom(s.File, r.requests[i].Source)
	}
	return r, r.readLock()
}

// sourceFrom returns the source of a request in a file as the lock has it: lists are relative to
// the file, so that the lock does not depend on where the command is run.
func sourceFrom(file, source string) string {
	if source == collect.CommandLine {
		return filepath.Base(file)
	}
	if rel, err := filepath.Rel(filepath.Dir(file), filepath.FromSlash(source)); err == nil {
		return filepath.ToSlash(rel)
	}
	return source
}

// collect fills the folder of packages.
func (s *syncCmd) collect(ctx context.Context, e *env, file *delivery.File, rules *policy.Policy) (*delivery.Collected, error) {
	collected, err := s.fetch(ctx, e, file, rules)
	return collected, explainCollect(err, file.Packages)
}

func (s *syncCmd) fetch(ctx context.Context, e *env, file *delivery.File, rules *policy.Policy) (*delivery.Collected, error) {
	r, err := s.newCollection(e, file, rules)
	if err != nil {
		return nil, err
	}
	defer r.close()
	if err := r.open(); err != nil {
		return nil, err
	}
	plan, err := r.plan(ctx)
	if err != nil {
		return nil, err
	}
	result := newCollected(r.dir, plan)
	r.suggest(ctx, result)
	e.printPlan(result, plan)
	fetched, err := r.fetch(ctx, plan)
	if err != nil {
		return nil, err
	}
	collected := delivery.NewCollected(plan, fetched)
	if file.Collect.Statistics {
		collected.Statistics, err = collect.ReadStatistics(r.dir)
	}
	return collected, err
}

// printCollection prints what would be collected.
func (s *syncCmd) printCollection(ctx context.Context, e *env, file *delivery.File) error {
	if file.Collect == nil {
		return hint.Add(errors.New("--dry-run: the file has no key collect"), "galbuild build %s -o %s --dry-run prints what would be built", file.Packages, file.Site)
	}
	rules, err := s.policy(file)
	if err != nil {
		return err
	}
	r, err := s.newCollection(e, file, rules)
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.open(); err != nil {
		return err
	}
	plan, err := r.plan(ctx)
	if err != nil {
		return explainCollect(err, file.Packages)
	}
	return r.carryOut(ctx, plan, true)
}
