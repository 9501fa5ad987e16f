package vet

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"galbuild/build/vsix"
)

var update = flag.Bool("update", false, "record what this version finds")

// TestVersion fails if the packages of testdata/rules give other findings or profiles under the
// same Version: callers would keep the results of an earlier program. If the change is intended,
// raise Version, and run with -update.
func TestVersion(t *testing.T) {
	var got strings.Builder
	fmt.Fprintf(&got, "version %d\n", Version)
	for _, rule := range Rules() {
		if otherRules[rule.ID] {
			continue
		}
		cases := readCases(t, rule.ID)
		for _, name := range slices.Sorted(maps.Keys(cases)) {
			s := newScanner(Options{})
			for _, f := range cases[name] {
				if at := strings.Index(f.Name, "extension/"); at >= 0 && !strings.HasPrefix(f.Name, "before/") {
					s.Add(vsix.Entry{Name: f.Name[at:], Size: int64(len(f.Data))}, f.Data)
				}
			}
			text, err := json.Marshal(s.Result())
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&got, "%s %s: %s\n", rule.ID, name, text)
		}
	}
	golden := filepath.Join("testdata", "version.txt")
	recorded, err := os.ReadFile(golden)
	first, _, _ := strings.Cut(string(recorded), "\n")
	switch {
	case string(recorded) == got.String():
	case err == nil && first == fmt.Sprintf("version %d", Version) && !*update:
		t.Errorf("packages give other results than %s records; raise Version and run with -update", golden)
	case !*update:
		t.Errorf("%s records %q; run with -update", golden, first)
	default:
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDocumented compares the table of README.md with the rules.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, "|"); len(cells) > 3 && strings.HasPrefix(cells[1], " `") {
			documented = append(documented, strings.Trim(cells[1], " `")+" "+strings.TrimSpace(cells[2]))
		}
	}
	var want []string
	for _, r := range Rules() {
		want = append(want, r.ID+" "+r.Severity.String())
		if !strings.HasSuffix(r.Summary, ".") {
			t.Errorf("the summary of %s is not a sentence", r.ID)
		}
	}
	if !slices.Equal(documented, want) {
		t.Errorf("README.md has the rules %q, want %q", documented, want)
	}
}

// TestRead reads a file that is vetted completely, and one of which only the beginning is.
func TestRead(t *testing.T) {
	for _, size := range []int{0, 10, maxFile, maxFile + 1} {
		content := bytes.Repeat([]byte("a"), size)
		s := newScanner(Options{})
		r, err := s.Read(vsix.Entry{Name: "extension/x.js", Size: int64(size)}, bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes: read %d bytes, %v", size, len(got), err)
		}
		found := s.Result().Findings
		if cut := size > maxFile; cut != (len(found) == 1 && found[0].Rule == notChecked) {
			t.Errorf("%d bytes: found %+v", size, found)
		}
	}
}

// TestLimitOfFindings keeps the worst findings of too many.
func TestLimitOfFindings(t *testing.T) {
	var all findings
	for range 50 {
		all.add(Finding{Rule: secretRule, Severity: Low})
	}
	all.add(Finding{Rule: secretRule, Severity: High})
	found := all.sorted()
	if len(found) != maxPerRule+1 || found[0].Severity != High || !strings.Contains(found[len(found)-1].Detail+found[1].Detail, "31 more") {
		t.Errorf("%d findings: %+v", len(found), found)
	}
}

func TestEvidence(t *testing.T) {
	if got := evidence([]byte("a\x1b[31m\u202e\xff" + strings.Repeat("x", 200))); strings.ContainsAny(got, "\x1b\u202e") || len(got) > 200 || !strings.HasSuffix(got, "…") {
		t.Errorf("evidence %q", got)
	}
}

// FuzzAdd vets any content under several names: nothing panics, and findings can be printed.
func FuzzAdd(f *testing.F) {
	for _, rule := range []string{encodedPayload, hiddenChars, wrongContent, address, folderTask, installScript} {
		archive, err := os.ReadFile(filepath.Join("testdata", "rules", rule+".txtar"))
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range bytes.Split(archive, []byte("\n-- ")) {
			_, content, _ := bytes.Cut(part, []byte(" --\n"))
			f.Add(bytes.ReplaceAll(content, []byte("§"), nil))
		}
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		s := newScanner(Options{})
		for _, name := range []string{"package.json", "x.js", "a.png", "a.sh", "a.json", ".vscode/tasks.json", "node_modules/a/package.json", "a"} {
			s.Add(vsix.Entry{Name: "extension/" + name, Size: int64(len(content))}, content)
		}
		for _, x := range s.Result().Findings {
			if x.Rule == "" || x.Severity < Low || x.Severity > High || len(x.Evidence) > 10*maxEvidence {
				t.Errorf("finding %+v", x)
			}
		}
	})
}

func FuzzParseProfile(f *testing.F) {
	f.Add([]byte(`{"rules": 1, "publisher": "a", "hosts": ["a.example"]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParseProfile(text)
		if err != nil {
			return
		}
		Compare(p, p)
		Compare(&Profile{Rules: p.Rules}, p)
	})
}

// hostile are texts for which a careless search needs quadratic time.
func hostile(size int) map[string][]byte {
	repeat := func(s string) []byte { return bytes.Repeat([]byte(s), size/len(s)) }
	return map[string][]byte{
		"brackets": repeat("("), "calls": repeat("eval(a)"), "nested": repeat("eval(eval"), "names": repeat("eval(aa,bb,cc,dd,ee,ff);aa=bb;"),
		"quotes": repeat("eval(\""), "slashes": repeat("=/"), "addresses": repeat("http://"), "dots": repeat("\"1.1.1.1\""),
		"decoded": repeat("eval(atob(x));"), "hidden": repeat("a\u200b\ufe01"), "aliases": repeat("aa=eval;"), "base64": repeat("\"aHR0cDov"),
		"backslashes": repeat("\\"), "templates": repeat("`${"), "comments": repeat("/*"), "exec": repeat("exec(a,"), "members": repeat("(0,a.eval)("),
		"findings": repeat("http://45.33.32.156/"), "programs": repeat("spawn(\"a"), "connections": repeat("host:\"45.33.32.156\""),
	}
}

func BenchmarkHostile(b *testing.B) {
	for name, text := range hostile(1 << 20) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				s := newScanner(Options{})
				s.Add(vsix.Entry{Name: "extension/x.js", Size: int64(len(text))}, text)
				s.Result()
			}
		})
	}
}

// benchmarkCode is like the code of bundlers.
const benchmarkCode = `"use strict";var t=Object.create,n=Object.defineProperty,i=(e,r)=>function(){return r||(0,e[Object.keys(e)[0]])((r={exports:{}}).exports,r),r.exports};` +
	`class Task{constructor(e){this.options=e;this.url="https://registry.example/"+e.id}get(){return new Function("return this")()}}` +
	`async function highlight(e,{signal:n,depth:o=0}={}){if(n?.aborted)throw new Error("aborted: "+e);for(const[s,a]of this.ghosts)await a.dispatch(s,{op:"op_set",at:o+1})}` + "\n"

// BenchmarkAdd vets code like that of bundlers.
func BenchmarkAdd(b *testing.B) {
	text := bytes.Repeat([]byte(benchmarkCode), (8<<20)/len(benchmarkCode))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		s := newScanner(Options{})
		s.Add(vsix.Entry{Name: "extension/x.js", Size: int64(len(text))}, text)
		if found := s.Result().Findings; len(found) > 0 {
			b.Fatal(found)
		}
	}
}
