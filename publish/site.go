package publish

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"galbuild/build"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/history"
	"galbuild/build/jsondoc"
	"galbuild/build/regularfile"
	"galbuild/build/site"
	"galbuild/publish/target"
)

// Site publishes the site at root to a target. With replace, the generation of the site becomes
// current as it is. Without replace, Site preserves what others have published:
//
//   - Versions at the target that the site lacks are merged with those of the site. Versions that
//     the site itself has published before are not merged, because they were removed from it.
//   - It is an error if the target has a version of the site with different content.
//   - Settings that the site does not have stay, unless it had them when it was published last.
//
// A view always replaces what the target has, with its policy, and the target must be a view too.
//
// The decisions of both, and what is kept for auditors, are always merged. What the decisions and
// the policy of the target keep out is not published. A target without a generation gets the policy
// of the site.
//
// A file in the work directory of the site records which versions the site has published to which
// target. If the current generation of the target was published by this site, nobody else has
// published since, so there is nothing to merge. A merged generation is written to scratch.
//
// If another process publishes at the same time, Site starts again with the new state.
//
// With o.Repair, Site sends everything that the site has, and so replaces objects of the target
// that were lost or damaged.
//
// The sender in the history of the target is the head of the history of the site, unless o.Commit
// has another one.
func Site(ctx context.Context, at target.Target, root string, scratch *site.Dir, replace bool, o Options) (Result, error) {
	local, err := readSite(root)
	if err != nil {
		return Result{}, err
	}
	if o.Commit.Sender == nil {
		if o.Commit.Sender, err = senderOf(root); err != nil {
			return Result{}, err
		}
	}
	replace = replace || local.Catalog.View // nobody else adds to a view
	p := &publishing{
		at: at, local: local, lines: NewLines(at, root), last: lastPublished(root)[at.String()], scratch: scratch, replace: replace,
	}
	result, err := retry(ctx, func() (Result, error) { return p.publish(ctx, o) })
	result.Kept = append(result.Kept, p.kept...)
	result.Excluded = append(result.Excluded, p.excluded...)
	result.PolicyDiff = p.policyDiff
	if err == nil && !o.DryRun {
		note := publication{
			Versions: slices.Sorted(maps.Keys(maps.Collect(local.Catalog.Versions()))),
			Settings: local.Catalog.Settings,
		}
		if !p.merged { // a generation with something of others must be merged again next time
			note.Generation = result.Generation
		}
		notePublished(root, at.String(), note)
	}
	return result, err
}

// senderOf returns the head of the history of the site at root.
func senderOf(root string) (*history.Sender, error) {
	current, last, err := site.ReadCurrentHead(root)
	if err != nil {
		return nil, err
	}
	head, err := site.ReadHead(site.FilesIn(root), current, last)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", root, err)
	}
	return site.SenderOf(head), nil
}

// publishing is a call of [Site].
type publishing struct {
	at      target.Target
	local   Next
	lines   *Lines
	last    publication
	scratch *site.Dir
	replace bool

	// Of the last attempt:
	merged     bool // the generation is not that of the site
	kept       []string
	excluded   []build.Excluded
	policyDiff string
}

// publish is an attempt.
func (p *publishing) publish(ctx context.Context, o Options) (Result, error) {
	p.merged, p.kept, p.excluded, p.policyDiff = false, nil, nil, ""
	if own := p.local.Catalog.Policy; !o.Repair && o.Policy.In(own) == own {
		if same, err := serves(ctx, p.at, p.local); err != nil || same {
			return newResult(p.at, p.local.Generation, o), err
		}
	}
	old, err := p.read(ctx, o)
	if err != nil {
		return Result{}, err
	}
	next, err := p.next(ctx, old, o)
	if err == nil {
		err = o.MaxRemovals.Check(old.Catalog, next.Catalog, p.excluded)
	}
	if err != nil {
		return Result{}, err
	}
	return apply(ctx, p.at, old, next, o)
}

