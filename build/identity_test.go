package build

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/source"
)

// versionOf returns a version of acme.hello with this package, and with a sidecar if extensionID
// is not empty.
func versionOf(version, pkg, extensionID string) *catalog.Version {
	v := &catalog.Version{Version: version, Package: catalog.File{Ref: blob.Sum([]byte(pkg)), Size: int64(len(pkg))}}
	if extensionID != "" {
		v.Sidecar = &catalog.Sidecar{ExtensionID: extensionID}
	}
	return v
}

// candidateOf returns a candidate from a file.
func candidateOf(file string, v *catalog.Version) candidate {
	return candidate{item: &source.Item{Name: file, Path: "/" + file}, publisher: "acme", name: "hello", version: v}
}

// refusedOf returns a candidate that was refused when it was read, with this previousKey.
func refusedOf(file, previousKey string) candidate {
	c := candidateOf(file, new(catalog.Version))
	c.refused, c.previousKey = errNotPackage, previousKey
	return c
}

var errNotPackage = errors.New("not a package")

// TestResolve has one case for each rule of identity. In a version such as "1.0.0=A+s", A is the
// content and s means that it has a sidecar.
func TestResolve(t *testing.T) {
	const key, second = "acme.hello@1.0.0", "acme.hello@2.0.0"
	one := func(pkg, id string) *catalog.Version { return versionOf("1.0.0", pkg, id) }
	for name, tt := range map[string]struct {
		old        *catalog.Version
		candidates []candidate
		add, keep  bool
		want       string   // file or "old", and whether it has a sidecar
		kept       []string // keys
		refused    []string // reasons, by candidate
	}{
		"new":       {nil, []candidate{candidateOf("a", one("A", ""))}, false, false, "1.0.0=A", nil, []string{""}},
		"removed":   {one("A", ""), nil, false, false, "", nil, nil},
		"keep":      {one("A", ""), nil, false, true, "1.0.0=A", []string{key}, nil},
		"unchanged": {one("A", ""), []candidate{candidateOf("a", one("A", ""))}, false, false, "1.0.0=A", nil, []string{""}},

		// first rule
		"changed":           {one("A", ""), []candidate{candidateOf("a", one("B", ""))}, false, false, "1.0.0=A", []string{key}, []string{"is in the gallery already with different content"}},
		"changed and right": {one("A", ""), []candidate{candidateOf("a", one("B", "")), candidateOf("b", one("A", ""))}, false, false, "1.0.0=A", nil, []string{"already", ""}},
		"new version":       {one("A", ""), []candidate{candidateOf("a", versionOf("2.0.0", "B", ""))}, false, false, "2.0.0=B", nil, []string{""}},

		// second rule
		"conflict":             {nil, []candidate{candidateOf("a", one("A", "")), candidateOf("b", one("B", ""))}, false, false, "1.0.0=A", nil, []string{"", "is also in a with different content"}},
		"conflict and sidecar": {nil, []candidate{candidateOf("a", one("A", "")), candidateOf("b", one("B", "s"))}, false, false, "1.0.0=A", nil, []string{"", "is also in a"}},
		"conflict in case":     {nil, []candidate{candidateOf("a", versionOf("1.0.0-RC", "A", "")), candidateOf("b", versionOf("1.0.0-rc", "B", ""))}, false, false, "1.0.0-RC=A", nil, []string{"", "is also in a"}},

		// third rule
		"duplicate":                {nil, []candidate{candidateOf("a", one("A", "")), candidateOf("b", one("A", ""))}, false, false, "1.0.0=A", nil, []string{"", ""}},
		"duplicate with sidecar":   {nil, []candidate{candidateOf("a", one("A", "")), candidateOf("b", one("A", "s"))}, false, false, "1.0.0=A+s", nil, []string{"", ""}},
		"duplicate after sidecar":  {nil, []candidate{candidateOf("a", one("A", "s")), candidateOf("b", one("A", ""))}, false, false, "1.0.0=A+s", nil, []string{"", ""}},
		"sidecar removed":          {one("A", "s"), []candidate{candidateOf("a", one("A", ""))}, false, false, "1.0.0=A", nil, []string{""}},
		"added without sidecar":    {one("A", "s"), []candidate{candidateOf("a", one("A", ""))}, true, true, "1.0.0=A+s", nil, []string{""}},
		"added with a new sidecar": {one("A", ""), []candidate{candidateOf("a", one("A", "s"))}, true, true, "1.0.0=A+s", nil, []string{""}},

		// candidates that were refused when they were read
		"invalid":           {one("A", ""), []candidate{refusedOf("a", key)}, false, false, "1.0.0=A", []string{key}, []string{"not a package"}},
		"invalid, other":    {one("A", ""), []candidate{refusedOf("a", second)}, false, false, "", nil, []string{"not a package"}},
		"invalid and right": {one("A", ""), []candidate{refusedOf("a", key), candidateOf("b", one("A", ""))}, false, false, "1.0.0=A", nil, []string{"not a package", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			old := make(map[string]identified)
			if tt.old != nil {
				old[key] = identified{publisher: "acme", name: "hello", version: tt.old}
			}
			a := &assembly{add: tt.add, candidates: tt.candidates}
			var got []string
			chosen, _ := a.resolve(old, tt.keep)
			for _, x := range chosen {
				got = append(got, x.version.Version+"="+contentOf(x.version))
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("the gallery has %q, want %q", got, tt.want)
			}
			if !slices.Equal(a.kept, tt.kept) {
				t.Errorf("kept %q, want %q", a.kept, tt.kept)
			}
			for i, c := range a.candidates {
				reason := ""
				if c.refused != nil {
					reason = c.refused.Error()
				}
				if (reason == "") != (tt.refused[i] == "") || !strings.Contains(reason, tt.refused[i]) {
					t.Errorf("%s: refused %q, want %q", c.item.Name, reason, tt.refused[i])
				}
			}
		})
	}
}

