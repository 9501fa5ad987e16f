//go:build e2e

package modules

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"galbuild/cmd/e2e/toolchain"
)

// TestRecorded runs npm, and vsce with yarn 1, in each case. It compares the output with the
// recorded one, or records it with -update.
func TestRecorded(t *testing.T) {
	t.Run("npm", func(t *testing.T) { recorded(t, "npm", "npm", listNpm) })
	t.Run("yarn", func(t *testing.T) { recorded(t, "yarn", "vsce", listVsce) })
}

// recorded compares a section of each case of a kind with the lines that list returns. list
// gets the cases and the folders of their extensions.
func recorded(t *testing.T, kind, section string, list func(*testing.T, []testCase, []string) [][]string) {
	all := cases(t, kind)
	var dirs []string
	for _, c := range all {
		dirs = append(dirs, filepath.Join(c.write(t), c.ext()))
	}
	listed := list(t, all, dirs)
	if len(listed) != len(all) {
		t.Fatalf("%d results for %d cases", len(listed), len(all))
	}
	for i, c := range all {
		t.Run(c.name, func(t *testing.T) {
			var lines string
			for _, line := range listed[i] {
				lines += line + "\n"
			}
			want, _ := c.section(section)
			switch {
			case lines == want:
			case *update:
				c.set(t, section, lines)
			default:
				t.Errorf("got\n%swant\n%s", lines, want)
			}
		})
	}
}

// write writes the case to a folder and returns that.
func (c testCase) write(t *testing.T) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range c.files() {
		name = filepath.Join(root, name)
		err := os.MkdirAll(filepath.Dir(name), 0o755)
		if err == nil && file.Mode&fs.ModeSymlink == 0 {
			err = os.WriteFile(name, file.Data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range c.lines("links") {
		name, target, _ := strings.Cut(line, " -> ")
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

var problem = regexp.MustCompile(`(?m)^npm (?:error|ERR!) ((?:missing|invalid|extraneous): .*|code E\w+|Invalid .*|.*must provide.*)$`)

// An npmResult is the output of npm list, and whether it failed.
type npmResult struct {
	Output, Errors string
	Failed         bool
}

// listNpm runs npm list as vsce does.
func listNpm(t *testing.T, _ []testCase, dirs []string) [][]string {
	t.Helper()
	var results []npmResult
	tools := toolchain.Tools(t)
	tools.RunScript(t, dirs, &results, "testdata/npm.js", tools.NPM)
	var all [][]string
	for i, r := range results {
		all = append(all, r.lines(dirs[i]))
	}
	return all
}

// lines returns the listed folders, then the problems. It leaves out files, which are not
// packages.
func (a npmResult) lines(dir string) []string {
	var lines []string
	for line := range strings.Lines(a.Output) {
		line = strings.TrimSpace(line)
		if info, err := os.Stat(line); err != nil || !info.IsDir() {
			continue
		}
		if rel, err := filepath.Rel(dir, line); err == nil && rel != "." {
			lines = append(lines, filepath.ToSlash(rel))
		}
	}
	slices.Sort(lines)
	if !a.Failed {
		return lines
	}
	for _, m := range problem.FindAllStringSubmatch(a.Errors, -1) {
		lines = append(lines, "! "+strings.ReplaceAll(m[1], dir+"/", ""))
	}
	return lines
}

var packageFile = regexp.MustCompile(`^((?:.*/)?node_modules/(?:@[^/]+/)?[^/]+)/package\.json$`)

// listVsce returns the folders whose package.json vsce ls prints.
func listVsce(t *testing.T, all []testCase, dirs []string) [][]string {
	t.Helper()
	type query struct {
		Dir  string   `json:"dir"`
		Only []string `json:"only,omitempty"`
	}
	var queries []query
	for i, c := range all {
		queries = append(queries, query{dirs[i], c.lines("only")})
	}
	var results []struct {
		Files []string
		Error string
	}
	tools := toolchain.Tools(t)
	tools.RunScript(t, queries, &results, "testdata/yarn.js", filepath.Dir(tools.VSCE))
	var listed [][]string
	for _, r := range results {
		listed = append(listed, packages(r.Files, r.Error))
	}
	return listed
}

// packages returns the folders that contain the files, or the problem if there is one.
func packages(files []string, problem string) []string {
	if first, _, _ := strings.Cut(strings.TrimSpace(problem), "\n"); first != "" {
		return []string{"! " + first}
	}
	var folders []string
	for _, file := range files {
		if m := packageFile.FindStringSubmatch(file); m != nil {
			folders = append(folders, m[1])
		}
	}
	slices.Sort(folders)
	return folders
}
