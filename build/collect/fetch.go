package collect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"galbuild/build/catalog"
	"galbuild/build/collect/lock"
	"galbuild/build/download"
	"galbuild/build/pictures/remote"
	"galbuild/build/policy"
	"galbuild/build/retry"
	"galbuild/build/upstream"
	"galbuild/build/vsix"
)

// FetchConfig has the settings of [Folder.Fetch] and [Folder.FetchLocked]. Functions may be nil.
type FetchConfig struct {
	Client *retry.Client
	Limits vsix.Limits
	Jobs   int // downloads at once; 0 is 4
	Now    time.Time

	// Upstreams are asked for a package of a lock whose own address does not have it any more.
	Upstreams []upstream.Upstream

	// Vet looks at a package that was downloaded, after the older ones of the extension for
	// the platform. Its error keeps the package out, and so does an exclusion that is not a
	// quarantine.
	Vet func(context.Context, Vetting) (*policy.Exclusion, []catalog.Finding, error)
	// PictureClient downloads pictures. It should reach public addresses only, because packages
	// name the addresses.
	PictureClient *retry.Client
	// Pictures says that the pictures which readmes show and no package has are fetched too.
	Pictures bool
	// Companions are files that the collection gets in addition.
	Companions []Companion

	// Progress is called often, and never by two goroutines at once.
	Progress func(FetchProgress)
	Log      *slog.Logger
}

// FetchProgress says how far the downloads are.
type FetchProgress struct {
	Bytes, OfBytes int64 // received, and the sum of the sizes that are known
	Done, Of       int   // packages
	Vetted, ToVet  int   // packages, after all have been downloaded
}

// Fetched is what a run has done.
type Fetched struct {
	Lock     *lock.Lock
	Packages []FetchedPackage // that were downloaded, sorted with lock.Compare
	Failed   []Failed         // sorted by id, version and platform
	Vetted   []Vetted         // packages in which something was found, in the order of the plan
	Removed  []string         // names of files
	Warnings []string         // about packages, without those of the plan
	Bytes    int64            // size of what was downloaded
}

// FetchedPackage is a package that was downloaded.
type FetchedPackage struct {
	lock.Entry
	Replaces string
}

// Failed is a package that is not in the collection, or only in its earlier version.
type Failed struct {
	ID       string `json:"id"`
	Version  string `json:"version"`
	Platform string `json:"platform,omitempty"`
	Address  string `json:"address"`
	Reason   string `json:"reason"`         // a sentence without a period
	Rule     string `json:"rule,omitempty"` // of the policy that refuses the package; see Fetched.Vetted
	Kept     string `json:"kept"`           // the earlier version that stays; "" if there is none
}

// A fetch is one run.
type fetch struct {
	FetchConfig
	folder   *Folder
	old      *lock.Lock // never nil
	packages *download.Folder
	others   *download.Folder // signature archives and keys
	pictures *remote.Downloader
	locked   bool         // exactly what the lock has
	unwanted []lock.Entry // of the plan
	now      time.Time

	keys      keyring
	verifying sync.Mutex // held while a package is in memory

	mutex    sync.Mutex
	progress FetchProgress
	arrived  map[string]int64 // bytes by address
	stamps   map[string]stamp // of the last run
	found    map[string]stamp // of this run
}

// A job is one package.
type job struct {
	Planned
	path    string // of the package, in the downloads or in the folder
	sigzip  string // of the signature archive, likewise; "" if there is none
	present bool   // the folder has the package already
	err     error
	notes   []string
	vetted  *Vetted // nil if nothing was found
}

// Fetch downloads what a plan has and the folder does not have, and replaces the lock at the end.
// One package that fails does not affect the others. The error is that of ctx, or one after which
// nothing can be written; the folder then is as it was, except that it may have files of packages
// that its lock does not list yet, which the next run uses.
func (f *Folder) Fetch(ctx context.Context, p *Plan, next *lock.Lock, c FetchConfig) (*Fetched, error) {
	x, err := f.newFetch(c)
	if err != nil {
		return nil, err
	}
	jobs := make([]*job, len(p.Entries))
	for i, planned := range p.Entries {
		jobs[i] = &job{Planned: planned}
	}
	if err := x.runAll(ctx, jobs); err != nil {
		return nil, err
	}
	x.unwanted = p.Unwanted
	if err := x.vetAll(ctx, jobs); err != nil {
		return nil, err
	}
	return x.commit(ctx, jobs, &lock.Lock{Settings: next.Settings, Requests: next.Requests}, p)
}

