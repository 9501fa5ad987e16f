package build

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/source"
)

// FuzzLoadCache reads any bytes as the build cache: reading never fails, entries that do not
// match the catalogue are ignored, and the result can be stored and read again.
func FuzzLoadCache(f *testing.F) {
	want := origin{"recipe", "generation"}
	f.Add([]byte(""))
	f.Add([]byte("null\nnull\n"))
	f.Add([]byte(`{"recipe":"recipe","generation":"generation"}` + "\n" + `{"path":"/x.vsix","stamp":{"size":1,"mtime":"2026-01-01T00:00:00Z"},"key":"acme.hello@1.0.0","sha256":"` + blob.Sum([]byte("x")).String() + `","warnings":["w"]}` + "\n"))
	f.Add([]byte(`{"recipe":"recipe","generation":"generation","sources":null,"report":{"refused":null}}` + "\n" + `{"path":"/x.vsix","refused":"no","sidecar":null}` + "\n{\n"))
	f.Add([]byte(`{"recipe":"recipe","generation":"generation"}` + "\n[1]\n\"x\"\n{\"stamp\":{\"mtime\":\"9999-99-99\"}}\n"))
	modified := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		file := filepath.Join(dir, "sources.jsonl")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		h := loadHeader(file)
		if h.matches(want.Generation, blob.Sum(nil), modified) && h.Report == nil {
			t.Error("a header without a report matches")
		}
		m := loadCache(file)
		m.use(want)
		item := source.Item{Path: "/x.vsix", Size: 1, ModTime: modified}
		if c, ok := m.lookup(&item, listedDates{}, &knowledge{}, decision.In(nil, nil)); ok && c.refused == nil && !c.unstored {
			t.Errorf("found a package that the catalogue does not have: %+v", c)
		}
		version := &catalog.Version{Version: "1.0.0", Package: catalog.File{Ref: blob.Sum([]byte("x"))}}
		old := map[string]identified{"acme.hello@1.0.0": {publisher: "acme", name: "hello", version: version}}
		if c, ok := m.lookup(&item, listedDates{}, &knowledge{versions: old}, decision.In(nil, nil)); ok && c.refused == nil && !c.unstored && c.version != version {
			t.Errorf("found %+v", c.version)
		}
		for _, e := range m.entries {
			m.next = append(m.next, e)
		}
		if err := os.Mkdir(filepath.Join(dir, "tmp"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := m.store(file, header{origin: want}); err != nil {
			return // a date that JSON cannot contain
		}
		if again := loadCache(file); len(m.entries) != len(again.entries) || len(m.entries) > 0 && !reflect.DeepEqual(m.entries, again.entries) {
			stored, _ := os.ReadFile(file)
			t.Errorf("%+v was stored, %+v is read from %s", m.entries, again.entries, bytes.TrimSpace(stored))
		}
	})
}

// TestDigest checks that the last report is not used if a source or a setting has changed: each
// field of the types that are hashed must change the digest, also one that is added to them.
func TestDigest(t *testing.T) {
	var settings catalog.Settings
	var item source.Item
	var listed listedDates
	fields := slices.Concat(fieldsOf(t, &settings), fieldsOf(t, &item), fieldsOf(t, &listed))
	if len(fields) < 20 {
		t.Errorf("only %d fields were found", len(fields))
	}
	digestNow := func() blob.Ref { return digest(Config{Settings: settings}, []source.Item{item}, []listedDates{listed}) }
	for _, f := range fields {
		old := digestNow()
		f.change()
		if digestNow() == old {
			t.Errorf("%s does not change the digest", f.name)
		}
	}
}

// notRead are the fields of an Item on which the result of reading a package does not depend. The
// report and what is kept for auditors depend on them, and both are made in each run.
var notRead = []string{"Item.Name", "Item.Origin", "Item.Untrusted", "Stamp.Path"}