// contentOf returns the content of a version from versionOf.
func contentOf(v *catalog.Version) string {
	for _, pkg := range []string{"A", "B"} {
		if v.Package.Ref == blob.Sum([]byte(pkg)) {
			if v.Sidecar != nil {
				return pkg + "+s"
			}
			return pkg
		}
	}
	return "?"
}

// TestResolveUUIDs gives each extension a different UUID.
func TestResolveUUIDs(t *testing.T) {
	const given = "6b1e0c1e-1111-4222-8333-444455556666"
	for name, tt := range map[string]struct {
		uuids, want []string // of acme.a, acme.b and acme.c
		warnings    int
	}{
		"generated":            {[]string{"", "", ""}, []string{"", "", ""}, 0},
		"from sidecars":        {[]string{given, "", ""}, []string{given, "", ""}, 0},
		"the same twice":       {[]string{"", given, given}, []string{"", given, ""}, 1},
		"generated of another": {[]string{uuidOf("acme.c"), "", ""}, []string{"", "", ""}, 1},
		"generated and given":  {[]string{uuidOf("acme.a"), given, uuidOf("acme.b")}, []string{"", given, ""}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			a := &assembly{catalog: new(catalog.Catalog)}
			for i, uuid := range tt.uuids {
				e := catalog.Extension{Publisher: catalog.Publisher{Name: "acme"}, Name: string(rune('a' + i)), UUID: uuid}
				if uuid == "" {
					e.UUID = uuidOf(e.ID())
				}
				a.catalog.Extensions = append(a.catalog.Extensions, e)
			}
			a.resolveUUIDs()
			for i, e := range a.catalog.Extensions {
				want := tt.want[i]
				if want == "" {
					want = uuidOf(e.ID())
				}
				if e.UUID != want {
					t.Errorf("%s has %s, want %s", e.ID(), e.UUID, want)
				}
			}
			if len(a.warnings) != tt.warnings {
				t.Errorf("warnings %v, want %d", a.warnings, tt.warnings)
			}
		})
	}
}

// TestUUIDsNeverChange compares UUIDs with those of the first version of galbuild. Editors
// identify installed extensions by them.
func TestUUIDsNeverChange(t *testing.T) {
	for id, want := range map[string]string{"acme.hello": "2e42807d-3299-5ac5-b02f-95aba63ed22b", "ACME.Hello": "2e42807d-3299-5ac5-b02f-95aba63ed22b"} {
		if got := uuidOf(id); got != want {
			t.Errorf("%s is %s, want %s", id, got, want)
		}
	}
}

// catalogOf returns a catalogue with versions of acme.hello.
func catalogOf(settings catalog.Settings, all ...*catalog.Version) *catalog.Catalog {
	named := make(map[string]identified)
	for _, v := range all {
		named[catalog.Key("acme", "hello", v.Version, v.Platform)] = identified{publisher: "acme", name: "hello", version: v}
	}
	return regroup(catalog.Catalog{Settings: settings}, named)
}

