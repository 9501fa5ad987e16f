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

	"galbuild/cmd/e2e/installed"
)

var update = flag.Bool("update", false, "record in testdata what vsce does")

// TestVsce runs the real vsce over the samples, to see that they are what it does.
func TestVsce(t *testing.T) {
	tools := installed.Tools(t)
	for _, file := range caseFiles(t) {
		recorded := readCases(t, file)
		fresh := runVsce(t, tools, recorded)
		for i, c := range recorded {
			if c != fresh[i] && !*update {
				t.Errorf("%s: %s: recorded\n%+v\nvsce now\n%+v", file, c.name, c, fresh[i])
			}
		}
		if *update {
			record(t, file, fresh)
		}
	}
}

// runVsce returns the cases with what vsce makes of them.
func runVsce(t *testing.T, tools installed.Toolbox, cases []sample) []sample {
	t.Helper()
	var questions []any
	for _, c := range cases {
		questions = append(questions, question(c))
	}
	var answers []struct {
		Readme []byte
		Error  string
	}
	tools.Ask(t, questions, &answers, "testdata/vsce.cjs", filepath.Dir(tools.VSCE), t.TempDir())
	if len(answers) != len(cases) {
		t.Fatalf("%d answers for %d cases", len(answers), len(cases))
	}
	fresh := slices.Clone(cases)
	for i, a := range answers {
		fresh[i].out, fresh[i].fail = string(a.Readme), a.Error
	}
	return fresh
}

// question is a sample as vsce.cjs reads it.
func question(c sample) map[string]any {
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
