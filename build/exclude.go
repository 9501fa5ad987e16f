package build

import (
	"slices"
	"strings"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/policy"
)

// Excluded is a version that a decision or the policy keeps out of the gallery.
type Excluded struct {
	ID      string    `json:"id"`                // publisher.name@version[@platform]
	Kind    string    `json:"kind"`              // of the decision, KindPolicy or KindQuarantine
	Subject string    `json:"subject,omitempty"` // of the decision
	When    time.Time `json:"when,omitzero"`     // zero if only the control manifest says so
	By      string    `json:"by,omitempty"`      // who decided, if it is known
	Reason  string    `json:"reason,omitempty"`

	// Of the policy:
	Rule  string    `json:"rule,omitempty"`
	Line  int       `json:"line,omitempty"`
	Until time.Time `json:"until,omitzero"` // when minimumAge will admit it; zero if that is not the reason

	// Of the rules that an approval can satisfy: the hash of the package, and what was found in
	// it.
	SHA256   blob.Ref          `json:"sha256,omitzero"`
	Findings []catalog.Finding `json:"findings,omitempty"`
}

// IsByPolicy reports whether the policy keeps the version out, and not a decision.
func (x *Excluded) IsByPolicy() bool { return x.Kind == KindPolicy || x.Kind == KindQuarantine }

// excludedByPolicy describes a version that a rule keeps out.
func excludedByPolicy(x *policy.Exclusion, v *catalog.Version) Excluded {
	made := Excluded{
		ID: x.Key, Kind: KindPolicy, Rule: x.Rule, Line: x.Line, Reason: x.Detail, Until: x.Until, Findings: x.Findings,
	}
	if x.Quarantine {
		made.Kind = KindQuarantine
	}
	if x.Quarantine || x.Rule == policy.RuleApprovals {
		made.SHA256 = v.Package.Ref
	}
	return made
}

// newExcluded describes a version that a decision keeps out.
func newExcluded(key string, r *catalog.Record) Excluded {
	x := Excluded{ID: key, Kind: r.Kind, Subject: r.Subject.String(), When: r.When}
	if p := r.Private; p != nil {
		x.By, x.Reason = p.By, p.Reason
	}
	return x
}

// decide deletes the versions that the decisions in force keep out. It returns them, sorted by key.
func decide(set *decision.Set, versions map[string]identified) []Excluded {
	if set.IsEmpty() {
		return nil
	}
	var all []Excluded
	for key, x := range versions {
		if out := set.Out(key, x.version.Package.Ref); len(out) > 0 {
			all = append(all, newExcluded(key, out[0]))
			delete(versions, key)
		}
	}
	return sortExcluded(all)
}

// sortExcluded sorts by key, and removes duplicates.
func sortExcluded(all []Excluded) []Excluded {
	slices.SortFunc(all, func(a, b Excluded) int { return strings.Compare(a.ID, b.ID) })
	return slices.CompactFunc(all, func(a, b Excluded) bool { return a.ID == b.ID })
}

// restorable returns the subjects of the decisions that keep a version out, if it was only removed.
// A version that is blocked must be unblocked on purpose.
func restorable(set *decision.Set, key string, v *catalog.Version) (subjects []catalog.Subject) {
	for _, r := range set.Out(key, v.Package.Ref) {
		if r.Kind != decision.Removed {
			return nil
		}
		subjects = append(subjects, r.Subject)
	}
	return subjects
}
