package catalog

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	json2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"galbuild/build/blob"
)

// Package is what only auditors need to know about a package: where it came from, and what the
// catalogue no longer says about it once its version is not served. Packages are never deleted,
// and those of two catalogues are merged as sets, see [MergePackages].
type Package struct {
	SHA256  blob.Ref  `json:"sha256"`
	ID      string    `json:"package"`           // the Key of its version
	Seen    time.Time `json:"seen,omitzero"`     // when it was first seen; zero if its version says so
	Sources []Source  `json:"sources,omitempty"` // sorted, at most maxSources
	Licence string    `json:"licence,omitempty"` // as in Version
	Signed  bool      `json:"signed,omitzero"`   // as in Version
	Bundled []Bundled `json:"bundled,omitempty"` // npm packages in it, sorted with CompareBundled, at most MaxBundled
	Vetted  *Vetted   `json:"vetted,omitempty"`  // nil if it was not vetted

	Other map[string]jsontext.Value `json:",embed"` // keys that this program does not know
}

// Source is where a package came from. Either Path or URL is set.
type Source struct {
	Path         string   `json:"path,omitempty"`        // slash-separated, relative to the source that was given
	URL          string   `json:"url,omitempty"`         // without user info and query
	Upstream     string   `json:"upstream,omitempty"`    // the gallery that the package was collected from
	StatedSHA256 blob.Ref `json:"statedSha256,omitzero"` // of the package, as Upstream states it
	Signature    string   `json:"signature,omitempty"`   // of Upstream: "verified" or "present"; "" if there is none
	Access       string   `json:"access,omitempty"`      // to the namespace at Upstream: "public" or "restricted"
	Licence      string   `json:"licence,omitempty"`     // as Upstream states it; not an SPDX expression

	Other map[string]jsontext.Value `json:",embed"` // keys that this program does not know
}

// Limits of a package.
const (
	maxSources    = 32
	MaxSourceText = 4 << 10 // bytes of a path or URL
)

// MarshalJSON implements [json.Marshaler].
func (p Package) MarshalJSON() ([]byte, error) {
	type plain Package
	return json2.Marshal(plain(p), json2.Deterministic(true))
}

// UnmarshalJSON implements [json.Unmarshaler].
func (p *Package) UnmarshalJSON(text []byte) error {
	type plain Package
	return json2.Unmarshal(text, (*plain)(p))
}

// MarshalJSON implements [json.Marshaler].
func (s Source) MarshalJSON() ([]byte, error) {
	type plain Source
	return json2.Marshal(plain(s), json2.Deterministic(true))
}

// UnmarshalJSON implements [json.Unmarshaler].
func (s *Source) UnmarshalJSON(text []byte) error {
	type plain Source
	return json2.Unmarshal(text, (*plain)(s))
}

// ComparePackages compares packages by hash and then by ID, the order in a catalogue.
func ComparePackages(a, b Package) int {
	return cmp.Or(bytes.Compare(a.SHA256[:], b.SHA256[:]), strings.Compare(a.ID, b.ID))
}

// Packages returns packages in any order as a catalogue has them: sorted, each once.
func Packages(all []Package) []Package {
	slices.SortFunc(all, ComparePackages)
	unique := all[:0]
	for _, p := range all {
		if n := len(unique) - 1; n >= 0 && ComparePackages(unique[n], p) == 0 {
			unique[n] = unique[n].merge(p)
			continue
		}
		unique = append(unique, p)
	}
	return unique
}

// MergePackages returns the union of two sorted lists of packages, sorted. A package that is in
// both has the earlier date of the two, and the sources of both. If that are too many, the first
// ones in their order are kept. The result does not depend on the order in which lists are merged.
func MergePackages(a, b []Package) []Package { return merge(a, b, ComparePackages, Package.merge) }

// IncludesPackages reports whether merging b into a, both sorted, does not change a.
func IncludesPackages(a, b []Package) bool {
	for _, p := range b {
		i, ok := slices.BinarySearchFunc(a, p, ComparePackages)
		if !ok || !a[i].merge(p).equal(a[i]) {
			return false
		}
		a = a[i:]
	}
	return true
}

// merge returns what p and other, about the same package, say together.
func (p Package) merge(other Package) Package {
	if p.Includes(&other) {
		return p
	}
	p.Seen = Earliest(p.Seen, other.Seen)
	p.Sources = mergeSources(p.Sources, other.Sources)
	p.Licence = max(p.Licence, other.Licence)
	p.Signed = p.Signed || other.Signed
	p.Bundled = preferBundled(p.Bundled, other.Bundled)
	p.Vetted = preferVetted(p.Vetted, other.Vetted)
	p.Other = mergeOther(p.Other, other.Other)
	return p
}

