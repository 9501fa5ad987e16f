package collect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"galbuild/build/catalog"
	"galbuild/build/collect/lock"
	"galbuild/build/npmsemver"
	"galbuild/build/policy"
	"galbuild/build/upstream"
)

// A listing is what an upstream lists of an extension.
type listing struct {
	upstream  upstream.Upstream
	extension *upstream.Extension // nil if the upstream does not have it
	releases  []*release          // newest first; of a version, the universal package is the last
	err       error               // the upstream could not be queried
	refused   []*policy.Exclusion // of releases that were completed before the policy excluded them
}

// A release is a package of a listing, and what was found out about it.
type release struct {
	*upstream.Release
	parsed *semver.Version
	locked *lock.Entry // of the earlier lock; nil if it does not have the package

	engines  map[string]bool // which versions of VS Code can run it, as far as it was computed
	checked  bool
	excluded *policy.Exclusion
	err      error // of Complete
}

// key identifies a package among those of its extension.
func key(version, platform string) string {
	return strings.ToLower(catalog.ID{Extension: version, Platform: platform}.String())
}

func (r *release) key() string { return key(r.Version, r.Platform) }

// newListing looks up an extension at an upstream. Releases that no gallery can serve are left out.
func newListing(ctx context.Context, u upstream.Upstream, id string, locked map[string]*lock.Entry) *listing {
	l := &listing{upstream: u}
	e, err := u.Extension(ctx, id)
	switch {
	case errors.Is(err, upstream.ErrNotFound):
		return l
	case err != nil:
		l.err = err
		return l
	case !strings.EqualFold(e.ID, id):
		l.err = fmt.Errorf("the response is about %.200q", e.ID)
		return l
	}
	own := *e // Complete changes the releases, which may be those of a cache
	own.Releases = slices.Clone(e.Releases)
	l.extension = &own
	for i := range own.Releases {
		r := &own.Releases[i]
		parsed, err := semver.StrictNewVersion(r.Version)
		if err != nil || catalog.CheckIdentity("any", "any", r.Version) != nil || r.Platform != "" && !slices.Contains(catalog.Platforms(), r.Platform) {
			continue
		}
		l.releases = append(l.releases, &release{Release: r, parsed: parsed, locked: locked[key(r.Version, r.Platform)], engines: make(map[string]bool)})
	}
	slices.SortStableFunc(l.releases, compareReleases)
	l.releases = slices.CompactFunc(l.releases, func(a, b *release) bool { return a.key() == b.key() })
	return l
}

// compareReleases orders releases as catalogues do.
func compareReleases(a, b *release) int {
	return cmp.Or(
		b.parsed.Compare(a.parsed),
		strings.Compare(b.Version, a.Version), // they differ in their builds
		compareBool(a.Platform == "", b.Platform == ""),
		strings.Compare(a.Platform, b.Platform),
		strings.Compare(a.Package.URL, b.Package.URL),
	)
}

// runs reports whether a version of VS Code can run a release; "" is any version.
func (r *release) runs(engine string) bool {
	runs, ok := r.engines[engine]
	if !ok {
		runs = runsIn(r.Engine, engine)
		r.engines[engine] = runs
	}
	return runs
}

// runsIn reports whether a version of VS Code is in a range. Both may be "", which is any.
func runsIn(versions, engine string) bool {
	if engine == "" || versions == "" {
		return true
	}
	accepted, err := npmsemver.ParseLooseRange(versions)
	return err == nil && accepted.Contains(engine)
}

// maxRefused is how many releases of an extension are completed only for the policy to refuse them.
// Without a limit, a policy that requires signatures would cause a request for each of a thousand
// releases that have none.
const maxRefused = 20

