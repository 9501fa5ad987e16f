package build

import (
	"fmt"
	"slices"
	"time"

	"galbuild/build/catalog"
)

// clockError is how far a date may be ahead of the clock without being in the future. Times in
// zip files are multiples of two seconds, and some programs round them up.
const clockError = 2 * time.Second

// setDate sets the date of a version: that of its sidecar, else packed, the time of the newest
// file in the package, else modified, the time of the package itself. If this rule changes,
// readingVersion must be raised.
func setDate(v *catalog.Version, packed, modified time.Time) {
	v.Updated, v.FirstSeen = packed.UTC().Truncate(time.Second), false
	if packed.IsZero() {
		v.Updated, v.FirstSeen = modified.UTC().Truncate(time.Second), true
	}
	if s := v.Sidecar; s != nil && s.LastUpdated != nil {
		v.Updated, v.FirstSeen = *s.LastUpdated, false
	}
}

// modified returns when the file of the package was last modified. For a package that was
// collected, it is when that was first done, since files of the same collection have different
// times.
func (c *candidate) modified() time.Time {
	if t := c.collected.FirstSeen; t != nil {
		return *t
	}
	return c.item.ModTime
}

// keepFirstSeen keeps the date that the version has in the last generation if both dates are only
// the time of the file. So the date does not change if the file is touched later.
func (c *candidate) keepFirstSeen(old map[string]identified) {
	if !c.version.FirstSeen {
		return
	}
	if previous, ok := old[c.key()]; ok && previous.version.FirstSeen {
		c.version.Updated = previous.version.Updated
	}
}

// setSeen sets when the package was first seen: when it was in the last generation or before, when
// its sidecar says, or else now. previous is the version of the last generation with this package,
// or nil.
func (c *candidate) setSeen(previous *catalog.Version, known, now time.Time) {
	c.version.Seen = now.UTC().Truncate(time.Second)
	if previous != nil {
		c.version.Seen = catalog.Earliest(c.version.Seen, previous.Seen)
	}
	c.version.Seen = catalog.Earliest(c.version.Seen, known)
	if t := c.collected.FirstSeen; t != nil {
		c.version.Seen = catalog.Earliest(c.version.Seen, *t)
	}
}

// boundDates replaces the dates of the version that are in the future with the time at which the
// package was first seen, and warns about each. Such dates occur because vsce writes the packer's
// local time without a zone. Editors delay the installation of a new update, and do not delay it
// long enough if its date is in the future.
//
// What was replaced once is replaced again when the date is no longer in the future. previous is
// the version of the last generation with this package, or nil.
func (c *candidate) boundDates(previous *catalog.Version, now time.Time) {
	v := c.version
	for _, d := range datesOf(v) {
		// What follows from the files alone does not depend on the time of the build.
		fixed := d.name == timeInPackage || c.collected.FirstSeen != nil
		late := d.time.After(now.Add(clockError)) || fixed && d.time.After(v.Seen.Add(clockError))
		if !late && !wasReplaced(d, previous) {
			continue
		}
		d.set(v.Seen)
		c.warnings = append(c.warnings, fmt.Sprintf("%s is later than when the package was first seen: %s is replaced with %s",
			d.name, d.time.Format(time.RFC3339), v.Seen.Format(time.RFC3339)))
	}
}

// wasReplaced reports whether a date was replaced in the previous version, which may be nil.
func wasReplaced(d versionDate, previous *catalog.Version) bool {
	if previous == nil || !d.time.After(previous.Seen) {
		return false
	}
	return slices.ContainsFunc(datesOf(previous), func(p versionDate) bool { return p.name == d.name && p.time.Equal(previous.Seen) })
}

// timeInPackage is the name of the date that depends only on the package.
const timeInPackage = "the time of the newest file in the package"

// A versionDate is one of the dates of a version.
type versionDate struct {
	name string
	time time.Time
	set  func(time.Time)
}

// datesOf returns the dates that a version has from its package, its file or its sidecar.
func datesOf(v *catalog.Version) []versionDate {
	var all []versionDate
	setUpdated := func(t time.Time) { v.Updated = t }
	s := v.Sidecar
	switch {
	case s != nil && s.LastUpdated != nil: // Updated is the same date
	case v.FirstSeen:
		all = append(all, versionDate{"the time of the file", v.Updated, setUpdated})
	default:
		all = append(all, versionDate{timeInPackage, v.Updated, setUpdated})
	}
	if s == nil {
		return all
	}
	for _, d := range []struct {
		name string
		at   **time.Time
		set  func(time.Time)
	}{{"lastUpdated", &s.LastUpdated, setUpdated}, {"publishedDate", &s.PublishedDate, nil}, {"releaseDate", &s.ReleaseDate, nil}} {
		if *d.at == nil {
			continue
		}
		all = append(all, versionDate{d.name, **d.at, func(t time.Time) {
			if *d.at = &t; d.set != nil {
				d.set(t)
			}
		}})
	}
	return all
}

// setDates sets the dates of an extension: it was released and published with its first version
// and updated with its last one. The dates of sidecars take precedence over those of versions.
func setDates(e *catalog.Extension) {
	for _, v := range e.Versions {
		released, published := v.Updated, v.Updated
		if s := v.Sidecar; s != nil {
			released = firstDate(s.ReleaseDate, s.PublishedDate, &released)
			published = firstDate(s.PublishedDate, s.ReleaseDate, &published)
		}
		e.Released = catalog.Earliest(e.Released, released)
		e.Published = catalog.Earliest(e.Published, published)
		if v.Updated.After(e.Updated) {
			e.Updated = v.Updated
		}
	}
}

// firstDate returns the first date that is not nil.
func firstDate(dates ...*time.Time) time.Time {
	for _, t := range dates {
		if t != nil {
			return *t
		}
	}
	return time.Time{}
}
