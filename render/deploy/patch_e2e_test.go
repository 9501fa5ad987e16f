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

// TestPatch runs the script for product.json in Node.js: it changes the gallery and nothing else,
// changes nothing the second time, keeps the original, also that of a newer version, and restores
// it.
func TestPatch(t *testing.T) {
	node, folder := toolchain.Tools(t).Node, filepath.Join(t.TempDir(), "an app")
	script := filepath.Join(t.TempDir(), "patch.js")
	write(t, script, printed(t, VSCodePatch))
	patch := func(wantOutput string, args ...string) {
		t.Helper()
		out, err := exec.Command(node, append([]string{script}, args...)...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), wantOutput) {
			t.Fatalf("patch.js %q: %v, %s, want %q", args, err, out, wantOutput)
		}
	}
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	product := filepath.Join(folder, "product.json")
	for _, original := range []string{
		`{"nameShort":"Code","version":"1.139.0","extensionsGallery":{"serviceUrl":"https://elsewhere"},"last":[1]}`,
		`{"nameShort":"Code","version":"1.140.0","last":[2]}`,
	} {
		write(t, product, original)
		patch("extensionsGallery is https://h.example/g now", folder)
		changed := read(t, product)
		wantGallery(t, "product.json", extensionsGallery(t, changed))
		if !strings.Contains(changed, `"nameShort": "Code"`) || !strings.Contains(changed, `"last": [`) {
			t.Errorf("other keys are lost: %s", changed)
		}
		patch("has this gallery already", folder)
		if got := read(t, product+".original"); got != original {
			t.Errorf("the original that is kept is %s, want %s", got, original)
		}
	}
	patch("restored", "--restore", folder)
	if got := read(t, product); !strings.Contains(got, "1.140.0") || strings.Contains(got, "h.example") {
		t.Errorf("restored: %s", got)
	}
	if out, err := exec.Command(node, script, t.TempDir()).CombinedOutput(); err == nil || !strings.Contains(string(out), "no product.json in") {
		t.Errorf("an empty folder: %v, %s", err, out)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
