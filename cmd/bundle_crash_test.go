package cmd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestKilledExportAndImport kills exports and imports with SIGKILL at moments that are spread over
// a whole run. After each, an archive with the final name is complete, and the site is sound and
// has the old or the new generation. After a run that is not killed, everything is as without
// interruptions.
func TestKilledExportAndImport(t *testing.T) {
	dir := t.TempDir()
	vsixs, site, imported := filepath.Join(dir, "vsixs"), filepath.Join(dir, "site"), filepath.Join(dir, "imported")
	for i := range 20 {
		writePackage(t, vsixs, i)
	}
	mustBuild(t, vsixs, "-o", site)
	base := filepath.Join(dir, "base.tar")
	mustBuild(t, "export", site, "-o", base)
	for i := range 100 {
		writePackage(t, vsixs, i)
	}
	mustBuild(t, vsixs, "-o", site)

	out := filepath.Join(dir, "out")
	if err := os.Mkdir(out, 0o755); err != nil {
		t.Fatal(err)
	}
	full, delta := filepath.Join(out, "full.tar"), filepath.Join(out, "delta.tar.zst")
	runKilled(t, func() {
		if _, err := os.Stat(full); err == nil {
			mustBuild(t, "import", full, "-o", filepath.Join(dir, "copy"))
		}
	}, "export", site, "-o", full)
	mustBuild(t, "export", site, "-o", delta, "--since", base)
	if files, err := os.ReadDir(out); err != nil || len(files) != 4 {
		t.Errorf("there are %v, want two archives and their sums (%v)", files, err)
	}

	for _, archive := range []string{full, delta} {
		if err := os.RemoveAll(imported); err != nil {
			t.Fatal(err)
		}
		mustBuild(t, "import", base, "-o", imported)
		runKilled(t, func() { mustBuild(t, "verify", imported) }, "import", archive, "-o", imported)
		mustBuild(t, "verify", imported)
		compareContent(t, imported, site)
	}
}

// runKilled runs galbuild many times, kills it each time later than before, and calls check. The
// last run is not killed.
func runKilled(t *testing.T, check func(), args ...string) {
	t.Helper()
	const kills, interval = 12, 10 * time.Millisecond
	for i := range kills {
		run := exec.Command("galbuild", args...)
		if err := run.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i) * interval)
		_ = run.Process.Kill() // it may have finished
		_ = run.Wait()
		check()
	}
	mustBuild(t, args...)
}
