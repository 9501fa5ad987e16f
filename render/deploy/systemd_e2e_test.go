//go:build e2e

package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/cmd/e2e/toolchain"
)

// TestSystemdUnits checks the units with systemd-analyze: they are valid, and none is exposed by
// more than 2.0 of 10.
func TestSystemdUnits(t *testing.T) {
	tools, root := toolchain.Tools(t), t.TempDir()
	const bin, odd = "/opt/galbuild/bin", `/srv/a "gallery" of $5 and 10%`
	units := map[string]bool{}
	for _, s := range []Systemd{{Site: odd, Bin: bin, Sync: odd + "/galbuild.json"}, {Site: odd, Bin: bin, BaseURL: "https://gallery.example/x", Pull: "s3://vsix/gallery"}} {
		files, err := s.Files()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			writeInto(t, root, "etc/systemd/system/"+f.Name, f.Text, 0o644)
			units[f.Name] = !strings.HasSuffix(f.Name, ".conf")
		}
	}
	for _, program := range []string{bin + "/galshim", bin + "/galbuild", "/bin/kill"} {
		writeInto(t, root, program, "#!/bin/sh\n", 0o755)
	}
	// The units of the system, on which ours depend.
	if err := os.CopyFS(filepath.Join(root, "lib/systemd/system"), os.DirFS(tools.SystemdUnits)); err != nil {
		t.Fatal(err)
	}
	verify := []string{"verify", "--root=" + root}
	for name, unit := range units {
		if !unit {
			continue
		}
		verify = append(verify, name)
		if strings.HasSuffix(name, ".service") {
			analyze(t, tools, "security", "--offline=true", "--no-pager", "--threshold=20", "--root="+root, name)
		}
	}
	writeInto(t, root, "etc/systemd/system/galshim.service.d/metrics.conf", dropIn(t), 0o644)
	if out := analyze(t, tools, "security", "--offline=true", "--no-pager", "--threshold=20", "--root="+root, "galshim.service"); !strings.Contains(out, "Overall exposure level for galshim.service: 1.2 OK") {
		t.Errorf("with metrics: %s", out[max(0, len(out)-200):])
	}
	if out := analyze(t, tools, verify...); out != "" {
		t.Errorf("systemd-analyze %s: %s", strings.Join(verify, " "), out)
	}
}

// dropIn returns the drop-in for metrics that the README has.
func dropIn(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("systemd/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```ini\n")
	unit, _, ok := strings.Cut(rest, "```\n")
	if !ok {
		t.Fatal("systemd/README.md has no drop-in")
	}
	return unit
}

func writeInto(t *testing.T, root, name, text string, mode os.FileMode) {
	t.Helper()
	file := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func analyze(t *testing.T, tools toolchain.Toolbox, args ...string) string {
	t.Helper()
	out, err := exec.Command(tools.SystemdAnalyze, args...).CombinedOutput()
	if err != nil {
		t.Errorf("systemd-analyze %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}
