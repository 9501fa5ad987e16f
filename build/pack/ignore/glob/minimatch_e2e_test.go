//go:build e2e

package glob

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"galbuild/cmd/e2e/installed"
)

var (
	update = flag.Bool("update", false, "record minimatch's answers anew")
	seed   = flag.Uint64("seed", 1, "of the random patterns; 0 takes any")
	count  = flag.Int("patterns", 2_000, "random patterns")
)

// A question is a pattern, and paths to try on it.
type question struct {
	Pattern string   `json:"pattern"`
	Paths   []string `json:"paths"`
}

// ask has one process answer all questions.
func ask(t *testing.T, questions []question) (answers []answer) {
	t.Helper()
	for i := range questions {
		slices.Sort(questions[i].Paths)
		questions[i].Paths = slices.Compact(questions[i].Paths)
	}
	tools := installed.Tools(t)
	tools.Ask(t, questions, &answers, "testdata/record.js", filepath.Join(filepath.Dir(tools.VSCE), "..", "..", "minimatch"))
	if len(answers) != len(questions) {
		t.Fatalf("%d answers to %d questions", len(answers), len(questions))
	}
	return answers
}

// hollow is a group of nothing, or one that lists may make that.
var hollow = regexp.MustCompile(`[?*+@]\([|{},]*\)`)

// odd are patterns that the package comment says are read in another way, and
// those that minimatch refuses.
func (a answer) odd() bool {
	group := hollow.FindString(a.Pattern)
	return a.Error != "" || strings.Contains(a.Pattern, `\|`) || group != "" && group != a.Pattern
}

// TestRandom compares random patterns: the same in each run, or with -seed 0 others.
func TestRandom(t *testing.T) {
	n := *seed
	if n == 0 {
		n = rand.Uint64()
	}
	t.Logf("again with -seed %d", n)
	g := grammar{rand.New(rand.NewPCG(n, 0))}
	questions := make([]question, *count)
	for i := range questions {
		questions[i] = g.pattern()
	}
	yes, no := 0, 0
	for _, a := range ask(t, questions) {
		if !a.odd() {
			a.check(t)
			yes, no = yes+len(a.Yes), no+len(a.No)
		}
	}
	t.Logf("%d fit, %d do not", yes, no)
}

const golden = "testdata/minimatch.jsonl"

// TestRecorded asks again what is in golden, or writes it with -update: the patterns
// of testdata/patterns.txt on all paths there, then random ones.
func TestRecorded(t *testing.T) {
	text, err := os.ReadFile("testdata/patterns.txt")
	if err != nil {
		t.Fatal(err)
	}
	patterns, paths, _ := strings.Cut(string(text), "\n\n")
	var questions []question
	for pattern := range strings.SplitSeq(patterns, "\n") {
		questions = append(questions, question{pattern, strings.Fields(paths)})
	}
	g := grammar{rand.New(rand.NewPCG(1, 1))}
	for range 1000 {
		questions = append(questions, g.pattern())
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	for _, a := range ask(t, questions) {
		if a.odd() {
			continue
		}
		if err := encoder.Encode(a); err != nil {
			t.Fatal(err)
		}
	}
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if recorded, err := os.ReadFile(golden); err != nil || !bytes.Equal(recorded, out.Bytes()) {
		t.Errorf("%s is not what minimatch says (%v); -update writes it anew", golden, err)
	}
}
