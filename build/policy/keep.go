package policy

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"galbuild/build/catalog"
	"galbuild/build/npmsemver"
)

// RuleKeep is the rule of exclusions by the key keep.
const RuleKeep = "keep"

// Grace returns how long the files of a version are still served after the rule keep dropped it.
func (p *Policy) Grace() time.Duration {
	if p.keep == nil {
		return 0
	}
	return p.keep.grace
}

// newestFirst sorts versions of one extension by semantic version.
func newestFirst(group []*Candidate) {
	parsed := make(map[*Candidate]*semver.Version, len(group))
	for _, c := range group {
		v, err := semver.StrictNewVersion(c.Version.Version)
		if err != nil { // no catalogue has such a version
			v = semver.New(0, 0, 0, "0", "")
		}
		parsed[c] = v
	}
	slices.SortFunc(group, func(a, b *Candidate) int {
		return cmp.Or(parsed[b].Compare(parsed[a]), strings.Compare(a.Key, b.Key))
	})
}

// A channel is what an editor chooses a version from: the releases or pre-releases for a platform.
type channel struct {
	platform   string
	preRelease bool
}

// channels returns the versions of each channel of an extension, newest first as in group.
func channels(group []*Candidate) map[channel][]*Candidate {
	all := make(map[channel][]*Candidate)
	for _, c := range group {
		k := channel{c.Version.Platform, c.Version.PreRelease}
		all[k] = append(all[k], c)
	}
	return all
}

// protect marks the versions of an extension that are never dropped: pinned ones, and of each
// channel the newest, and the newest that each engine can run. So the only version of a channel is
// never dropped.
func (k *keepRule) protect(group []*Candidate, protected map[*Candidate]bool) {
	for _, versions := range channels(group) {
		protected[versions[0]] = true
		if k == nil {
			continue
		}
		for _, engine := range k.engines {
			if i := slices.IndexFunc(versions, func(c *Candidate) bool { return runs(engine, c.Version) }); i >= 0 {
				protected[versions[i]] = true
			}
		}
	}
	if k == nil {
		return
	}
	for _, c := range group {
		id, _ := names(c.Key)
		if slices.ContainsFunc(k.pinned[id], func(id catalog.ID) bool { return id.Matches(c.Version) }) {
			protected[c] = true
		}
	}
}

// runs reports whether a version of VS Code can run a version of an extension.
func runs(engine string, v *catalog.Version) bool {
	needs, ok := v.Property(catalog.PropertyEngine)
	if !ok {
		return true
	}
	accepted, err := npmsemver.ParseLooseRange(needs)
	return err == nil && accepted.Contains(engine)
}

// apply returns the versions of an extension that the rule keeps.
func (k *keepRule) apply(r *Result, group []*Candidate, protected map[*Candidate]bool, now time.Time) []*Candidate {
	if k == nil {
		return group
	}
	kept := make(map[*Candidate]bool)
	for _, versions := range channels(group) {
		for i, c := range versions {
			if protected[c] || i < k.last {
				kept[c] = true
				continue
			}
			if until := dateOf(c).Add(k.newerThan); now.Before(until) {
				kept[c] = true
				r.changesAt(until)
				continue
			}
			r.exclude(c, RuleKeep, k.line, "%s is older than the versions to keep", idWithin(c.Version))
		}
	}
	return slices.DeleteFunc(group, func(c *Candidate) bool { return !kept[c] })
}

// dateOf returns the date of a version.
func dateOf(c *Candidate) time.Time {
	if !c.Published.IsZero() {
		return c.Published
	}
	return c.Version.Updated
}

// apply returns the versions of an extension within the limit of their number. The platforms of a
// version count as one. Versions that are never dropped come before others, then newer ones.
func (l *limitRules) apply(r *Result, group []*Candidate, protected map[*Candidate]bool) []*Candidate {
	m := l.versionsPerExtension
	if m.line == 0 {
		return group
	}
	var order, others []string
	isProtected := make(map[string]bool) // for one of its platforms
	for _, c := range group {
		isProtected[c.Version.Version] = isProtected[c.Version.Version] || protected[c]
	}
	for _, c := range group {
		switch v := c.Version.Version; {
		case slices.Contains(order, v) || slices.Contains(others, v):
		case isProtected[v]:
			order = append(order, v)
		default:
			others = append(others, v)
		}
	}
	order = append(order, others...)
	order = order[:min(int64(len(order)), m.most)]
	return slices.DeleteFunc(group, func(c *Candidate) bool {
		out := !slices.Contains(order, c.Version.Version)
		if out {
			r.exclude(c, "limits.versionsPerExtension", m.line, "the extension has more than %d versions", m.most)
		}
		return out
	})
}

// applyTotal excludes the packages that do not fit into the limit of all together. Versions
// that are served take precedence over new ones, then those that are never dropped, then those with
// fewer newer versions.
func (l *limitRules) applyTotal(r *Result, all []*Candidate, protected map[*Candidate]bool) {
	if l.total.line == 0 {
		return
	}
	newer := make(map[*Candidate]int, len(all))
	for _, group := range byExtension(slices.Clone(all)) {
		for i, c := range group {
			newer[c] = i
		}
	}
	slices.SortFunc(all, func(a, b *Candidate) int {
		return cmp.Or(compareBool(a.Served, b.Served), compareBool(protected[a], protected[b]), cmp.Compare(newer[a], newer[b]), strings.Compare(a.Key, b.Key))
	})
	var total int64
	for _, c := range all {
		if total+c.Size > l.total.most {
			r.exclude(c, "limits.total", l.total.line, "the package has %s, and only %s of %s are left", bytesOf(c.Size), bytesOf(l.total.most-total), bytesOf(l.total.most))
			continue
		}
		total += c.Size
	}
}

// compareBool orders true before false.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}
