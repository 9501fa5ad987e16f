package galbuild

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"galbuild/build/collect"
	"galbuild/build/collect/lock"
	"galbuild/build/similar"
	"galbuild/build/upstream"
	"galbuild/cmd/internal/terminal"
)

// collected is the JSON document of collect and of lock update.
type collected struct {
	Folder   string             `json:"folder"`
	DryRun   bool               `json:"dryRun"`
	Packages []collectedPackage `json:"packages"` // of the plan
	Missing  []collect.Missing  `json:"missing"`
	Held     []collect.Held     `json:"held"`
	Dropped  []string           `json:"dropped"` // packages that nothing wants any more
	Failed   []collect.Failed   `json:"failed"`
	Vetted   []collect.Vetted   `json:"vetted"`  // packages in which something was found
	Removed  []string           `json:"removed"` // files
	Warnings []string           `json:"warnings"`

	Downloaded int   `json:"downloaded"` // packages
	Bytes      int64 `json:"bytes"`
}

// collectedPackage is a package of a plan.
type collectedPackage struct {
	ID       string         `json:"id"`
	Version  string         `json:"version"`
	Platform string         `json:"platform,omitempty"`
	Status   collect.Status `json:"status"`
	Replaces string         `json:"replaces,omitempty"`
	Upstream string         `json:"upstream"`
	Address  string         `json:"address"`
	Size     int64          `json:"size"` // -1 if it is not known
	WantedBy []string       `json:"wantedBy"`
}

func newCollected(dir string, p *collect.Plan) *collected {
	c := &collected{
		Folder: dir, Packages: []collectedPackage{}, Missing: append([]collect.Missing{}, p.Missing...), Held: append([]collect.Held{}, p.Held...),
		Dropped: []string{}, Failed: []collect.Failed{}, Vetted: []collect.Vetted{}, Removed: []string{}, Warnings: append([]string{}, p.Warnings...),
	}
	for i := range p.Entries {
		e := &p.Entries[i]
		c.Packages = append(c.Packages, collectedPackage{
			ID: e.ID, Version: e.Version, Platform: e.Platform, Status: e.Status, Replaces: e.Replaces,
			Upstream: e.Entry.Upstream, Address: e.Address, Size: e.Size, WantedBy: e.WantedBy,
		})
	}
	for i := range p.Unwanted {
		c.Dropped = append(c.Dropped, p.Unwanted[i].String())
	}
	return c
}

// add adds what was done.
func (c *collected) add(f *collect.Fetched) {
	c.Failed = append(c.Failed, f.Failed...)
	c.Vetted = append(c.Vetted, f.Vetted...)
	c.Removed = append(c.Removed, f.Removed...)
	c.Warnings = append(c.Warnings, f.Warnings...)
	c.Downloaded, c.Bytes = len(f.Packages), f.Bytes
	stays := map[string]bool{} // because an earlier version needs it, whose update failed
	for i := range f.Lock.Entries {
		stays[f.Lock.Entries[i].String()] = true
	}
	c.Dropped = slices.DeleteFunc(c.Dropped, func(name string) bool { return stays[name] })
}

// name returns the id, version and platform of a package.
func (p *collectedPackage) name() string {
	return (&lock.Entry{ID: p.ID, Version: p.Version, Platform: p.Platform}).String()
}

// maxSuggested is for how many missing extensions similar ones are looked for.
const maxSuggested = 5

// suggest adds similar ids to the reasons of requested extensions that no upstream has.
func (r *collection) suggest(ctx context.Context, c *collected) {
	asked, failed := 0, map[string]bool{} // upstreams that cannot be asked are not asked again
	for i := range c.Missing {
		m := &c.Missing[i]
		if len(m.Chain) > 2 || asked == maxSuggested {
			continue
		}
		asked++
		_, name, _ := strings.Cut(m.ID, ".")
		var ids []string
		for _, u := range r.upstreams {
			if failed[u.Name()] {
				continue
			}
			found, err := u.List(ctx, upstream.Listing{Search: name, Top: 20})
			failed[u.Name()] = err != nil
			ids = append(ids, found...)
		}
		if !slices.ContainsFunc(ids, func(id string) bool { return strings.EqualFold(id, m.ID) }) {
			m.Reason += similar.Question(m.ID, ids)
		}
	}
}

