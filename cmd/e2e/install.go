//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// toolbox is where the real components are.
type toolbox struct {
	node       string // program
	codeServer string // folder of the npm package
	vsce       string // script for node
	playwright string // folder of the npm package playwright-core
	nginx      string // program
	chromium   string // program
}

// install runs install.sh, which does nothing if all is there.
func install(t *testing.T) toolbox {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatalf("find the user's cache folder: %v", err)
	}
	script := exec.Command("bash", "install.sh", filepath.Join(cache, "galbuild-e2e"))
	script.Stderr = os.Stderr // progress: the first run takes a minute or more
	out, err := script.Output()
	if err != nil {
		t.Fatalf("install.sh: %v; what failed is named above", err)
	}
	found := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, path, _ := strings.Cut(strings.TrimSpace(line), "=")
		found[name] = path
	}
	return toolbox{
		node:       located(t, found, "node"),
		codeServer: located(t, found, "code-server"),
		vsce:       located(t, found, "vsce"),
		playwright: located(t, found, "playwright"),
		nginx:      located(t, found, "nginx"),
		chromium:   located(t, found, "chromium"),
	}
}

func located(t *testing.T, found map[string]string, name string) string {
	t.Helper()
	if _, err := os.Stat(found[name]); err != nil {
		t.Fatalf("install.sh says %s is at %q: %v", name, found[name], err)
	}
	return found[name]
}
