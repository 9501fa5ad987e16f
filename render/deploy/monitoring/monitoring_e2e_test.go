//go:build e2e

package monitoring

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"galbuild/cmd/e2e/toolchain"
)

// TestPromtool checks what is printed for Prometheus with promtool, and tests the rules.
func TestPromtool(t *testing.T) {
	promtool := toolchain.Tools(t).Promtool
	dir := t.TempDir()
	config, err := Config([]string{"127.0.0.1:9464"})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{ConfigName: config, RulesName: Rules} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"check", "config", filepath.Join(dir, ConfigName)}, {"test", "rules", "testdata/rules_test.yml"}} {
		if out, err := exec.Command(promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %q: %v\n%s", args, err, out)
		}
	}
}
