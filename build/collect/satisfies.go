package collect

import (
	"cmp"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/collect/lock"
	"galbuild/build/npmsemver"
)

// Satisfies reports whether a lock has a package for a request. The packages at an
// address are known only if the address was requested when the lock was made.
func Satisfies(l *lock.Lock, r Request) bool {
	if r.Address != "" {
		return slices.ContainsFunc(l.Requests, func(o lock.Request) bool { return o.Request == r.String() })
	}
	return slices.ContainsFunc(l.Entries, func(e lock.Entry) bool { return r.fits(&e) })
}

// fits reports whether an entry is one for the request.
func (r Request) fits(e *lock.Entry) bool {
	if r.Entry != nil {
		return sameName(*r.Entry, *e)
	}
	if !strings.EqualFold(r.ID, e.ID) || r.Version != "" && r.Version != e.Version ||
		r.Platform != "" && r.Platform != cmp.Or(e.Platform, catalog.Universal) {
		return false
	}
	if r.Range == "" {
		return true
	}
	versions, err := npmsemver.ParseRange(r.Range)
	return err == nil && versions.Contains(e.Version)
}
