package sidecar

import (
	"slices"
	"strings"
	"time"

	"galbuild/build/catalog"
)

// Keys of galbuild's own format, as in [Metadata.Invalid].
const (
	KeyID         = "extensionId"
	KeyPublisher  = "publisher"
	KeyReleased   = "releaseDate"
	KeyPublished  = "publishedDate"
	KeyUpdated    = "lastUpdated"
	KeyStatistics = "statistics"
)

const wantDate = "a date such as 2024-02-02T02:02:02Z"

// extension reads an extension in any of the formats.
func (r *reader) extension(e value) {
	s := &r.metadata.Sidecar
	if id := e.get("extensionId"); !id.absent() {
		var ok bool
		if s.ExtensionID, ok = id.uuid(); !ok {
			s.ExtensionID = ""
			r.invalid("extensionId", "a UUID", id, KeyID)
		}
	}
	r.publisher(e)
	s.ReleaseDate = r.date(e, "releaseDate", KeyReleased)
	s.PublishedDate = r.date(e, "publishedDate", KeyPublished)
	s.LastUpdated = r.updated(e)
	r.statistics(e)
	r.collected(e)
	r.metadata.Preview = slices.Contains(flags(e.get("flags")), "preview")
}

// flags returns the flags of an extension, which are a list or a comma-separated text.
func flags(v value) []string {
	var all []string
	for _, f := range v.list() {
		all = append(all, strings.FieldsFunc(strings.ToLower(f.text()), notInFlag)...)
	}
	return all
}

func notInFlag(r rune) bool { return r == ',' || r == ' ' }

func (r *reader) publisher(e value) {
	v := e.get("publisher")
	p := v.object()
	if !v.absent() && !p.IsObject() && v.text() == "" {
		r.invalid("publisher", "an object", v, KeyPublisher)
	}
	var s catalog.SidecarPublisher
	if id := p.get("publisherId"); !id.absent() {
		var ok bool
		if s.PublisherID, ok = id.uuid(); !ok {
			s.PublisherID = ""
			r.invalid("publisher.publisherId", "a UUID", id, KeyPublisher)
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
		r.invalid("publisher.isDomainVerified", "true or false", verified, KeyPublisher)
	}
	if s != (catalog.SidecarPublisher{}) || p.IsObject() && v.IsObject() {
		r.metadata.Publisher = &s
	}
}

func (r *reader) text(v value, prefix, key, field string) string {
	x := v.get(key)
	if !x.absent() && x.text() == "" {
		r.invalid(prefix+key, "a string", x, field)
	}
	return x.text()
}

func (r *reader) date(v value, key, field string) *time.Time {
	x := v.get(key)
	if x.absent() {
		return nil
	}
	t, ok := x.date()
	if !ok {
		r.invalid(key, wantDate, x, field)
	}
	return t
}

// updated returns the date on which the version of the package was published. The date of an
// extension is that of its newest version. It is used only if no other version is listed.
func (r *reader) updated(e value) *time.Time {
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

// version returns the version of the package from a list. If its platform is not listed, it
// returns the same version for another platform.
func (r *reader) version(versions []value) (found value, ok bool) {
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

// statistics reads an object, a list of names and values, or the keys of Open VSX.
func (r *reader) statistics(e value) {
	v := e.get("statistics")
	found := map[string]value{}
	for _, openVSX := range [][2]string{
		{"install", "downloadCount"}, {"averagerating", "averageRating"}, {"ratingcount", "reviewCount"},
	} {
		if x := e.get(openVSX[1]); !x.absent() {
			found[openVSX[0]] = x
		}
	}
	for _, x := range v.list() {
		if x.absent() {
			continue
		}
		if !x.IsObject() {
			const want = "an object, or a list of objects with statisticName and value"
			r.invalid("statistics", want, v, KeyStatistics)
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

func (r *reader) setStatistics(found map[string]value) {
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
			r.invalid("statistics."+count.name, "a number of at least 0", n, KeyStatistics)
		}
		read = read || ok
	}
	if n := found["averagerating"]; !n.absent() {
		rating, ok := n.number()
		if ok = ok && rating <= 5; ok {
			s.AverageRating, read = rating, true
		} else {
			r.invalid("statistics.averagerating", "a number from 0 to 5", n, KeyStatistics)
		}
	}
	if read {
		r.metadata.Statistics = &s
	}
}
