package collect

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/collect/lock"
	"galbuild/build/errmsg"
	"galbuild/build/policy"
)

// An outcome is what was chosen for a want, or why nothing was.
type outcome struct {
	chosen   []choice // newest first, for each engine; packages that are not offered any more come last
	held     []heldRelease
	warnings []string
	reason   string // why nothing is chosen
	failed   bool   // an upstream could not be queried
}

// A choice is a package that was chosen. Release and listing are nil if it is not among what an
// upstream lists, and entry is nil if the earlier lock does not have it.
type choice struct {
	release *release
	listing *listing
	entry   *lock.Entry
	status  Status // Withdrawn or Kept; "" otherwise
	needs   []string
}

func (c *choice) key() string {
	if c.release != nil {
		return c.release.key()
	}
	return key(c.entry.Version, c.entry.Platform)
}

func (c *choice) preRelease() bool {
	if c.release != nil {
		return c.release.PreRelease
	}
	return c.entry.PreRelease
}

// A heldRelease is a package that the policy excludes.
type heldRelease struct {
	version, platform string
	locked            bool
	exclusion         *policy.Exclusion
}

// choose chooses the releases of a listing that fit a want.
func (c *Config) choose(ctx context.Context, l *listing, w want) outcome {
	s := &selection{Config: c, ctx: ctx, listing: l, want: w, versions: w.versions()}
	switch {
	case w.version != "":
		s.newest(1, func(*release) bool { return true })
		s.warnEngine()
	case w.isPackage():
		s.newest(len(l.releases), func(*release) bool { return true })
		s.warnEngine()
	case w.channel == All:
		s.newest(len(l.releases), func(r *release) bool { return s.runsAny(r) })
	default:
		for _, engine := range c.engines() {
			s.newestFor(engine)
		}
	}
	s.heldLocked()
	if len(s.chosen) == 0 && s.err == nil {
		s.reason = s.explain()
	}
	if s.err != nil {
		s.chosen, s.failed = nil, true
		s.reason = errmsg.Text(s.err)
	}
	return s.outcome
}

// A selection is the state of choose: an outcome that is not complete.
type selection struct {
	*Config
	ctx      context.Context
	listing  *listing
	want     want
	versions func(version string) bool
	err      error
	outcome
}

// engines returns the versions of VS Code that must be able to run the packages, or "" for any.
func (c *Config) engines() []string {
	if len(c.Engines) == 0 {
		return []string{""}
	}
	return c.Engines
}

func (s *selection) runsAny(r *release) bool { return slices.ContainsFunc(s.engines(), r.runs) }

// newestFor chooses the newest versions that an editor can run.
func (s *selection) newestFor(engine string) {
	keep := max(s.Keep, 1)
	before := len(s.chosen)
	newest := s.newest(keep, func(r *release) bool { return s.want.has(r.PreRelease) && r.runs(engine) })
	if s.PreReleases && s.want.channel == Latest {
		s.newest(keep, func(r *release) bool {
			return r.PreRelease && r.runs(engine) && (newest == nil || r.parsed.GreaterThan(newest.parsed))
		})
	}
	if newest == nil && before == len(s.chosen) && len(s.Engines) > 1 && s.err == nil {
		if reason := s.noEngine([]string{engine}); reason != "" {
			s.warnings = append(s.warnings, s.listing.extension.ID+" "+reason)
		}
	}
}

// newest chooses the newest n versions that are wanted, that fit, and that the policy permits. It
// returns the first of them. If a version has a package for the platform, that is chosen, and
// otherwise the universal one, as editors do.
func (s *selection) newest(n int, fits func(*release) bool) (first *release) {
	last, held := "", false
	for _, r := range s.listing.releases {
		if n == 0 || s.err != nil {
			break
		}
		if r.Version == last || !s.want.fits(r.Platform) || !s.versions(r.Version) || !fits(r) {
			continue
		}
		permitted, err := s.permitted(s.ctx, s.listing, r)
		switch {
		case err != nil:
			s.err = err
		case permitted:
			s.add(r)
			if first == nil {
				first = r
			}
			last = r.Version
			n--
		case !held:
			s.hold(r)
			held = true
		}
	}
	return first
}

