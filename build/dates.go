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

// oldestFile is the first year that the modification time of a file can have to be trusted. Some
// programs set the times of all files to 1970 or 1980.
const oldestFile = 1990

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

// keepFirstSeen keeps the date that the version has in the last generation if both dates are only
// the time of the file. So the date does not change if the file is touched later.
func (c *candidate) keepFirstSeen(old map[string]identified) {
	if previous, ok := old[c.key()]; ok && previous.version.FirstSeen && c.version.FirstSeen {
		c.version.Updated = previous.version.Updated
	}
}

// boundDates replaces the dates of the version that are later than the time at which the package
// was first seen, and warns about each. Such dates occur because vsce writes the packer's local
// time without a zone. Editors delay the installation of a new update, and do not delay it long
// enough if its date is in the future.
//
// A package was first seen when its file was written, if that time is trusted, so that another
// build of the same file has the same result. The catalogue contains the time, and later builds use
// it, also when a date is no longer in the future. previous is the version of the last generation
// with this package, or nil.
func (c *candidate) boundDates(previous *catalog.Version, now time.Time) {
	v := c.version
	if previous != nil {
		v.Seen = previous.Seen
	}
	inFuture := func(d versionDate) bool { return d.time.After(now.Add(clockError)) }
	dates := datesOf(v)
	if v.Seen.IsZero() && slices.ContainsFunc(dates, inFuture) {
		v.Seen = firstSeen(c.item.ModTime, now)
	}
	if v.Seen.IsZero() {
		return
	}
	for _, d := range dates {
		if d.time.After(v.Seen) {
			d.set(v.Seen)
			c.warnings = append(c.warnings, fmt.Sprintf("%s is later than when the package was first seen: %s is replaced with %s",
				d.name, d.time.Format(time.RFC3339), v.Seen.Format(time.RFC3339)))
		}
	}
	if v.Updated.After(v.Seen) {
		v.Updated = v.Seen
	}
}

// firstSeen returns the time of a file, or now if that time is not trusted.
func firstSeen(modified, now time.Time) time.Time {
	if modified.Year() < oldestFile || modified.After(now) {
		modified = now
	}
	return modified.UTC().Truncate(time.Second)
}

// A versionDate is one of the dates of a version.
type versionDate struct {
	name string
	time time.Time
	set  func(time.Time)
}

// datesOf returns the dates that a version has from its package, its file or its sidecar.
func datesOf(v *catalog.Version) []versionDate {
	var all []versionDate
	s := v.Sidecar
	switch {
	case s != nil && s.LastUpdated != nil: // Updated is the same date
	case v.FirstSeen:
		all = append(all, versionDate{"the time of the file", v.Updated, func(time.Time) {}})
	default:
		all = append(all, versionDate{"the time of the newest file in the package", v.Updated, func(time.Time) {}})
	}
	if s == nil {
		return all
	}
	for _, d := range []struct {
		name string
		at   **time.Time
	}{{"lastUpdated", &s.LastUpdated}, {"publishedDate", &s.PublishedDate}, {"releaseDate", &s.ReleaseDate}} {
		if *d.at != nil {
			all = append(all, versionDate{d.name, **d.at, func(t time.Time) { *d.at = &t }})
		}
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
		e.Released = earlier(e.Released, released)
		e.Published = earlier(e.Published, published)
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

// earlier returns the earlier date of two. The zero time is not a date.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
