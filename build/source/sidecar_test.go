package source

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestVscodeoffline has a folder as vscodeoffline writes it.
func TestVscodeoffline(t *testing.T) {
	const asset, signature = "/Microsoft.VisualStudio.Services.VSIXPackage", "/Microsoft.VisualStudio.Services.VsixSignature"
	const top = "artifacts/extensions/"
	root := tree(t, "artifacts/installers/win32-x64/stable/vscode-1.0.zip", "artifacts/recommendations.json",
		top+"acme.hello/latest.json", top+"acme.hello/1.0.0/extension.json", top+"acme.hello/1.0.0"+asset, top+"acme.hello/1.0.0"+signature,
		top+"acme.hello/1.0.0/Microsoft.VisualStudio.Code.Manifest", top+"acme.hello/1.0.0/Microsoft.VisualStudio.Services.Content.Details",
		top+"acme.tools/latest.json", top+"acme.tools/2.0.0/extension.json", top+"acme.tools/2.0.0/linux-x64"+asset, top+"acme.tools/2.0.0/win32-x64"+asset,
		top+"acme.bare/1.0.0"+asset,
		top+"acme.open/latest.json", top+"acme.open/1.0.0/extension.json", top+"acme.open/1.0.0/extension.vsixmanifest", top+"acme.open/1.0.0"+asset,
		top+"acme.open/1.0.0/extension/other.ext/1.0.0"+asset)
	type sidecars struct{ sidecar, version, signature string }
	want := map[string]sidecars{
		top + "acme.bare/1.0.0" + asset:            {},
		top + "acme.hello/1.0.0" + asset:           {top + "acme.hello/latest.json", top + "acme.hello/1.0.0/extension.json", top + "acme.hello/1.0.0" + signature},
		top + "acme.open/1.0.0" + asset:            {sidecar: top + "acme.open/latest.json"},
		top + "acme.tools/2.0.0/linux-x64" + asset: {sidecar: top + "acme.tools/latest.json", version: top + "acme.tools/2.0.0/extension.json"},
		top + "acme.tools/2.0.0/win32-x64" + asset: {sidecar: top + "acme.tools/latest.json", version: top + "acme.tools/2.0.0/extension.json"},
	}
	relative := func(s *Stamp) string {
		if s == nil {
			return ""
		}
		path, err := filepath.Rel(root, s.Path)
		if err != nil {
			t.Fatal(err)
		}
		return filepath.ToSlash(path)
	}
	for _, source := range []string{"artifacts", "artifacts/extensions", "artifacts/**/Microsoft.VisualStudio.Services.VSIXPackage", "artifacts/*/*", top + "*/*/**"} {
		items, problems, err := Expand(t.Context(), []string{source}, Config{})
		if err != nil || len(problems) != 0 || len(items) != len(want) {
			t.Fatalf("%s: %d items, %v, %v", source, len(items), problems, err)
		}
		for _, i := range items {
			path := relative(&Stamp{Path: i.Path})
			if got := (sidecars{relative(i.Sidecar), relative(i.VersionSidecar), relative(i.Signature)}); got != want[path] {
				t.Errorf("%s: %s has %+v, want %+v", source, path, got, want[path])
			}
		}
	}
}

// TestOtherNames has packages without the suffix, and archives that are not packages.
func TestOtherNames(t *testing.T) {
	tree(t, "m/a.vsix", "m/a.vsix.json", "m/archive.zip", "m/tool.jar", "m/a.sigzip", "m/notes.txt")
	write(t, "m/notes.txt", "notes")
	for _, name := range []string{"m/download", "m/hello.zip", "m/gallery/1/vspackage"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, name, packageOf("x"))
	}
	for source, want := range map[string][]string{
		"m":              {"m/a.vsix"},
		"m/*":            {"m/a.vsix", "m/download", "m/hello.zip"},
		"m/*.*":          {"m/a.vsix", "m/hello.zip"},
		"m/a*":           {"m/a.vsix"},
		"m/*.zip":        {"m/archive.zip", "m/hello.zip"}, // specific: archive.zip is refused when it is read
		"m/**/vspackage": {"m/gallery/1/vspackage"},
		"m/d*":           {"m/download"},
		"m/hello.zip":    {"m/hello.zip"},
	} {
		paths, problems := expand(t, Config{}, source)
		wantList(t, "paths of "+source, paths, want...)
		wantList(t, "problems of "+source, problems)
	}
}

// packageOf returns a package with a file of this text, stored without compression.
func packageOf(text string) string {
	var b strings.Builder
	z := zip.NewWriter(&b)
	for _, f := range []struct{ name, text string }{
		{"extension.vsixmanifest", `<PackageManifest><Metadata><Identity Id="hello" Version="1.0.0" Publisher="acme"/></Metadata></PackageManifest>`},
		{"extension/package.json", `{"name":"hello","publisher":"acme","version":"1.0.0","engines":{"vscode":"*"}}`},
		{"extension/data.txt", text},
	} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Store})
		if err == nil {
			_, err = io.WriteString(w, f.text)
		}
		if err != nil {
			panic(err) // a strings.Builder returns no errors
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.String()
}
