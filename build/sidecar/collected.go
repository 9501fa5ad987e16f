package sidecar

import (
	"cmp"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/tidwall/gjson"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/imagefile"
)

// Collected is what only galbuild collect writes into a sidecar. All of it is optional.
type Collected struct {
	Source    *Source
	FirstSeen *time.Time         // when the package was first locked
	Pictures  map[string]Picture // by their addresses in the texts; see [Picture.File]
}

// IsPublication reports whether the date of the version, which the sidecar may have, is the one on
// which an upstream states to have published it.
func (c *Collected) IsPublication() bool { return c.Source != nil && c.Source.Upstream != "" }

// IsVerified reports whether the signature of the upstream was verified when the package was
// collected.
func (c *Collected) IsVerified() bool { return c.Source != nil && c.Source.Signature == "verified" }

// Merge returns what c says, and what other says in addition.
func (c Collected) Merge(other Collected) Collected {
	return Collected{
		Source: cmp.Or(c.Source, other.Source), FirstSeen: cmp.Or(c.FirstSeen, other.FirstSeen),
		Pictures: merged(c.Pictures, other.Pictures),
	}
}

func merged(a, b map[string]Picture) map[string]Picture {
	if len(a) == 0 {
		return b
	}
	return a
}

// Source is where a package was collected from, and what the upstream states about it.
type Source struct {
	Upstream  string   // address of the upstream
	URL       string   // of the package, without user, query and fragment
	SHA256    blob.Ref // of the package, as the upstream states it; zero if it states none
	Signature string   // "verified" or "present"; "" if the upstream has none
	Access    string   // to the namespace: "public" or "restricted"; "" if the upstream does not say
	Licence   string   // as the upstream writes it
}

// Picture is a picture that the readme or the change log of the package shows.
type Picture struct {
	SHA256 blob.Ref
	Type   string // media type, such as image/png; always one of a picture
}

// File returns the path of the file of a picture, relative to the folder of the sidecar and, in a
// gallery, to that of the version.
func (p Picture) File() string {
	return imagefile.Folder + p.SHA256.String() + imagefile.Extension(p.Type)
}

// maxPictures is the largest number of pictures in a sidecar.
const maxPictures = 1000

// collected reads what galbuild collect has written.
func (r *reader) collected(e value) {
	r.source(e.get("source"))
	r.metadata.FirstSeen = r.date(e, "firstSeen", "")
	r.pictures(e.get("pictures"))
}

func (r *reader) source(v value) {
	if v.absent() {
		return
	}
	if !v.IsObject() {
		r.invalid("source", "an object", v, "")
		return
	}
	s := &Source{Upstream: r.address(v, "upstream"), URL: r.address(v, "url")}
	s.Signature = r.oneOf(v, "signature", "verified", "present")
	s.Access = r.oneOf(v, "access", "public", "restricted")
	s.SHA256 = r.hash(v, "source.", "sha256")
	if s.Licence = r.text(v, "source.", "licence", ""); len(s.Licence) > catalog.MaxLicence || !isPlain(s.Licence) {
		r.invalid("source.licence", "a short text on one line", v.get("licence"), "")
		s.Licence = ""
	}
	r.metadata.Source = s
}

// address returns an absolute http or https address without user, query and fragment.
func (r *reader) address(v value, key string) string {
	text := r.text(v, "source.", key, "")
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(text) > catalog.MaxSourceText {
		r.invalid("source."+key, "an address such as https://open-vsx.org", v.get(key), "")
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}

func (r *reader) oneOf(v value, key, first, second string) string {
	text := r.text(v, "source.", key, "")
	if text != "" && text != first && text != second {
		r.invalid("source."+key, `"`+first+`" or "`+second+`"`, v.get(key), "")
		return ""
	}
	return text
}

// hash returns a SHA-256. It is zero if there is none, or an invalid one.
func (r *reader) hash(v value, prefix, key string) blob.Ref {
	x := v.get(key)
	if x.absent() {
		return blob.Ref{}
	}
	ref, err := blob.Parse(x.text())
	if err != nil {
		r.invalid(prefix+key, "a SHA-256 of 64 hexadecimal digits", x, "")
		return blob.Ref{}
	}
	return ref
}

// pictures reads the pictures. Those with another type than galleries serve are left out.
func (r *reader) pictures(v value) {
	if v.absent() {
		return
	}
	if !v.IsObject() {
		r.invalid("pictures", "an object with addresses as keys", v, "")
		return
	}
	all := make(map[string]Picture)
	v.ForEach(func(address, x gjson.Result) bool {
		p := Picture{SHA256: r.hash(value{x}, "pictures.", "sha256"), Type: r.text(value{x}, "pictures.", "type", "")}
		switch {
		case p.SHA256.IsZero():
		case imagefile.Extension(p.Type) == "":
			r.invalid("pictures.type", "the type of a picture such as image/png", value{x}.get("type"), "")
		default:
			all[address.String()] = p
		}
		return len(all) < maxPictures
	})
	r.metadata.Pictures = all
}

func isPlain(s string) bool { return !strings.ContainsFunc(s, unicode.IsControl) }
