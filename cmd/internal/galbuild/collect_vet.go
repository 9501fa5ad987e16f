package galbuild

import (
	"context"
	"fmt"
	"path/filepath"

	"galbuild/build"
	"galbuild/build/catalog"
	"galbuild/build/collect"
	"galbuild/build/collect/lock"
	"galbuild/build/policy"
	"galbuild/build/vet"
	"galbuild/cmd/internal/terminal"
)

// vetter returns the function that vets the packages of a collection as the policy says.
func (r *collection) vetter() (func(context.Context, collect.Vetting) (*policy.Exclusion, []catalog.Finding, error), error) {
	advisories, err := r.scan.advisories()
	if err != nil {
		return nil, err
	}
	v, err := build.NewFileVetter(r.policy, r.limits, vet.Options{Advisories: advisories})
	if err != nil {
		return nil, err
	}
	v.Names = vet.NewNames(r.ids, vet.Popular())
	return func(ctx context.Context, p collect.Vetting) (*policy.Exclusion, []catalog.Finding, error) {
		found, err := r.scan.scan(ctx, p.Path, func(vet.Verdict, error) error { return nil })
		if err != nil {
			return nil, nil, err
		}
		excluded, all, err := v.Vet(build.FileToVet{Path: p.Path, Beside: p.Name, Older: p.Older, IsNew: p.IsNew, More: found})
		if err != nil {
			err = fmt.Errorf("the package cannot be vetted: %w", err)
		}
		return excluded, all, err
	}, nil
}

// idsOf returns the ids of a plan, and of the lock of the folder.
func (r *collection) idsOf(plan *collect.Plan) (ids []string) {
	for i := range plan.Entries {
		ids = append(ids, plan.Entries[i].ID)
	}
	if r.old != nil {
		for i := range r.old.Entries {
			ids = append(ids, r.old.Entries[i].ID)
		}
	}
	return ids
}

// someFindings is how many findings of a package are printed without -v.
const someFindings = 3

// printVetted prints what was found in packages that are in the folder.
func (e *env) printVetted(c *collected) {
	for i := range c.Vetted {
		v := &c.Vetted[i]
		name := (&lock.Entry{ID: v.ID, Version: v.Version, Platform: v.Platform}).String()
		switch v.Action {
		case policy.Quarantine.String():
			terminal.Fprintf(e.stderr, "galbuild: in quarantine: %s: %s (%s, line %d of the policy); galbuild approve %s %s --key FILE lets it into a gallery\n",
				name, v.Reason, v.Rule, v.Line, name, filepath.Clean(c.Folder))
		case policy.Warn.String():
			e.printVetWarnings(name, v.Findings)
		}
	}
}

func (e *env) printVetWarnings(name string, findings []catalog.Finding) {
	for i, f := range findings {
		if i == someFindings && !e.verbose {
			terminal.Fprintf(e.stderr, "galbuild: warning: %s: and %d more findings; -v prints them all\n", name, len(findings)-i)
			return
		}
		terminal.Fprintf(e.stderr, "galbuild: warning: %s: %s (%s): %s\n", name, policy.RuleVet+f.Rule, f.Severity, f.String())
	}
}
