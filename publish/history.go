package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"galbuild/build"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/site"
	"galbuild/publish/target"
	"galbuild/render"
	"galbuild/render/gallery"
)

// ErrNothing is returned for a target without a current generation.
var ErrNothing = errors.New("nothing has been published there")

// ErrNoEarlier is returned by [Rollback] if there is no generation before the current one.
var ErrNoEarlier = errors.New("there is no earlier generation to switch back to")

// A generation is one whose index is at a target. It may be incomplete, if it was never current.
type generation struct {
	name    string
	written time.Time // by the target's clock
}

var indexKey = regexp.MustCompile(`^index/([0-9a-f]{16})/` + regexp.QuoteMeta(site.IndexName) + `$`)

// generations returns the generations at a target, the latest first. The date of a generation is
// that of its index.
func generations(ctx context.Context, at target.Target) ([]generation, error) {
	var all []generation
	for e, err := range at.List(ctx, "index/") {
		if err != nil {
			return nil, err
		}
		if m := indexKey.FindStringSubmatch(e.Key); m != nil {
			all = append(all, generation{m[1], e.Modified})
		}
	}
	slices.SortFunc(all, func(a, b generation) int {
		if c := b.written.Compare(a.written); c != 0 {
			return c
		}
		return strings.Compare(a.name, b.name)
	})
	return all, nil
}

// previous returns the name of the generation that was current before the current one, and whether
// there is one. index/PREVIOUS names it, if that file belongs to the current generation. Otherwise,
// such as after a publish that was interrupted before it wrote the file, it is the generation that
// was written last before the current one, or else the latest of the others.
func previous(ctx context.Context, at target.Target, current State, all []generation) (string, bool, error) {
	record, err := readSmall(ctx, at, previousKey, maxCurrent)
	if err != nil && !errors.Is(err, target.ErrNotExist) {
		return "", false, err
	}
	if name, rest, ok := bytes.Cut(record, []byte("\n")); ok && string(name) == current.Generation {
		c, err := site.ParseCurrent(rest)
		if err == nil && slices.ContainsFunc(all, func(g generation) bool { return g.name == c.Generation }) {
			return c.Generation, true, nil
		}
	}
	i := slices.IndexFunc(all, func(g generation) bool { return g.name == current.Generation })
	rest := slices.Concat(all[i+1:], all[:max(i, 0)])
	if len(rest) == 0 {
		return "", false, nil
	}
	return rest[0].name, true, nil
}

// Rollback makes the previous generation current again, in the steps of a [Plan] without content.
// It returns an error and changes nothing if content of that generation has been removed. Responses
// that only an interrupted publish has sent remain until [Prune] removes them.
//
// If decisions have been made since, or more is kept for auditors, the generation is a new one: the
// previous one with the decisions of today and what is kept today. It is written to scratch. What
// is blocked or malicious stays out. Removals are undone by a decision of the author, so that the
// next merge does not bring them back.
func Rollback(ctx context.Context, at target.Target, scratch *site.Dir, author decision.Author, o Options) (Result, error) {
	var excluded []build.Excluded
	result, err := retry(ctx, func() (Result, error) {
		old, err := readToChange(ctx, at)
		if err != nil {
			return Result{}, err
		}
		all, err := generations(ctx, at)
		if err != nil {
			return Result{}, fmt.Errorf("%s: %w", at, err)
		}
		name, ok, err := previous(ctx, at, old, all)
		if err != nil {
			return Result{}, fmt.Errorf("%s: %w", at, err)
		}
		switch {
		case !ok && old.IsZero():
			return Result{}, fmt.Errorf("%s: %w", at, ErrNothing)
		case !ok:
			return Result{}, fmt.Errorf("%s: %w", at, ErrNoEarlier)
		}
		next, err := readGeneration(ctx, at, name)
		if err != nil {
			return Result{}, fmt.Errorf("%s: %w", at, err)
		}
		if excluded = nil; !build.Carries(next.Catalog, old.Catalog) {
			if next, excluded, err = decideAgain(next.Catalog, old.Catalog, author, scratch, o.Now); err != nil {
				return Result{}, err
			}
		}
		p := NewPlan(old, next)
		if err := p.requireContent(ctx, at, scratch.Blobs); err != nil {
			return Result{}, fmt.Errorf("%s: generation %s: %w", at, name, err)
		}
		return finish(ctx, at, p, old, next, o)
	})
	result.Excluded = append(result.Excluded, excluded...)
	return result, err
}

// decideAgain returns a generation with the versions and settings of then and the decisions of now,
// except removals of what was there then.
func decideAgain(then, now *catalog.Catalog, author decision.Author, scratch *site.Dir, at time.Time) (Next, []build.Excluded, error) {
	then.Render = render.Version
	var undone []catalog.Subject
	for key, v := range then.Versions() {
		for _, r := range decision.Of(now).Out(key, v.Package.Ref) {
			if r.Kind == decision.Removed && !slices.Contains(undone, r.Subject) {
				undone = append(undone, r.Subject)
			}
		}
	}
	records := decision.Merge(then.Records, now.Records)
	if len(undone) > 0 {
		var err error
		if records, err = decision.Add(records, author, decision.Restored, undone, ""); err != nil {
			return Next{}, nil, err
		}
	}
	receiver := build.Receiver{Old: now, Policy: build.PolicyChange{Accept: true}, Follow: true, Now: at}
	c, excluded, err := receiver.Decide(then, records)
	if err != nil {
		return Next{}, nil, err
	}
	next, err := generate(scratch, c)
	return next, excluded, err
}

