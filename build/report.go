package build

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/errmsg"
	"galbuild/build/source"
)

// Report is the result of a run, as --json prints it. Its lists are sorted.
type Report struct {
	Site       string     `json:"site"`
	Generation string     `json:"generation,omitempty"` // current after the run
	Previous   string     `json:"previous,omitempty"`   // current before the run, if it was a different one
	DryRun     bool       `json:"dryRun,omitempty"`
	Extensions int        `json:"extensions"`
	Versions   int        `json:"versions"`  // a version with three platforms counts three times
	Bytes      int64      `json:"bytes"`     // of all packages
	Read       int        `json:"read"`      // packages that were read in this run
	Unchanged  int        `json:"unchanged"` // packages that have not changed since the last run
	Added      []string   `json:"added"`     // keys of versions
	Removed    []string   `json:"removed"`
	Kept       []string   `json:"kept"`     // versions that the sources no longer have; Refused contains the reasons
	Excluded   []Excluded `json:"excluded"` // versions that decisions keep out
	Dropped    []string   `json:"dropped"`  // settings that the site had and has no longer, such as "base-url"
	Refused    []Problem  `json:"refused"`
	Warnings   []Problem  `json:"warnings"`
	Missing    []Missing  `json:"missing"`
	Findings   []Found    `json:"findings"` // of vetting, in versions that are in the gallery; Excluded has those of others
}

// Found is what was found in a version of which the policy only warns.
type Found struct {
	ID       string            `json:"id"` // publisher.name@version[@platform]
	Findings []catalog.Finding `json:"findings"`
}

// Problem is the reason why a source was refused, or a warning about it.
type Problem struct {
	File   string `json:"file"`
	Reason string `json:"reason"`

	// Unread means that the source could not be read. What is in it may be valid.
	Unread bool `json:"-"`
}

// repeated returns the report of another run with the same sources.
func (r Report) repeated() Report {
	r.Site, r.Generation, r.Previous, r.DryRun = "", "", "", false
	r.Unchanged, r.Read = r.Unchanged+r.Read, 0
	r.Added, r.Removed, r.Dropped = []string{}, []string{}, []string{}
	return r
}

// newReport returns the report of a run. old has the versions of the last generation by key;
// newReport deletes those that the new catalogue has too.
func newReport(old map[string]identified, assembled *assembly, problems []source.Problem) Report {
	r := Report{
		Extensions: len(assembled.catalog.Extensions),
		Dropped:    []string{},
		Refused:    []Problem{},
		Warnings:   append([]Problem{}, assembled.warnings...),
		Kept:       append([]string{}, slices.Sorted(slices.Values(assembled.kept))...),
		Excluded:   append([]Excluded{}, assembled.excluded...),
		Missing:    missing(assembled.catalog),
		Findings:   append([]Found{}, assembled.findings...),
	}
	for _, p := range problems {
		r.Refused = append(r.Refused, Problem{p.Name, errmsg.Text(p.Err), true})
	}
	for _, c := range assembled.candidates {
		r.addCandidate(&c)
	}
	r.addVersions(assembled.catalog, old)
	byFile := func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), strings.Compare(a.Reason, b.Reason))
	}
	slices.SortFunc(r.Refused, byFile)
	slices.SortFunc(r.Warnings, byFile)
	return r
}

func (r *Report) addCandidate(c *candidate) {
	if c.reused {
		r.Unchanged++
	} else {
		r.Read++
	}
	if c.excluded != nil && c.excluded.SHA256.IsZero() {
		return // otherwise somebody decides about it, and needs the warnings
	}
	if c.refused != nil {
		reason := c.refused.Error()
		if c.kept {
			reason += fmt.Sprintf("; the gallery keeps %s as it was until it is removed with galbuild remove", c.previousKey)
		}
		r.Refused = append(r.Refused, Problem{c.item.Name, reason, c.unreadable()})
		return
	}
	if c.item.Untrusted != "" {
		r.Warnings = append(r.Warnings, Problem{File: c.item.Name, Reason: "sidecar " + base(c.item.Untrusted) +
			" is left out: it is in an unpacked extension, whose files are not trusted"})
	}
	for _, w := range c.warnings {
		r.Warnings = append(r.Warnings, Problem{File: c.item.Name, Reason: w})
	}
}

// addVersions counts the versions, and lists those that were added or removed.
func (r *Report) addVersions(c *catalog.Catalog, old map[string]identified) {
	r.Added, r.Removed = []string{}, []string{}
	for key, x := range versions(c) {
		r.Versions++
		r.Bytes += x.version.Package.Size
		if _, ok := old[key]; !ok {
			r.Added = append(r.Added, key)
		}
		delete(old, key)
	}
	r.Removed = slices.AppendSeq(r.Removed, maps.Keys(old))
	slices.Sort(r.Added)
	slices.Sort(r.Removed)
}
