package build

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"galbuild/build/catalog"
)

// ErrNotVetted is returned by [View] for a policy that vets packages if it is not known what was
// found in those of the gallery.
var ErrNotVetted = errors.New("the policy of the view has the rule vet, and the gallery does not say what was found in its packages")

// A ViewConfig says how a view of a gallery is made.
type ViewConfig struct {
	Render  int              // see render.Version
	Policy  PolicyChange     // of the view
	NoPages bool             // it has no pages, although the gallery may have some
	Now     time.Time        // by which the policy decides
	Old     *catalog.Catalog // of the view before; empty if there is none
}

// View returns the catalogue of a view of a gallery, and the versions that the policy of the view
// keeps out. The view has the versions of the gallery that the policy lets in, and all decisions of
// the gallery, so it can only be stricter than the gallery. The policy also says how the view
// presents extensions; that of the gallery does not apply to it.
//
// A view has no address of its own, because it is served below that of the gallery. What only
// auditors need stays in the gallery, and so do companions, and statistics of other extensions.
func View(of *catalog.Catalog, cfg ViewConfig) (*catalog.Catalog, []Excluded, error) {
	settings := catalog.Settings{
		Render: cfg.Render, View: true, NoPages: cfg.NoPages || of.NoPages, Unpack: of.Unpack, Sign: of.Sign,
		Control: of.Control, Policy: cfg.Policy.In(cfg.Old.Policy),
	}
	rules, err := newRules(of.Records, settings, cfg.Old.Policy, cfg.Now)
	if err != nil {
		return nil, nil, err
	}
	if rules.packages = of.Packages; rules.policy != nil && rules.policy.Vets() && !isVetted(of) {
		return nil, nil, ErrNotVetted
	}
	all, served := maps.Collect(versions(of)), maps.Collect(versions(cfg.Old))
	excluded, _ := rules.exclude(all, served)
	next := catalog.Catalog{Settings: settings, Records: publicParts(of.Records)}
	next.Dropped = servedBy(of, rules.dropped(rules.inGrace(cfg.Old.Dropped), cfg.Old, all, excluded))
	if rules.kept { // what the gallery drops, and the view served
		next.Dropped = catalog.MergeDropped(next.Dropped, servedBy(cfg.Old, of.Dropped))
	}
	c := regroup(next, all)
	listed := func(id string) bool { return c.Find(id) != nil }
	c.Featured = slices.DeleteFunc(slices.Clone(of.Featured), func(id string) bool { return !listed(id) })
	c.Usage = slices.DeleteFunc(slices.Clone(of.Usage), func(u catalog.Usage) bool { return !listed(u.ID) })
	return c, excluded, cfg.Policy.check(cfg.Old, c, excluded)
}

// servedBy returns those of the dropped versions whose files a gallery serves.
func servedBy(c *catalog.Catalog, all []catalog.Dropped) []catalog.Dropped {
	if len(all) == 0 {
		return nil
	}
	served := maps.Collect(c.Served())
	return slices.DeleteFunc(slices.Clone(all), func(d catalog.Dropped) bool {
		v := served[d.Key()]
		return v == nil || !sameContent(v, &d.Version)
	})
}

// isVetted reports whether it is known what was found in the packages of all versions.
func isVetted(c *catalog.Catalog) bool {
	for key, v := range c.Versions() {
		if p := catalog.FindPackage(c.Packages, v.Package.Ref, key); p == nil || p.Vetted == nil {
			return false
		}
	}
	return true
}

// publicParts returns records without what only auditors need.
func publicParts(all []catalog.Record) []catalog.Record {
	public := slices.Clone(all)
	for i := range public {
		public[i].Private = nil
	}
	return public
}

// Absent returns the versions of a view that a gallery does not serve any more, or serves with
// other content. They are sorted.
func Absent(view, of *catalog.Catalog) (keys []string) {
	served := maps.Collect(of.Served())
	for key, v := range view.Served() {
		if other := served[key]; other == nil || !sameContent(other, v) {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, strings.Compare)
	return keys
}
