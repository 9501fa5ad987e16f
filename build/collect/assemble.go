package collect

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/collect/lock"
)

// assemble makes the plan of a closure that is complete.
func (x *closure) assemble() *Plan {
	p := &Plan{Entries: []Planned{}, Missing: []Missing{}, Held: []Held{}, Unwanted: []lock.Entry{}, Warnings: []string{}}
	p.Missing, p.Warnings = append(p.Missing, x.missing...), append(p.Warnings, x.warnings...)
	for _, id := range slices.Sorted(maps.Keys(x.nodes)) {
		n := x.nodes[id]
		begin := len(p.Entries)
		for _, g := range x.gather(n) {
			p.Entries = append(p.Entries, g.planned(x.Config))
			p.Warnings = append(p.Warnings, g.warnings()...)
		}
		slices.SortFunc(p.Entries[begin:], func(a, b Planned) int { return lock.Compare(a.Entry, b.Entry) })
		p.Missing = append(p.Missing, n.missing()...)
		p.Held = append(p.Held, n.allHeld()...)
		p.Warnings = append(p.Warnings, n.allWarnings()...)
	}
	slices.SortStableFunc(p.Missing, func(a, b Missing) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), strings.Compare(a.Reason, b.Reason), slices.Compare(a.Chain, b.Chain))
	})
	p.Missing = slices.CompactFunc(p.Missing, func(a, b Missing) bool {
		return a.ID == b.ID && a.Reason == b.Reason && slices.Equal(a.Chain, b.Chain)
	})
	slices.Sort(p.Warnings)
	p.Warnings = slices.Compact(p.Warnings)
	x.compare(p)
	return p
}

// gathered is a package of the plan, with everybody who wants it.
type gathered struct {
	choice
	by    map[string]bool
	exact bool // it is of a lock that is an argument
}

// gather returns the packages of an extension by their keys.
func (x *closure) gather(n *node) []*gathered {
	all := make(map[string]*gathered)
	for _, found := range n.wants {
		for _, c := range found.chosen {
			g := all[c.key()]
			if g == nil {
				g = &gathered{choice: c, by: make(map[string]bool)}
				all[c.key()] = g
			}
			if g.release == nil && c.release != nil {
				g.choice = c
			}
			maps.Copy(g.by, found.by)
		}
	}
	for k, e := range n.exact {
		g := all[k]
		if g == nil {
			g = &gathered{by: make(map[string]bool)}
			all[k] = g
		}
		g.choice, g.exact = choice{entry: e}, true
		for _, by := range e.WantedBy {
			g.by[by] = true
		}
	}
	if x.pinned(n.id) && !n.lookedUp {
		x.keepReasons(n, all)
	}
	list := make([]*gathered, 0, len(all))
	for _, k := range slices.Sorted(maps.Keys(all)) {
		if len(all[k].by) > 0 {
			list = append(list, all[k])
		}
	}
	return list
}

// keepReasons sets who wants the packages of an extension that stays as it is locked. It is not
// known which of its versions somebody wanted, so each keeps those who wanted it and still want the
// extension, and gets those who have not wanted the extension before.
func (x *closure) keepReasons(n *node, all map[string]*gathered) {
	now, before := make(map[string]bool), make(map[string]bool)
	for _, found := range n.wants {
		maps.Copy(now, found.by)
	}
	for _, e := range x.locked[n.id] {
		for _, by := range e.WantedBy {
			before[by] = true
		}
	}
	for k, e := range x.locked[n.id] {
		g := all[k]
		if g == nil {
			g = &gathered{choice: choice{entry: e}, by: make(map[string]bool)}
			all[k] = g
		}
		maps.DeleteFunc(g.by, func(by string, _ bool) bool { return before[by] })
		for _, by := range e.WantedBy {
			if now[by] {
				g.by[by] = true
			}
		}
	}
}

