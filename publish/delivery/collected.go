package delivery

import (
	"slices"

	"galbuild/build"
	"galbuild/build/collect"
	"galbuild/build/collect/lock"
	"galbuild/build/stats"
	"galbuild/publish/delivery/report"
)

// Collected is what a collection has found.
type Collected struct {
	Lock *lock.Lock
	// Statistics are those that upstreams state. They are nil if none are wanted or stated.
	Statistics *stats.Import
	Held       []report.Held
	Withdrawn  []report.Withdrawn
	Missing    []report.Missing
	Refused    []build.Problem // packages that could not be fetched
}

// NewCollected returns what a plan and its downloads say.
func NewCollected(p *collect.Plan, f *collect.Fetched) *Collected {
	c := &Collected{Lock: f.Lock}
	for _, h := range p.Held {
		c.Held = append(c.Held, report.Held{ID: h.ID + "@" + h.Version, Until: h.Until, Rule: h.Rule, Reason: h.Reason})
	}
	for i := range p.Entries {
		if e := &p.Entries[i]; e.Status == collect.Withdrawn {
			c.Withdrawn = append(c.Withdrawn, report.Withdrawn{ID: e.Key()})
		}
	}
	for _, m := range p.Missing {
		// The chain of a plan ends with what is missing.
		chain := slices.DeleteFunc(slices.Clone(m.Chain), func(id string) bool { return id == m.ID })
		c.Missing = append(c.Missing, report.Missing{ID: m.ID, Chain: chain, Reason: m.Reason})
	}
	for _, x := range f.Failed {
		e := lock.Entry{ID: x.ID, Version: x.Version, Platform: x.Platform}
		reason := x.Reason
		if x.Kept != "" {
			reason += "; " + x.Kept + " stays"
		}
		c.Refused = append(c.Refused, build.Problem{File: e.String(), Reason: reason})
	}
	return c
}