func (s *selection) add(r *release) {
	if slices.ContainsFunc(s.chosen, func(c choice) bool { return c.release == r }) {
		return
	}
	needs := slices.Clone(r.Dependencies)
	if s.Packs {
		needs = append(needs, r.Pack...)
	}
	s.chosen = append(s.chosen, choice{release: r, listing: s.listing, entry: r.locked, needs: needed(needs)})
}

func (s *selection) hold(r *release) {
	s.held = append(s.held, heldRelease{r.Version, r.Platform, r.locked != nil, r.excluded})
}

// heldLocked adds the packages of the earlier lock that the policy excludes now.
func (s *selection) heldLocked() {
	for _, r := range s.listing.releases {
		if r.locked == nil || !s.fitsLocked(s.want, r.locked) {
			continue
		}
		if permitted, _ := s.permitted(s.ctx, s.listing, r); !permitted {
			s.hold(r)
		}
	}
}

// warnEngine adds a warning if no editor can run the version that was requested.
func (s *selection) warnEngine() {
	for _, c := range s.chosen {
		if !s.runsAny(c.release) {
			s.warnings = append(s.warnings, fmt.Sprintf("%s@%s needs VS Code %s, which %s is not",
				s.listing.extension.ID, c.release.Version, c.release.Engine, strings.Join(s.Engines, " or ")))
		}
	}
}

// explain returns why nothing is chosen. It applies one condition after another, and names the
// first that leaves no release.
func (s *selection) explain() string {
	all := s.listing.releases
	if len(all) == 0 {
		return "has no version that a gallery can serve"
	}
	on := filter(all, func(r *release) bool { return s.want.fits(r.Platform) })
	if len(on) == 0 {
		if s.want.platform == "" {
			return "has no universal release"
		}
		return "has no release for " + s.want.platform
	}
	inRange := filter(on, func(r *release) bool { return s.versions(r.Version) })
	switch {
	case len(inRange) == 0 && s.want.version != "":
		return fmt.Sprintf("has no version %s; the newest is %s", s.want.version, on[0].Version)
	case len(inRange) == 0:
		return fmt.Sprintf("has no version in the range %s; the newest is %s", s.want.ranges, on[0].Version)
	}
	inChannel := filter(inRange, func(r *release) bool { return s.want.has(r.PreRelease) || s.PreReleases })
	if len(inChannel) == 0 {
		return "has only pre-releases; ask for " + s.listing.extension.ID + "@pre-release"
	}
	if len(s.held) > 0 {
		h := s.held[0]
		return fmt.Sprintf("has %s, which the policy excludes (%s): %s", h.version, h.exclusion.Rule, h.exclusion.Detail)
	}
	return s.noEngine(s.Engines)
}

// noEngine returns that no version runs in these editors, or "" if one does.
func (s *selection) noEngine(engines []string) string {
	for _, r := range s.listing.releases {
		switch {
		case !s.want.fits(r.Platform) || !s.versions(r.Version) || !s.want.has(r.PreRelease) && !s.PreReleases:
		case slices.ContainsFunc(engines, r.runs):
			return ""
		default:
			return fmt.Sprintf("has no version for VS Code %s; %s needs %s", strings.Join(engines, " or "), r.Version, r.Engine)
		}
	}
	return ""
}

func filter(all []*release, ok func(*release) bool) (some []*release) {
	for _, r := range all {
		if ok(r) {
			some = append(some, r)
		}
	}
	return some
}

// needed returns ids in lower case, sorted, without duplicates and those that the editor has
// itself.
func needed(ids []string) []string {
	for i := range ids {
		ids[i] = strings.ToLower(ids[i])
	}
	return slices.DeleteFunc(unique(ids), catalog.BuiltIn)
}
