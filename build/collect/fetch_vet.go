package collect

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"galbuild/build/catalog"
	"galbuild/build/collect/lock"
	"galbuild/build/policy"
	"galbuild/build/vsix"
)

// Vetting is a package that is to be vetted.
type Vetting struct {
	Entry *lock.Entry
	Path  string // of the package, which may have another name than in the folder
	Name  string // path that the package will have in the folder
	// Older are the paths of older packages of the extension for the platform, the newest one
	// first.
	Older []string
	IsNew bool // the earlier lock has no package of the extension
}

// Vetted is what was found in a package, and what follows.
type Vetted struct {
	ID       string            `json:"id"`
	Version  string            `json:"version"`
	Platform string            `json:"platform,omitempty"`
	Action   string            `json:"action"`         // warn, quarantine or refuse
	Rule     string            `json:"rule,omitempty"` // unless it is a warning: the key in the policy
	Line     int               `json:"line,omitempty"` // in the policy, counted from 1
	Reason   string            `json:"reason,omitempty"`
	Findings []catalog.Finding `json:"findings"` // from which anything follows
}

// vetAll vets what was downloaded, and then downloads its pictures. Packages of an extension for a
// platform follow each other, because each is compared with the one before it.
func (x *fetch) vetAll(ctx context.Context, jobs []*job) error {
	before := x.before()
	for _, j := range jobs {
		if x.mustVet(j) {
			x.progress.ToVet++
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(cmp.Or(x.Jobs, defaultJobs))
	for _, versions := range x.versions(jobs) {
		group.Go(func() error {
			for i, j := range versions {
				if j.err != nil {
					continue
				}
				j.err = x.admit(ctx, j, versions[:i], before)
				if err := cmp.Or(ctx.Err(), fatal(j.err)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// versions divides packages by extension and platform, and sorts each group, the oldest one first.
func (x *fetch) versions(jobs []*job) map[string][]*job {
	groups := make(map[string][]*job)
	for _, j := range jobs {
		key := strings.ToLower(j.ID) + "@" + j.Platform
		groups[key] = append(groups[key], j)
	}
	for _, versions := range groups {
		slices.SortFunc(versions, func(a, b *job) int { return lock.Compare(b.Entry, a.Entry) })
	}
	return groups
}

// admit vets a package, and downloads its pictures.
func (x *fetch) admit(ctx context.Context, j *job, older []*job, before map[string][]lock.Entry) (err error) {
	defer vsix.RecoverPanic(&err)
	if x.mustVet(j) {
		err := x.vet(ctx, j, x.vetting(j, older, before[strings.ToLower(j.ID)]))
		x.countVetted()
		if err != nil {
			return err
		}
	}
	return x.getPictures(ctx, j)
}

// mustVet reports whether a package is vetted: a new one, and one in place of which the plan does
// not want an older one any more, which stays while the newer one is in quarantine.
func (x *fetch) mustVet(j *job) bool {
	return x.Vet != nil && j.err == nil && (!x.isUnchanged(j) || slices.ContainsFunc(x.unwanted, func(e lock.Entry) bool { return follows(j, &e) }))
}

// follows reports whether a package is a newer one than that of an entry, for the same platform.
func follows(j *job, e *lock.Entry) bool {
	return strings.EqualFold(j.ID, e.ID) && j.Platform == e.Platform && lock.Compare(j.Entry, *e) < 0
}

// isQuarantined reports whether a package is in the folder, and not yet in a gallery.
func (j *job) isQuarantined() bool {
	return j.vetted != nil && j.vetted.Action == policy.Quarantine.String()
}

// countVetted counts a package that was vetted.
func (x *fetch) countVetted() {
	x.mutex.Lock()
	defer x.mutex.Unlock()
	x.progress.Vetted++
	x.report()
}

func (x *fetch) vet(ctx context.Context, j *job, v Vetting) error {
	excluded, found, err := x.Vet(ctx, v)
	if err != nil || len(found) == 0 {
		return err
	}
	j.vetted = &Vetted{ID: j.ID, Version: j.Version, Platform: j.Platform, Action: policy.Warn.String(), Findings: found}
	if excluded == nil {
		return nil
	}
	j.vetted.Action, j.vetted.Rule, j.vetted.Line, j.vetted.Reason = policy.Quarantine.String(), excluded.Rule, excluded.Line, excluded.Detail
	if excluded.Quarantine {
		return nil
	}
	j.vetted.Action = policy.Refuse.String()
	return fmt.Errorf("the policy refuses it: %s (%s, line %d of the policy)", excluded.Detail, excluded.Rule, excluded.Line)
}

// refusedBy returns the rule that refuses a package, or "".
func (j *job) refusedBy() string {
	if j.vetted == nil || j.vetted.Action != policy.Refuse.String() {
		return ""
	}
	return j.vetted.Rule
}

// before returns the packages of the earlier lock by lower-case id.
func (x *fetch) before() map[string][]lock.Entry {
	all := make(map[string][]lock.Entry)
	for _, e := range x.old.Entries {
		id := strings.ToLower(e.ID)
		all[id] = append(all[id], e)
	}
	return all
}

// vetting returns a package with the older ones of this run, and those of the extension that the
// earlier lock has.
func (x *fetch) vetting(j *job, older []*job, locked []lock.Entry) Vetting {
	v := Vetting{Entry: &j.Entry, Path: j.path, Name: filepath.Join(x.folder.Dir, j.FileName()), IsNew: len(locked) == 0}
	paths := make(map[string]string) // by version
	for _, e := range locked {
		if e.Platform == j.Platform && lock.Compare(j.Entry, e) < 0 {
			paths[e.Version] = filepath.Join(x.folder.Dir, e.FileName())
		}
	}
	for _, other := range older {
		if other.err == nil {
			paths[other.Version] = other.path
		}
	}
	versions := make([]lock.Entry, 0, len(paths))
	for version := range paths {
		versions = append(versions, lock.Entry{Version: version})
	}
	slices.SortFunc(versions, lock.Compare)
	for _, e := range versions {
		v.Older = append(v.Older, paths[e.Version])
	}
	return v
}
