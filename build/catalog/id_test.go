package catalog

import (
	"strings"
	"testing"
)

func TestParseID(t *testing.T) {
	for s, want := range map[string]ID{
		"acme.hello":                   {Extension: "acme.hello"},
		"hello":                        {Extension: "hello"},
		"Acme.Hello.World":             {Extension: "Acme.Hello.World"},
		"acme.hello@1.2.3":             {Extension: "acme.hello", Version: "1.2.3"},
		"acme.hello@1.2.3-RC.1+a":      {Extension: "acme.hello", Version: "1.2.3-RC.1+a"},
		"acme.hello@1.10":              {Extension: "acme.hello", Version: "1.10"}, // which no extension has
		"acme.hello@linux-x64":         {Extension: "acme.hello", Platform: "linux-x64"},
		"acme.hello@universal":         {Extension: "acme.hello", Platform: "universal"},
		"acme.hello@1.2.3@linux-x64":   {Extension: "acme.hello", Version: "1.2.3", Platform: "linux-x64"},
		"acme.hello@1.2.3@universal":   {Extension: "acme.hello", Version: "1.2.3", Platform: "universal"},
		"acme.hello@1.2.3@win32-other": {Extension: "acme.hello", Version: "1.2.3", Platform: "win32-other"},
	} {
		got, err := ParseID(s)
		if err != nil || got != want || got.String() != s {
			t.Errorf("%s: got %+v (%s), %v", s, got, got, err)
		}
	}
	if got, err := ParseID("acme.hello@1.2.3@Linux-X64"); err != nil || got.Platform != "linux-x64" {
		t.Errorf("platform in upper case: got %+v, %v", got, err)
	}
}

// TestParseIDRefuses compares the part of each message that comes before what is wanted.
func TestParseIDRefuses(t *testing.T) {
	for s, want := range map[string]string{
		"":                           `the id is empty`,
		"@1.2.3":                     `"@1.2.3": the extension is missing before "@"`,
		"acme.hello@":                `"acme.hello@": nothing follows an "@"`,
		"acme.hello@@linux-x64":      `"acme.hello@@linux-x64": nothing follows an "@"`,
		"a.b@1.2.3@web@web":          `"a.b@1.2.3@web@web" has 3 "@", and an id has at most two`,
		"acme.":                      `"acme." is not an id: name ""`,
		".hello":                     `".hello" is not an id: publisher is missing`,
		"acme hello":                 `"acme hello" is not an id: name "acme hello"`,
		"acme/hello":                 `"acme/hello" is not an id: name "acme/hello"`,
		"acme.hello@v1.2.3":          `"acme.hello@v1.2.3": "v1.2.3" is neither a version nor a platform; did you mean "acme.hello@1.2.3"?`,
		"acme.hello@v1.2.3@web":      `"acme.hello@v1.2.3@web": "v1.2.3" is not a version; did you mean "acme.hello@1.2.3@web"?`,
		"acme.hello@linux_x64":       `"acme.hello@linux_x64": "linux_x64" is neither a version nor a platform; did you mean "linux-x64"?`,
		"acme.hello@1.2.3@linux_x64": `"acme.hello@1.2.3@linux_x64": "linux_x64" is not a platform; did you mean "linux-x64"?`,
		"acme.hello@web@1.2.3":       `"acme.hello@web@1.2.3": "web" is not a version`,
		"acme.hello@1/2":             `"acme.hello@1/2": "1/2" is neither a version nor a platform`,
	} {
		_, err := ParseID(s)
		if err == nil {
			t.Errorf("%s is accepted", s)
			continue
		}
		if got, _, _ := strings.Cut(strings.Replace(err.Error(), ": "+wantID, "", 1), ": want "); got != want {
			t.Errorf("%s: got %v, want %s", s, err, want)
		}
	}
}

func TestIDMatches(t *testing.T) {
	universal, linux := Version{Version: "1.0.0-rc"}, Version{Version: "1.0.0-rc", Platform: "linux-x64"}
	for s, want := range map[string][2]bool{
		"a.b": {true, true}, "a.b@1.0.0-rc": {true, true}, "a.b@1.0.0-RC": {true, true}, "a.b@1.0.0": {false, false},
		"a.b@linux-x64": {false, true}, "a.b@universal": {true, false}, "a.b@1.0.0-rc@universal": {true, false},
		"a.b@1.0.0-rc@linux-x64": {false, true}, "a.b@1.0.0-rc@web": {false, false}, "a.b@1.0.0@linux-x64": {false, false},
	} {
		id, err := ParseID(s)
		if got := [2]bool{id.Matches(&universal), id.Matches(&linux)}; err != nil || got != want {
			t.Errorf("%s: got %v, want %v (%v)", s, got, want, err)
		}
	}
}

func TestCheckExtension(t *testing.T) {
	for s, want := range map[string]bool{"a.b": true, "a.b@1.0.0": false, "a.b@web": false} {
		id, err := ParseID(s)
		if err != nil || (id.CheckExtension() == nil) != want {
			t.Errorf("%s: %v, %v", s, id.CheckExtension(), err)
		}
	}
}