// printPlan prints what will be in the folder and why, before anything is downloaded.
func (e *env) printPlan(c *collected, p *collect.Plan) {
	if e.quiet || e.json {
		return
	}
	same := 0
	for i := range c.Packages {
		x := &c.Packages[i]
		if x.Status == collect.Same && !e.verbose && !c.DryRun {
			same++
			continue
		}
		terminal.Fprintf(e.stdout, "%-8s %s\n", x.Status, x.describe())
	}
	for _, name := range c.Dropped {
		terminal.Fprintf(e.stdout, "%-8s %s, which nothing wants any more\n", "dropped", name)
	}
	for i := range c.Held {
		terminal.Fprintf(e.stdout, "%-8s %s\n", "held", describeHeld(&c.Held[i]))
	}
	for i := range c.Missing {
		terminal.Fprintf(e.stdout, "%-8s %s\n", "missing", describeMissing(&c.Missing[i]))
	}
	terminal.Fprintf(e.stdout, "%s\n", describePlan(c, p))
}

// describe returns what a package is, why it is there, from where, and how large it is.
func (p *collectedPackage) describe() string {
	s := p.name()
	if p.Replaces != "" {
		s += " instead of " + p.Replaces
	}
	size := "size not known"
	if p.Size >= 0 {
		size = humanize.Bytes(uint64(p.Size))
	}
	s = fmt.Sprintf("%s (%s), %s, from %s", s, firstOf(p.WantedBy, 3), size, p.Upstream)
	if p.Status == collect.Withdrawn {
		s += ", which does not offer it any more; the folder keeps it"
	}
	return s
}

func describeHeld(h *collect.Held) string {
	return fmt.Sprintf("%s@%s: %s (%s, line %d of the policy)", h.ID, h.Version, h.Reason, h.Rule, h.Line)
}

func describeMissing(m *collect.Missing) string {
	return fmt.Sprintf("%s (%s): %s", m.ID, strings.Join(m.Chain[:max(len(m.Chain)-1, 0)], " > "), m.Reason)
}

func describePlan(c *collected, p *collect.Plan) string {
	bytes, unknown := p.Size()
	s := fmt.Sprintf("%s, %s to download", plural(len(c.Packages), "package"), humanize.Bytes(uint64(bytes)))
	if unknown > 0 {
		s += fmt.Sprintf(" and %s of a size that is not known", plural(unknown, "package"))
	}
	return s
}

// printCollected prints what was done.
func (e *env) printCollected(c *collected) error {
	if e.quiet || e.json { // otherwise they are part of the plan
		for i := range c.Missing {
			terminal.Fprintf(e.stderr, "galbuild: missing: %s\n", describeMissing(&c.Missing[i]))
		}
	}
	for _, f := range c.Failed {
		terminal.Fprintf(e.stderr, "galbuild: failed: %s\n", describeFailed(f))
	}
	if !e.quiet {
		e.printVetted(c)
		e.printSome(len(c.Warnings), func(i int) string { return "warning: " + c.Warnings[i] })
	}
	switch {
	case e.json:
		return e.printJSON(c)
	case e.quiet || c.DryRun:
		return nil
	}
	for _, name := range c.Removed {
		if strings.HasSuffix(name, ".vsix") || e.verbose {
			terminal.Fprintf(e.stdout, "%-8s %s\n", "removed", name)
		}
	}
	_, err := terminal.Fprintf(e.stdout, "%s downloaded (%s) to %s\n", plural(c.Downloaded, "package"), humanize.Bytes(uint64(c.Bytes)), c.Folder)
	return err
}

func describeFailed(f collect.Failed) string {
	name := (&lock.Entry{ID: f.ID, Version: f.Version, Platform: f.Platform}).String()
	s := fmt.Sprintf("%s: %s (%s)", name, f.Reason, f.Address)
	if f.Kept != "" {
		s += "; " + f.Kept + " stays"
	}
	return s
}
