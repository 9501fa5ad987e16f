package build

import (
	"fmt"
	"slices"
	"time"

	"galbuild/build/catalog"
)

// clockError is how far a date may be ahead without being in the future: zip files have
// times of two seconds, and some programs round up.
const clockError = 2 * time.Second

// oldestFile is the year from which the time of a file is believed. Some programs set the
// times of all files to 1970 or 1980.
const oldestFile = 1990

// boundDates sees to it that no date of the version is later than when the package was first
// seen. vsce, for one, writes the packer's local time without a zone. Editors take a date in
// the future for one from which they need not wait before they update.
//
// A package is first seen when its file was written, as far as that can be believed, so that
// another build of the same file comes to the same. The catalogue keeps when that was, and
// the dates stay the same after what was the future is past.
func (c *candidate) boundDates(was *catalog.Version, now time.Time) {
	v := c.version
	if was != nil {
		v.Seen = was.Seen
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

// firstSeen returns the time of a file, or now if that cannot be believed.
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

// datesOf returns the dates that a version has from somewhere, each with where it is from.
func datesOf(v *catalog.Version) []versionDate {
	var all []versionDate
	s := v.Sidecar
	switch {
	case s != nil && s.LastUpdated != nil: // from which Updated is
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