// TestLookup checks that an entry of the cache is not used if one of the files that were read, or
// one of the listed dates, has changed.
func TestLookup(t *testing.T) {
	var item source.Item
	var listed listedDates
	for _, f := range slices.Concat(fieldsOf(t, &item), fieldsOf(t, &listed)) {
		c := candidate{item: &item, listed: listed, version: new(catalog.Version), refused: errors.New("refused")}
		e, complete := c.entry(&knowledge{})
		if !complete {
			t.Fatalf("%+v is not complete", e)
		}
		cached := &cache{entries: map[string]entry{item.Path: e}}
		if _, ok := cached.lookup(&item, listed, &knowledge{}, decision.In(nil, nil)); !ok {
			t.Fatalf("before a change of %s, there is no entry", f.name)
		}
		f.change()
		if _, ok := cached.lookup(&item, listed, &knowledge{}, decision.In(nil, nil)); ok != slices.Contains(notRead, f.name) {
			t.Errorf("after a change of %s: an entry is used is %t", f.name, ok)
		}
	}
}

// comparedFields has for each field of Config the reason why a run with another value does not use
// wrong results of the last run.
var comparedFields = map[string]string{
	"Sources":      "what they expand to is in the digest",
	"Stdin":        "likewise",
	"Settings":     "they are in the digest, and Unpack is in the recipe",
	"Drop":         "it is in the digest",
	"Companions":   "their paths and the stamps of their files are in the digest",
	"Stats":        "its name and hash are in the digest",
	"Limits":       "they are in the recipe",
	"Jobs":         "their number does not change the result",
	"Client":       "downloads have their own cache",
	"Log":          "it does not change the result",
	"Progress":     "likewise",
	"Strict":       "it does not change the report",
	"Add":          "galbuild add stores no cache",
	"Vet":          "only galbuild policy check sets it, and it stores no cache",
	"MaxRemovals":  "a run that it ends stores no cache",
	"AcceptPolicy": "likewise",
	"Restore":      "only galbuild add restores, and it stores no cache",
	"Author":       "likewise",
	"Site":         "the cache is in the site",
	"Old":          "its generation is in the header, and entries of another one have a hash of what it knows",
	"Generation":   "it is in the header",
	"Now":          "the header has when the policy has another result; dates in the catalogue stay, see setSeen and boundDates",
}

// TestConfigIsCompared fails for a new field of Config: decide whether results depend on it.
func TestConfigIsCompared(t *testing.T) {
	config := reflect.TypeFor[Config]()
	for i := range config.NumField() {
		if name := config.Field(i).Name; comparedFields[name] == "" {
			t.Errorf("add %s to the recipe or the digest, or explain in comparedFields why not", name)
		}
	}
	if config.NumField() != len(comparedFields) {
		t.Errorf("comparedFields has %d fields, and Config %d", len(comparedFields), config.NumField())
	}
}

// A changeable is a field that can be given another value.
type changeable struct {
	name   string // Type.Field
	change func()
}

// fieldsOf returns the fields of a struct, and those of the structs that its fields point to after
// the change of the pointer.
func fieldsOf(t *testing.T, pointer any) (fields []changeable) {
	t.Helper()
	v := reflect.ValueOf(pointer).Elem()
	for i := range v.NumField() {
		f := v.Field(i)
		name := v.Type().Name() + "." + v.Type().Field(i).Name
		set := func(value any) {
			fields = append(fields, changeable{name, func() { f.Set(reflect.ValueOf(value).Convert(f.Type())) }})
		}
		switch f.Interface().(type) {
		case string:
			set("changed")
		case int, int64:
			set(7)
		case time.Time:
			set(time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC))
		case []string:
			set([]string{"changed"})
		case bool:
			set(true)
		case []catalog.Companion:
			set([]catalog.Companion{{Path: "changed"}})
		case json.RawMessage:
			set(json.RawMessage("{}"))
		case *source.Stamp:
			stamp := &source.Stamp{Path: "a file"}
			set(stamp)
			fields = append(fields, fieldsOf(t, stamp)...)
		default:
			t.Fatalf("%s has the type %s, which this test does not support", name, f.Type())
		}
	}
	return fields
}
