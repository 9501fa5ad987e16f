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

	"galbuild/cmd/e2e/toolchain"
)

var (
	update = flag.Bool("update", false, "record the results of minimatch")
	seed   = flag.Uint64("seed", 1, "seed of the random patterns; 0 is a random seed")
	count  = flag.Int("patterns", 2_000, "number of random patterns")
)

// A query is a pattern, and paths to match against it.
type query struct {
	Pattern string   `json:"pattern"`
	Paths   []string `json:"paths"`
}

// minimatch returns the result of each query, from one process.
func minimatch(t *testing.T, queries []query) (results []result) {
	t.Helper()
	for i := range queries {
		slices.Sort(queries[i].Paths)
		queries[i].Paths = slices.Compact(queries[i].Paths)
	}
	tools := toolchain.Tools(t)
	tools.RunScript(t, queries, &results, "testdata/record.js", filepath.Join(filepath.Dir(tools.VSCE), "..", "..", "minimatch"))
	if len(results) != len(queries) {
		t.Fatalf("%d results of %d queries", len(results), len(queries))
	}
	return results
}

// emptyGroup matches an empty group, or one that braces can make empty.
var emptyGroup = regexp.MustCompile(`[?*+@]\([|{},]*\)`)

// differs reports whether the pattern is one of the differences in the package comment, or one
// that minimatch refuses.
func (r result) differs() bool {
	group := emptyGroup.FindString(r.Pattern)
	return r.Error != "" || strings.Contains(r.Pattern, `\|`) || group != "" && group != r.Pattern
}

// TestRandom compares random patterns. They are the same in each run, except with -seed 0.
func TestRandom(t *testing.T) {
	n := *seed
	if n == 0 {
		n = rand.Uint64()
	}
	t.Logf("repeat with -seed %d", n)
	g := grammar{rand.New(rand.NewPCG(n, 0))}
	queries := make([]query, *count)
	for i := range queries {
		queries[i] = g.pattern()
	}
	yes, no := 0, 0
	for _, r := range minimatch(t, queries) {
		if !r.differs() {
			r.check(t)
			yes, no = yes+len(r.Yes), no+len(r.No)
		}
	}
	t.Logf("%d paths match, %d do not", yes, no)
}

const golden = "testdata/minimatch.jsonl"

// TestRecorded compares golden with the results of minimatch, or records them with -update. The
// patterns are those of testdata/patterns.txt, for all paths there, and random ones.
func TestRecorded(t *testing.T) {
	text, err := os.ReadFile("testdata/patterns.txt")
	if err != nil {
		t.Fatal(err)
	}
	patterns, paths, _ := strings.Cut(string(text), "\n\n")
	var queries []query
	for pattern := range strings.SplitSeq(patterns, "\n") {
		queries = append(queries, query{pattern, strings.Fields(paths)})
	}
	g := grammar{rand.New(rand.NewPCG(1, 1))}
	for range 1000 {
		queries = append(queries, g.pattern())
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	for _, r := range minimatch(t, queries) {
		if r.differs() {
			continue
		}
		if err := encoder.Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if recorded, err := os.ReadFile(golden); err != nil || !bytes.Equal(recorded, out.Bytes()) {
		t.Errorf("%s differs from the results of minimatch (%v); record them with -update", golden, err)
	}
}
