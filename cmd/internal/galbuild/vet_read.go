package galbuild

import (
	"cmp"
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/Masterminds/semver/v3"
	"golang.org/x/sync/errgroup"

	"galbuild/build"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/npmsemver"
	"galbuild/build/policy"
	"galbuild/build/retry"
	"galbuild/build/site"
	"galbuild/build/source"
	"galbuild/build/vet"
	"galbuild/build/vsix"
	"galbuild/cmd/internal/terminal"
)

// A vetting is a package that is vetted, or with which others are compared.
type vetting struct {
	name, publisher, version, platform string
	displayName                        string
	file                               string // as messages name it
	path                               string
	size                               int64
	ref                                blob.Ref
	known                              bool // it is in the site or folder of --against
	result                             vet.Result
	more                               []vet.Finding // besides those of the result
	before                             string        // the version that it was compared with
	failed                             error
}

func (x *vetting) key() string { return catalog.Key(x.publisher, x.name, x.version, x.platform) }

func (x *vetting) id() string { return strings.ToLower(x.publisher + "." + x.name) }

// A vetRun vets packages.
type vetRun struct {
	*vetCmd
	env     *env
	temp    string // folder of downloads
	limits  vsix.Limits
	options vet.Options
	denied  []*policy.Policy
	verdict verdictWriter
}

func (v *vetCmd) vet(ctx context.Context, e *env) (vetted, error) {
	temp, err := os.MkdirTemp("", "galbuild-vet-")
	if err != nil {
		return vetted{}, err
	}
	defer os.RemoveAll(temp)
	run := vetRun{vetCmd: v, env: e, temp: temp}
	if run.limits, err = v.limits(); err != nil {
		return vetted{}, err
	}
	if run.options.Advisories, err = v.advisories(); err != nil {
		return vetted{}, err
	}
	if run.denied, err = v.rulesOf(); err != nil {
		return vetted{}, err
	}
	if run.verdict, err = v.writer(e); err != nil {
		return vetted{}, err
	}
	all, err := run.expand(ctx, v.Sources)
	if err != nil {
		return vetted{}, err
	}
	if err := run.scanAll(ctx, all); err != nil {
		return vetted{}, err
	}
	known, ids, err := run.against(ctx, all)
	if err != nil {
		return vetted{}, err
	}
	run.compare(all, known, ids)
	return newVetted(all), nil
}

// expand returns the packages of sources. Sources that cannot be read are packages that have
// failed.
func (r *vetRun) expand(ctx context.Context, sources []string) (all []*vetting, err error) {
	config := source.Config{Downloads: filepath.Join(r.temp, "downloads"), Stdin: r.env.stdin, Log: r.env.log, MaxBytes: r.limits.WithDefaults().PackageBytes}
	if config.Client, err = retry.New(retry.Config{CA: r.CA}); err != nil {
		return nil, err
	}
	items, problems, err := source.Expand(ctx, sources, config)
	if err != nil {
		return nil, err
	}
	for _, p := range problems {
		all = append(all, &vetting{file: p.Name, failed: p.Err})
	}
	for i := range items {
		all = append(all, &vetting{file: items[i].Name, path: items[i].Path, size: items[i].Size})
	}
	return all, nil
}

// scanAll scans packages, and runs the scanners on them.
func (r *vetRun) scanAll(ctx context.Context, all []*vetting) error {
	bar := newProgress(r.env)
	defer bar.close()
	var total int64
	for _, x := range all {
		total += x.size
	}
	var done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, x := range all {
		if x.failed != nil {
			continue
		}
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			x.failed = r.scan(ctx, x)
			bar.show(build.Progress{Stage: "vet", Done: done.Add(x.size), Total: total, Name: x.file})
			return ctx.Err()
		})
	}
	return group.Wait()
}

