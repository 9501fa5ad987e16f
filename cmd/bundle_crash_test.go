package cmd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestKilledTransfer kills exports and imports with SIGKILL, each one later than the one before.
// After each kill, an archive with its final name is complete, and the site is sound and has the
// old generation or the new one. Then a command is completed, and the site is the same as if none
// had been killed.
func TestKilledTransfer(t *testing.T) {
	dir := t.TempDir()
	vsixs, near, far := filepath.Join(dir, "vsixs"), filepath.Join(dir, "near"), filepath.Join(dir, "far")
	for i := range 20 {
		writePackage(t, vsixs, i)
	}
	mustBuild(t, vsixs, "-o", near)
	base := filepath.Join(dir, "base.tar")
	mustBuild(t, "export", near, "-o", base)
	for i := range 100 {
		writePackage(t, vsixs, i)
	}
	mustBuild(t, vsixs, "-o", near)

	out := filepath.Join(dir, "out")
	if err := os.Mkdir(out, 0o755); err != nil {
		t.Fatal(err)
	}
	full, delta := filepath.Join(out, "full.tar"), filepath.Join(out, "delta.tar.zst")
	killed(t, func() {
		if _, err := os.Stat(full); err == nil {
			mustBuild(t, "import", full, "-o", filepath.Join(dir, "whole"))
		}
	}, "export", near, "-o", full)
	mustBuild(t, "export", near, "-o", delta, "--since", base)
	if left, err := os.ReadDir(out); err != nil || len(left) != 4 {
		t.Errorf("there are %v, want two archives and their sums (%v)", left, err)
	}

	for _, archive := range []string{full, delta} {
		if err := os.RemoveAll(far); err != nil {
			t.Fatal(err)
		}
		mustBuild(t, "import", base, "-o", far)
		killed(t, func() { mustBuild(t, "verify", far) }, "import", archive, "-o", far)
		mustBuild(t, "verify", far)
		compareContent(t, far, near)
	}
}

// killed runs galbuild several times, kills it later each time, and calls check. The last run is
// not killed.
func killed(t *testing.T, check func(), args ...string) {
	t.Helper()
	const kills, apart = 12, 10 * time.Millisecond
	for i := range kills {
		run := exec.Command("galbuild", args...)
		if err := run.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i) * apart)
		_ = run.Process.Kill() // it may have finished
		_ = run.Wait()
		check()
	}
	mustBuild(t, args...)
}
