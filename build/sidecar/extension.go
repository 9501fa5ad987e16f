package sidecar

import (
	"slices"
	"strings"
	"time"

	"galbuild/build/catalog"
)

// Keys of galbuild's own shape, as in Known.Unread.
const (
	KeyID         = "extensionId"
	KeyPublisher  = "publisher"
	KeyReleased   = "releaseDate"
	KeyPublished  = "publishedDate"
	KeyUpdated    = "lastUpdated"
	KeyStatistics = "statistics"
)

const wantDate = "a date such as 2024-02-02T02:02:02Z"

// extension reads an extension in any of the shapes.
func (r *reading) extension(e value) {
	s := &r.known.Sidecar
	if id := e.get("extensionId"); !id.absent() {
		var ok bool
		if s.ExtensionID, ok = id.uuid(); !ok {
			s.ExtensionID = ""
			r.unread("extensionId", "a UUID", id, KeyID)
		}
	}
	r.publisher(e)
	s.ReleaseDate = r.date(e, "releaseDate", KeyReleased)
	s.PublishedDate = r.date(e, "publishedDate", KeyPublished)
	s.LastUpdated = r.updated(e)
	r.statistics(e)
	r.known.Preview = slices.Contains(flags(e.get("flags")), "preview")
}

// flags returns the flags of an extension: a list, or a text with commas.
func flags(v value) []string {
	var all []string
	for _, f := range v.list() {
		all = append(all, strings.FieldsFunc(strings.ToLower(f.text()), notInFlag)...)
	}
	return all
}

func notInFlag(r rune) bool { return r == ',' || r == ' ' }

func (r *reading) publisher(e value) {
	v := e.get("publisher")
	p := v.object()
	if !v.absent() && !p.IsObject() && v.text() == "" {
		r.unread("publisher", "an object", v, KeyPublisher)
	}
	var s catalog.SidecarPublisher
	if id := p.get("publisherId"); !id.absent() {
		var ok bool
		if s.PublisherID, ok = id.uuid(); !ok {
			s.PublisherID = ""
			r.unread("publisher.publisherId", "a UUID", id, KeyPublisher)
		}
	}
	s.DisplayName = r.text(p, "publisher.", "displayName", KeyPublisher)
	if s.DisplayName == "" { // Open VSX
		s.DisplayName = r.text(e, "", "namespaceDisplayName", KeyPublisher)
	}
	s.Domain = r.text(p, "publisher.", "domain", KeyPublisher)
	verified := p.get("isDomainVerified")
	var ok bool
	if s.IsDomainVerified, ok = verified.flag(); !ok {
		r.unread("publisher.isDomainVerified", "true or false", verified, KeyPublisher)
	}
	if s != (catalog.SidecarPublisher{}) || p.IsObject() && v.IsObject() {
		r.known.Publisher = &s
	}
}

func (r *reading) text(v value, at, key, what string) string {
	x := v.get(key)
	if !x.absent() && x.text() == "" {
		r.unread(at+key, "a text", x, what)
	}
	return x.text()
}

func (r *reading) date(v value, key, what string) *time.Time {
	x := v.get(key)
	if x.absent() {
		return nil
	}
	t, ok := x.date()
	if !ok {
		r.unread(key, wantDate, x, what)
	}
	return t
}

// updated returns when the package's version was published. The date of the extension is that
// of its newest version: where versions are listed, it says nothing about the others.
func (r *reading) updated(e value) *time.Time {
	versions := e.get("versions").list()
	v, listed := r.version(versions)
	if listed && !v.get("lastUpdated").absent() {
		return r.date(v, "lastUpdated", KeyUpdated)
	}
	if len(versions) > 0 && !(listed && len(versions) == 1) {
		return nil
	}
	if t := r.date(e, "lastUpdated", KeyUpdated); t != nil {
		return t
	}
	if version := e.get("version"); !version.absent() && version.text() != r.of.Version {
		return nil
	}
	return r.date(e, "timestamp", KeyUpdated) // Open VSX
}

// version returns the package's version of those listed; for want of its platform, another's.
func (r *reading) version(versions []value) (found value, ok bool) {
	for _, v := range versions {
		if v.get("version").text() != r.of.Version {
			continue
		}
		if platformOf(v) == r.of.Platform {
			return v, true
		}
		if !ok {
			found, ok = v, true
		}
	}
	return found, ok
}

func platformOf(version value) string {
	switch p := version.get("targetPlatform").text(); p {
	case "universal", "undefined", "unknown":
		return ""
	default:
		return p
	}
}

// statistics reads an object, or a list of names and values, or Open VSX's own keys.
func (r *reading) statistics(e value) {
	v := e.get("statistics")
	found := map[string]value{}
	for _, own := range [][2]string{
		{"install", "downloadCount"}, {"averagerating", "averageRating"}, {"ratingcount", "reviewCount"},
	} {
		if x := e.get(own[1]); !x.absent() {
			found[own[0]] = x
		}
	}
	for _, x := range v.list() {
		if x.absent() {
			continue
		}
		if !x.IsObject() {
			r.unread("statistics", "an object, or a list of statisticName and value", v, KeyStatistics)
			return
		}
		if name := x.get("statisticName"); !name.absent() {
			found[strings.ToLower(name.text())] = x.get("value")
			continue
		}
		for _, name := range []string{"install", "averagerating", "ratingcount"} {
			if n := x.get(name); !n.absent() {
				found[name] = n
			}
		}
	}
	r.setStatistics(found)
}

func (r *reading) setStatistics(found map[string]value) {
	var s catalog.Statistics
	read := false
	for _, count := range []struct {
		name string
		to   *int64
	}{{"install", &s.Install}, {"ratingcount", &s.RatingCount}} {
		n := found[count.name]
		if n.absent() {
			continue
		}
		var ok bool
		if *count.to, ok = n.count(); !ok {
			*count.to = 0
			r.unread("statistics."+count.name, "a number of at least 0", n, KeyStatistics)
		}
		read = read || ok
	}
	if n := found["averagerating"]; !n.absent() {
		rating, ok := n.number()
		if ok = ok && rating <= 5; ok {
			s.AverageRating, read = rating, true
		} else {
			r.unread("statistics.averagerating", "a number from 0 to 5", n, KeyStatistics)
		}
	}
	if read {
		r.known.Statistics = &s
	}
}
