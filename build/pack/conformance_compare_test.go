package pack_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"galbuild/build/pack/packtest"
)

// The parts of a result that are compared.
const (
	partList     = "list"     // the listed files
	partPackage  = "package"  // whether there is a package
	partEntries  = "entries"  // names, contents and permissions, except of the documents
	partManifest = "manifest" // extension.vsixmanifest as XML
	partTypes    = "types"    // [Content_Types].xml as XML
	partWarnings = "warnings" // number of warnings, if there is a package
)

// compare returns the differences between two results, by part.
func compare(want, got *result) map[string][]string {
	found := map[string][]string{}
	switch {
	case (want.listFail == "") != (got.listFail == ""):
		found[partList] = []string{fmt.Sprintf("listing failed with %q, want %q", got.listFail, want.listFail)}
	case want.listFail == "":
		found[partList] = compareSets(want.list, got.list)
	}
	switch {
	case (want.entries == nil) != (got.entries == nil):
		found[partPackage] = []string{fmt.Sprintf("packing failed with %q, want %q", got.fail, want.fail)}
	case want.entries != nil:
		found[partEntries] = compareEntries(want.entries, got.entries)
		found[partManifest] = compareXML(want.entries[documents[0]].content, got.entries[documents[0]].content)
		found[partTypes] = compareXML(want.entries[documents[1]].content, got.entries[documents[1]].content)
		if len(want.warnings) != len(got.warnings) {
			found[partWarnings] = []string{fmt.Sprintf("%d warnings %q, want %d: %q", len(got.warnings), got.warnings, len(want.warnings), want.warnings)}
		}
	}
	maps.DeleteFunc(found, func(_ string, differences []string) bool { return len(differences) == 0 })
	return found
}

func compareSets(want, got []string) (differences []string) {
	for _, name := range want {
		if !slices.Contains(got, name) {
			differences = append(differences, fmt.Sprintf("%q is missing", name))
		}
	}
	for i, name := range got {
		if !slices.Contains(want, name) {
			differences = append(differences, fmt.Sprintf("%q is not expected", name))
		}
		if slices.Contains(got[:i], name) {
			differences = append(differences, fmt.Sprintf("%q occurs twice", name))
		}
	}
	return differences
}

func compareEntries(want, got map[string]entry) []string {
	names := slices.Sorted(maps.Keys(want))
	differences := compareSets(names, slices.Sorted(maps.Keys(got)))
	for _, name := range names {
		w := want[name]
		g, ok := got[name]
		if !ok || slices.Contains(documents, name) {
			continue
		}
		if w.exec != g.exec {
			differences = append(differences, fmt.Sprintf("%q: executable %v, want %v", name, g.exec, w.exec))
		}
		if !bytes.Equal(w.content, g.content) {
			differences = append(differences, fmt.Sprintf("%q: %s", name, firstDifference(w.content, g.content)))
		}
	}
	return differences
}

func firstDifference(want, got []byte) string {
	at := 0
	for at < min(len(want), len(got)) && want[at] == got[at] {
		at++
	}
	around := func(b []byte) []byte { return b[max(0, at-20):min(len(b), at+60)] }
	return fmt.Sprintf("%d bytes, want %d; from byte %d on %q, want %q", len(got), len(want), max(0, at-20), around(got), around(want))
}

// compareXML returns the differences between the canonical forms of two documents.
func compareXML(want, got []byte) (differences []string) {
	if bytes.Equal(want, got) {
		return nil
	}
	for line := range strings.Lines(packtest.DiffXML(want, got)) {
		differences = append(differences, strings.TrimSuffix(line, "\n"))
	}
	return differences
}

// TestCompare changes a result of vsce, and checks that compare reports the changed part.
func TestCompare(t *testing.T) {
	changes := map[string]struct {
		part   string
		change func(*result)
	}{
		"none":          {"", func(*result) {}},
		"unlisted":      {partList, func(r *result) { r.list = r.list[1:] }},
		"listed":        {partList, func(r *result) { r.list = append(r.list, "more") }},
		"listed twice":  {partList, func(r *result) { r.list = append(r.list, r.list[0]) }},
		"list failed":   {partList, func(r *result) { r.listFail = "no" }},
		"not packed":    {partPackage, func(r *result) { r.entries = nil }},
		"no entry":      {partEntries, func(r *result) { delete(r.entries, "extension/package.json") }},
		"an entry more": {partEntries, func(r *result) { r.entries["extension/more"] = entry{} }},
		"executable":    {partEntries, changeEntry("extension/package.json", func(e *entry) { e.exec = !e.exec })},
		"a byte":        {partEntries, changeEntry("extension/package.json", func(e *entry) { e.content = append(slices.Clone(e.content), '\n') })},
		"an attribute":  {partManifest, replace(documents[0], `Language="en-US"`, `Language="en-GB"`)},
		"no attribute":  {partManifest, replace(documents[0], `Language="en-US"`, ``)},
		"a text":        {partManifest, replace(documents[0], "<DisplayName>", "<DisplayName> ")},
		"a namespace":   {partManifest, replace(documents[0], "vsx-schema/2011", "vsx-schema/2012")},
		"no element":    {partManifest, replace(documents[0], "<Dependencies/>", "")},
		"white space":   {"", replace(documents[0], "<Dependencies/>", "\n <Dependencies></Dependencies >\n")},
		"not XML":       {partManifest, replace(documents[0], "<Dependencies/>", "<Dependencies>")},
		"a type":        {partTypes, replace(documents[1], "application/json", "text/json")},
		"a warning":     {partWarnings, func(r *result) { r.warnings = append(r.warnings, "look") }},
	}
	f, err := readFolder(base)
	if err != nil {
		t.Fatal(err)
	}
	root := f.unpack(t)
	for name, c := range changes {
		t.Run(name, func(t *testing.T) {
			want, err1 := parseRecord(f.want, root, f.base)
			got, err2 := parseRecord(f.want, root, f.base)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			c.change(got)
			var parts []string
			if c.part != "" {
				parts = []string{c.part}
			}
			if found := slices.Collect(maps.Keys(compare(want, got))); !slices.Equal(found, parts) {
				t.Errorf("differs in %q, want %q", found, parts)
			}
		})
	}
}

func changeEntry(name string, change func(*entry)) func(*result) {
	return func(r *result) {
		e := r.entries[name]
		change(&e)
		r.entries[name] = e
	}
}

func replace(name, old, with string) func(*result) {
	return changeEntry(name, func(e *entry) {
		changed := strings.Replace(string(e.content), old, with, 1)
		if changed == string(e.content) {
			panic("nothing to change: " + old)
		}
		e.content = []byte(changed)
	})
}
