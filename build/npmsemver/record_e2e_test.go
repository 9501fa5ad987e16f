//go:build e2e

package npmsemver

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/cmd/e2e/toolchain"
)

var update = flag.Bool("update", false, "record the results of node-semver")

// TestRecorded compares the recorded results with those of the real node-semver that vsce uses,
// or records them with -update.
func TestRecorded(t *testing.T) {
	for _, file := range []string{strictFile, looseFile} {
		queries, want := recorded(t, file, 1)
		got := nodeSemver(t, queries)
		if len(got) != len(want) {
			t.Fatalf("%s: %d results for %d queries", file, len(got), len(want))
		}
		if *update {
			record(t, file, got)
			continue
		}
		for i, q := range queries {
			if got[i] != want[i] {
				t.Errorf("%s: %q: %s, recorded is %s", file, q, got[i], want[i])
			}
		}
	}
}

func nodeSemver(t *testing.T, queries []query) (results []string) {
	t.Helper()
	tools := toolchain.Tools(t)
	tools.RunScript(t, queries, &results, "testdata/record.js", filepath.Dir(tools.VSCE))
	return results
}

// record replaces the results, which are the last field of each line that is not a comment.
func record(t *testing.T, file string, results []string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "#") {
			line = line[:strings.LastIndex(line, "\t")+1] + results[0] + "\n"
			results = results[1:]
		}
		out.WriteString(line)
	}
	if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
