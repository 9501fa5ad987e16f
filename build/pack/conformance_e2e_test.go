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

	"galbuild/cmd/e2e/installed"
)

// TestRecords has the real vsce pack every folder again: what is recorded is what it does.
func TestRecords(t *testing.T) {
	vsce := startRecorder(t, installed.Tools(t))
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
		want, err := recall(f.want, root, f.base)
		if err != nil {
			t.Fatal(err)
		}
		report(t, compare(want, got))
		if got.listFail != want.listFail || got.fail != want.fail || !slices.Equal(got.warnings, want.warnings) {
			t.Errorf("vsce says\n%q %q %q, want\n%q %q %q", got.listFail, got.fail, got.warnings, want.listFail, want.fail, want.warnings)
		}
	})
}

// builtins is how many extensions code-server brings at least.
const builtins = 90

// TestBuiltins packs every extension that code-server brings with the real vsce and
// with ours. Where the code is not built, files stand in for it.
func TestBuiltins(t *testing.T) {
	tools := installed.Tools(t)
	vsce := startRecorder(t, tools)
	brought := filepath.Join(tools.CodeServer, "lib", "vscode", "extensions")
	manifests, err := filepath.Glob(filepath.Join(brought, "*", "package.json"))
	if err != nil || len(manifests) < builtins {
		t.Fatalf("%d extensions in %s (%v), want %d", len(manifests), brought, err, builtins)
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
			report(t, compare(want, packed(t, root, args, args)))
		})
	}
	if made != len(manifests) {
		t.Errorf("vsce packed %d of %d extensions", made, len(manifests))
	}
}

// copyBuiltin copies the extension, with files where its package.json says that
// code begins. Some are for any editor (*), though they have code: only editors that bring
// them accept that, and ours warns. They are packed for editors from 1.90 on.
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
			standIn(t, filepath.Join(root, code))
		}
	}
	return root
}

func standIn(t testing.TB, code string) {
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
