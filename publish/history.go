package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"galbuild/build"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/history"
	"galbuild/build/site"
	"galbuild/publish/target"
	"galbuild/render"
	"galbuild/render/gallery"
)

// Errors of commands for targets.
var (
	// ErrNothing is returned for a target without a current generation.
	ErrNothing = errors.New("nothing has been published there")
	// ErrNoEarlier is returned by [Rollback] if the history has no earlier entry.
	ErrNoEarlier = errors.New("there is no earlier generation to switch back to")
)

// A GoneError is returned by [Rollback] for a generation whose files have been removed.
type GoneError struct {
	Number     int64
	Generation string
	Kept       []int64 // numbers of earlier entries whose generations have their files, the latest first
}

// Error implements error.
func (e *GoneError) Error() string {
	return fmt.Sprintf("the files of generation %s (number %d) have been pruned or purged", e.Generation, e.Number)
}

var indexKey = regexp.MustCompile(`^index/([0-9a-f]{16})/` + regexp.QuoteMeta(site.IndexName) + `$`)

// generations returns the times of the generations at a target, which are those of their indexes,
// or of what remains of them after a purge. Some may be incomplete, because they were never
// current.
func generations(ctx context.Context, at target.Target) (map[string]time.Time, error) {
	all := make(map[string]time.Time)
	for e, err := range listIndex(ctx, at) {
		if err != nil {
			return nil, err
		}
		noteGeneration(all, e)
	}
	return all, nil
}

// listIndex lists index/ and what is private.
func listIndex(ctx context.Context, at target.Target) iter.Seq2[target.Entry, error] {
	return func(yield func(target.Entry, error) bool) {
		for _, prefix := range []string{site.PrivateDir, "index/"} {
			for e, err := range at.List(ctx, prefix) {
				if !yield(e, err) || err != nil {
					return
				}
			}
		}
	}
}

// noteGeneration adds the generation to all whose index e is, or whose remainder.
func noteGeneration(all map[string]time.Time, e target.Entry) {
	name, _, _ := strings.Cut(path.Base(e.Key), ".")
	if m := indexKey.FindStringSubmatch(e.Key); m != nil {
		all[m[1]] = e.Modified
	} else if e.Key == (site.Current{Generation: name}).RemainderPath() {
		all[name] = e.Modified
	}
}

