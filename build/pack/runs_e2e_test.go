//go:build e2e

package pack_test

import (
	"archive/zip"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"galbuild/build/pack"
	"galbuild/build/pack/npm/modules"
	"galbuild/cmd/e2e/toolchain"
)

// workspace has an extension and a package. They depend on different versions of a third
// package.
var workspace = map[string]string{
	"package.json":                   `{"name": "ws", "version": "1.0.0", "private": true, "workspaces": ["packages/*"]}`,
	"vendor/one/package.json":        `{"name": "deep", "version": "1.0.0"}`,
	"vendor/one/index.js":            `module.exports = 'one';`,
	"vendor/two/package.json":        `{"name": "deep", "version": "2.0.0"}`,
	"vendor/two/index.js":            `module.exports = 'two';`,
	"packages/lib/package.json":      `{"name": "lib", "version": "1.0.0", "dependencies": {"deep": "file:../../vendor/deep-1.0.0.tgz"}}`,
	"packages/lib/index.js":          `module.exports = 'lib ' + require('deep');`,
	"packages/ext/.vscodeignore":     "",
	"packages/ext/LICENSE":           "Public domain.",
	"packages/ext/ext.js":            `console.log(require('deep'), require('lib'));`,
	"packages/ext/package.json":      `{"name": "ext", "version": "1.0.0", "publisher": "acme", "engines": {"vscode": "^1.80.0"}, "dependencies": {"deep": "file:../../vendor/deep-2.0.0.tgz", "lib": "1.0.0"}}`,
	"packages/unneeded/package.json": `{"name": "unneeded", "version": "1.0.0", "dependencies": {"deep": "file:../../vendor/deep-1.0.0.tgz"}}`,
}

// TestRuns installs a workspace with the real npm and yarn, and checks that the packed
// extension runs like the one on disk.
func TestRuns(t *testing.T) {
	tools := toolchain.Tools(t)
	for name, install := range map[string][]string{
		"npm":        {tools.NPM, "install", "--offline"},
		"npm linked": {tools.NPM, "install", "--offline", "--install-strategy=linked"},
		"npm nested": {tools.NPM, "install", "--offline", "--install-strategy=nested"},
		"yarn":       {tools.Yarn, "install", "--offline"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for name, text := range workspace {
				write(t, filepath.Join(root, name), text)
			}
			run := func(dir string, args ...string) string {
				t.Helper()
				cmd := exec.Command(args[0], args[1:]...)
				cmd.Dir, cmd.Env = dir, tools.Environ()
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("%q: %v\n%s", args, err, out)
				}
				return string(out)
			}
			run(filepath.Join(root, "vendor"), tools.NPM, "pack", "./one", "./two")
			run(root, install...)
			ext := filepath.Join(root, "packages", "ext")
			const want = "two lib one\n"
			if got := run(ext, tools.Node, "ext.js"); got != want {
				t.Fatalf("on disk it prints %q, want %q", got, want)
			}
			if got := run(unpacked(t, ext), tools.Node, "ext.js"); got != want {
				t.Errorf("packed it prints %q, want %q", got, want)
			}
		})
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(name), 0o755)
	if err == nil {
		err = os.WriteFile(name, []byte(text), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// unpacked packs the folder, unpacks the package and returns the path of its extension/.
func unpacked(t *testing.T, dir string) string {
	t.Helper()
	onDisk, err := modules.OnDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := pack.Write(&archive, os.DirFS(dir), pack.Options{OnDisk: onDisk}); err != nil {
		t.Fatal(err)
	}
	files, err := zip.NewReader(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := os.CopyFS(root, files); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, "extension")
}
