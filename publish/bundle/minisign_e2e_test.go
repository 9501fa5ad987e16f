//go:build e2e

package bundle

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/build/signkey"
	"galbuild/cmd/e2e/toolchain"
)

// TestMinisign uses keys of the minisign tool, with and without a password. The tool must accept
// signatures of this package, and this package those of the tool.
func TestMinisign(t *testing.T) {
	for what, flags := range map[string][]string{"with a password": {"-G"}, "without": {"-G", "-W"}} {
		t.Run(what, func(t *testing.T) {
			dir, site := t.TempDir(), newSite(t, "one")
			secret, public, archive := filepath.Join(dir, "our.key"), filepath.Join(dir, "our.pub"), filepath.Join(dir, "gallery.tar")
			minisignTool(t, "secret\nsecret\n", append(flags, "-s", secret, "-p", public)...)
			key, err := signkey.ReadSecret(secret, func() (string, error) { return "secret", nil })
			if err != nil {
				t.Fatal(err)
			}
			report := mustExport(t, ExportConfig{Site: site, Output: archive, SignKey: key})
			out := minisignTool(t, "", "-V", "-m", report.Sums, "-p", public)
			if want := "Trusted comment: gallery generation " + report.Generation; !strings.Contains(out, want) {
				t.Errorf("minisign printed\n%swant %s", out, want)
			}
			if err := os.Remove(report.Signature); err != nil {
				t.Fatal(err)
			}
			minisignTool(t, "secret\n", "-S", "-s", secret, "-m", report.Sums)
			if got := mustImport(t, ImportConfig{Archive: archive, Site: filepath.Join(dir, "site"), Trust: []string{public}}); got.Signer != public {
				t.Errorf("signed by %q", got.Signer)
			}
		})
	}
}

func minisignTool(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	run := exec.Command(toolchain.Tools(t).Minisign, args...)
	run.Stdin = strings.NewReader(stdin)
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("minisign %v: %v\n%s", args, err, out)
	}
	return string(out)
}
