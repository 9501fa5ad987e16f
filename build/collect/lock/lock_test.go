package lock

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/visible"
)

var added = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func entry(id, version, platform string) Entry {
	return Entry{
		ID: id, Version: version, Platform: platform, Address: "https://open-vsx.org/x.vsix", SHA256: blob.Sum([]byte(id)), Size: 4711,
		WantedBy: []string{"list.txt"}, Added: added,
	}
}

// full returns a lock in which every field is set.
func full() *Lock {
	e := entry("Acme.Hello", "1.2.0", "linux-x64")
	e.Engine = "^1.85.0"
	e.PreRelease, e.Published, e.Upstream, e.Stated = true, added.Add(-time.Hour), "https://open-vsx.org", true
	e.Signature = &Signature{Address: "https://open-vsx.org/x.sigzip", SHA256: blob.Sum([]byte("s")), Size: 12, Verified: true, Key: "https://open-vsx.org/key"}
	e.ExtensionID, e.Access, e.Released, e.Licence = "e8f1c1d4-1bb4-4aa8-9d0d-3f3a0c6a3f2b", "restricted", added.Add(-2*time.Hour), "MIT"
	e.Publisher = &catalog.SidecarPublisher{PublisherID: "id", DisplayName: "Acme <&>", Domain: "acme.example", IsDomainVerified: true}
	e.Pictures = []Picture{{Address: "https://acme.example/a.png", SHA256: blob.Sum([]byte("p")), Size: 3, Type: "image/png"}}
	return &Lock{
		Settings:   Settings{From: []string{"https://open-vsx.org"}, Engines: []string{"1.96.0"}, Platforms: []string{"linux-x64"}, PreReleases: true, Keep: 2, Packs: true, Pictures: true},
		Requests:   []Request{{"acme.hello@^1.2", "list.txt"}},
		Entries:    []Entry{e, entry("acme.notes", "2.0.0", "")},
		Companions: []Companion{{Path: "cli/code.tar.gz", Address: "https://update.example/code.tar.gz", SHA256: blob.Sum([]byte("c")), Size: 1}},
	}
}

// TestRoundTrip encodes locks and parses them.
func TestRoundTrip(t *testing.T) {
	for name, want := range map[string]*Lock{"every field": full(), "nothing": {}, "two entries": {Entries: []Entry{entry("a.b", "1.0.0", ""), entry("a.c", "1.0.0", "")}}} {
		text := encode(t, want)
		got, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", name, got, want)
		}
		if again := encode(t, got); string(again) != string(text) {
			t.Errorf("%s: encoded again:\n%s\nwant\n%s", name, again, text)
		}
	}
	// A new field of a struct must be in the lock above.
	e := reflect.ValueOf(full().Entries[0])
	for i := range e.NumField() {
		if e.Field(i).IsZero() {
			t.Errorf("the field %s of the entry is not tested", e.Type().Field(i).Name)
		}
	}
}

func encode(t *testing.T, l *Lock) []byte {
	t.Helper()
	text, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestLines checks that each request, entry and companion is a line, and that a line of a package
// that was added is the only one that changes in the middle of the list.
func TestLines(t *testing.T) {
	l := full()
	before := strings.Split(string(encode(t, l)), "\n")
	l.Entries = append(l.Entries, entry("acme.middle", "1.0.0", ""))
	after := strings.Split(string(encode(t, l)), "\n")
	at := slices.IndexFunc(after, func(line string) bool { return strings.Contains(line, "acme.middle") })
	if at < 0 || !slices.Equal(slices.Delete(after, at, at+1), before) {
		t.Errorf("got\n%s", strings.Join(after, "\n"))
	}
}

// TestCompare sorts a list in any order.
func TestCompare(t *testing.T) {
	want := []Entry{
		entry("acme.Hello", "10.0.0", ""), entry("acme.hello", "9.0.0", ""), entry("acme.hello", "9.0.0", "linux-x64"),
		entry("ACME.hello", "9.0.0-rc.1", ""), entry("acme.hello", "8.0.0+a", ""), entry("acme.hello", "8.0.0+b", ""),
		entry("acme.hello", "01.x", ""), entry("acme.hello", "00.x", ""), entry("acme.notes", "1.0.0", ""),
	}
	for range 20 {
		got := slices.Clone(want)
		rand.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
		slices.SortFunc(got, Compare)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v", got)
		}
	}
}

