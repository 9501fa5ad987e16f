//go:build e2e

package readme

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/tools/txtar"

	"galbuild/cmd/e2e/toolchain"
)

var update = flag.Bool("update", false, "record the results of vsce in testdata")

// TestVsce compares the recorded results with those of the real vsce, or records them with
// -update.
func TestVsce(t *testing.T) {
	tools := toolchain.Tools(t)
	for _, file := range caseFiles(t) {
		recorded := readCases(t, file)
		fresh := runVsce(t, tools, recorded)
		for i, c := range recorded {
			if c != fresh[i] && !*update {
				t.Errorf("%s: %s: recorded\n%+v\nbut vsce returned\n%+v", file, c.name, c, fresh[i])
			}
		}
		if *update {
			record(t, file, fresh)
		}
	}
}

// runVsce returns the cases with the results of vsce.
func runVsce(t *testing.T, tools toolchain.Toolbox, cases []sample) []sample {
	t.Helper()
	var queries []any
	for _, c := range cases {
		queries = append(queries, query(c))
	}
	var results []struct {
		Readme []byte
		Error  string
	}
	tools.RunScript(t, queries, &results, "testdata/vsce.cjs", filepath.Dir(tools.VSCE), t.TempDir())
	if len(results) != len(cases) {
		t.Fatalf("%d results for %d cases", len(results), len(cases))
	}
	fresh := slices.Clone(cases)
	for i, r := range results {
		fresh[i].out, fresh[i].fail = string(r.Readme), r.Error
	}
	return fresh
}

// query returns a sample in the format that vsce.cjs reads.
func query(c sample) map[string]any {
	o := c.options
	options, manifest := map[string]any{}, map[string]any{}
	for name, value := range map[string]string{
		"baseContentUrl": o.ContentURL, "baseImagesUrl": o.ImagesURL,
		"githubBranch": o.GitHubBranch, "gitlabBranch": o.GitLabBranch,
	} {
		if value != "" {
			options[name] = value
		}
	}
	options["rewriteRelativeLinks"] = !o.KeepLinks
	options["gitHubIssueLinking"] = !o.KeepGitHubIssues
	options["gitLabIssueLinking"] = !o.KeepGitLabIssues
	if o.Repository != "" {
		manifest["repository"] = o.Repository
	}
	return map[string]any{"readme": []byte(c.in), "options": options, "manifest": manifest}
}

func record(t *testing.T, file string, cases []sample) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	archive.Files = nil
	for _, c := range cases {
		archive.Files = append(archive.Files, c.files()...)
	}
	if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
	fmt.Println(len(cases), file)
}
