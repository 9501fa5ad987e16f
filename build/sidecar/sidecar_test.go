package sidecar

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestRead reads the file "sidecar" of each testdata/*.txtar as one of acme.hello 1.0.0 for
// linux-x64. The result must be the file "want" in galbuild's own format, with the lines of
// "warnings", or the error "error". Preview must be true if there is a file "preview" with "yes".
// What galbuild collect writes must be the file "collected".
func TestRead(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases found (%v)", err)
	}
	for _, file := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			text, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			files := map[string]string{}
			for _, f := range text.Files {
				files[f.Name] = strings.TrimSpace(string(f.Data))
			}
			metadata, err := Read([]byte(files["sidecar"]), hello)
			if err != nil {
				if err.Error() != files["error"] {
					t.Fatalf("error %q, want %q", err, files["error"])
				}
				return
			}
			got, err := json.Marshal(metadata.Sidecar)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != files["want"] {
				t.Errorf("got  %s\nwant %s", got, files["want"])
			}
			collected, err := json.Marshal(metadata.Collected)
			if err != nil {
				t.Fatal(err)
			}
			if want := cmp.Or(files["collected"], `{"Source":null,"FirstSeen":null,"Pictures":null}`); string(collected) != want {
				t.Errorf("got  %s\nwant %s", collected, want)
			}
			if metadata.Preview != (files["preview"] == "yes") {
				t.Errorf("preview is %v", metadata.Preview)
			}
			if got := strings.Join(metadata.Warnings, "\n"); got != files["warnings"] {
				t.Errorf("warnings %s\nwant %s", got, files["warnings"])
			}
			for _, w := range metadata.Warnings {
				for _, word := range []string{"json", "unmarshal", "Go value", "parsing", "invalid character"} {
					if strings.Contains(w, word) {
						t.Errorf("warning %q contains %q", w, word)
					}
				}
			}
		})
	}
}

var hello = Package{"acme", "hello", "1.0.0", "linux-x64"}

// TestEncodings reads the encodings that Windows PowerShell writes.
func TestEncodings(t *testing.T) {
	utf16 := func(order func(a, b byte) []byte, mark []byte) []byte {
		text := mark
		for _, c := range []byte(`{"publisher":{"displayName":"Acme"}}`) {
			text = append(text, order(c, 0)...)
		}
		return text
	}
	for name, text := range map[string][]byte{
		"UTF-8 with a byte order mark": []byte("\xef\xbb\xbf" + `{"publisher":{"displayName":"Acme"}}`),
		"UTF-16, little-endian":        utf16(func(a, b byte) []byte { return []byte{a, b} }, []byte("\xff\xfe")),
		"UTF-16, big-endian":           utf16(func(a, b byte) []byte { return []byte{b, a} }, []byte("\xfe\xff")),
	} {
		metadata, err := Read(text, hello)
		if err != nil || metadata.Publisher == nil || metadata.Publisher.DisplayName != "Acme" {
			t.Errorf("%s: %+v, %v", name, metadata, err)
		}
	}
}

// TestRestoreInvalid has a sidecar with invalid values. Only these are replaced with those of the
// previous sidecar.
func TestRestoreInvalid(t *testing.T) {
	before, err := Read([]byte(`{"extensionId":"6b1e0c1e-1111-4222-8333-444455556666","lastUpdated":"2024-01-01","statistics":{"install":1}}`), hello)
	if err != nil {
		t.Fatal(err)
	}
	after, err := Read([]byte(`{"extensionId":"6b1e0c1e","lastUpdated":"2025-01-01","statistics":{"install":"many"}}`), hello)
	if err != nil {
		t.Fatal(err)
	}
	after.RestoreInvalid(&before.Sidecar)
	if after.ExtensionID != before.ExtensionID || after.LastUpdated.Year() != 2025 || after.Statistics.Install != 1 {
		t.Errorf("got %+v", after.Sidecar)
	}
}

func FuzzRead(f *testing.F) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		f.Fatalf("no cases found (%v)", err)
	}
	for _, file := range cases {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, x := range txtar.Parse(text).Files {
			f.Add(x.Data)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		metadata, err := Read(text, hello)
		if err != nil {
			return
		}
		if id := metadata.ExtensionID; id != strings.ToLower(id) {
			t.Errorf("%q is not in lower case, but editors compare UUIDs case-sensitively", id)
		}
		if s := metadata.Statistics; s != nil && (s.Install < 0 || s.RatingCount < 0 || !(s.AverageRating >= 0 && s.AverageRating <= 5)) {
			t.Errorf("statistics %+v", s)
		}
		if _, err := json.Marshal(metadata.Sidecar); err != nil {
			t.Error(err)
		}
	})
}
