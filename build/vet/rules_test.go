package vet

import (
	"encoding/hex"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"galbuild/build/vsix"
)

// otherRules need more than a package, and have tests of their own.
var otherRules = map[string]bool{lookAlike: true, advisory: true, denied: true, scannerFound: true}

// TestRules vets the made-up packages of testdata/rules. Each file there has the name of a rule
// and packages in folders attack and harmless. In an attack, the rule finds something of its
// highest severity. In a harmless package it does not, and no rule finds anything of severity
// high. Packages that are compared are in folders before and after.
func TestRules(t *testing.T) {
	for _, rule := range Rules() {
		if otherRules[rule.ID] {
			continue
		}
		t.Run(rule.ID, func(t *testing.T) {
			cases := readCases(t, rule.ID)
			count := make(map[string]int)
			for _, name := range slices.Sorted(maps.Keys(cases)) {
				kind, _, _ := strings.Cut(name, "/")
				count[kind]++
				check(t, rule, name, kind == "attack", vetCase(t, cases[name]))
			}
			if count["attack"] < 1 || count["harmless"] < 3 {
				t.Errorf("%d attacks and %d harmless packages, want at least 1 and 3", count["attack"], count["harmless"])
			}
		})
	}
}

func check(t *testing.T, rule Rule, name string, attack bool, found []Finding) {
	t.Helper()
	matches := slices.ContainsFunc(found, func(f Finding) bool { return f.Rule == rule.ID && f.Severity >= rule.Severity })
	switch {
	case attack && !matches:
		t.Errorf("%s: not found; findings: %+v", name, found)
	case !attack && (matches || Worst(found) == High):
		t.Errorf("%s: found %+v", name, found)
	}
}

// readCases returns the files of each package of a file in testdata/rules.
func readCases(t *testing.T, rule string) map[string][]txtar.File {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", "rules", rule+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	cases := make(map[string][]txtar.File)
	for _, f := range archive.Files {
		parts := strings.SplitN(f.Name, "/", 3)
		name := parts[0] + "/" + parts[1]
		cases[name] = append(cases[name], txtar.File{Name: parts[2], Data: expand(t, f.Data)})
	}
	return cases
}

// placeholder stands for characters, bytes or a text that is repeated. The sign § is left out, so
// that the files in testdata are not malicious themselves.
var placeholder = regexp.MustCompile(`<(U\+([0-9A-F]+)(?:\*(\d+))?|HEX ([0-9a-f]+)|REPEAT (\d+) ([^\n]*))>`)

func expand(t *testing.T, text []byte) []byte {
	t.Helper()
	text = []byte(strings.ReplaceAll(string(text), "§", ""))
	if strings.HasPrefix(string(text), "<HEX") {
		text = []byte(strings.TrimSuffix(string(text), "\n"))
	}
	return placeholder.ReplaceAllFunc(text, func(b []byte) []byte {
		m := placeholder.FindSubmatch(b)
		switch {
		case m[2] != nil:
			r, err := strconv.ParseInt(string(m[2]), 16, 32)
			n, _ := strconv.Atoi(string(m[3]))
			if err != nil {
				t.Fatal(err)
			}
			return []byte(strings.Repeat(string(rune(r)), max(n, 1)))
		case m[4] != nil:
			decoded, err := hex.DecodeString(string(m[4]))
			if err != nil {
				t.Fatal(err)
			}
			return decoded
		}
		n, _ := strconv.Atoi(string(m[5]))
		return []byte(strings.Repeat(string(m[6])+"\n", n))
	})
}

// vetCase vets a package, or compares the one in the folder after with that in the folder before.
func vetCase(t *testing.T, files []txtar.File) []Finding {
	t.Helper()
	scanners := map[string]*Scanner{"": newScanner(Options{}), "before": newScanner(Options{}), "after": newScanner(Options{})}
	compared := false
	for _, f := range files {
		side, name, _ := strings.Cut(f.Name, "/")
		if scanners[side] == nil {
			side, name = "", f.Name
		} else {
			compared = true
		}
		if !strings.HasPrefix(name, "extension/") {
			t.Fatalf("%s is not below extension/", f.Name)
		}
		scanners[side].Add(vsix.Entry{Name: name, Size: int64(len(f.Data))}, f.Data)
	}
	if !compared {
		return scanners[""].Result().Findings
	}
	before, after := scanners["before"].Result(), scanners["after"].Result()
	return append(after.Findings, Compare(&before.Profile, &after.Profile)...)
}