// History yields the entries of the history of a target, the latest first. It ends after an error.
// The error wraps ErrNothing if nothing has been published there.
func History(ctx context.Context, at target.Target) iter.Seq2[*history.Entry, error] {
	return func(yield func(*history.Entry, error) bool) {
		s, err := readPublished(ctx, at)
		var head history.Head
		if err == nil {
			head, err = readHead(ctx, at, s)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		for e, err := range site.Entries(filesAt(ctx, at), head) {
			if err != nil {
				err = fmt.Errorf("%s: %w", at, err)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// RestartHistory begins a new history of a target with its current generation, for a history that
// is damaged. The files of the old history stay.
func RestartHistory(ctx context.Context, at target.Target, by site.Commit) (head site.Head, err error) {
	by.Restart = true
	_, err = Retry(ctx, func() error {
		head, err = restartHistory(ctx, at, by)
		return err
	})
	return head, err
}

// restartHistory is an attempt.
func restartHistory(ctx context.Context, at target.Target, by site.Commit) (site.Head, error) {
	s, err := Read(ctx, at)
	s, err = requirePublished(at, s, err)
	if err != nil {
		return site.Head{}, err
	}
	made, err := by.Append(filesAt(ctx, at), site.Previous{Current: s.Current}, s.head, site.Generation{Current: s.Current, Catalog: s.Catalog})
	for _, f := range made.Files {
		err = errors.Join(err, at.Put(ctx, textObject(f.Path, f.Text)))
	}
	if err == nil {
		err = at.Swap(ctx, s.raw, textObject(site.CurrentPath, site.FormatCurrent(s.Current, made.Head)))
	}
	if err != nil {
		return site.Head{}, fmt.Errorf("%s: %w", at, err)
	}
	return made.Head, nil
}

// Undone is what a rollback has undone besides the versions that it adds and removes.
type Undone struct {
	Removals []string `json:"removals"` // subjects of decisions that have ended
	Settings []string `json:"settings"` // names of settings that have their earlier values again
}

// Rollback makes an earlier generation current again: that of entry to of the history, or of the
// entry before the last one if to is 0. It takes the steps of a [Plan] without content. It returns
// an error and changes nothing if content or chunks of that generation have been removed. Responses
// that only an interrupted publish has sent remain until [Prune] removes them.
//
// If decisions have been made since, or more is kept for auditors, the generation is a new one: the
// earlier one with the decisions of today and what is kept today. It is written to scratch. What is
// blocked or malicious stays out. Removals are undone by a decision of the author, so that the next
// merge does not bring them back.
func Rollback(ctx context.Context, at target.Target, scratch *site.Dir, author decision.Author, to int64, o Options) (Result, error) {
	r := &rollback{at: at, lines: o.linesAt(at), scratch: scratch, author: author, to: to}
	result, err := retry(ctx, func() (Result, error) { return r.run(ctx, o) })
	result.Excluded = append(result.Excluded, r.excluded...)
	result.Undone = r.undone
	return result, err
}

// rollback is a call of [Rollback].
type rollback struct {
	at      target.Target
	lines   *Lines
	scratch *site.Dir
	author  decision.Author
	to      int64

	// Of the last attempt:
	excluded []build.Excluded
	undone   *Undone
}

// run is an attempt.
func (r *rollback) run(ctx context.Context, o Options) (Result, error) {
	r.excluded, r.undone = nil, &Undone{Removals: []string{}, Settings: []string{}}
	old, err := readToChange(ctx, r.at, r.lines)
	old, err = requirePublished(r.at, old, err)
	if err != nil {
		return Result{}, err
	}
	e, err := r.entry(ctx, old)
	if err != nil {
		return Result{}, err
	}
	next, err := r.read(ctx, old, e)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", r.at, err)
	}
	r.undone.Settings = append(r.undone.Settings, build.Changed(old.Catalog.Settings, next.Catalog.Settings)...)
	if next.IsZero() || !build.Carries(next.Catalog, old.Catalog) {
		if next, err = r.decideAgain(ctx, next.Catalog, old); err != nil {
			return Result{}, err
		}
	}
	p := NewPlan(old, next)
	if err := p.requireFiles(ctx, r.at, r.scratch.Blobs); err != nil {
		return Result{}, fmt.Errorf("%s: generation %s: %w", r.at, e.Generation, err)
	}
	o.Commit.Command = fmt.Sprintf("rollback to %d", e.Number)
	return finish(ctx, r.at, p, old, next, o)
}

// entry returns the entry of the history to switch back to.
func (r *rollback) entry(ctx context.Context, old State) (*history.Entry, error) {
	head, err := readHead(ctx, r.at, old)
	if err != nil {
		return nil, err
	}
	to := cmp.Or(r.to, head.Number-1)
	switch {
	case to == 0:
		return nil, fmt.Errorf("%s: %w", r.at, ErrNoEarlier)
	case to < 1 || to > head.Number:
		return nil, fmt.Errorf("%s: the history has no entry %d, its last one is %d", r.at, to, head.Number)
	}
	for e, err := range site.Entries(filesAt(ctx, r.at), head) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.at, err)
		}
		if e.Number == to {
			return e, nil
		}
	}
	panic("the entries have all numbers from that of the head to 1")
}

// read reads the generation of an entry. After a purge it is what remains of it, and has no name.
func (r *rollback) read(ctx context.Context, old State, e *history.Entry) (Next, error) {
	next, err := r.readGeneration(ctx, e.Generation)
	if !errors.Is(err, target.ErrNotExist) {
		return next, err
	}
	rest, err := readListed(ctx, r.at, e.Generation, r.lines)
	if err == nil && rest.Catalog == nil || errors.Is(err, target.ErrNotExist) {
		err = r.gone(ctx, old, e)
	}
	return Next{Catalog: rest.Catalog}, err
}

// gone returns the error for an entry whose generation does not have its files any more.
func (r *rollback) gone(ctx context.Context, old State, e *history.Entry) error {
	there, err := generations(ctx, r.at)
	if err != nil {
		return err
	}
	head, err := readHead(ctx, r.at, old)
	if err != nil {
		return err
	}
	gone := &GoneError{Number: e.Number, Generation: e.Generation}
	for earlier, err := range site.Entries(filesAt(ctx, r.at), head) {
		if err != nil {
			return err
		}
		if _, ok := there[earlier.Generation]; ok && earlier.Generation != old.Generation && earlier.Generation != e.Generation {
			gone.Kept = append(gone.Kept, earlier.Number)
		}
	}
	return gone
}

// decideAgain returns a generation with the versions and settings of the catalogue then and the
// decisions of the catalogue now. Decisions that remove versions of then are undone.
func (r *rollback) decideAgain(ctx context.Context, then *catalog.Catalog, old State) (Next, error) {
	now := old.Catalog
	then.Render = render.Version
	var undone []catalog.Subject
	set := decision.Of(now)
	for key, v := range then.Versions() {
		for _, d := range set.Out(key, v.Package.Ref) {
			if d.Kind == decision.Removed && !slices.Contains(undone, d.Subject) {
				undone = append(undone, d.Subject)
				r.undone.Removals = append(r.undone.Removals, d.Subject.String())
			}
		}
	}
	records := decision.Merge(then.Records, now.Records)
	if len(undone) > 0 {
		var err error
		if records, err = decision.Add(records, r.author, decision.Restored, undone, ""); err != nil {
			return Next{}, err
		}
	}
	receiver := build.Receiver{Old: now, Policy: build.PolicyChange{Accept: true}, Follow: true, Now: r.author.When}
	c, excluded, err := receiver.Decide(then, records)
	if err != nil {
		return Next{}, err
	}
	r.excluded = excluded
	return generate(ctx, r.at, r.scratch, old, c)
}

// readGeneration reads a generation that a target has. The name of a generation is computed from
// the hashes of its files, so comparing the name verifies them.
func (r *rollback) readGeneration(ctx context.Context, name string) (Next, error) {
	at := r.at
	s := State{Current: site.Current{Generation: name}}
	compressed, err := readSmall(ctx, at, s.CatalogPath(), maxCatalog)
	if err != nil {
		return Next{}, err
	}
	if s.Catalog, s.shared.Chunks, err = r.lines.catalog(ctx, compressed); err != nil {
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
	err = readPrivate(ctx, at, &s, r.lines)
	return Next{Current: s.Current, Catalog: s.Catalog, Shared: s.shared}, err
}

// requireFiles returns an error unless the target has all content of the plan that is not in the
// store, and all chunks that were not made for the generation. It removes these from the plan, and
// also the files of the generation if the target has them.
func (p *Plan) requireFiles(ctx context.Context, at target.Target, store *blob.Store) error {
	remote, err := p.sizes(ctx, at)
	if err != nil {
		return err
	}
	missing := 0
	has := func(o target.Object, made bool) bool {
		size, ok := remote[o.Key]
		exists := ok && size == o.Size
		if !exists && !made {
			missing++
		}
		return exists
	}
	p.Blobs = slices.DeleteFunc(p.Blobs, func(o target.Object) bool { return has(o, store.Has(o.SHA256, o.Size)) })
	p.Links = slices.DeleteFunc(p.Links, func(l Link) bool { return has(l.Object, store.Has(l.SHA256, l.Size)) })
	p.Chunks = slices.DeleteFunc(p.Chunks, func(o target.Object) bool { return has(o, p.next.hasFile(o.Key)) })
	if missing > 0 {
		return fmt.Errorf("%d of its objects are missing", missing)
	}
	p.Generation = slices.DeleteFunc(p.Generation, func(o target.Object) bool { _, ok := remote[o.Key]; return ok })
	return nil
}

// fewObjects is the number of objects up to which each is listed by itself: that takes less time
// than a list of everything at the target.
const fewObjects = 100

// sizes returns the sizes of the plan's objects that the target has, by key. It may also return
// those of others.
func (p *Plan) sizes(ctx context.Context, at target.Target) (map[string]int64, error) {
	prefixes := append(contentPrefixes(), "index/", site.PrivateDir)
	objects := slices.Concat(p.Blobs, p.Chunks, p.Generation)
	for _, l := range p.Links {
		objects = append(objects, l.Object)
	}
	if len(objects) <= fewObjects {
		prefixes = nil
		for _, o := range objects {
			prefixes = append(prefixes, o.Key)
		}
	}
	var mutex sync.Mutex
	all := make(map[string]int64)
	return all, each(ctx, &runner{}, "", prefixes, func(ctx context.Context, prefix string) (string, error) {
		for e, err := range at.List(ctx, prefix) {
			if err != nil {
				return "", err
			}
			mutex.Lock()
			all[e.Key] = e.Size
			mutex.Unlock()
		}
		return "", nil
	})
}

// contentPrefixes returns the prefixes of the keys of blobs and of their immutable paths.
func contentPrefixes() []string { return []string{"blobs/", catalog.AssetsDir, catalog.FilesDir} }

// Prune removes old objects that no generation needs, and returns their keys. It keeps the latest
// generations of the history, see [site.Commit], and those that were written less than grace ago.
// It also keeps all other objects that are younger than grace, because a publisher may be sending
// them. Readers of an older generation have that time to finish. The history itself stays. From its
// folders, only the stale files are removed, see [site.StaleHistory].
//
// An interrupted Prune leaves older generations incomplete. The next one removes the rest.
func Prune(ctx context.Context, at target.Target, grace time.Duration, o Options) (removed []string, err error) {
	l := o.linesAt(at)
	old, err := readToChange(ctx, at, l)
	old, err = requirePublished(at, old, err)
	if err != nil {
		return nil, err
	}
	p := &pruning{at: at, lines: l, old: old, before: time.Now().Add(-grace)}
	if p.head, err = readHead(ctx, at, old); err != nil {
		return nil, err
	}
	if removed, err = p.unneeded(ctx, o.Commit.Keep); err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	slices.Sort(removed)
	if t, ok := at.(temporaryRemover); ok && !o.DryRun {
		if err := t.RemoveTemp(ctx, p.before); err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
	}
	if o.DryRun || len(removed) == 0 {
		return removed, nil
	}
	if removed, err = p.withoutRenewed(ctx, removed); err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	return removed, at.Delete(ctx, removed)
}

// withoutRenewed leaves out files of chunks that were sent again after they were listed: a publish
// in progress needs them, although no generation lists them yet.
func (p *pruning) withoutRenewed(ctx context.Context, removed []string) ([]string, error) {
	if !slices.ContainsFunc(removed, isChunk) {
		return removed, nil
	}
	renewed := make(map[string]bool)
	for _, folder := range chunkFolders() {
		for e, err := range p.at.List(ctx, folder) {
			if err != nil {
				return nil, err
			}
			renewed[e.Key] = !e.Modified.Before(p.before)
		}
	}
	return slices.DeleteFunc(removed, func(key string) bool { return renewed[key] }), nil
}

// A temporaryRemover is a target in which killed processes may leave temporary files.
type temporaryRemover interface {
	RemoveTemp(ctx context.Context, before time.Time) error
}

// pruning is a call of [Prune].
type pruning struct {
	at     target.Target
	lines  *Lines
	old    State
	head   history.Head
	before time.Time // younger objects stay
}

// unneeded returns the keys of the objects to remove.
func (p *pruning) unneeded(ctx context.Context, keep int) (removed []string, err error) {
	needed, err := p.needed(ctx, keep)
	if err != nil {
		return nil, err
	}
	var paths []string
	aged := make(map[string]bool)
	for _, prefix := range append(contentPrefixes(), "index/", site.PrivateDir, gallery.LatestDir) {
		for e, err := range p.at.List(ctx, prefix) {
			if err != nil {
				return nil, err
			}
			old := e.Modified.Before(p.before)
			switch {
			case strings.HasPrefix(e.Key, history.HeadDir), strings.HasPrefix(e.Key, history.EntryDir):
				paths = append(paths, e.Key)
				aged[e.Key] = old
			case old && !needed[e.Key] && !strings.HasPrefix(e.Key, target.Locks):
				removed = append(removed, e.Key)
			}
		}
	}
	stale, err := site.StaleHistory(filesAt(ctx, p.at), p.head, paths)
	return append(removed, slices.DeleteFunc(stale, func(key string) bool { return !aged[key] })...), err
}

// needed returns the keys that Prune must not remove, whatever their age.
func (p *pruning) needed(ctx context.Context, keep int) (map[string]bool, error) {
	needed := map[string]bool{site.CurrentPath: true, markerKey: true}
	for f := range render.Responses(p.old.Catalog) {
		needed[f.Path] = true
	}
	kept, err := site.Kept(filesAt(ctx, p.at), p.head, keep)
	if err != nil {
		return nil, err
	}
	all, err := generations(ctx, p.at)
	if err != nil {
		return nil, err
	}
	need := func(c *catalog.Catalog) {
		for f := range render.VersionContent(c) {
			needed[f.Path] = true
			needed[blob.Ref(f.SHA256).Path()] = true
		}
	}
	seen := make(map[catalog.ChunkFile]bool) // generations share nearly all chunks
	for name, written := range all {
		if !slices.Contains(kept, name) && written.Before(p.before) {
			continue
		}
		g, err := readListed(ctx, p.at, name, p.lines)
		if errors.Is(err, target.ErrNotExist) && name != p.old.Generation {
			continue // an interrupted Prune has removed some of its chunks
		}
		if err != nil {
			return nil, fmt.Errorf("generation %s: %w", name, err)
		}
		if g.Catalog == nil {
			continue // an incomplete generation, which was never current
		}
		kept := site.Current{Generation: name}
		for _, key := range []string{kept.CatalogPath(), kept.IndexPath(), kept.PrivatePath(), kept.RemainderPath()} {
			needed[key] = true
		}
		files := catalog.Files{Chunks: g.chunks}
		if files.Packages, err = readPackageFiles(ctx, p.at, name); err != nil {
			return nil, err
		}
		for path := range files.All() {
			needed[path] = true
		}
		parts, err := p.lines.chunks(ctx, g.chunks)
		if err != nil {
			return nil, err
		}
		for i, c := range g.chunks {
			if !seen[c.Lines] {
				seen[c.Lines] = true
				need(&catalog.Catalog{Extensions: parts[i]})
			}
		}
		need(&catalog.Catalog{Dropped: g.Dropped})
		for f := range render.DerivedContent(g.Catalog) {
			needed[f.Path] = true
			needed[blob.Ref(f.SHA256).Path()] = true
		}
	}
	return needed, nil
}