// permitted completes a release that the policy permits as far as it is known, and reports whether
// the policy permits it then. A package of the earlier lock is known, and needs no request.
func (c *Config) permitted(ctx context.Context, l *listing, r *release) (bool, error) {
	if r.checked {
		return r.excluded == nil, r.err
	}
	r.checked = true
	candidate := c.candidate(l.extension, r.Release)
	if r.locked != nil {
		candidate.Seen = r.locked.Added
		candidate.Version.Package.Ref, candidate.Size = r.locked.SHA256, r.locked.Size
		candidate.Version.Signed = r.locked.Signature != nil
	}
	r.excluded = c.check(candidate)
	if r.excluded != nil || r.locked != nil {
		return r.excluded == nil, nil
	}
	if n := len(l.refused); n >= maxRefused {
		r.excluded = l.refused[n-1]
		return false, nil
	}
	if r.err = l.upstream.Complete(ctx, l.extension, r.Release); r.err != nil {
		return false, r.err
	}
	candidate = c.candidate(l.extension, r.Release)
	candidate.Version.Signed = r.Signature != nil
	if r.excluded = c.check(candidate); r.excluded != nil {
		l.refused = append(l.refused, r.excluded)
	}
	return r.excluded == nil, nil
}

func (c *Config) check(candidate policy.Candidate) *policy.Exclusion {
	if x, excluded := c.policy().Check(candidate, c.Now); excluded {
		return &x
	}
	return nil
}

// candidate returns what the policy decides about. As long as it is not known whether there is a
// signature, it counts as one.
func (c *Config) candidate(e *upstream.Extension, r *upstream.Release) policy.Candidate {
	return newCandidate(e.ID, e.Publisher.IsDomainVerified, policy.Candidate{
		Published: r.Published, Size: max(r.Package.Size, 0), Licence: r.Licence,
		Version: &catalog.Version{
			Version: r.Version, Platform: r.Platform, PreRelease: r.PreRelease, Signed: true, Licence: r.Licence,
			Package: catalog.File{Ref: r.Package.SHA256},
		},
	})
}

// checkLocked applies the policy to a package of a lock.
func (c *Config) checkLocked(e *lock.Entry) *policy.Exclusion {
	return c.check(newCandidate(e.ID, e.Publisher != nil && e.Publisher.IsDomainVerified, policy.Candidate{
		Published: e.Published, Seen: e.Added, Size: e.Size, Licence: e.Licence,
		Version: &catalog.Version{
			Version: e.Version, Platform: e.Platform, PreRelease: e.PreRelease, Signed: e.Signature != nil, Licence: e.Licence,
			Package: catalog.File{Ref: e.SHA256},
		},
	}))
}

func newCandidate(id string, verified bool, c policy.Candidate) policy.Candidate {
	publisher, name, _ := strings.Cut(id, ".")
	c.Key = catalog.Key(publisher, name, c.Version.Version, c.Version.Platform)
	c.Extension = &catalog.Extension{Name: name, Publisher: catalog.Publisher{Name: publisher, Verified: verified}}
	c.Listed = true
	return c
}

// entry returns the entry of a lock for a release.
func (l *listing) entry(r *release, now time.Time) lock.Entry {
	e := l.extension
	entry := lock.Entry{
		ID: e.ID, Version: r.Version, Platform: r.Platform, PreRelease: r.PreRelease, Engine: r.Engine,
		Address: r.Package.URL, SHA256: r.Package.SHA256, Size: r.Package.Size, Stated: !r.Package.SHA256.IsZero(),
		Published: r.Published, Added: now.UTC().Truncate(time.Second),
		Upstream: l.upstream.Name(), ExtensionID: e.UUID, Access: e.Access, Released: e.Released, Licence: r.Licence,
	}
	if e.Publisher != (catalog.SidecarPublisher{}) {
		publisher := e.Publisher
		entry.Publisher = &publisher
	}
	if s := r.Signature; s != nil {
		entry.Signature = &lock.Signature{Address: s.URL, SHA256: s.SHA256, Size: s.Size, Key: r.PublicKey}
	}
	return entry
}
