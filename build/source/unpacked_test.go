package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnpacked has what an unpacked package may contain: packages, sidecars, and folders that look
// like other extensions.
func TestUnpacked(t *testing.T) {
	const dir = "tree/acme/hello/1.0.0"
	own := dir + "/acme.hello-1.0.0.vsix"
	tree(t, own, own+".json", dir+"/acme.hello-1.0.0.sigzip",
		dir+"/extension.vsixmanifest", dir+"/extension/package.json",
		dir+"/extension/res/data.vsix", dir+"/extension/res/data.vsix.json", dir+"/extension/x.zip",
		dir+"/extension/other.ext/1.0.0/Microsoft.VisualStudio.Services.VSIXPackage", dir+"/extension/other.ext/latest.json",
		dir+"/extension/node_modules/deep/extension.vsixmanifest", dir+"/extension/node_modules/deep/d.vsix",
		dir+"/root.vsix", dir+"/root.vsix.json", dir+"/more/extension.vsixmanifest", dir+"/more/m.vsix",
		"tree/acme/tools/1.0.0/acme.tools-1.0.0.vsix", "tree/plain/extension/package.json", "tree/plain/extension/p.vsix", "tree/plain/extension/p.vsix.json")
	link(t, "../acme/hello/1.0.0/extension/res", "tree/plain/folder")
	link(t, "../acme/hello/1.0.0/extension/res/data.vsix", "tree/plain/link.vsix")
	link(t, "../../../plain", dir+"/out")
	tools, plain := "tree/acme/tools/1.0.0/acme.tools-1.0.0.vsix", "tree/plain/extension/p.vsix"
	marked := []string{own, dir + "/more/m.vsix", dir + "/root.vsix"}
	list := filepath.Join(t.TempDir(), "list.txt")
	data := dir + "/extension/res/data.vsix"
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	write(t, list, filepath.Join(wd, data)+"\n")
	for source, want := range map[string][]string{
		"tree":                   append(marked, tools, plain),
		dir:                      marked,
		"tree/**/*.vsix":         append(marked, tools, plain),
		"tree/*/*/*":             append(marked, tools, plain),
		dir + "/*":               marked,
		dir + "/more":            {dir + "/more/m.vsix"},
		"tree/*/*/1.0.0/{e,r}*":  {dir + "/root.vsix"},
		data:                     {data}, // the file itself is a source
		"@" + list:               {data},
		"tree/plain/folder/*":    nil,
		"tree/plain/folder":      nil,
		dir + "/extension":       nil,
		dir + "/extension/res":   nil,
		dir + "/extension/r*/*":  nil,
		dir + "/e*/**/*":         nil,
		"tree/**/other.ext/1*/*": nil,
	} {
		items, problems, err := Expand(t.Context(), []string{source}, Config{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, i := range items {
			path, err := filepath.Rel(wd, i.Path)
			if err != nil {
				t.Fatal(err)
			}
			path = filepath.ToSlash(path)
			got = append(got, path)
			below := strings.HasPrefix(path, dir)
			if named := path == data || source == dir+"/more"; below && !named && (i.Unpacked == nil || i.Unpacked.Path != filepath.Join(wd, dir, manifestName)) {
				t.Errorf("%s: %s has manifest %+v", source, path, i.Unpacked)
			}
			if below && i.Sidecar != nil || path == own && i.Untrusted == "" {
				t.Errorf("%s: %s has sidecar %+v, and %q is not trusted", source, path, i.Sidecar, i.Untrusted)
			}
			if path == own && i.Signature == nil {
				t.Errorf("%s: %s has no signature", source, path)
			}
			if path == plain && (i.Sidecar == nil || i.Unpacked != nil) {
				t.Errorf("%s: %+v", source, i)
			}
		}
		wantList(t, "paths of "+source, got, want...)
		if want == nil && (len(problems) != 1 || !strings.Contains(problems[0].Err.Error(), "it is inside the unpacked extension "+filepath.Join(wd, dir))) {
			t.Errorf("%s: problems %v", source, problems)
		}
	}
}

// TestLinksToContent has symbolic links into an unpacked extension. They are problems.
func TestLinksToContent(t *testing.T) {
	root := tree(t, "x/extension.vsixmanifest", "x/extension/res/x.vsix", "x/own.vsix", "m/a.vsix")
	link(t, "../x/extension/res/x.vsix", "m/file.vsix")
	link(t, "../x/extension/res", "m/folder")
	link(t, "../x/own.vsix", "m/own.vsix")
	write(t, "m/own.vsix.json", "{}")
	items, problems, err := Expand(t.Context(), []string{"m"}, Config{})
	if err != nil || len(items) != 2 || len(problems) != 2 {
		t.Fatal(items, problems, err)
	}
	if own := items[1]; own.Unpacked == nil || own.Sidecar == nil {
		t.Errorf("the package of the extension: %+v", own)
	}
	for i, name := range []string{"m/file.vsix", "m/folder"} {
		want := "it is inside the unpacked extension " + filepath.Join(root, "x") + ", "
		if p := problems[i]; filepath.ToSlash(p.Name) != name || !strings.HasPrefix(p.Err.Error(), want) {
			t.Errorf("%s: %v", p.Name, p.Err)
		}
	}
}

// TestManifestAbove has a manifest that was left in a folder. It does not apply to sources below
// that folder.
func TestManifestAbove(t *testing.T) {
	tree(t, "extension.vsixmanifest", "packages/a.vsix", "packages/a.vsix.json")
	for _, source := range []string{"packages", "packages/*", "packages/a.vsix"} {
		items, problems, err := Expand(t.Context(), []string{source}, Config{})
		if err != nil || len(problems) != 0 || len(items) != 1 || items[0].Unpacked != nil || items[0].Sidecar == nil {
			t.Errorf("%s: %+v, %v, %v", source, items, problems, err)
		}
	}
}

// TestInstalled has an extension that an editor installed. Its files are content.
func TestInstalled(t *testing.T) {
	const dir = "extensions/acme.hello-1.0.0"
	tree(t, "extensions/a.vsix", dir+"/.vsixmanifest", dir+"/package.json", dir+"/res/x.vsix", dir+"/x.vsix", dir+"/x.vsix.json")
	for source, want := range map[string][]string{
		"extensions":           {"extensions/a.vsix"},
		"extensions/**/*.vsix": {"extensions/a.vsix"},
		"extensions/*":         {"extensions/a.vsix"},
		dir:                    nil,
		dir + "/res":           nil,
		dir + "/*":             nil,
	} {
		paths, problems := expand(t, Config{}, source)
		wantList(t, "paths of "+source, paths, want...)
		if (want == nil) != (len(problems) == 1) {
			t.Errorf("%s: problems %q", source, problems)
		}
	}
	items, _, err := Expand(t.Context(), []string{dir + "/x.vsix"}, Config{})
	if err != nil || len(items) != 1 || items[0].Sidecar != nil || items[0].Untrusted == "" {
		t.Errorf("the file as a source: %+v, %v", items, err)
	}
}

// TestSite has a site as a source. Its packages are below assets, each once.
func TestSite(t *testing.T) {
	asset := "site/assets/acme/hello/1.0.0/Microsoft.VisualStudio.Services.VSIXPackage"
	tree(t, "site/index/CURRENT", asset, "site/blobs/sha256/ab/x.vsix", "site/files/acme/hello/1.0.0/extension/data.vsix", "a.vsix")
	paths, problems := expand(t, Config{}, "site")
	wantList(t, "paths", paths, asset)
	wantList(t, "problems", problems)
	for _, source := range []string{".", "*"} { // the site is below the source
		paths, problems = expand(t, Config{}, source, "a.vsix")
		wantList(t, "paths of "+source, paths, "a.vsix")
		wantList(t, "problems of "+source, problems)
	}
}