// scan reads a package. An error is about the package.
func (r *vetRun) scan(ctx context.Context, x *vetting) (err error) {
	defer vsix.RecoverPanic(&err)
	file, err := os.Open(x.path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	p, err := vsix.Open(file, info.Size(), r.limits)
	if err != nil {
		return err
	}
	x.publisher, x.name, x.version, x.platform, x.displayName = p.Publisher, p.Name, p.Version, p.Platform, p.DisplayName
	if x.ref, _, err = blob.SumFile(x.path); err != nil {
		return err
	}
	s := vet.NewScanner(p, r.options)
	if err := p.Walk(func(e vsix.Entry, content io.Reader) error {
		_, err := s.Read(e, content)
		return err
	}); err != nil {
		return err
	}
	x.result = s.Result()
	if x.known {
		return nil
	}
	found, err := r.scanFlags.scan(ctx, x.path, func(v vet.Verdict, failed error) error { return r.verdict.write(x, v, failed) })
	x.more = append(deniedBy(r.denied, x), found...)
	return err
}

// against returns the packages of --against with which others are compared, and the ids of all
// extensions there.
func (r *vetRun) against(ctx context.Context, all []*vetting) (known []*vetting, ids []string, err error) {
	if r.Against == "" {
		return nil, nil, nil
	}
	if isSite(r.Against) {
		known, ids, err = r.ofSite(all)
	} else {
		known, err = r.expand(ctx, []string{r.Against})
	}
	if err != nil {
		return nil, nil, err
	}
	for _, x := range known {
		x.known = true
	}
	if err := r.scanAll(ctx, known); err != nil {
		return nil, nil, err
	}
	for _, x := range known {
		if x.failed != nil {
			terminal.Fprintf(r.env.stderr, "galbuild: warning: %s: %v\n", x.file, x.failed)
			continue
		}
		ids = append(ids, x.id())
	}
	return known, ids, nil
}

// ofSite returns the packages of a site whose extensions are vetted, and the ids of all its
// extensions.
func (r *vetRun) ofSite(all []*vetting) (known []*vetting, ids []string, err error) {
	_, c, err := site.Read(r.Against)
	if err != nil {
		return nil, nil, err
	}
	wanted := make(map[string]bool)
	for _, x := range all {
		wanted[x.id()] = true
	}
	store := blob.ReadStore(r.Against)
	for key, v := range c.Versions() {
		id, _, _ := strings.Cut(strings.ToLower(key), "@")
		ids = append(ids, id)
		if wanted[id] {
			known = append(known, &vetting{file: key, path: store.File(v.Package.Ref), size: v.Package.Size})
		}
	}
	return known, ids, nil
}

// compare compares each package with the newest one before it, and its name with all others.
func (r *vetRun) compare(all, known []*vetting, ids []string) {
	gallery := slices.Clone(ids)
	groups := make(map[string][]*vetting)
	for _, x := range slices.Concat(all, known) {
		if x.failed == nil {
			gallery = append(gallery, x.id())
			groups[x.id()+"@"+x.platform] = append(groups[x.id()+"@"+x.platform], x)
		}
	}
	names := vet.NewNames(gallery, vet.Popular())
	for _, x := range all {
		if x.failed != nil {
			continue
		}
		before := previousOf(groups[x.id()+"@"+x.platform], x)
		if before != nil {
			x.before = before.version
			x.more = append(x.more, vet.Compare(&before.result.Profile, &x.result.Profile)...)
		} else if r.Against != "" {
			x.more = append(x.more, vet.Compare(nil, &x.result.Profile)...)
		}
		x.more = append(x.more, names.LookAlikes(x.publisher+"."+x.name, x.displayName)...)
	}
}

// previousOf returns the newest version before x, or nil.
func previousOf(versions []*vetting, x *vetting) (previous *vetting) {
	own, err := npmsemver.ParseVersion(x.version)
	if err != nil {
		return nil
	}
	var newest *semver.Version
	for _, y := range versions {
		v, err := npmsemver.ParseVersion(y.version)
		if err == nil && v.LessThan(own) && (newest == nil || newest.LessThan(v)) {
			newest, previous = v, y
		}
	}
	return previous
}

// newVetted returns the JSON document, with the packages in the order of their ids and versions.
func newVetted(all []*vetting) vetted {
	r := vetted{Packages: []vettedPackage{}}
	for _, x := range all {
		p := vettedPackage{File: x.file, Findings: []vet.Finding{}}
		if x.failed != nil {
			p.Reason = x.failed.Error()
		} else {
			p.ID, p.Before = x.key(), x.before
			p.Findings = append(append(p.Findings, x.result.Findings...), x.more...)
			vet.Sort(p.Findings)
		}
		for _, f := range p.Findings {
			switch f.Severity {
			case vet.High:
				r.High++
			case vet.Medium:
				r.Medium++
			default:
				r.Low++
			}
		}
		r.Packages = append(r.Packages, p)
	}
	slices.SortStableFunc(r.Packages, func(a, b vettedPackage) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.File, b.File)) })
	return r
}
