package publish

import (
	"context"
	"slices"

	"galbuild/build/blob"
	"galbuild/build/site"
	"galbuild/publish/target"
)

// newRepair returns a plan that sends everything of the next generation again, also what the target
// has according to its catalogue. So it replaces objects that were lost or damaged there. What the
// sender does not have, such as packages that others have published, stays as it is.
func newRepair(old State, next Next) *Plan {
	old.dirty, old.stored = true, nil // all pages, responses and chunks are sent
	p := &Plan{Replaces: old.raw, old: old, next: next}
	p.addChunks(next)
	p.addAllContent(next)
	p.addResponses(next)
	p.removeDerived(next)
	slices.Sort(p.Remove)
	p.Marker = textObject(markerKey, next.Current.Bytes())
	for _, f := range next.Files() {
		p.Generation = append(p.Generation, next.file(f.Path, f.SHA256))
	}
	lacks := func(o target.Object) bool { return !next.hasFile(o.Key) }
	p.Chunks, p.Generation = slices.DeleteFunc(p.Chunks, lacks), slices.DeleteFunc(p.Generation, lacks)
	p.Current = textObject(site.CurrentPath, old.raw) // addEntry replaces it
	return p
}

// addAllContent adds all content of the next generation that its stores have.
func (p *Plan) addAllContent(next Next) {
	sent := make(map[blob.Ref]bool)
	for f := range contentOf(next.Catalog, next.Catalog) {
		ref := blob.Ref(f.SHA256)
		has := func(store *blob.Store) bool { return store.Has(ref, f.Size) }
		if !slices.ContainsFunc(next.Stores, has) {
			continue
		}
		if !sent[ref] {
			sent[ref] = true
			p.Blobs = append(p.Blobs, next.stored(&f))
		}
		p.addLink(Link{ref.Path(), next.linked(&f)})
	}
}

// addLink adds a path of content to the pages or to the paths that never change.
func (p *Plan) addLink(l Link) {
	if isPage(l.Key) {
		p.Pages = append(p.Pages, l)
	} else {
		p.Links = append(p.Links, l)
	}
}

// read returns the state of the target. A repair does not read the catalogue of the target if it is
// that of the site, because it may be damaged.
func (p *publishing) read(ctx context.Context, o Options) (State, error) {
	if o.Repair {
		s, err := readCurrent(ctx, p.at)
		if s.Catalog, s.shared = p.local.Catalog, p.local.Shared; err != nil || s.Current == p.local.Current {
			return s, err
		}
	}
	return readToChange(ctx, p.at, p.lines)
}

// planFor returns the plan of a change, or of a repair.
func planFor(ctx context.Context, at target.Target, old State, next Next, repair bool) (*Plan, error) {
	if repair && !old.IsZero() {
		p := newRepair(old, next)
		return p, p.removeStrays(ctx, at)
	}
	p := NewPlan(old, next)
	return p, p.Resume(ctx, at)
}
