package collect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/collect/lock"
	"galbuild/build/npmsemver"
	"galbuild/build/policy"
)

// A want is a requirement: the versions of an extension that are wanted for editors on one
// platform.
type want struct {
	group
	platform string
	exact    bool // universal packages do not fit
	// optional is set if a release for another platform is enough.
	optional bool
}

// A group is the wants of an extension that differ only in their platforms. All are chosen from
// the same upstream, so that an extension does not have one version of one publisher for Linux, and
// one of another publisher of the same name for Windows.
type group struct {
	channel Channel
	version string
	ranges  string
	address string // of the upstream, or "" for those of Config
}

// isPackage reports whether a group is the packages at an address, and not those of a repository,
// of which the newest are chosen.
func (g group) isPackage() bool {
	return g.address != "" && (!isGitHub(g.address) || strings.Contains(g.address, "@"))
}

// String is the key of the want in a [State].
func (w want) String() string {
	return fmt.Sprintf("%s|%s|%s|%s|%s|%t|%t", w.channel, w.version, w.ranges, w.address, w.platform, w.exact, w.optional)
}

func compareWants(a, b want) int {
	return cmp.Or(
		cmp.Compare(a.channel, b.channel), strings.Compare(a.version, b.version), strings.Compare(a.ranges, b.ranges),
		strings.Compare(a.address, b.address), strings.Compare(a.platform, b.platform), compareBool(a.exact, b.exact), compareBool(a.optional, b.optional),
	)
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// wants returns what a request wants, for each platform.
func (c *Config) wants(r Request) []want {
	g := group{r.Channel, r.Version, r.Range, r.Address}
	if g.isPackage() {
		g.channel = All
	}
	switch r.Platform {
	case "":
		return c.onPlatforms(g)
	case catalog.Universal:
		return []want{{group: g, exact: true}}
	}
	return []want{{group: g, platform: r.Platform}}
}

// onPlatforms returns a group for the platforms of Config. If it has none, these are all platforms
// that an extension has and the policy permits. Editors in a browser can run few of the universal
// packages, so these are not collected for them alone.
func (c *Config) onPlatforms(g group) (all []want) {
	for _, platform := range c.Platforms {
		w := want{group: g, platform: platform}
		if platform == catalog.Universal {
			w.platform, w.exact = "", true
		}
		all = append(all, w)
	}
	if len(c.Platforms) > 0 {
		return all
	}
	permitted := c.policy().Platforms()
	if len(permitted) > 0 {
		for _, platform := range permitted {
			all = append(all, want{group: g, platform: platform, optional: true})
		}
		return all
	}
	for _, platform := range catalog.Platforms() {
		all = append(all, want{group: g, platform: platform, optional: true, exact: platform == "web"})
	}
	return all
}

// need returns the wants for a dependency of a package that was chosen for w. With a pre-release,
// editors install pre-releases of its dependencies.
func (c *Config) need(w want, preRelease bool) []want {
	g := group{channel: Latest}
	if preRelease {
		g.channel = PreRelease
	}
	if w.platform == "" {
		return c.onPlatforms(g)
	}
	return []want{{group: g, platform: w.platform, optional: w.optional}}
}

func (c *Config) policy() *policy.Policy {
	if c.Policy == nil {
		return new(policy.Policy)
	}
	return c.Policy
}

// fits reports whether a package for a platform can be what is wanted.
func (w want) fits(platform string) bool {
	return platform == w.platform || platform == "" && !w.exact
}

// versions returns which versions can be what is wanted.
func (g group) versions() func(version string) bool {
	if g.version != "" {
		return func(version string) bool { return strings.EqualFold(version, g.version) }
	}
	if g.ranges == "" {
		return func(string) bool { return true }
	}
	r, err := npmsemver.ParseRange(g.ranges)
	return func(version string) bool { return err == nil && r.Contains(version) }
}

// has reports whether a channel has a release or a pre-release.
func (g group) has(preRelease bool) bool {
	return !preRelease || g.channel != Latest || g.version != ""
}

// fitsLocked reports whether a package of a lock can be what is wanted. As among the packages of an
// upstream, one that was asked for by its number need not run in any editor.
func (c *Config) fitsLocked(w want, e *lock.Entry) bool {
	runs := w.version != "" || w.isPackage() || slices.ContainsFunc(c.engines(), func(engine string) bool { return runsIn(e.Engine, engine) })
	return runs && w.fits(e.Platform) && w.versions()(e.Version) && (w.has(e.PreRelease) || c.PreReleases)
}
