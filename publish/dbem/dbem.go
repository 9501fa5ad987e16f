// Package dbem publishes a site as a repository of dbem, which dbem and its editor extension
// dbox-repo read, and pulls such a repository into a folder, from which a site can be built.
//
// The layout is that of package [galbuild/build/dbem]. It cannot express everything that a site
// has. Paths contain no publisher, so two extensions of the same name are refused. There are no
// target platforms, so only universal packages are published. There is one current version: the
// newest release, or the newest pre-release if there is no release.
//
// Packages are sent first. The list is replaced last, on the condition that nobody else has
// replaced it, and then packages are pruned. So after a crash, all packages in the list exist. A
// package that exists is not sent again, and it is an error if its size differs, because a version
// never changes.
//
// Entries that others have published are preserved. A file in the work directory of the site
// records which versions the site has published.
package dbem

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	repo "galbuild/build/dbem"
	"galbuild/build/jsondoc"
	"galbuild/build/regularfile"
	"galbuild/build/site"
	"galbuild/publish"
	"galbuild/publish/target"
)

// Options are the options of [Publish]. The zero value is ready for use.
type Options struct {
	publish.Options
	Replace bool          // remove all entries that the site does not have, even those of others
	Prune   bool          // delete packages that the site has published and no longer has
	Grace   time.Duration // minimum age of packages that Prune deletes
}

// Result describes a publish.
type Result struct {
	Target     string   `json:"target"`
	Extensions int      `json:"extensions"` // in the list after publishing
	Objects    int      `json:"objects"`    // sent, without the list
	Bytes      int64    `json:"bytes"`      // sent
	Kept       []string `json:"kept"`       // entries of others that were not removed, as publisher.name@version
	Unlisted   []string `json:"unlisted"`   // entries removed from the list
	Pruned     []string `json:"pruned"`     // keys of deleted objects
	Warnings   []string `json:"warnings"`
	Attempts   int      `json:"attempts"` // more than one after concurrent changes
	DryRun     bool     `json:"dryRun"`
	Plan       []string `json:"plan"` // what a dry run would do
}

// Publish publishes the site at root to a repository.
func Publish(ctx context.Context, at target.Target, root string, o Options) (Result, error) {
	own, err := layOut(root)
	if err != nil {
		return Result{}, err
	}
	p := &publication{Options: o, at: at, own: own, before: make(map[string]bool)}
	for _, key := range lastPublished(root)[at.String()] {
		p.before[strings.ToLower(key)] = true
	}
	var result Result
	attempts, err := publish.Retry(ctx, func() (err error) {
		result, err = p.attempt(ctx)
		return err
	})
	result.Attempts = attempts
	if err == nil && !o.DryRun {
		notePublished(root, at.String(), p.published(result.Pruned))
	}
	return result, err
}

// A publication is a call of [Publish].
type publication struct {
	Options
	at     target.Target
	own    *layout
	before map[string]bool // keys of versions that the site has published and not pruned
}

// attempt tries to publish once. If another publisher was faster, the error wraps
// [target.ErrChanged].
func (p *publication) attempt(ctx context.Context) (Result, error) {
	plan, m, err := p.plan(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", p.at, err)
	}
	result := Result{
		Target: p.at.String(), Extensions: len(m.entries), DryRun: p.DryRun,
		Kept: m.kept, Unlisted: m.unlisted, Pruned: append([]string{}, plan.Remove...), Warnings: p.own.warnings, Plan: []string{},
	}
	result.Objects, result.Bytes = plan.Objects()
	if !p.DryRun {
		return result, plan.Run(ctx, p.at, p.Options.Options)
	}
	if !plan.IsEmpty() {
		result.Plan = plan.Lines()
	}
	return result, nil
}

// plan compares the site with the repository.
func (p *publication) plan(ctx context.Context) (*publish.Plan, *merged, error) {
	raw, entries, err := p.read(ctx)
	if err != nil {
		return nil, nil, err
	}
	m, err := p.merge(entries)
	if err != nil {
		return nil, nil, err
	}
	list, err := repo.Format(m.entries)
	if err != nil {
		return nil, nil, err
	}
	existing, err := listAll(ctx, p.at)
	if err != nil {
		return nil, nil, err
	}
	plan := &publish.Plan{Replaces: raw}
	if plan.Blobs, err = p.missing(existing, m); err != nil {
		return nil, nil, err
	}
	if p.Prune {
		plan.Remove = p.prunable(existing, m)
	}
	if string(list) != string(raw) || len(plan.Blobs)+len(plan.Remove) > 0 {
		plan.Current = target.Bytes(repo.Name, "application/json; charset=utf-8", target.Revalidate, list)
	}
	return plan, m, nil
}

// listAll returns all objects of a target, by key.
func listAll(ctx context.Context, at target.Target) (map[string]target.Entry, error) {
	all := make(map[string]target.Entry)
	for e, err := range at.List(ctx, "") {
		if err != nil {
			return nil, err
		}
		all[e.Key] = e
	}
	return all, nil
}

// read returns the text and the entries of the repository's list, or nil if there is no list.
func (p *publication) read(ctx context.Context) (raw []byte, entries []repo.Entry, err error) {
	r, err := p.at.Get(ctx, repo.Name, 0, -1)
	if errors.Is(err, target.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if raw, err = target.ReadAll(r, repo.MaxBytes); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", repo.Name, err)
	}
	entries, err = repo.Parse(raw)
	if err != nil && !p.Replace { // a list that is replaced need not be readable
		return nil, nil, fmt.Errorf("%s: %w: %v", repo.Name, ErrList, err)
	}
	return raw, entries, nil
}

// published returns the keys of the versions that the site has published, without those that were
// pruned.
func (p *publication) published(pruned []string) []string {
	removed := make(map[string]bool)
	for _, key := range pruned {
		removed[strings.ToLower(path.Dir(key))] = true
	}
	all := maps.Clone(p.own.keys)
	maps.Copy(all, p.before)
	maps.DeleteFunc(all, func(key string, _ bool) bool { return removed[folderOf(key)] })
	return slices.Sorted(maps.Keys(all))
}

// folderOf returns the folder of a version in lower case, such as hello/1.0.0 for
// acme.hello@1.0.0.
func folderOf(key string) string {
	_, rest, _ := strings.Cut(key, ".")
	return strings.ToLower(strings.Replace(rest, "@", "/", 1))
}

// publishedName is a file in the work directory of a site: a JSON object with the keys of the
// versions that were published to each target, by the target's name.
const publishedName = "published-dbem.json"

// maxPublished limits the size of the file, in bytes. A gallery of 100,000 versions has 5 MB for
// each target.
const maxPublished = 1 << 30

// lastPublished reads the file. It ignores a file that cannot be read.
func lastPublished(root string) map[string][]string {
	all := make(map[string][]string)
	text, err := regularfile.ReadFile(filepath.Join(root, site.WorkDir, publishedName), maxPublished)
	if err != nil || json.Unmarshal(text, &all) != nil || all == nil { // nil: the file has null
		return make(map[string][]string)
	}
	return all
}

// notePublished records the published versions. Errors are ignored: if the site is read-only,
// versions that it has removed stay at the target.
func notePublished(root, target string, keys []string) {
	all := lastPublished(root)
	all[target] = keys
	text, err := jsondoc.Indented(all)
	if err != nil {
		return
	}
	_ = site.WriteWorkFile(root, publishedName, text)
}