// readGeneration reads a generation that a target has. The name of a generation is computed from
// the hashes of its files, so comparing the name verifies them.
func readGeneration(ctx context.Context, at target.Target, name string) (Next, error) {
	s := State{Current: site.Current{Generation: name}}
	compressed, err := readSmall(ctx, at, s.CatalogPath(), maxCatalog)
	if err != nil {
		return Next{}, err
	}
	if s.Catalog, err = site.DecompressCatalog(compressed); err != nil {
		return Next{}, err
	}
	index, err := sumOf(ctx, at, s.IndexPath())
	if err != nil {
		return Next{}, err
	}
	s.Private, err = sumOf(ctx, at, s.PrivatePath())
	if err != nil && !errors.Is(err, target.ErrNotExist) {
		return Next{}, err
	}
	s.Current = site.MakeCurrent(blob.Sum(compressed), index, s.Private)
	if s.Generation != name {
		return Next{}, fmt.Errorf("index/%s is damaged: its files have the hashes of generation %s", name, s.Generation)
	}
	return Next{Current: s.Current, Catalog: s.Catalog}, readPrivate(ctx, at, s)
}

// requireContent returns an error unless the target has all content of the plan that is not in the
// store. It removes that content from the plan, and also the generation if the target has it.
func (p *Plan) requireContent(ctx context.Context, at target.Target, store *blob.Store) error {
	remote := make(map[string]int64)
	for _, prefix := range append(contentPrefixes(), "index/", site.PrivateDir) {
		for e, err := range at.List(ctx, prefix) {
			if err != nil {
				return err
			}
			remote[e.Key] = e.Size
		}
	}
	missing := 0
	has := func(o *target.Object) bool {
		size, ok := remote[o.Key]
		exists := ok && size == o.Size
		if !exists && !store.Has(o.SHA256, o.Size) {
			missing++
		}
		return exists
	}
	p.Blobs = slices.DeleteFunc(p.Blobs, func(o target.Object) bool { return has(&o) })
	p.Links = slices.DeleteFunc(p.Links, func(l Link) bool { return has(&l.Object) })
	if missing > 0 {
		return fmt.Errorf("%d of its objects are missing", missing)
	}
	p.Generation = slices.DeleteFunc(p.Generation, func(o target.Object) bool { _, ok := remote[o.Key]; return ok })
	return nil
}

// contentPrefixes returns the prefixes of the keys of blobs and of their immutable paths.
func contentPrefixes() []string { return []string{"blobs/", catalog.AssetsDir, catalog.FilesDir} }

// Prune removes old objects that no generation needs, and returns their keys. It keeps the current
// generation, the previous one, and those that were written less than grace ago. It also keeps all
// other objects that are younger than grace, because a publisher may be sending them. Readers of a
// generation that is neither current nor previous have that time to finish.
//
// An interrupted Prune leaves older generations incomplete. The next one removes the rest.
func Prune(ctx context.Context, at target.Target, grace time.Duration, o Options) (removed []string, err error) {
	old, err := readToChange(ctx, at)
	if err != nil {
		return nil, err
	}
	if old.IsZero() {
		return nil, fmt.Errorf("%s: %w", at, ErrNothing)
	}
	needed, err := neededKeys(ctx, at, old, grace)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	before := time.Now().Add(-grace)
	for _, prefix := range append(contentPrefixes(), "index/", site.PrivateDir, gallery.LatestDir) {
		for e, err := range at.List(ctx, prefix) {
			if err != nil {
				return nil, fmt.Errorf("%s: %w", at, err)
			}
			if !needed[e.Key] && !strings.HasPrefix(e.Key, target.Locks) && e.Modified.Before(before) {
				removed = append(removed, e.Key)
			}
		}
	}
	slices.Sort(removed)
	if t, ok := at.(temporaryRemover); ok && !o.DryRun {
		if err := t.RemoveTemp(ctx, before); err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
	}
	if o.DryRun || len(removed) == 0 {
		return removed, nil
	}
	return removed, at.Delete(ctx, removed)
}

// A temporaryRemover is a target in which killed processes may leave temporary files.
type temporaryRemover interface {
	RemoveTemp(ctx context.Context, before time.Time) error
}

// neededKeys returns the keys that Prune must not remove, whatever their age.
func neededKeys(ctx context.Context, at target.Target, current State, grace time.Duration) (map[string]bool, error) {
	needed := map[string]bool{site.CurrentPath: true, previousKey: true, markerKey: true}
	for f := range render.Responses(current.Catalog) {
		needed[f.Path] = true
	}
	all, err := generations(ctx, at)
	if err != nil {
		return nil, err
	}
	before, _, err := previous(ctx, at, current, all)
	if err != nil {
		return nil, err
	}
	for _, g := range all {
		if g.name != current.Generation && g.name != before && time.Since(g.written) >= grace {
			continue
		}
		compressed, err := readSmall(ctx, at, "index/"+g.name+"/"+site.CatalogName, maxCatalog)
		if errors.Is(err, target.ErrNotExist) {
			continue // an incomplete generation, which was never current
		}
		if err != nil {
			return nil, err
		}
		c, err := site.DecompressCatalog(compressed)
		if err != nil {
			return nil, fmt.Errorf("index/%s: %w", g.name, err)
		}
		kept := site.Current{Generation: g.name}
		needed[kept.CatalogPath()], needed[kept.IndexPath()], needed[kept.PrivatePath()] = true, true, true
		for f := range render.Content(c) {
			needed[f.Path] = true
			needed[blob.Ref(f.SHA256).Path()] = true
		}
	}
	return needed, nil
}
