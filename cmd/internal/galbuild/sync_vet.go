package galbuild

import (
	"context"
	"slices"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/policy"
	"galbuild/build/vet"
	"galbuild/publish/delivery"
)

// scannerTimeout is how long a scanner may need for a package.
const scannerTimeout = 10 * time.Minute

// vetter returns a function that vets packages which the site does not have yet. If the policy says
// what follows from findings, the build vets them too, so that only what the build does not do is
// added: scanners and advisories.
func (s *syncCmd) vetter(e *env, file *delivery.File, p *policy.Policy) func(context.Context, []string) (map[string][]catalog.Finding, error) {
	all := p == nil || !p.Vets()
	if !all && len(file.Vet.Scanners) == 0 && file.Vet.OSV == "" {
		return nil
	}
	return func(ctx context.Context, packages []string) (map[string][]catalog.Finding, error) {
		v := &vetCmd{
			Sources: packages, scanFlags: scanFlags{OSV: file.Vet.OSV, Scanner: file.Vet.Scanners, ScannerTimeout: scannerTimeout}, limitFlags: s.limitFlags,
			verdictFlags: verdictFlags{By: s.By, clockFlag: s.clockFlag, recordKeyFlags: s.recordKeyFlags},
		}
		if all && isSite(file.Site) {
			v.Against = file.Site
		}
		result, err := v.vet(ctx, e)
		found := make(map[string][]catalog.Finding)
		for _, p := range result.Packages {
			found[p.ID] = findingsFor(p.Findings, all)
		}
		return found, err
	}
}

// findingsFor returns findings as a report has them: those of severity low only from checks that
// the build does not make, and not that an extension is new.
func findingsFor(found []vet.Finding, all bool) (kept []catalog.Finding) {
	isNew := vet.Compare(nil, nil)
	for _, f := range found {
		if slices.Contains(isNew, f) {
			continue
		}
		if slices.Contains(vet.External(), f.Rule) || all && f.Severity > vet.Low {
			kept = append(kept, catalog.Finding{Rule: f.Rule, Severity: f.Severity.String(), Detail: f.Detail, File: f.File, Line: f.Line, Evidence: f.Evidence})
		}
	}
	return kept
}
