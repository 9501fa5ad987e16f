package build

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/rogpeppe/go-internal/diff"

	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/policy"
)

// Kinds of an [Excluded] version that the policy keeps out.
const (
	KindPolicy     = "policy"
	KindQuarantine = "quarantine" // until somebody approves its package
)

// PolicyChange is what a command does with the policy of a gallery. The zero value leaves it as it
// is.
type PolicyChange struct {
	Text   string // the new policy; "" if there is none
	Drop   bool   // the gallery has no policy afterwards
	Accept bool   // the new policy may take versions out of the gallery
}

// IsZero reports whether the policy stays as it is.
func (p PolicyChange) IsZero() bool { return p.Text == "" && !p.Drop }

// In returns the policy that a gallery with the policy own has after the change.
func (p PolicyChange) In(own string) string {
	if p.Drop {
		return ""
	}
	return cmp.Or(p.Text, own)
}

// DiffPolicies returns how another policy differs from the one that decides, as a unified diff. It
// is "" if they are the same.
func DiffPolicies(own, other string) string {
	return string(diff.Diff("policy of the gallery", []byte(own), "other policy", []byte(other)))
}

// A PolicyError is returned if a new policy would take versions out of a gallery, and
// PolicyChange.Accept is not set.
type PolicyError struct {
	Excluded []Excluded // those versions, sorted by id
}

// Error implements error.
func (e *PolicyError) Error() string {
	versions := "1 version"
	if n := len(e.Excluded); n > 1 {
		versions = fmt.Sprintf("%d versions", n)
	}
	return fmt.Sprintf("the new policy takes %s out of the gallery, and nobody has accepted that", versions)
}

// check returns a [*PolicyError] if the policy of next is not that of old and keeps out versions of
// old, unless that is accepted.
func (p PolicyChange) check(old, next *catalog.Catalog, excluded []Excluded) error {
	if p.Accept || old.Policy == next.Policy {
		return nil
	}
	served := make(map[string]bool)
	for key := range old.Versions() {
		served[key] = true
	}
	taken := slices.DeleteFunc(slices.Clone(excluded), func(x Excluded) bool { return !x.IsByPolicy() || !served[x.ID] })
	if len(taken) == 0 {
		return nil
	}
	return &PolicyError{taken}
}

// rules are what keeps versions out of a catalogue.
type rules struct {
	decisions *decision.Set
	policy    *policy.Policy // nil if the gallery has none
	kept      bool           // what is served has the same policy
	now       time.Time

	attestations *decision.Attestations
	packages     []catalog.Package            // what was found in them; nil where packages are not read
	warned       map[string][]catalog.Finding // by key, after exclude: findings that are warnings
}

// newRules returns the rules of a gallery with these records and settings. served is the policy of
// what is served.
func newRules(records []catalog.Record, s catalog.Settings, served string, now time.Time) (*rules, error) {
	r := &rules{decisions: decision.In(records, s.Control), kept: s.Policy == served, now: now}
	var err error
	if r.policy, err = parsePolicy(s); r.policy != nil {
		r.attestations = decision.NewAttestations(records, r.policy.Keys)
	}
	return r, err
}

// parsePolicy returns the policy of a gallery, or nil if it has none.
func parsePolicy(s catalog.Settings) (*policy.Policy, error) {
	if s.Policy == "" {
		return nil, nil
	}
	p, err := policy.Parse(policyName, []byte(s.Policy))
	if err != nil {
		return nil, fmt.Errorf("the policy of the gallery: %w", err)
	}
	return p, nil
}

// policyName is the name of the policy in errors about the one of a gallery, whose file is unknown.
const policyName = "policy"

// exclude is the one place where decisions and the policy act on versions: it deletes those that
// they keep out, and returns them, sorted by key. Every command that makes a catalogue calls it.
// served has the versions of the generation that is served, by key. next is when the policy will
// keep out other versions although nothing else changes, or zero.
func (r *rules) exclude(versions map[string]identified, served map[string]identified) (excluded []Excluded, next time.Time) {
	excluded = decide(r.decisions, versions)
	if r.policy == nil {
		return excluded, time.Time{}
	}
	candidates := r.candidates(versions, served)
	result := r.policy.Evaluate(candidates, r.now)
	for _, x := range result.Excluded {
		v, ok := versions[x.Key]
		if !ok {
			continue
		}
		excluded = append(excluded, excludedByPolicy(&x, v.version))
		delete(versions, x.Key)
	}
	r.warn(candidates, versions)
	return sortExcluded(excluded), result.Next
}

// candidates returns what the policy decides about, sorted by id and version.
func (r *rules) candidates(versions, served map[string]identified) (all []policy.Candidate) {
	groups := groupByExtension(versions)
	for _, group := range groups {
		e := newExtension(group)
		for i := range e.Versions {
			v := &e.Versions[i]
			key := catalog.Key(v.Publisher, v.Name, v.Version, v.Platform)
			was, ok := served[key]
			isServed := ok && sameContent(was.version, v)
			c := policy.NewCandidate(key, e, v, isServed)
			c.Admitted = isServed && r.kept
			c.Approvals, c.Verdicts = r.attestationsOf(v.Package.Ref)
			all = append(all, c)
		}
	}
	r.addFindings(all, idsOf(groups))
	return all
}

// keepFirstSeenOf returns packages with those of the versions that are kept out, so that it is
// known when they were first seen if they are admitted later. all has these versions by key.
func keepFirstSeenOf(packages []catalog.Package, excluded []Excluded, all map[string]identified) []catalog.Package {
	var more []catalog.Package
	for _, x := range excluded {
		if v := all[x.ID].version; v != nil && !v.Package.Ref.IsZero() {
			more = append(more, catalog.Package{SHA256: v.Package.Ref, ID: x.ID, Seen: v.Seen, Licence: v.Licence, Signed: v.Signed})
		}
	}
	slices.SortFunc(more, catalog.ComparePackages)
	return catalog.MergePackages(packages, more)
}
