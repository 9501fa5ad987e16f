//go:build e2e

package pack_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"

	"galbuild/cmd/e2e/toolchain"
)

// TestRecords runs the real vsce in every folder and compares its results with the recorded
// ones.
func TestRecords(t *testing.T) {
	vsce := startRecorder(t, toolchain.Tools(t))
	folders(t, func(t *testing.T, f *folder) {
		root := f.unpack(t)
		got := vsce.record(t, root, f.args)
		if *update {
			want, err := got.record(root, f.base)
			if err == nil {
				err = f.write(want, f.ours)
			}
			if err == nil {
				f, err = readFolder(f.path)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		want, err := parseRecord(f.want, root, f.base)
		if err != nil {
			t.Fatal(err)
		}
		report(t, compare(want, got))
		if got.listFail != want.listFail || got.fail != want.fail || !slices.Equal(got.warnings, want.warnings) {
			t.Errorf("vsce printed\n%q %q %q, want\n%q %q %q", got.listFail, got.fail, got.warnings, want.listFail, want.fail, want.warnings)
		}
	})
}

// minBuiltins is the minimum number of built-in extensions of code-server.
const minBuiltins = 90

// TestBuiltins packs every built-in extension of code-server with the real vsce and with this
// package. Placeholders replace code that is not built.
func TestBuiltins(t *testing.T) {
	tools := toolchain.Tools(t)
	vsce := startRecorder(t, tools)
	builtin := filepath.Join(tools.CodeServer, "lib", "vscode", "extensions")
	manifests, err := filepath.Glob(filepath.Join(builtin, "*", "package.json"))
	if err != nil || len(manifests) < minBuiltins {
		t.Fatalf("%d extensions in %s (%v), want %d", len(manifests), builtin, err, minBuiltins)
	}
	made := 0
	for _, manifest := range manifests {
		t.Run(filepath.Base(filepath.Dir(manifest)), func(t *testing.T) {
			root := copyBuiltin(t, filepath.Dir(manifest))
			args := []string{"--no-dependencies"}
			want := vsce.record(t, root, args)
			if want.entries == nil {
				t.Fatalf("vsce does not pack it: %s", want.fail)
			}
			made++
			report(t, compare(want, packFolder(t, root, args, args)))
		})
	}
	if made != len(manifests) {
		t.Errorf("vsce packed %d of %d extensions", made, len(manifests))
	}
}

// copyBuiltin copies an extension, and adds placeholders for the files that main and browser of its
// package.json name. Some extensions with code support any editor (*). Editors accept that only in
// built-in extensions, and Read warns about it, so the copy requires editor 1.90.
func copyBuiltin(t testing.TB, dir string) (root string) {
	t.Helper()
	root = filepath.Join(t.TempDir(), filepath.Base(dir))
	if err := os.CopyFS(root, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct{ Main, Browser string }
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.Main+manifest.Browser != "" {
		text = bytes.Replace(text, []byte(`"vscode":"*"`), []byte(`"vscode":"^1.90.0"`), 1)
		if err := os.WriteFile(filepath.Join(root, "package.json"), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, code := range []string{manifest.Main, manifest.Browser} {
		if code != "" {
			addPlaceholder(t, filepath.Join(root, code))
		}
	}
	return root
}

func addPlaceholder(t testing.TB, code string) {
	t.Helper()
	if path.Ext(code) != ".js" {
		code += ".js"
	}
	if _, err := os.Stat(code); err == nil {
		return
	}
	if err := os.MkdirAll(filepath.Dir(code), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(code, []byte("// not built\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}
