package vet

import (
	"archive/zip"
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"galbuild/build/vsix"
)

// advisoryText returns an advisory about an npm package, with ranges or versions.
func advisoryText(id, name, severity, affected string) string {
	return fmt.Sprintf(`{"id": %q, "summary": "about %s", "database_specific": {"severity": %q}, "affected": [{"package": {"ecosystem": "npm", "name": %q}, %s}]}`,
		id, name, severity, name, affected)
}

func semverRange(events string) string {
	return `"ranges": [{"type": "SEMVER", "events": [` + events + `]}, {"type": "GIT", "events": [{"introduced": "0"}]}]`
}

var sampleAdvisories = []string{
	advisoryText("GHSA-fixed", "left", "HIGH", semverRange(`{"introduced": "0"}, {"fixed": "1.2.3"}`)),
	advisoryText("GHSA-two", "left", "LOW", semverRange(`{"introduced": "2.0.0"}, {"last_affected": "2.1.0"}, {"introduced": "3.0.0-beta"}`)),
	advisoryText("GHSA-critical", "right", "CRITICAL", semverRange(`{"introduced": "1.0.0"}`)),
	advisoryText("MAL-1", "@evil/pkg", "", `"versions": ["1.0.1", "1.0.2"]`),
	advisoryText("MAL-2", "always", "", semverRange(`{"introduced": "0"}`)),
	`{"id": "GHSA-withdrawn", "withdrawn": "2026-01-01T00:00:00Z", "affected": [{"package": {"ecosystem": "npm", "name": "left"}, ` + semverRange(`{"introduced": "0"}`) + `}]}`,
	`{"id": "GO-1", "affected": [{"package": {"ecosystem": "Go", "name": "left"}, ` + semverRange(`{"introduced": "0"}`) + `}]}`,
}

func readSample(t *testing.T, text string) *Advisories {
	t.Helper()
	a, err := ReadAdvisories(strings.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAdvisories(t *testing.T) {
	lines := readSample(t, strings.Join(sampleAdvisories, "\n")+"\n\n")
	var zipped bytes.Buffer
	w := zip.NewWriter(&zipped)
	for i, text := range sampleAdvisories {
		f, err := w.Create(fmt.Sprintf("%d.json", i))
		if err == nil {
			_, err = f.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	fromZip := readSample(t, zipped.String())
	for _, c := range []struct {
		name, version string
		want          []string // ID and severity
	}{
		{"left", "1.2.2", []string{"GHSA-fixed medium"}},
		{"left", "1.2.3", nil},
		{"left", "1.2.3-beta", []string{"GHSA-fixed medium"}},
		{"left", "2.1.0", []string{"GHSA-two low"}},
		{"left", "2.1.1", nil},
		{"left", "3.0.0", []string{"GHSA-two low"}},
		{"left", "not a version", nil},
		{"right", "0.9.0", nil},
		{"right", "9.0.0", []string{"GHSA-critical high"}},
		{"@evil/pkg", "1.0.1", []string{"MAL-1 high"}},
		{"@evil/pkg", "1.0.3", nil},
		{"always", "0.0.1-a", []string{"MAL-2 high"}},
		{"other", "1.0.0", nil},
	} {
		for kind, a := range map[string]*Advisories{"lines": lines, "zip": fromZip} {
			var got []string
			for _, x := range a.About(c.name, c.version) {
				got = append(got, x.ID+" "+x.Severity.String())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: %s@%s: %v, want %v", kind, c.name, c.version, got, c.want)
			}
		}
	}
}

func TestAdvisoriesRefused(t *testing.T) {
	for text, want := range map[string]string{
		"{\"id\": \"a\"}\nnonsense":         "line 2",
		`{"summary": "no id"}`:              "no id",
		"PK\x03\x04 this is not an archive": "zip",
	} {
		if _, err := ReadAdvisories(strings.NewReader(text), int64(len(text))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error with %q", text, err, want)
		}
	}
}

func TestBundledAdvisories(t *testing.T) {
	s := newScanner(Options{Advisories: readSample(t, strings.Join(sampleAdvisories, "\n"))})
	for _, name := range []string{"always", "left"} {
		text := []byte(fmt.Sprintf(`{"name": %q, "version": "1.2.3"}`, name))
		s.Add(vsix.Entry{Name: "extension/node_modules/" + name + "/package.json", Size: int64(len(text))}, text)
	}
	found := s.Result().Findings
	if len(found) != 1 || found[0].Rule != advisory || found[0].Severity != High || !strings.Contains(found[0].Detail, "MAL-2") {
		t.Errorf("found %+v, want MAL-2 about always", found)
	}
}

// TestLargeDump has documents that are small, and too large together, as in a zip bomb.
func TestLargeDump(t *testing.T) {
	line := `{"id":"MAL-1","summary":"` + strings.Repeat("x", 900) + `"}` + "\n"
	text := strings.NewReader(strings.Repeat(line, 11))
	for limit, want := range map[int64]string{
		10_500: "",
		10_000: "line 11: the documents of the dump are larger than the limit together",
	} {
		if _, err := readAdvisories(text, text.Size(), limit); (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%d: got %v, want %q", limit, err, want)
		}
	}
}
