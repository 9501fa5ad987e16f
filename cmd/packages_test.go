package cmd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// packageLists are the lists that .ci/packages prints for listedModule.
var packageLists = []struct{ kind, want string }{
	{"e2e", "m/e2e/toolchain m/a m/e2e"},
	{"e2e-tests", "^(FuzzE|TestA|TestE|TestT)$"},
	{"record", "m/a"},
	{"update", "m/b m/x"},
	{"bench", "m/b m/c"},
	{"concurrent", "m/p m/x"},
	{"sequential", "m/a m/b"},
}

// listedModule has tests of every kind. Package a does not rewrite files without the tag.
const listedModule = `
-- go.mod --
module m
-- a/a_e2e_test.go --
//go:build e2e

package a

func TestA(t *testing.T) { _ = *update }
-- a/a_test.go --
package a

func TestPlain(t *testing.T) {}
-- b/b_test.go --
package b

func TestB(t *testing.T)      { _ = *update }
func BenchmarkB(b *testing.B) {}
-- c/c_bench_test.go --
//go:build e2e

package c

func BenchmarkC(b *testing.B) {}
-- d/d.go --
package d
-- e2e/e_test.go --
//go:build e2e

package e2e

func TestE(t *testing.T) {}
func FuzzE(f *testing.F) {}
-- e2e/toolchain/t_test.go --
//go:build e2e

package toolchain

func TestT(t *testing.T) {}
-- p/p.go --
package p

func start() { go func() {}() }
-- p/p_test.go --
package p

func TestP(t *testing.T) {}
-- x/external_test.go --
package x_test

func TestX(t *testing.T) { _ = *update; t.Parallel() }
`

// TestPackageLists checks, in a module with tests of every kind, which packages the Makefile tests
// with real programs, which of them may rewrite files, and which it tests under the race detector.
func TestPackageLists(t *testing.T) {
	dir := t.TempDir()
	for _, file := range txtar.Parse([]byte(listedModule)).Files {
		path := filepath.Join(dir, filepath.FromSlash(file.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, list := range packageLists {
		if got, err := listPackages(t, dir, list.kind); err != nil || got != list.want {
			t.Errorf("packages %s: %q, %v, want %q", list.kind, got, err, list.want)
		}
	}
}

// TestNoPackages checks that an empty list is an error, since go test would then test the current
// folder and succeed.
func TestNoPackages(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module m\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, list := range packageLists {
		if got, err := listPackages(t, dir, list.kind); err == nil {
			t.Errorf("packages %s: %q, want an error", list.kind, got)
		}
	}
}

// listPackages runs .ci/packages in the folder of a module.
func listPackages(t *testing.T, dir, kind string) (string, error) {
	t.Helper()
	script, err := filepath.Abs(filepath.Join("..", ".ci", "packages"))
	if err != nil {
		t.Fatal(err)
	}
	run := exec.Command("bash", script, kind)
	run.Dir, run.Stderr = dir, t.Output()
	out, err := run.Output()
	return strings.Join(strings.Fields(string(out)), " "), err
}
