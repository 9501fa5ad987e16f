package galbuild

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestClassify classifies arguments of publish in folders with and without a site, packages and
// package.json.
func TestClassify(t *testing.T) {
	t.Chdir(t.TempDir())
	const packageJSON = `{"name": "x", "publisher": "acme", "version": "1.0.0", "engines": {"vscode": "^1.80.0"}}`
	for name, text := range map[string]string{
		"none/folder/readme.md":      "",
		"none/gallery/index/CURRENT": "",
		"none/packages/a.vsix":       "",
		"none/a.vsix":                "",
		"none/1.2.3":                 "",
		"none/ext/package.json":      packageJSON,
		"none/extAndPackages/a.vsix": "", "none/extAndPackages/package.json": packageJSON,
		"none/toolsAndPackages/a.vsix": "", "none/toolsAndPackages/package.json": `{"name": "tools"}`,
		"none/extAndSite/index/CURRENT": "", "none/extAndSite/package.json": packageJSON,
		"site/site/index/CURRENT": "", "site/package.json": packageJSON,
		"packages/site/a.vsix": "",
		"ext/package.json":     packageJSON, "ext/2.0.0": "",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ dir, args, want string }{
		{"none", "", "error: site is not a site: it has no index/CURRENT"},
		{"site", "", "site site"},
		{"packages", "", "packages [site]"},
		{"ext", "", "extension ."},
		{"ext", "patch", "extension . patch"},
		{"ext", "1.2.3", "extension . 1.2.3"},
		{"ext", "2.0.0", "extension . 2.0.0"}, // although there is a file of that name
		{"site", "patch", "extension . patch"},
		{"none", "gallery", "site gallery"},
		{"none", "extAndSite", "site extAndSite"},
		{"none", "packages", "packages [packages]"},
		{"none", "toolsAndPackages", "packages [toolsAndPackages]"},
		{"none", "ext", "extension ext"},
		{"none", "extAndPackages", "extension extAndPackages"},
		{"none", "ext minor", "extension ext minor"},
		{"none", "ext 1.2", "extension ext 1.2"}, // a mistake that packing explains
		{"none", "folder", "error: folder is not a site: it has no index/CURRENT"},
		{"none", "nosuch", "error: nosuch is not a site: it has no index/CURRENT"},
		{"none", "nosuch.vsix", "packages [nosuch.vsix]"}, // a missing file that add explains
		{"none", "a.vsix", "packages [a.vsix]"},
		{"none", "https://host/a", "packages [https://host/a]"},
		{"none", "@list.txt", "packages [@list.txt]"},
		{"none", "-", "packages [-]"},
		{"none", "packages/*", "packages [packages/*]"},
		{"none", "a.vsix b.vsix", "packages [a.vsix b.vsix]"},
		{"none", "ext a.vsix", "packages [ext a.vsix]"},
		{"none", "a.vsix 1.2.3", "packages [a.vsix 1.2.3]"}, // a file of that name
		{"none", "a.vsix b.vsix 1.2.4", "packages [a.vsix b.vsix 1.2.4]"},
		{"none", "patch", "error: . is not an extension's folder: it has no package.json"},
		{"none", "folder patch", "error: folder is not an extension's folder: it has no package.json"},
		{"none", "nosuch patch", "error: nosuch: no such folder"},
		{"none", "gallery 1.2.4", "error: gallery is not an extension's folder: it has no package.json"},
	} {
		t.Chdir(filepath.Join(root, x.dir))
		got, err := classify(strings.Fields(x.args))
		if text := contentText(got, err); text != x.want {
			t.Errorf("in %s, publish %s: got %s, want %s", x.dir, x.args, text, x.want)
		}
	}
}

func contentText(c content, err error) string {
	switch {
	case err != nil:
		return "error: " + err.Error()
	case c.site != "":
		return "site " + c.site
	case c.extension != "":
		return strings.TrimSpace("extension " + c.extension + " " + c.version)
	}
	return fmt.Sprintf("packages %v", c.packages)
}
