//go:build e2e

package manifest

import (
	"archive/zip"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"

	"galbuild/cmd/e2e/toolchain"
)

// runVsce runs jobs with the real vsce: see testdata/record.js.
func runVsce(t *testing.T, jobs []any, results any) {
	t.Helper()
	tools := toolchain.Tools(t)
	tools.RunScript(t, jobs, results, "testdata/record.js", filepath.Dir(tools.VSCE))
}

// A vsceJob is a job for testdata/record.js.
type vsceJob struct {
	Dir        string `json:"dir"`
	Out        string `json:"out"`
	Target     string `json:"target,omitempty"`
	PreRelease bool   `json:"preRelease,omitempty"`
}

// TestRecorded packs the cases with the real vsce, and compares the results with the recorded ones.
// With -update, it records them.
func TestRecorded(t *testing.T) {
	files, err := filepath.Glob("testdata/vsce/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		cases, archive := vsceCases(t, file)
		var jobs []any
		for _, c := range cases {
			jobs = append(jobs, c.folder(t))
		}
		var results []string
		runVsce(t, jobs, &results)
		for i, c := range cases {
			part, text := "refused", results[i]+"\n"
			if results[i] == "" {
				part, text = "extension.vsixmanifest", manifestOf(t, jobs[i].(vsceJob).Out)+"\n"
			}
			if *update {
				putFile(archive, c.name+part, text)
			} else if c.files[part] != text {
				t.Errorf("%s %s%s is\n%s, recorded\n%s", file, c.name, part, text, c.files[part])
			}
		}
		if *update {
			if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// folder creates the folder of a case, with an entry point.
func (c vsceCase) folder(t *testing.T) vsceJob {
	t.Helper()
	dir := t.TempDir()
	contents := map[string]string{"dist/main.js": "1\n", "package.json": c.files["package.json"]}
	if nls, ok := c.files["package.nls.json"]; ok {
		contents["package.nls.json"] = nls
	}
	for _, name := range c.names() {
		contents[name] = "x\n"
	}
	for name, text := range contents {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	_, o := c.options(&Package{})
	return vsceJob{Dir: dir, Out: filepath.Join(t.TempDir(), "out.vsix"), Target: o.Platform, PreRelease: o.PreRelease}
}

func manifestOf(t *testing.T, archive string) string {
	t.Helper()
	r, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	text, err := fs.ReadFile(r, XMLPath)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
