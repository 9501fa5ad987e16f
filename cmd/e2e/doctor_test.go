//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tidwall/gjson"
)

// examine runs galbuild doctor with the settings that are printed for code-server. Every check
// must be ok, or skipped because it does not apply.
func (s suite) examine(t *testing.T, g *gallery, flags ...string) {
	t.Run("doctor", func(t *testing.T) {
		settings := filepath.Join(t.TempDir(), "settings.json")
		if err := os.WriteFile(settings, []byte(g.settings(t)), 0o600); err != nil {
			t.Fatal(err)
		}
		run := exec.Command(g.commands.galbuild, append([]string{"doctor", "--settings", settings, "--ca", s.authority.ca, "--json"}, flags...)...)
		run.Stderr = t.Output()
		out, err := run.Output()
		if err != nil {
			t.Errorf("galbuild doctor: %v", err)
		}
		report := gjson.ParseBytes(out)
		for _, c := range report.Get("checks").Array() {
			if status := c.Get("status").String(); status != "ok" && status != "skipped" {
				t.Errorf("%s %s: %s", status, c.Get("check"), c.Get("text"))
			}
		}
		if n := report.Get("ok").Int(); n < 40 {
			t.Errorf("only %d checks are ok:\n%s", n, out)
		}
	})
}
