// Package dbem publishes a site as a repository of dbem, which dbem and its editor
// extension dbox-repo read; and brings such a repository to a folder, which can be
// built from.
//
// The layout is that of [metadatas]. It has less than a site: no publisher in a path,
// so that two extensions of one name cannot both be there; no target platforms, so
// that only universal packages are; one current version, which is the newest release,
// or the newest version if none is one. Packages go first and the list last, in one
// conditional step. A package that is there is not sent again, and one of another size
// is not replaced: a version never changes.
//
// What others have published there stays. It is told from what this site has published
// and no longer has by what stands on the builder's desk.
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

	"galbuild/build/metadatas"
	"galbuild/build/regular"
	"galbuild/build/site"
	"galbuild/publish"
	"galbuild/publish/target"
)

// Options say how a site is published. The zero value is ready for use.
type Options struct {
	publish.Options
	Replace bool          // what the place has and the site has not goes, whoever has published it
	Prune   bool          // with the folders of what goes, and of what went earlier
	Grace   time.Duration // but for packages younger than this
}

// Result is what publishing came to.
type Result struct {
	Place      string   `json:"place"`
	Extensions int      `json:"extensions"` // in the list now
	Objects    int      `json:"objects"`    // sent, without the list
	Bytes      int64    `json:"bytes"`      // sent
	Kept       []string `json:"kept"`       // of others, or newer than the site's: publisher.name@version
	Unlisted   []string `json:"unlisted"`   // no longer in the list
	Pruned     []string `json:"pruned"`     // keys of objects
	Warnings   []string `json:"warnings"`
	Attempts   int      `json:"attempts,omitempty"` // more than one if others were at work
	DryRun     bool     `json:"dryRun,omitempty"`
	Plan       []string `json:"plan,omitempty"` // of a dry run
}

// Publish brings a repository to what the site at root serves.
func Publish(ctx context.Context, at target.Target, root string, o Options) (Result, error) {
	own, err := layOut(root)
	if err != nil {
		return Result{}, err
	}
	p := &publication{Options: o, at: at, own: own, before: make(map[string]bool)}
	for _, key := range recall(root)[at.String()] {
		p.before[strings.ToLower(key)] = true
	}
	var result Result
	attempts, err := publish.Retry(ctx, func() (err error) {
		result, err = p.attempt(ctx)
		return err
	})
	result.Attempts = attempts
	if err == nil && !o.DryRun {
		remember(root, at.String(), p.published(result.Pruned))
	}
	return result, err
}

// A publication is one Publish under way.
type publication struct {
	Options
	at     target.Target
	own    *layout
	before map[string]bool // keys of the versions that the site has published at the place, until they are pruned
}

// attempt publishes, unless somebody else is faster.
func (p *publication) attempt(ctx context.Context) (Result, error) {
	plan, m, err := p.plan(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", p.at, err)
	}
	result := Result{
		Place: p.at.String(), Extensions: len(m.entries), DryRun: p.DryRun,
		Kept: m.kept, Unlisted: m.unlisted, Pruned: append([]string{}, plan.Remove...), Warnings: p.own.warnings,
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

// plan compares the site with what is there.
func (p *publication) plan(ctx context.Context) (*publish.Plan, *merged, error) {
	raw, there, err := p.read(ctx)
	if err != nil {
		return nil, nil, err
	}
	m, err := p.merge(there)
	if err != nil {
		return nil, nil, err
	}
	list, err := metadatas.Format(m.entries)
	if err != nil {
		return nil, nil, err
	}
	stock, err := takeStock(ctx, p.at)
	if err != nil {
		return nil, nil, err
	}
	plan := &publish.Plan{Replaces: raw}
	if plan.Blobs, err = p.lacking(stock, m); err != nil {
		return nil, nil, err
	}
	if p.Prune {
		plan.Remove = p.prunable(stock, m)
	}
	if string(list) != string(raw) || len(plan.Blobs)+len(plan.Remove) > 0 {
		plan.Current = target.Bytes(metadatas.Name, "application/json; charset=utf-8", target.Revalidate, list)
	}
	return plan, m, nil
}

// takeStock returns all objects of a place, by key.
func takeStock(ctx context.Context, at target.Target) (map[string]target.Entry, error) {
	stock := make(map[string]target.Entry)
	for e, err := range at.List(ctx, "") {
		if err != nil {
			return nil, err
		}
		stock[e.Key] = e
	}
	return stock, nil
}

// read returns the list that is there, nil if there is none.
func (p *publication) read(ctx context.Context) (raw []byte, entries []metadatas.Entry, err error) {
	r, err := p.at.Get(ctx, metadatas.Name, 0, -1)
	if errors.Is(err, target.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if raw, err = target.ReadAll(r, metadatas.MaxBytes); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", metadatas.Name, err)
	}
	entries, err = metadatas.Parse(raw)
	if err != nil && !p.Replace { // what is to be replaced need not be understood
		return nil, nil, fmt.Errorf("%s: %w: %v", metadatas.Name, ErrList, err)
	}
	return raw, entries, nil
}

// published returns the keys of what the site has at the place from now on.
func (p *publication) published(pruned []string) []string {
	gone := make(map[string]bool)
	for _, key := range pruned {
		gone[strings.ToLower(path.Dir(key))] = true
	}
	all := maps.Clone(p.own.keys)
	maps.Copy(all, p.before)
	maps.DeleteFunc(all, func(key string, _ bool) bool { return gone[folderOf(key)] })
	return slices.Sorted(maps.Keys(all))
}

// folderOf returns the folder of a version, in lower case: acme.hello@1.0.0 is in
// hello/1.0.0.
func folderOf(key string) string {
	_, rest, _ := strings.Cut(key, ".")
	return strings.ToLower(strings.Replace(rest, "@", "/", 1))
}

// memory is a file on the builder's desk: which versions were published where.
const memory = "published-dbem.json"

// maxMemory bounds the file, in bytes. A gallery of 100,000 versions has 5 MB for each target.
const maxMemory = 1 << 30

func recall(root string) map[string][]string {
	all := make(map[string][]string)
	text, err := regular.ReadFile(filepath.Join(root, site.Desk, memory), maxMemory)
	if err != nil || json.Unmarshal(text, &all) != nil || all == nil { // null
		return make(map[string][]string) // one that cannot be read is ignored
	}
	return all
}

// remember is for the next time. Of a site that cannot be written to nothing is
// remembered; then what it has removed stays at the place.
func remember(root, place string, keys []string) {
	all := recall(root)
	all[place] = keys
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return
	}
	_ = site.WriteOwn(root, memory, append(text, '\n'))
}