// Includes reports whether p states all that other, about the same package, states. It may return
// false although other adds nothing, if it has unknown keys.
func (p *Package) Includes(other *Package) bool {
	for _, s := range other.Sources {
		if !slices.ContainsFunc(p.Sources, func(own Source) bool { return CompareSources(own, s) == 0 }) {
			return false
		}
	}
	return Earliest(p.Seen, other.Seen).Equal(p.Seen) && other.Licence <= p.Licence && (p.Signed || !other.Signed) &&
		(len(other.Bundled) == 0 || slices.Equal(p.Bundled, other.Bundled)) &&
		(other.Vetted == nil || sameVetted(p.Vetted, other.Vetted)) && len(other.Other) == 0
}

// FindPackage returns the package with this hash and ID from a sorted list, or nil.
func FindPackage(all []Package, sha256 blob.Ref, id string) *Package {
	i := sort.Search(len(all), func(i int) bool {
		p := &all[i]
		return cmp.Or(bytes.Compare(p.SHA256[:], sha256[:]), strings.Compare(p.ID, id)) >= 0
	})
	if i == len(all) || all[i].SHA256 != sha256 || all[i].ID != id {
		return nil
	}
	return &all[i]
}

// Earliest returns the earlier of two times. The zero time is not a time.
func Earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// equal reports whether p and other, about the same package, say the same.
func (p Package) equal(other Package) bool {
	return p.Seen.Equal(other.Seen) && p.Licence == other.Licence && p.Signed == other.Signed && slices.Equal(p.Bundled, other.Bundled) &&
		sameVetted(p.Vetted, other.Vetted) &&
		slices.EqualFunc(p.Sources, other.Sources, func(a, b Source) bool { return CompareSources(a, b) == 0 }) &&
		maps.EqualFunc(p.Other, other.Other, func(a, b jsontext.Value) bool { return bytes.Equal(a, b) })
}

func mergeSources(a, b []Source) []Source {
	all := slices.Concat(a, b)
	slices.SortFunc(all, CompareSources)
	all = slices.CompactFunc(all, func(a, b Source) bool { return CompareSources(a, b) == 0 })
	return slices.Clip(all[:min(len(all), maxSources)])
}

// CompareSources compares sources in the order of a package's list: by path, URL and upstream, and
// then by the rest.
func CompareSources(a, b Source) int {
	order := cmp.Or(
		strings.Compare(a.Path, b.Path), strings.Compare(a.URL, b.URL), strings.Compare(a.Upstream, b.Upstream),
		bytes.Compare(a.StatedSHA256[:], b.StatedSHA256[:]), strings.Compare(a.Signature, b.Signature),
		strings.Compare(a.Access, b.Access), strings.Compare(a.Licence, b.Licence),
	)
	if order != 0 || len(a.Other)+len(b.Other) == 0 {
		return order
	}
	textA, _ := a.MarshalJSON() // fails for no source that Read returns
	textB, _ := b.MarshalJSON()
	return bytes.Compare(textA, textB)
}

// mergeOther returns the keys of both. Of two values of one key, it returns the one with the
// greater text, so that the result does not depend on the order.
func mergeOther(a, b map[string]jsontext.Value) map[string]jsontext.Value {
	if len(b) == 0 {
		return a
	}
	all := maps.Clone(b)
	for key, value := range a {
		if other, ok := all[key]; !ok || bytes.Compare(value, other) > 0 {
			all[key] = value
		}
	}
	return all
}

// Check refuses an invalid package. ReadPackages calls it.
func (p *Package) Check() error {
	switch {
	case p.SHA256.IsZero():
		return errors.New("package: the hash is missing")
	case p.ID == "" || p.ID != strings.ToLower(p.ID):
		return fmt.Errorf("package %s: want a lower-case id with a version, found %.200q", p.SHA256, p.ID)
	case len(p.Sources) > maxSources:
		return fmt.Errorf("package %s: at most %d sources are allowed, found %d", p.SHA256, maxSources, len(p.Sources))
	}
	if id, err := ParseID(p.ID); err != nil || id.Version == "" {
		return fmt.Errorf("package %s: want an id with a version, found %.200q", p.SHA256, p.ID)
	}
	if err := errors.Join(checkDates(&p.Seen), checkLicence(p.Licence), checkBundled(p.Bundled), p.Vetted.check()); err != nil {
		return fmt.Errorf("package %s: %w", p.SHA256, err)
	}
	for i := range p.Sources {
		if err := p.Sources[i].check(); err != nil {
			return fmt.Errorf("package %s: %w", p.SHA256, err)
		}
		if i > 0 && CompareSources(p.Sources[i-1], p.Sources[i]) >= 0 {
			return fmt.Errorf("package %s: two sources are the same or out of order", p.SHA256)
		}
	}
	return nil
}

func (s *Source) check() error {
	if (s.Path == "") == (s.URL == "") {
		return errors.New("source: want either a path or a URL")
	}
	for _, text := range []string{s.Path, s.URL, s.Upstream, s.Signature, s.Access, s.Licence} {
		if len(text) > MaxSourceText || !isPlain(text) {
			return fmt.Errorf("source: want at most %d bytes without control characters, found %.200q", MaxSourceText, text)
		}
	}
	return nil
}

// isPlain reports whether s is valid text without control characters.
func isPlain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
