//go:build e2e

package vet

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"galbuild/build/vsix"
	"galbuild/cmd/e2e/toolchain"
)

// TestFalseAlarms vets extensions that are not malicious: the built-in ones of code-server, and
// those in the folders that GALBUILD_VET_FOLDERS lists, in which each folder with a package.json
// is an extension. At most one in a hundred may have a finding of severity high.
func TestFalseAlarms(t *testing.T) {
	builtIn := filepath.Join(toolchain.Tools(t).CodeServer, "lib", "vscode", "extensions")
	roots := append(filepath.SplitList(os.Getenv("GALBUILD_VET_FOLDERS")), builtIn)
	var all, alarms, findings int
	rules := make(map[string]int)
	for _, root := range roots {
		folders, err := filepath.Glob(filepath.Join(root, "*", "package.json"))
		scoped, _ := filepath.Glob(filepath.Join(root, "@*", "*", "package.json"))
		if err != nil || len(folders)+len(scoped) == 0 {
			t.Fatalf("%s has no extensions (%v)", root, err)
		}
		for _, f := range append(folders, scoped...) {
			r := vetFolder(t, filepath.Dir(f))
			all++
			if Worst(r.Findings) == High {
				alarms++
			}
			for _, x := range r.Findings {
				findings++
				rules[x.Rule+" "+x.Severity.String()]++
				if x.Severity == High || testing.Verbose() && x.Severity == Medium {
					t.Logf("%s: %s: %s %s:%d: %s: %.160s", filepath.Base(filepath.Dir(f)), x.Severity, x.Rule, x.File, x.Line, x.Detail, x.Evidence)
				}
			}
		}
	}
	t.Logf("%d extensions, %d with findings of severity high, %d findings: %v", all, alarms, findings, rules)
	if alarms*100 > all {
		t.Errorf("%d of %d extensions have findings of severity high, want at most 1 %%", alarms, all)
	}
}

func vetFolder(t *testing.T, folder string) Result {
	t.Helper()
	s := newScanner(Options{})
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		s.Add(vsix.Entry{Name: "extension/" + filepath.ToSlash(name), Size: int64(len(content))}, content[:min(len(content), maxFile)])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.Result()
}
