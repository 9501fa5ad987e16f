//go:build e2e

package pack_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"galbuild/cmd/e2e/toolchain"
)

// deterministic makes vsce use the same time and order of entries in each run.
var deterministic = []string{"SOURCE_DATE_EPOCH=1700000000", "LC_ALL=C"}

// A recorder runs commands in one process of the real vsce.
type recorder struct{ vsce *toolchain.VSCE }

func startRecorder(t *testing.T, tools toolchain.Toolbox) recorder {
	t.Helper()
	return recorder{tools.StartVSCE(t, deterministic...)}
}

// run runs a command of vsce in the folder root.
func (r recorder) run(t *testing.T, root string, args ...string) toolchain.Result {
	t.Helper()
	result := r.vsce.Run(t, root, args...)
	for i := range result.Errors {
		result.Errors[i] = clean(result.Errors[i], root)
	}
	for i := range result.Warnings {
		result.Warnings[i] = clean(result.Warnings[i], root)
	}
	return result
}

var (
	npmLog     = regexp.MustCompile(`\nnpm error A complete log of this run .*`)
	rootFolder = regexp.MustCompile(`undefined for \S+ in FOLDER`)
)

// clean removes the parts of a message that vary between runs: the folder, the path of npm's
// log, and the order of items.
func clean(message, root string) string {
	message = npmLog.ReplaceAllString(strings.ReplaceAll(message, root, "FOLDER"), "")
	message = rootFolder.ReplaceAllString(message, "undefined for / in FOLDER")
	lines := strings.Split(strings.TrimSpace(message), "\n")
	isItem := func(line string) bool { return strings.HasPrefix(line, "  - ") }
	if first := slices.IndexFunc(lines, isItem); first >= 0 {
		end := first
		for end < len(lines) && isItem(lines[end]) {
			end++
		}
		slices.Sort(lines[first:end])
	}
	return strings.Join(lines, "\n")
}

// record returns the results of vsce for the folder root.
func (r recorder) record(t *testing.T, root string, args []string) *result {
	t.Helper()
	listed := r.run(t, root, append([]string{"ls"}, argsOf("ls", args)...)...)
	got := &result{listFail: strings.Join(listed.Errors, "\n"), list: strings.Split(strings.TrimSuffix(listed.Output, "\n"), "\n")}
	slices.Sort(got.list)
	archive := filepath.Join(t.TempDir(), "made.vsix")
	packed := r.run(t, root, append([]string{"package", "--out", archive}, argsOf("package", args)...)...)
	got.fail, got.warnings = strings.Join(packed.Errors, "\n"), packed.Warnings
	slices.Sort(got.warnings)
	if len(packed.Errors) == 0 {
		got.entries = readArchive(t, archive)
	}
	return got
}

func readArchive(t *testing.T, path string) map[string]entry {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	entries, err := readEntries(file, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	return entries
}