// TestUnion merges catalogues with versions of one extension.
func TestUnion(t *testing.T) {
	for name, tt := range map[string]struct {
		a, b *catalog.Version
		want string // versions by key
		err  string
	}{
		"another version":   {versionOf("1.0.0", "A", ""), versionOf("2.0.0", "B", ""), "acme.hello@1.0.0=A acme.hello@2.0.0=B", ""},
		"the same":          {versionOf("1.0.0", "A", ""), versionOf("1.0.0", "A", ""), "acme.hello@1.0.0=A", ""},
		"with sidecar":      {versionOf("1.0.0", "A", ""), versionOf("1.0.0", "A", "s"), "acme.hello@1.0.0=A+s", ""},
		"without sidecar":   {versionOf("1.0.0", "A", "s"), versionOf("1.0.0", "A", ""), "acme.hello@1.0.0=A+s", ""},
		"different content": {versionOf("1.0.0", "A", ""), versionOf("1.0.0", "B", "s"), "", "different content is published already as acme.hello@1.0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _, err := Receiver{}.Union(catalogOf(catalog.Settings{BaseURL: "https://a.example"}, tt.a), catalogOf(catalog.Settings{}, tt.b))
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := summary(c); got != tt.want || c.BaseURL != "https://a.example" {
				t.Errorf("got %s with base URL %q, want %s", got, c.BaseURL, tt.want)
			}
		})
	}
}

// TestWithout removes the version that an extension has its UUID from.
func TestWithout(t *testing.T) {
	const id = "6b1e0c1e-1111-4222-8333-444455556666"
	c := catalogOf(catalog.Settings{}, versionOf("1.0.0", "A", ""), versionOf("2.0.0", "B", id))
	if got := c.Extensions[0].UUID; got != id {
		t.Fatalf("UUID %s", got)
	}
	less := Without(c, func(key string) bool { return key == "acme.hello@2.0.0" })
	if got := summary(less); got != "acme.hello@1.0.0=A" || less.Extensions[0].UUID != uuidOf("acme.hello") {
		t.Errorf("%s with UUID %s", got, less.Extensions[0].UUID)
	}
	if none := Without(less, func(string) bool { return true }); len(none.Extensions) != 0 {
		t.Errorf("an extension has no version: %+v", none.Extensions)
	}
}

// TestSameExtension regroups catalogues. Extensions whose versions stay as they are share them with
// those of the catalogue before, and have the UUID and signatures of an extension that was made
// new.
func TestSameExtension(t *testing.T) {
	const id = "6b1e0c1e-1111-4222-8333-444455556666"
	two := make(map[string]identified)
	for _, name := range []string{"a", "b"} { // a and b have the same UUID
		two["acme."+name+"@1.0.0"] = identified{publisher: "acme", name: name, version: versionOf("1.0.0", name, id)}
	}
	both := regroup(catalog.Catalog{}, two)
	if uuid := both.Extensions[1].UUID; uuid != uuidOf("acme.b") {
		t.Fatalf("acme.b has the UUID %s", uuid)
	}
	again := Without(both, func(string) bool { return false })
	if !reflect.DeepEqual(again, both) || !again.Extensions[0].SharesVersions(&both.Extensions[0]) || !again.Extensions[1].SharesVersions(&both.Extensions[1]) {
		t.Errorf("regrouped, the catalogue is %+v, want %+v with the same versions", again, both)
	}
	alone := Without(both, func(key string) bool { return key == "acme.a@1.0.0" })
	if len(alone.Extensions) != 1 || alone.Extensions[0].UUID != id || !alone.Extensions[0].SharesVersions(&both.Extensions[1]) {
		t.Errorf("without acme.a: %+v, want acme.b with the UUID %s", alone.Extensions, id)
	}
	signed := regroup(catalog.Catalog{Settings: catalog.Settings{Sign: "empty"}}, maps.Collect(versions(both)))
	for _, e := range signed.Extensions {
		if len(e.Versions[0].Assets) != 1 {
			t.Errorf("%s has the assets %+v, want the empty signature", e.ID(), e.Versions[0].Assets)
		}
	}
	if n := len(both.Extensions[0].Versions[0].Assets); n != 0 {
		t.Errorf("the catalogue before has %d assets", n)
	}
	seen := maps.Collect(versions(both))
	x := seen["acme.a@1.0.0"]
	x.version = withSeen(x.version, time.Unix(1, 0))
	seen["acme.a@1.0.0"] = x
	if got := regroup(catalog.Catalog{}, seen).Extensions[0].Versions[0].Seen; got.Unix() != 1 {
		t.Errorf("acme.a was first seen %s", got)
	}
}

// summary returns the keys of a catalogue with their contents.
func summary(c *catalog.Catalog) string {
	all := maps.Collect(c.Versions())
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		parts = append(parts, key+"="+contentOf(all[key]))
	}
	return strings.Join(parts, " ")
}
