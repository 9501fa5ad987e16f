package policy

import (
	"slices"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/jsonc"
)

// Collect is what a policy says about collecting packages from upstreams.
type Collect struct {
	Packs bool // the members of packs are collected too
}

func (r *reader) readCollect(f jsonc.Field) (c Collect) {
	for _, x := range r.Members(f, "packs") {
		c.Packs = r.Bool(x)
	}
	return c
}

// Platforms returns the target platforms that may enter, or nil for all.
func (p *Policy) Platforms() []string {
	if p.platforms == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(p.platforms.values), func(s string) bool { return s == catalog.Universal })
}

// Check applies the rules that look at one version to a candidate, and not those that compare
// versions.
func (p *Policy) Check(c Candidate, now time.Time) (x Exclusion, excluded bool) {
	return p.check(&c, now)
}
