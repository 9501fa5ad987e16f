package npmsemver

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
)

const (
	strictFile = "testdata/strict.tsv"
	looseFile  = "testdata/loose.tsv"
)

// A query is RANGE or RANGE VERSION, see testdata/record.js.
type query []string

// recorded reads queries and the results of node-semver.
func recorded(t *testing.T, file string, atLeast int) (queries []query, results []string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		field := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") {
			continue
		}
		last := len(field) - 1
		if err := json.Unmarshal([]byte(field[0]), &field[0]); err != nil {
			t.Fatalf("%s: %q: %v", file, line, err)
		}
		queries, results = append(queries, field[:last]), append(results, field[last])
	}
	if len(queries) < atLeast {
		t.Fatalf("%s: %d queries, want at least %d", file, len(queries), atLeast)
	}
	return queries, results
}

func TestStrict(t *testing.T) {
	queries, results := recorded(t, strictFile, 700)
	for i, q := range queries {
		if got := lowest(q[0]); got != results[i] {
			t.Errorf("%q: lowest %s, want %s", q[0], got, results[i])
		}
	}
}

// lowest returns a result in the format of strictFile.
func lowest(text string) string {
	r, err := ParseRange(text)
	if err != nil {
		return "!"
	}
	if v, ok := r.Lowest(); ok {
		return v.String()
	}
	return "-"
}

func TestLoose(t *testing.T) {
	queries, results := recorded(t, looseFile, 2000)
	for i, q := range queries {
		if got := contains(q[0], q[1]); got != results[i] {
			t.Errorf("%q contains %s: got %s, want %s", q[0], q[1], got, results[i])
		}
	}
}

// contains returns a result in the format of looseFile.
func contains(text, version string) string {
	r, err := ParseLooseRange(text)
	if err != nil {
		return "-"
	}
	return strconv.FormatBool(r.Contains(version))
}

func TestLong(t *testing.T) {
	fits, long := "1.0."+strings.Repeat("0", 252), "1.0."+strings.Repeat("0", 253)
	for _, test := range []struct{ text, version, want string }{
		{"*", fits, "true"},
		{"*", long, "false"},
		{fits, "1.0.0", "true"},
		{long, "1.0.0", "-"},
	} {
		if got := contains(test.text, test.version); got != test.want {
			t.Errorf("%q contains %q: got %s, want %s", test.text, test.version, got, test.want)
		}
	}
	if (Range{}).Contains("1.0.0") {
		t.Error("the zero range contains 1.0.0")
	}
}

func TestParseVersion(t *testing.T) {
	for text, want := range map[string]string{
		"1.2.3": "1.2.3", "v1.2.3": "1.2.3", "1.2.3-a.0+b": "1.2.3-a.0", " 1.2.3\n": "1.2.3", "1.2": "", "01.2.3": "", "=1.2.3": "",
		"1.2.3-01": "", "9007199254740991.0.0": "9007199254740991.0.0", "9007199254740992.0.0": "",
	} {
		got := ""
		if v, err := ParseVersion(text); err == nil {
			got = v.String()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// FuzzParseRange checks that no text panics, that a strict range is also a loose range and contains
// its lowest version, and that every version contains itself.
func FuzzParseRange(f *testing.F) {
	for _, s := range []string{"^1.2.3 || ~1.2 <2", "1.x - 2.*", ">= 1.2.3-a.b+c", "x.1", "<*", "latest", "~> 1.2.3beta", "=v1", "1.2.3*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		narrow, err := ParseRange(text)
		wide, looseErr := ParseLooseRange(text)
		if err == nil && looseErr != nil {
			t.Errorf("%q is a strict range, but not a loose one: %v", text, looseErr)
		}
		if v, ok := narrow.Lowest(); ok && !(narrow.Contains(v.String()) && wide.Contains(v.String())) {
			t.Errorf("%q: lowest %s is not in it", text, v)
		}
		if _, err := loose.parseVersion(text); err == nil && !wide.Contains(text) {
			t.Errorf("%q does not contain itself", text)
		}
	})
}
