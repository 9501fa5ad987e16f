package galbuild

import (
	"path/filepath"
	"testing"

	"galbuild/build"
	"galbuild/build/collect"
	"galbuild/build/vet"
	"galbuild/publish/delivery/report"
)

func TestVerdictOf(t *testing.T) {
	for want, r := range map[string]report.Report{
		"there is no package, so there is no gallery": {Refused: make([]build.Problem, 1)},
		"": {Generation: "a", Missing: []report.Missing{{ID: "acme.a", Kind: "pack member"}, {ID: "acme.b", Kind: "dependency"}}},
		"1 extension cannot be had; the others are in the gallery": {Generation: "a", Missing: []report.Missing{{ID: "acme.a"}}},
		"2 packages refused; the others are in the gallery":        {Generation: "a", Refused: make([]build.Problem, 2), Missing: []report.Missing{{ID: "acme.a"}}},
	} {
		got := ""
		if err := verdictOf(&r); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSourceFrom(t *testing.T) {
	file := filepath.FromSlash("/srv/gallery/galbuild.json")
	for source, want := range map[string]string{
		collect.CommandLine: "galbuild.json", "/srv/gallery/list.txt": "list.txt", "/srv/gallery/lists/a.txt": "lists/a.txt", "/etc/list.txt": "../../etc/list.txt",
	} {
		if got := sourceFrom(file, source); got != want {
			t.Errorf("%s: got %s, want %s", source, got, want)
		}
	}
}

// TestFindingsFor checks what a report has besides the findings of the build.
func TestFindingsFor(t *testing.T) {
	found := []vet.Finding{
		{Rule: "address", Severity: vet.High}, {Rule: "executable", Severity: vet.Low}, {Rule: "scanner", Severity: vet.High},
		vet.NotChecked("the scanner could not be started"), vet.Compare(nil, nil)[0],
	}
	for all, want := range map[bool]string{true: "address scanner not-checked ", false: "scanner not-checked "} {
		got := ""
		for _, f := range findingsFor(found, all) {
			got += f.Rule + " "
		}
		if got != want {
			t.Errorf("all is %v: got %s, want %s", all, got, want)
		}
	}
}
