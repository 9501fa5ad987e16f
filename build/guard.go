package build

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/decision"
)

// MaxRemovals limits how many versions may vanish from a gallery without a decision, for example
// because a disk is not mounted. The zero value is the default: more than ten versions that are
// more than 20 % of all.
type MaxRemovals struct {
	set     bool
	limit   int  // versions or percent
	percent bool // of the versions of the gallery
}

// Limits of the default.
const (
	fewRemovals     = 10
	percentRemovals = 20
)

// String returns the text that UnmarshalText reads.
func (m MaxRemovals) String() string {
	switch {
	case !m.set:
		return fmt.Sprintf("%d%%", percentRemovals)
	case m.percent:
		return strconv.Itoa(m.limit) + "%"
	}
	return strconv.Itoa(m.limit)
}

// UnmarshalText implements [encoding.TextUnmarshaler]. The text is a number of versions, or a
// percentage such as 50%.
func (m *MaxRemovals) UnmarshalText(text []byte) error {
	digits, percent := strings.CutSuffix(string(text), "%")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || percent && n > 100 {
		return fmt.Errorf("want a number of versions, or 0%% to 100%%, found %.40q", text)
	}
	*m = MaxRemovals{set: true, limit: n, percent: percent}
	return nil
}

// allows reports whether n of all versions may vanish.
func (m MaxRemovals) allows(n, all int) bool {
	switch {
	case !m.set:
		return n <= fewRemovals || 100*n <= percentRemovals*all
	case m.percent:
		return 100*n <= m.limit*all
	}
	return n <= m.limit
}

// A RemovalsError is returned if more versions would vanish than MaxRemovals allows.
type RemovalsError struct {
	Versions []string // that would vanish without a decision, sorted
	All      int      // versions of the gallery
	Max      MaxRemovals
}

// Error implements error.
func (e *RemovalsError) Error() string {
	return fmt.Sprintf("%d of %d versions would be removed, more than %s, and nobody has decided that", len(e.Versions), e.All, e.Max)
}

// Check returns a [*RemovalsError] if next lacks more versions of old than are allowed. Those that
// decisions or the policy keep out are not counted.
func (m MaxRemovals) Check(old, next *catalog.Catalog, excluded []Excluded) error {
	gone := maps.Collect(old.Versions())
	all := len(gone)
	for key := range next.Versions() {
		delete(gone, key)
	}
	set := decision.Of(next)
	maps.DeleteFunc(gone, func(key string, v *catalog.Version) bool { return len(set.Out(key, v.Package.Ref)) > 0 })
	for _, x := range excluded {
		delete(gone, x.ID)
	}
	if m.allows(len(gone), all) {
		return nil
	}
	return &RemovalsError{Versions: slices.Sorted(maps.Keys(gone)), All: all, Max: m}
}

// CheckReceived is Check for a gallery that takes over next, which another gallery has made.
// Versions that the policy of next keeps out at the time now are not counted either: the other
// gallery does not say which those are.
func (m MaxRemovals) CheckReceived(old, next *catalog.Catalog, excluded []Excluded, now time.Time) error {
	first := m.Check(old, next, excluded)
	if first == nil || next.Policy == "" {
		return first
	}
	if now.IsZero() {
		now = time.Now()
	}
	rules, err := newRules(next.Records, next.Settings, old.Policy, now)
	if err != nil {
		return err
	}
	served := maps.Collect(versions(old))
	all := maps.Clone(served)
	maps.Insert(all, versions(next))
	more, _ := rules.exclude(all, served)
	return m.Check(old, next, slices.Concat(excluded, more))
}
