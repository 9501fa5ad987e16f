package build

import (
	"maps"
	"slices"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/policy"
)

// dropped returns the versions whose files are still served although the rule keep of the policy
// has dropped them: those of earlier, and those of old that are excluded now. chosen has the
// versions of the gallery. Versions that something else keeps out too are not among them.
func (r *rules) dropped(earlier []catalog.Dropped, old *catalog.Catalog, chosen map[string]identified, excluded []Excluded) []catalog.Dropped {
	if r.policy == nil {
		return nil
	}
	served := maps.Collect(versions(old))
	all := catalog.MergeDropped(earlier, r.droppedNow(served, excluded))
	all = slices.DeleteFunc(slices.Clone(all), func(d catalog.Dropped) bool {
		_, listed := chosen[d.Key()]
		return listed
	})
	return r.keptOutByKeep(all, chosen, served)
}

// inGrace returns the versions that were dropped less than the period of the policy ago.
func (r *rules) inGrace(all []catalog.Dropped) []catalog.Dropped {
	if r.policy == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(all), func(d catalog.Dropped) bool { return !r.now.Before(r.endOf(d)) })
}

// endOf returns when the files of a version are not served any more.
func (r *rules) endOf(d catalog.Dropped) time.Time { return d.Since.Add(r.policy.Grace()) }

// droppedNow returns the served versions that the rule keep drops now, sorted.
func (r *rules) droppedNow(served map[string]identified, excluded []Excluded) (all []catalog.Dropped) {
	if r.policy.Grace() == 0 {
		return nil
	}
	for _, x := range excluded {
		was, ok := served[x.ID]
		if !ok || x.Rule != policy.RuleKeep {
			continue
		}
		v := *was.version
		v.Publisher, v.Name = was.publisher, was.name
		all = append(all, catalog.Dropped{Since: r.now.UTC().Truncate(time.Second), Version: v})
	}
	slices.SortFunc(all, catalog.CompareDropped)
	return all
}

// keptOutByKeep returns those of the versions that only the rule keep would keep out of a gallery
// with the chosen versions.
func (r *rules) keptOutByKeep(all []catalog.Dropped, chosen, served map[string]identified) []catalog.Dropped {
	if len(all) == 0 {
		return nil
	}
	candidates := maps.Clone(chosen)
	for i := range all {
		v := &all[i].Version
		candidates[all[i].Key()] = identified{publisher: v.Publisher, name: v.Name, version: v}
	}
	excluded, _ := r.exclude(candidates, served)
	keep := make(map[string]bool)
	for _, x := range excluded {
		keep[x.ID] = x.Rule == policy.RuleKeep
	}
	if all = slices.DeleteFunc(all, func(d catalog.Dropped) bool { return !keep[d.Key()] }); len(all) == 0 {
		return nil
	}
	return all
}

// SameDropped reports whether two catalogues serve the files of the same dropped versions, for the
// same time.
func SameDropped(a, b *catalog.Catalog) bool {
	return slices.EqualFunc(a.Dropped, b.Dropped, func(a, b catalog.Dropped) bool {
		return a.Key() == b.Key() && a.Since.Equal(b.Since) && a.Version.Package.Ref == b.Version.Package.Ref
	})
}
