//go:build e2e

package semver

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/cmd/e2e/installed"
)

var update = flag.Bool("update", false, "rewrite the recorded answers")

// TestRecorded asks the real node-semver, the one that vsce uses, all recorded
// questions again, or with -update records what it says.
func TestRecorded(t *testing.T) {
	for _, file := range []string{strictFile, looseFile} {
		questions, want := recorded(t, file, 1)
		got := ask(t, questions)
		if len(got) != len(want) {
			t.Fatalf("%s: %d answers for %d questions", file, len(got), len(want))
		}
		if *update {
			record(t, file, got)
			continue
		}
		for i, q := range questions {
			if got[i] != want[i] {
				t.Errorf("%s: %q: %s, recorded is %s", file, q, got[i], want[i])
			}
		}
	}
}

func ask(t *testing.T, questions []question) (answers []string) {
	t.Helper()
	tools := installed.Tools(t)
	tools.Ask(t, questions, &answers, "testdata/record.js", filepath.Dir(tools.VSCE))
	return answers
}

// record replaces the answers, the last field of every line but the comments.
func record(t *testing.T, file string, answers []string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "#") {
			line = line[:strings.LastIndex(line, "\t")+1] + answers[0] + "\n"
			answers = answers[1:]
		}
		out.WriteString(line)
	}
	if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