// planned returns the package as it is in the plan, as if the earlier lock had no other package of
// the extension.
func (g *gathered) planned(c *Config) Planned {
	var p Planned
	switch {
	case g.entry == nil:
		p.Entry, p.Status = g.listing.entry(g.release, c.Now), New
	default:
		p.Entry, p.Status = *g.entry, cmp.Or(g.status, Same)
	}
	if g.exact && !c.hasLocked(g.entry) {
		p.Status = New
	}
	if g.release != nil {
		p.Extension, p.Release, p.Upstream = g.listing.extension, g.release.Release, g.listing.upstream
	}
	p.WantedBy = slices.Sorted(maps.Keys(g.by))
	return p
}

func (c *Config) hasLocked(e *lock.Entry) bool {
	return c.Lock != nil && slices.ContainsFunc(c.Lock.Entries, func(other lock.Entry) bool { return lock.Compare(other, *e) == 0 && other.SHA256 == e.SHA256 })
}

// warnings says that a package is not offered any more, or with different content.
func (g *gathered) warnings() []string {
	switch {
	case g.status == Withdrawn:
		return []string{fmt.Sprintf("%s is locked, and no upstream offers it any more", g.entry)}
	case g.release == nil || g.entry == nil:
		return nil
	}
	if stated := g.release.Package.SHA256; !stated.IsZero() && stated != g.entry.SHA256 {
		return []string{fmt.Sprintf("%s: the lock has the SHA-256 %s, and %s states %s; the locked package stays", g.entry, g.entry.SHA256, g.listing.upstream.Name(), stated)}
	}
	return nil
}

// unsatisfied returns the wants for which something is missing, sorted.
func (n *node) unsatisfied() (all []want) {
	satisfied := make(map[group]bool)
	for w, found := range n.wants {
		satisfied[w.group] = satisfied[w.group] || len(found.chosen) > 0
	}
	for w, found := range n.wants {
		if len(found.chosen) == 0 && (!w.optional || !satisfied[w.group]) {
			all = append(all, w)
		}
	}
	slices.SortFunc(all, compareWants)
	return all
}

// missing returns why something is missing, with the shortest chain for each reason.
func (n *node) missing() (all []Missing) {
	reasons := make(map[string]Missing)
	explained := make(map[group]bool)
	for _, w := range n.unsatisfied() {
		if w.optional {
			if explained[w.group] {
				continue
			}
			explained[w.group] = true
			w = n.clearest(w)
		}
		found := n.wants[w]
		m, ok := reasons[found.reason]
		if !ok || len(found.chain) < len(m.Chain) || len(found.chain) == len(m.Chain) && slices.Compare(found.chain, m.Chain) < 0 {
			reasons[found.reason] = Missing{ID: n.id, Chain: found.chain, Reason: found.reason}
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		all = append(all, reasons[reason])
	}
	return all
}

// clearest returns the want whose reason explains best why nothing fits on any platform of its
// group: the first one for which the policy excludes something, or else w.
func (n *node) clearest(w want) want {
	for _, other := range slices.SortedFunc(maps.Keys(n.wants), compareWants) {
		if other.group == w.group && len(n.wants[other].held) > 0 {
			return other
		}
	}
	return w
}

// A heldVersion is reported once, although the policy may exclude its packages for several
// platforms.
type heldVersion struct{ version, rule, reason string }

// allHeld returns what the policy excludes.
func (n *node) allHeld() (all []Held) {
	held := make(map[heldVersion]*Held)
	for _, found := range n.wants {
		for _, r := range found.held {
			n.addHeld(held, r, slices.Sorted(maps.Keys(found.by)))
		}
	}
	for _, e := range n.excluded {
		n.addHeld(held, e.heldRelease, []string{e.source})
	}
	for _, h := range held {
		h.Platforms, h.WantedBy = unique(h.Platforms), unique(h.WantedBy)
		all = append(all, *h)
	}
	slices.SortFunc(all, func(a, b Held) int {
		return cmp.Or(lock.Compare(a.entry(), b.entry()), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Reason, b.Reason))
	})
	return all
}

