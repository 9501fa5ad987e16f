package pagedata

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestEncode(t *testing.T) {
	d := Document{
		Links:   Links{Repository: "https://github.com/acme/notes", Directory: "packages/vscode", Bugs: "mailto:bugs@acme.example"},
		Network: "The setting notes.server is https://api.acme.example by default.",
		Contributions: []Contribution{
			{Kind: "Commands", Items: []Item{{Name: "Notes: <Add>", Detail: "notes.add"}}, More: 2},
			{Kind: "Color Themes", Items: []Item{{Name: "Midnight", Colours: []string{"#101820", "#E9e7e2"}}}},
			{Kind: "Settings", Items: []Item{{Name: "The server", Detail: "notes.server", Default: `""`}}},
		},
	}
	text := d.Encode()
	want := `{"links":{"repository":"https://github.com/acme/notes","directory":"packages/vscode","bugs":"mailto:bugs@acme.example"},` +
		`"network":"The setting notes.server is https://api.acme.example by default.",` +
		`"contributions":[{"kind":"Commands","items":[{"name":"Notes: <Add>","detail":"notes.add"}],"more":2},` +
		`{"kind":"Color Themes","items":[{"name":"Midnight","colours":["#101820","#E9e7e2"]}]},` +
		`{"kind":"Settings","items":[{"name":"The server","detail":"notes.server","default":"\"\""}]}]}` + "\n"
	if string(text) != want {
		t.Errorf("got %s, want %s", text, want)
	}
	back, err := Decode(text)
	if err != nil || string(back.Encode()) != want {
		t.Errorf("got %+v, %v, want %+v", back, err, d)
	}
	if d.IsEmpty() || !(Document{}).IsEmpty() || string(Document{}.Encode()) != "{}\n" {
		t.Error("IsEmpty or the empty document is wrong")
	}
}

// TestWithin has documents beyond the limits. Decode must return the same as for the encoded one.
func TestWithin(t *testing.T) {
	long := strings.Repeat("ä", maxText)
	cut := strings.Repeat("ä", maxText/2-2) + "…"
	for name, c := range map[string]struct{ given, want Document }{
		"links": {
			Document{Links: Links{Repository: "javascript:alert(1)", Homepage: "https://u@h", Bugs: "http://", QnA: "ftp://a", Sponsor: "mailto:", Directory: " a\nb\u202e "}},
			Document{Links: Links{Directory: "a b"}},
		},
		"more links": {
			Document{Links: Links{Repository: "//a", Homepage: "a", Bugs: "https://a\u202e", QnA: "https://h/" + strings.Repeat("a", maxAddress), Sponsor: "HTTPS://h"}},
			Document{Links: Links{Sponsor: "HTTPS://h"}},
		},
		"texts": {
			Document{Network: " a\n\tb\x00 \u2066", Contributions: []Contribution{{Kind: "a", Items: []Item{{Name: long, Detail: long, Default: long}, {Detail: "no name"}}}}},
			Document{Network: "a b", Contributions: []Contribution{{Kind: "a", Items: []Item{{Name: cut, Detail: cut, Default: cut}}}}},
		},
		"long white space": {
			Document{Network: "a" + strings.Repeat(" ", 10_000) + "b"},
			Document{Network: "a…"},
		},
		"kinds": {
			Document{Contributions: []Contribution{{Kind: "", Items: []Item{{Name: "a"}}}, {Kind: "a"}, {Kind: "b", More: -1}, {Kind: "c", More: 1}}},
			Document{Contributions: []Contribution{{Kind: "c", More: 1}}},
		},
		"colours": {
			Document{Contributions: []Contribution{{Kind: "a", Items: []Item{{Name: "a", Colours: append([]string{"url(x)", "#12345g", "#123", "123456"}, strings.Fields(strings.Repeat("#123456 ", 9))...)}}}}},
			Document{Contributions: []Contribution{{Kind: "a", Items: []Item{{Name: "a", Colours: strings.Fields(strings.Repeat("#123456 ", 8))}}}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got, want := string(c.given.Encode()), string(c.want.Encode()); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			again, err := Decode(c.given.Encode())
			if want := c.given.within(); err != nil || string(again.Encode()) != string(want.Encode()) {
				t.Errorf("Decode: %+v, %v, want %+v", again, err, want)
			}
		})
	}
}

// TestMaxBytes has so many items that each kind has fewer of them.
func TestMaxBytes(t *testing.T) {
	var d Document
	for kind := range MaxKinds + 1 {
		c := Contribution{Kind: fmt.Sprint("kind ", kind)}
		for range 10_000 {
			c.Items = append(c.Items, Item{Name: strings.Repeat("a", maxText), Detail: strings.Repeat("b", maxText)})
		}
		d.Contributions = append(d.Contributions, c)
	}
	text := d.Encode()
	got, err := Decode(text)
	if err != nil || len(text) > MaxBytes || len(got.Contributions) != MaxKinds {
		t.Fatalf("%d bytes with %d kinds, %v", len(text), len(got.Contributions), err)
	}
	for _, c := range got.Contributions {
		if len(c.Items) == 0 || len(c.Items)+c.More != 10_000 {
			t.Errorf("%s: %d items and %d more", c.Kind, len(c.Items), c.More)
		}
	}
	d.Contributions = d.Contributions[:1]
	if got, _ := Decode(d.Encode()); len(got.Contributions[0].Items) != MaxItems/2 {
		t.Errorf("%d items of one kind", len(got.Contributions[0].Items))
	}
}

func TestDecode(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "it is empty",
		"{":                                  "it is not complete JSON",
		`{"links":[]}`:                       "unmarshal JSON",
		`{"network":1}`:                      "unmarshal JSON",
		"{} {}":                              "it is not JSON from line 1, column 4 on",
		"\"\xff\"":                           "it is not JSON",
		`{"network":"a"`:                     "it is not complete JSON",
		"{}" + strings.Repeat(" ", MaxBytes): "65538 bytes, more than the limit of 65536",
	} {
		if _, err := Decode([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %q", text, err, want)
		}
	}
	got, err := Decode([]byte(`{"new":1,"network":"a\nb","links":{"bugs":"javascript:a"}}`))
	if err != nil || !reflect.DeepEqual(got, Document{Network: "a b"}) {
		t.Errorf("with an unknown member, and beyond the limits: %+v, %v", got, err)
	}
}

// TestDecodeItems has more items than are kept.
func TestDecodeItems(t *testing.T) {
	got, err := Decode([]byte(`{"contributions":[{"kind":"a","items":[` + strings.Repeat(`{"name":"b"},`, MaxItems+4) + `{"name":"c"}]}]}`))
	if err != nil || len(got.Contributions[0].Items) != MaxItems || got.Contributions[0].More != 5 {
		t.Errorf("%+v, %v", got, err)
	}
}

// FuzzDecode checks that a decoded document is within the limits: encoding it changes nothing more.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"links":{"bugs":"mailto:a@b"},"contributions":[{"kind":"a","items":[{"name":"b","colours":["#123456"]}],"more":1}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Decode(text)
		if err != nil {
			return
		}
		encoded := d.Encode()
		again, err := Decode(encoded)
		if err != nil || string(again.Encode()) != string(encoded) {
			t.Errorf("%s: %s becomes %s, %v", text, encoded, again.Encode(), err)
		}
	})
}
