package galbuild

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"galbuild/build/pack"
)

// packExtension packs acme.NAME into a folder.
func packExtension(t *testing.T, folder, name string) {
	t.Helper()
	var archive bytes.Buffer
	err := pack.Write(&archive, fstest.MapFS{
		"package.json": {Data: fmt.Appendf(nil, `{"name":%q,"publisher":"acme","version":"1.0.0","engines":{"vscode":"^1.80.0"},"main":"./main.js","activationEvents":[]}`, name)},
		"main.js":      {Data: []byte("// " + name)},
	}, pack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".vsix"), archive.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// must runs a command and returns what it prints.
func (p program) must(t *testing.T, command string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := p.run(t.Context(), strings.Fields(command), nil, &stdout, &stderr); status != 0 {
		t.Fatalf("galbuild %s: %s", command, &stderr)
	}
	return stdout.String()
}