func TestFileName(t *testing.T) {
	for want, e := range map[string]Entry{
		"acme.hello-1.0.0.vsix":           entry("Acme.Hello", "1.0.0", ""),
		"acme.hello-1.0.0-RC.1.vsix":      entry("Acme.Hello", "1.0.0-RC.1", ""),
		"acme.hello-1.0.0@linux-x64.vsix": entry("acme.hello", "1.0.0", "linux-x64"),
	} {
		if got := e.FileName(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestParseErrors has texts that are not locks. The key is the error.
func TestParseErrors(t *testing.T) {
	valid := string(encode(t, full()))
	replace := func(old, text string) string {
		if !strings.Contains(valid, old) {
			t.Fatalf("the lock has no %s", old)
		}
		return strings.Replace(valid, old, text, 1)
	}
	for want, text := range map[string]string{
		"is empty": "",
		"is not complete JSON: a bracket or a quotation mark is not closed":                                                                                valid[:len(valid)-3],
		"is not JSON from line 2, column 1 on":                                                                                                             "{\"galbuildLock\":1,\nx",
		`line 1: want an object that begins with {"galbuildLock":1`:                                                                                        "[]",
		"line 1: the key galbuildLock is missing, so this is not a lock":                                                                                   "{}",
		`line 1: the first key is "entries", want galbuildLock`:                                                                                            `{"entries":[]}`,
		"line 1: the format of the lock is 2, this galbuild reads 1; is the lock of a newer galbuild?":                                                     replace(`"galbuildLock":1`, `"galbuildLock":2`),
		`line 2: the key "more" is not known; is the lock of a newer galbuild?`:                                                                            replace("\n", "\n\"more\":1,"),
		`line 7: the key "more" is not known`:                                                                                                              replace(`"stated"`, `"more":1,"stated"`),
		`line 7: a key occurs twice`:                                                                                                                       replace(`"stated"`, `"size":1,"stated"`),
		`line 7: "size" has a value of the wrong type, string`:                                                                                             replace(`"size":4711`, `"size":"4711"`),
		`line 7: "Acme" is not an id: name "": want at most 100 letters, digits, '-', '_' and single '.', beginning with a letter or digit`:                replace("Acme.Hello", "Acme"),
		`line 7: Acme.Hello: "1/../2" is not a version`:                                                                                                    replace(`"1.2.0"`, `"1/../2"`),
		`line 7: Acme.Hello: "../x" is not a platform`:                                                                                                     replace(`"linux-x64",`, `"../x",`),
		`line 7: Acme.Hello@1.2.0@linux-x64: sha256 is missing`:                                                                                            replace(`"sha256":"`+blob.Sum([]byte("Acme.Hello")).String()+`",`, ""),
		`line 7: Acme.Hello@1.2.0@linux-x64: the size is -1`:                                                                                               replace(`"size":4711`, `"size":-1`),
		`line 7: Acme.Hello@1.2.0@linux-x64: wantedBy is empty`:                                                                                            replace(`"wantedBy":["list.txt"]`, `"wantedBy":[]`),
		`line 7: Acme.Hello@1.2.0@linux-x64: added is missing`:                                                                                             replace(`"added":"2026-11-29T12:00:00Z",`, ""),
		`line 7: Acme.Hello@1.2.0@linux-x64: "file:///x" is not an address of http or https`:                                                               replace("https://open-vsx.org/x.vsix", "file:///x"),
		`line 7: Acme.Hello@1.2.0@linux-x64: the address contains credentials, which must not be in a lock`:                                                replace("https://open-vsx.org/x.vsix", "https://a:b@host/x"),
		`line 7: Acme.Hello@1.2.0@linux-x64: picture "https://acme.example/a.png": the type is "text/html", want that of a picture, such as image/png`:     replace("image/png", "text/html"),
		`line 8: Acme.Hello@1.2.0@linux-x64 occurs twice`:                                                                                                  replace(`"id":"acme.notes","version":"2.0.0"`, `"id":"Acme.Hello","version":"1.2.0","platform":"linux-x64"`),
		`line 11: companion: path "../x": want a path such as cli/code.tar.gz, of letters, digits and - _ + ., in which no name begins or ends with a dot`: replace("cli/code.tar.gz", "../x"),
		"settings: keep is -1, want at least 1":                                                                                                            replace(`"keep":2`, `"keep":-1`),
		"line 7: a conflict of a merge is not resolved":                                                                                                    replace(`{"id":"Acme`, "<<<<<<< HEAD\n{\"id\":\"Acme"),
		"line 13: something follows the end of the lock":                                                                                                   valid + "{}",
	} {
		if _, err := Parse([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// TestSidecar compares sidecars, of an entry with all fields and of one with as few as possible.
func TestSidecar(t *testing.T) {
	l := full()
	for want, e := range map[string]*Entry{
		`{
  "extensionId": "e8f1c1d4-1bb4-4aa8-9d0d-3f3a0c6a3f2b",
  "publisher": {
    "publisherId": "id",
    "displayName": "Acme <&>",
    "domain": "acme.example",
    "isDomainVerified": true
  },
  "releaseDate": "2026-11-29T10:00:00Z",
  "lastUpdated": "2026-11-29T11:00:00Z",
  "firstSeen": "2026-11-29T12:00:00Z",
  "source": {
    "upstream": "https://open-vsx.org",
    "url": "https://open-vsx.org/x.vsix",
    "sha256": "` + l.Entries[0].SHA256.String() + `",
    "signature": "verified",
    "access": "restricted",
    "licence": "MIT"
  },
  "pictures": {
    "https://acme.example/a.png": {
      "sha256": "` + blob.Sum([]byte("p")).String() + `",
      "type": "image/png"
    }
  }
}
`: &l.Entries[0],
		`{
  "firstSeen": "2026-11-29T12:00:00Z",
  "source": {
    "url": "https://open-vsx.org/x.vsix"
  }
}
`: &l.Entries[1],
	} {
		if got, err := e.Sidecar(); err != nil || string(got) != want {
			t.Errorf("got %s, %v\nwant %s", got, err, want)
		}
	}
}

// FuzzParse parses any text. What is a lock must be the same after it is encoded and parsed again.
func FuzzParse(f *testing.F) {
	text, err := full().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"galbuildLock":1}`))
	f.Add([]byte(`{"galbuildLock":1,"settings":null,"entries":[null]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		first, err := Parse(text)
		if err != nil {
			return
		}
		encoded, err := first.Encode()
		if err != nil {
			t.Fatal(err)
		}
		second, err := Parse(encoded)
		if err != nil {
			t.Fatalf("%v\n%s", err, encoded)
		}
		if again := encode(t, second); string(again) != string(encoded) {
			t.Errorf("got\n%s\nwant\n%s", again, encoded)
		}
	})
}

// TestHiddenCharacters has characters from an upstream that would hide in a review what a line
// says.
func TestHiddenCharacters(t *testing.T) {
	l := &Lock{Entries: []Entry{{
		ID: "acme.hello", Version: "1.0.0", Address: "https://host/x.vsix", SHA256: blob.Sum(nil), WantedBy: []string{"list.txt"},
		Added: time.Unix(0, 0).UTC(), Licence: "MIT\u202e\u2066 \u200b\u009b", Publisher: &catalog.SidecarPublisher{DisplayName: "\U000e0041"},
	}}}
	text, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if found := visible.Hidden(strings.ReplaceAll(string(text), "\n", "")); len(found) > 0 {
		t.Errorf("the lock has %q: %s", found, text)
	}
	again, err := Parse(text)
	if err != nil || again.Entries[0].Licence != l.Entries[0].Licence || again.Entries[0].Publisher.DisplayName != "\U000e0041" {
		t.Errorf("%+v, %v", again, err)
	}
	sidecar, err := l.Entries[0].Sidecar()
	if found := visible.Hidden(strings.ReplaceAll(string(sidecar), "\n", "")); err != nil || len(found) > 0 {
		t.Errorf("the sidecar has %q, %v", found, err)
	}
}