// FetchLocked downloads exactly the packages of a lock.
func (f *Folder) FetchLocked(ctx context.Context, l *lock.Lock, c FetchConfig) (*Fetched, error) {
	x, err := f.newFetch(c)
	if err != nil {
		return nil, err
	}
	x.locked = true
	jobs := make([]*job, len(l.Entries))
	for i, e := range l.Entries {
		jobs[i] = &job{Planned: Planned{Entry: e, Status: Same}}
	}
	if err := x.runAll(ctx, jobs); err != nil {
		return nil, err
	}
	return x.commit(ctx, jobs, &lock.Lock{Settings: l.Settings, Requests: l.Requests, Companions: l.Companions}, &Plan{})
}

func (f *Folder) newFetch(c FetchConfig) (*fetch, error) {
	old, err := ReadLock(f.Dir)
	if err != nil {
		return nil, err
	}
	if err := checkCompanions(c.Companions, cmp.Or(old, &lock.Lock{}).Companions); err != nil {
		return nil, err
	}
	x := &fetch{FetchConfig: c, folder: f, old: cmp.Or(old, &lock.Lock{}), now: c.Now.UTC().Truncate(time.Second), arrived: map[string]int64{}}
	x.stamps, x.found = f.readStamps(), map[string]stamp{}
	limits := c.Limits.WithDefaults()
	settings := download.Config{
		Dir: f.downloads(), Client: c.Client, Log: c.Log,
		MaxBytes: limits.PackageBytes, MaxRatio: limits.Ratio, Progress: x.receive,
	}
	if x.packages, err = download.Open(settings); err != nil {
		return nil, err
	}
	settings.MaxBytes = limits.SidecarBytes
	x.pictures = remote.New(c.PictureClient, f.root, remote.Limits{})
	x.others, err = download.Open(settings)
	return x, err
}

// defaultJobs is the number of simultaneous downloads. More would hardly be faster, and would
// burden the server.
const defaultJobs = 4

// runAll fetches all packages. It stops at the first error after which nothing can be written.
func (x *fetch) runAll(ctx context.Context, jobs []*job) error {
	x.progress.Of = len(jobs)
	for _, j := range jobs {
		x.progress.OfBytes += max(j.Size, 0)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(cmp.Or(x.Jobs, defaultJobs))
	for _, j := range jobs {
		group.Go(func() error {
			defer vsix.RecoverPanic(&j.err) // a hostile package affects no other one
			if ctx.Err() != nil {
				return ctx.Err()
			}
			j.err = x.one(ctx, j)
			x.done()
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fatal(j.err)
		})
	}
	return group.Wait()
}

// fatal returns an error after which other packages cannot be written either.
func fatal(err error) error {
	for _, reason := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS} {
		if errors.Is(err, reason) {
			return err
		}
	}
	return nil
}

// receive implements download.Config.Progress.
func (x *fetch) receive(name string, done, total int64) {
	x.mutex.Lock()
	defer x.mutex.Unlock()
	x.progress.Bytes += done - x.arrived[name]
	x.arrived[name] = done
	x.report()
}

// done counts a package.
func (x *fetch) done() {
	x.mutex.Lock()
	defer x.mutex.Unlock()
	x.progress.Done++
	x.report()
}

func (x *fetch) report() {
	if x.Progress == nil {
		return
	}
	p := x.progress
	p.OfBytes = max(p.OfBytes, p.Bytes)
	x.Progress(p)
}

// result returns what was done, before the folder is changed.
func (x *fetch) result(jobs []*job) *Fetched {
	r := &Fetched{}
	for _, j := range jobs {
		name := j.Entry.String()
		for _, note := range j.notes {
			r.Warnings = append(r.Warnings, name+": "+note)
		}
		if j.vetted != nil {
			r.Vetted = append(r.Vetted, *j.vetted)
		}
		switch {
		case j.err != nil:
			r.Failed = append(r.Failed, Failed{
				ID: j.ID, Version: j.Version, Platform: j.Platform, Address: j.Address,
				Reason: j.err.Error(), Rule: j.refusedBy(), Kept: x.earlier(j),
			})
		case !j.present:
			r.Packages = append(r.Packages, FetchedPackage{j.Entry, j.Replaces})
			r.Bytes += j.Size
		}
	}
	return r
}

// earlier returns the version that a failed package was to replace, or its own version if that is
// locked. It is "" if there is none.
func (x *fetch) earlier(j *job) string {
	if x.isLocked(j) {
		return j.Version
	}
	return j.Replaces
}

func (x *fetch) isLocked(j *job) bool {
	return slices.ContainsFunc(x.old.Entries, func(e lock.Entry) bool { return sameName(e, j.Entry) })
}

// sameName reports whether two entries have the same file name.
func sameName(a, b lock.Entry) bool { return strings.EqualFold(a.Name(), b.Name()) }

// errIdentity is the error for a package that is not the one that was planned.
func errIdentity(p *vsix.Package, e *lock.Entry) error {
	found := lock.Entry{ID: p.Publisher + "." + p.Name, Version: p.Version, Platform: p.Platform}
	return fmt.Errorf("the package is %s, expected is %s", &found, e)
}
