//go:build e2e

package check

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/cmd/e2e/toolchain"
)

var update = flag.Bool("update", false, "record the results of the real vsce")

// TestRecorded compares the recorded results with those of the real vsce, or records them with
// -update.
func TestRecorded(t *testing.T) {
	cases := vsceCases(t)
	var in [][4]any
	for _, c := range cases {
		in = append(in, [4]any{c.options, c.files, c.nls, c.manifest(t)})
	}
	var out [][3]string // ls, package and warnings
	tools := toolchain.Tools(t)
	tools.RunScript(t, in, &out, "testdata/record.js", filepath.Dir(tools.VSCE), t.TempDir())
	if len(out) != len(cases) {
		t.Fatalf("%d results for %d cases", len(out), len(cases))
	}
	header, _, _ := strings.Cut(recorded, "\n")
	lines := []string{header}
	for i, c := range cases {
		if got, want := out[i], [3]string{c.ls, c.pack, c.warnings}; got != want && !*update {
			t.Errorf("%s: %q, want %q", c.name, got, want)
		}
		lines = append(lines, strings.Join([]string{c.name, c.options, c.files, c.nls, c.pkg, out[i][0], out[i][1], out[i][2]}, "\t"))
	}
	if *update {
		if err := os.WriteFile("testdata/vsce.tsv", []byte(strings.Join(lines, "\n")+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}
