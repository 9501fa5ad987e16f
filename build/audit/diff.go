package audit

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/jsondoc"
)

// Difference is how the gallery To differs from the gallery From. Its lists are sorted and
// never nil.
type Difference struct {
	From     Side      `json:"from"`
	To       Side      `json:"to"`
	Added    []Item    `json:"added"`    // only in To
	Removed  []Item    `json:"removed"`  // only in From
	Changed  []Changed `json:"changed"`  // in both, with different packages
	Settings []Setting `json:"settings"` // that differ

	AddedDecisions   []Decision `json:"addedDecisions"`   // that only To has
	RemovedDecisions []Decision `json:"removedDecisions"` // that only From has
}

// Side is one of the two galleries.
type Side struct {
	Name       string `json:"name"`
	Generation string `json:"generation"`
	Extensions int    `json:"extensions"`
	Versions   int    `json:"versions"`
	Bytes      int64  `json:"bytes"` // of all packages
}

// Item is a version.
type Item struct {
	ID      string   `json:"id"` // catalog.Key
	SHA256  blob.Ref `json:"sha256"`
	Bytes   int64    `json:"bytes"`
	Licence string   `json:"licence"`
	Signed  bool     `json:"signed"`
}

// Changed is a version with different packages.
type Changed struct {
	From Item `json:"from"`
	To   Item `json:"to"`
}

// Setting is a setting with different values. A value is "" if the gallery does not have it. Values
// that are not texts are JSON.
type Setting struct {
	Name string `json:"name"` // as in the catalogue
	From string `json:"from"`
	To   string `json:"to"`
}

// Diff compares two catalogues.
func Diff(from, to *catalog.Catalog) (*Difference, error) {
	d := &Difference{
		From: sideOf(from), To: sideOf(to),
		Added: []Item{}, Removed: []Item{}, Changed: []Changed{},
	}
	left, right := maps.Collect(from.Versions()), maps.Collect(to.Versions())
	for _, key := range slices.Sorted(maps.Keys(left)) {
		was := itemOf(key, left[key])
		v, ok := right[key]
		switch {
		case !ok:
			d.Removed = append(d.Removed, was)
		case v.Package.Ref != was.SHA256:
			d.Changed = append(d.Changed, Changed{was, itemOf(key, v)})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(right)) {
		if left[key] == nil {
			d.Added = append(d.Added, itemOf(key, right[key]))
		}
	}
	d.RemovedDecisions, d.AddedDecisions = onlyIn(from, to), onlyIn(to, from)
	var err error
	d.Settings, err = settings(from.Settings, to.Settings)
	return d, err
}

func sideOf(c *catalog.Catalog) Side {
	s := Side{Extensions: len(c.Extensions)}
	for _, v := range c.Versions() {
		s.Versions++
		s.Bytes += v.Package.Size
	}
	return s
}

func itemOf(key string, v *catalog.Version) Item {
	return Item{ID: key, SHA256: v.Package.Ref, Bytes: v.Package.Size, Licence: v.Licence, Signed: v.Signed}
}

// onlyIn returns the decisions of a that b does not have.
func onlyIn(a, b *catalog.Catalog) []Decision {
	known := make(map[blob.Ref]bool, len(b.Records))
	for _, r := range b.Records {
		known[r.ID] = true
	}
	return slices.DeleteFunc(Decisions(a), func(d Decision) bool { return known[d.ID] })
}

// settings returns the settings that differ, apart from the version of the rendering.
func settings(from, to catalog.Settings) ([]Setting, error) {
	left, err := valuesOf(from)
	if err != nil {
		return nil, err
	}
	right, err := valuesOf(to)
	if err != nil {
		return nil, err
	}
	all := []Setting{}
	names := slices.AppendSeq(slices.Collect(maps.Keys(left)), maps.Keys(right))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if name != "render" && left[name] != right[name] {
			all = append(all, Setting{name, left[name], right[name]})
		}
	}
	return all, nil
}

// valuesOf returns the settings as texts, by their names.
func valuesOf(s catalog.Settings) (map[string]string, error) {
	var values map[string]json.RawMessage
	line, err := jsondoc.Line(s)
	if err == nil {
		err = json.Unmarshal(line, &values)
	}
	texts := make(map[string]string, len(values))
	for name, value := range values {
		var text string
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		texts[name] = text
	}
	return texts, err
}

// Total returns the sum of the sizes of items.
func Total(items []Item) (bytes int64) {
	for _, x := range items {
		bytes += x.Bytes
	}
	return bytes
}

// shortSetting is the largest length of the value of a setting that Text returns whole.
const shortSetting = 100

// Text returns the difference in one line.
func (s Setting) Text() string {
	value := func(v string) string {
		switch {
		case v == "":
			return "not set"
		case len(v) > shortSetting:
			return fmt.Sprintf("%d bytes", len(v))
		}
		return v
	}
	return strings.Join([]string{s.Name + ":", value(s.From), "→", value(s.To)}, " ")
}