// next returns the generation to publish: that of the site, or one that has in addition what others
// have published and decided, without what the policy of the target keeps out.
func (p *publishing) next(ctx context.Context, old State, o Options) (Next, error) {
	if err := checkKinds(p.at.String(), old.Catalog, p.local.Catalog, old.IsZero()); err != nil {
		return Next{}, err
	}
	isView := p.local.Catalog.View
	settings := build.Drop(old.Catalog.Settings, build.Dropped(p.last.Settings, p.local.Catalog.Settings))
	if isView {
		settings = p.local.Catalog.Settings
	}
	others := &catalog.Catalog{Settings: settings, Records: old.Catalog.Records, Packages: old.Catalog.Packages} // without versions
	if mine := p.replace || !old.IsZero() && p.last.Generation == old.Generation; !mine {
		if err := build.CheckConflicts(old.Catalog, p.local.Catalog); err != nil {
			return Next{}, fmt.Errorf("%s: %w", p.at, err)
		}
		if p.kept = missing(old.Catalog, p.local.Catalog, p.last.Versions); len(p.kept) > 0 {
			ours := maps.Collect(p.local.Catalog.Versions())
			removed := func(key string) bool { return ours[key] == nil && slices.Contains(p.last.Versions, key) }
			others = build.Without(old.Catalog, removed)
			others.Settings = settings
		}
	}
	receiver := build.Receiver{Old: old.Catalog, Policy: o.Policy, Follow: old.IsZero() || isView, Now: o.Commit.When}
	both, excluded, err := receiver.Union(others, p.local.Catalog)
	if err != nil {
		return Next{}, fmt.Errorf("%s: %w", p.at, err)
	}
	if p.excluded = excluded; o.Policy.IsZero() {
		p.policyDiff = build.DiffPolicies(both.Policy, p.local.Catalog.Policy)
	}
	same := len(p.kept)+len(excluded) == 0 && reflect.DeepEqual(both.Settings, p.local.Catalog.Settings) &&
		build.Carries(p.local.Catalog, old.Catalog) && build.SameSeen(p.local.Catalog, both) && build.SameDropped(p.local.Catalog, both)
	if same && p.local.hasFiles() {
		return p.local, nil
	}
	p.merged = true
	next, err := generate(ctx, p.at, p.scratch, old, both, p.local.Stores...)
	next.Roots = append(next.Roots, p.local.Roots...)
	next.Stores = append(next.Stores, p.local.Stores...)
	return next, err
}

// hasFiles reports whether the site has all files of its generation. A copy that was made where the
// private parts of records are not served lacks them.
func (n *Next) hasFiles() bool { return n.Private.IsZero() || n.hasFile(n.PrivatePath()) }

// hasFile reports whether one of the folders has a file of the generation.
func (n *Next) hasFile(key string) bool {
	_, err := os.Stat(n.find(key))
	return err == nil
}

// serves reports whether a generation is current at a target that is not dirty and has all its
// chunks. It does not read the catalogue.
func serves(ctx context.Context, at target.Target, local Next) (bool, error) {
	remote, err := readCurrent(ctx, at)
	if err != nil || remote.Current != local.Current {
		return false, err
	}
	if dirty, err := isDirty(ctx, at); err != nil || dirty {
		return false, err
	}
	remote.shared = local.Shared
	remote.stored, err = listChunks(ctx, at)
	return len(remote.missingChunks(local.Shared)) == 0, err
}

// readSite returns the current generation of the site at root.
func readSite(root string) (Next, error) {
	current, c, err := site.Read(root)
	if err != nil {
		return Next{}, err
	}
	files, err := site.ReadFiles(root, current)
	return Next{current, c, files, []string{root}, []*blob.Store{blob.ReadStore(root)}}, err
}

// missing returns the sorted versions of a that are neither in b nor in except. It is not nil.
func missing(a, b *catalog.Catalog, except []string) []string {
	left := maps.Collect(a.Versions())
	for key := range b.Versions() {
		delete(left, key)
	}
	for _, key := range except {
		delete(left, key)
	}
	return append([]string{}, slices.Sorted(maps.Keys(left))...)
}

// A publication records what a site has published to a target.
type publication struct {
	Generation string           `json:"generation,omitempty"` // "" if it has something of others
	Versions   []string         `json:"versions"`             // keys of the site's versions
	Settings   catalog.Settings `json:"settings"`             // of the site
}

// published is a file in the work directory of a site: a JSON object with a [publication] for each
// target, by the target's name.
const published = "published.json"

// maxPublished limits the size of the file, in bytes. A gallery of 100,000 versions has 5 MB for
// each target.
const maxPublished = 1 << 30

// lastPublished returns the publications of the site at root. It ignores a file that cannot be
// read.
func lastPublished(root string) map[string]publication {
	all := make(map[string]publication)
	text, err := regularfile.ReadFile(filepath.Join(root, site.WorkDir, published), maxPublished)
	if err != nil || json.Unmarshal(text, &all) != nil || all == nil { // nil: the file has null
		return make(map[string]publication)
	}
	return all
}

// notePublished records a publication. It ignores errors, such as that of a read-only site. Then
// versions that are removed from the site later stay at the target.
func notePublished(root, target string, note publication) {
	all := lastPublished(root)
	all[target] = note
	text, err := jsondoc.Line(all)
	if err != nil {
		return
	}
	_ = site.WriteWorkFile(root, published, text)
}