func (n *node) addHeld(held map[heldVersion]*Held, r heldRelease, by []string) {
	x := r.exclusion
	v := heldVersion{r.version, x.Rule, x.Detail}
	h := held[v]
	if h == nil {
		h = &Held{ID: n.id, Version: r.version, Rule: x.Rule, Line: x.Line, Reason: x.Detail, Until: x.Until}
		held[v] = h
	}
	h.Locked = h.Locked || r.locked
	h.Platforms = append(h.Platforms, cmp.Or(r.platform, catalog.Universal))
	h.WantedBy = append(h.WantedBy, by...)
}

// unique sorts texts and removes duplicates.
func unique(all []string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}

// entry returns an entry with which lock.Compare orders versions.
func (h *Held) entry() lock.Entry { return lock.Entry{ID: h.ID, Version: h.Version} }

func (n *node) allWarnings() (all []string) {
	for _, found := range n.wants {
		all = append(all, found.warnings...)
		if found.failed && len(found.chosen) > 0 {
			all = append(all, fmt.Sprintf("%s stays as it is locked: %s", n.id, found.reason))
		}
	}
	return all
}

// compare sets the statuses of packages by comparing them with the earlier lock, and lists those
// that nothing wants any more. A new package is an update of one for the same platform and channel,
// if one was dropped, or else of any that was.
func (x *closure) compare(p *Plan) {
	dropped := x.dropped(p)
	added := make(map[string][]*Planned)
	for i := range p.Entries {
		if e := &p.Entries[i]; e.Status == New {
			id := strings.ToLower(e.ID)
			added[id] = append(added[id], e)
		}
	}
	for id, all := range dropped {
		left := replace(added[id], all, func(e *Planned, d *lock.Entry) bool { return e.Platform == d.Platform && e.PreRelease == d.PreRelease })
		left = replace(added[id], left, func(e *Planned, d *lock.Entry) bool { return e.PreRelease == d.PreRelease })
		left = replace(added[id], left, func(*Planned, *lock.Entry) bool { return true })
		for _, d := range left {
			if !p.holds(d) {
				p.Unwanted = append(p.Unwanted, *d)
			}
		}
	}
	slices.SortFunc(p.Unwanted, lock.Compare)
}

// replace makes new packages updates of those that were dropped, newest first, where same is true.
// It returns the dropped packages that no new one replaces.
func replace(added []*Planned, dropped []*lock.Entry, same func(*Planned, *lock.Entry) bool) (left []*lock.Entry) {
	for _, d := range dropped {
		replaced := false
		for _, e := range added {
			if !same(e, d) {
				continue
			}
			replaced = true
			if e.Status == New {
				e.Status, e.Replaces = Updated, d.Version
			}
		}
		if !replaced {
			left = append(left, d)
		}
	}
	return left
}

// dropped returns the packages of the earlier lock that are not in the plan, newest first, by
// lower-case id.
func (x *closure) dropped(p *Plan) map[string][]*lock.Entry {
	planned := make(map[string]bool)
	for i := range p.Entries {
		planned[strings.ToLower(p.Entries[i].String())] = true
	}
	dropped := make(map[string][]*lock.Entry)
	for id, entries := range x.locked {
		for _, e := range entries {
			if !planned[strings.ToLower(e.String())] {
				dropped[id] = append(dropped[id], e)
			}
		}
		slices.SortFunc(dropped[id], func(a, b *lock.Entry) int { return lock.Compare(*a, *b) })
	}
	return dropped
}

// holds reports whether the policy excludes a package that was dropped.
func (p *Plan) holds(e *lock.Entry) bool {
	return slices.ContainsFunc(p.Held, func(h Held) bool {
		return h.Locked && strings.EqualFold(h.ID, e.ID) && strings.EqualFold(h.Version, e.Version) && slices.Contains(h.Platforms, cmp.Or(e.Platform, catalog.Universal))
	})
}
