package build

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/pagedata"
	"galbuild/build/site"
	"galbuild/build/vsix"
)

// picturesJSON is the package.json of an extension that is not unpacked.
const picturesJSON = `{"name":"hello","publisher":"Acme","version":"1.0.0+b","main":"a.js","engines":{"vscode":"^1.90.0"},` +
	`"repository":{"url":"https://github.com/acme/all","directory":"hello"},"contributes":{"commands":[{"command":"hello.say","title":"Say"}]}}`

// newWriter is newReader with a site that stores content.
func newWriter(t *testing.T) *reader {
	t.Helper()
	r := newReader(t, vsix.Limits{})
	dir, err := site.Lock(filepath.Join(t.TempDir(), "site"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	r.Site = dir
	return r
}

// readPictures reads a package with these files besides package.json, which are names and texts.
func readPictures(t *testing.T, unpack string, files ...string) (*reader, *candidate) {
	t.Helper()
	r := newWriter(t)
	r.Settings.Unpack = unpack
	text := archiveOf(t, past, append([]string{"extension/package.json", picturesJSON}, files...)...)
	c, err := r.readFile(t, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.refused != nil {
		t.Fatal(c.refused)
	}
	return r, c
}

// text returns the content of an asset, and false if there is none of that type.
func (r *reader) text(t testing.TB, v *catalog.Version, kind string) (string, bool) {
	t.Helper()
	for _, a := range v.Assets {
		if a.Type == kind {
			text, err := os.ReadFile(r.Site.Blobs.File(a.Ref))
			if err != nil || int64(len(text)) != a.Size || blob.Sum(text) != a.Ref {
				t.Errorf("%s: %d bytes, %v", kind, len(text), err)
			}
			return string(text), true
		}
	}
	return "", false
}

func pathsOf(v *catalog.Version) []string {
	var all []string
	for _, f := range v.Files {
		all = append(all, f.Path)
	}
	return all
}

// TestPictures has readmes and the pictures that are stored because of them. The package has the
// pictures images/a.png, images/a b.PNG, c.svg, and no.txt, which is none.
func TestPictures(t *testing.T) {
	const at = catalog.ReadmeBase + "files/acme/hello/1.0.0%2Bb/extension/"
	for name, c := range map[string]struct {
		readme, changelog string
		files             []string // without the readme
		changed           string   // "" if the readme stays
	}{
		"relative": {"![a](images/a.png) <img src='/images/a%20b.PNG?raw=true'>", "", []string{"images/a b.PNG", "images/a.png"},
			"![a](" + at + "images/a.png) <img src='" + at + "images/a%20b.PNG'>"},
		"repository": {"![a](https://github.com/Acme/all/raw/HEAD/hello/images/a.png)\r\n![a](https://github.com/acme/all/raw/HEAD/images/a.png)", "",
			[]string{"images/a.png"}, "![a](" + at + "images/a.png)\r\n![a](https://github.com/acme/all/raw/HEAD/images/a.png)"},
		"SVG":             {"![a](c.svg)", "", []string{"c.svg"}, "![a](" + at + "c.svg)"},
		"change log only": {"# a", "![a](images/a.png)", []string{"images/a.png"}, ""},
		"both":            {"![a](c.svg)", "![a](images/a.png) ![a](c.svg)", []string{"c.svg", "images/a.png"}, "![a](" + at + "c.svg)"},
		"other files":     {"![a](no.txt) ![a](package.json) ![a](images) ![a](images/A.png) ![a](none.png) ![a](link.png) ![a](a.js) ![a](.)", "", nil, ""},
		"outside":         {"![a](../[Content_Types].xml) ![a](%00.png) ![a](..%2f..%2foutside.png) ![a](file:///c.svg) ![a](//c.svg) ![a](\\c.svg) ![a](https://evil.example/c.svg) ![a](data:image/png;base64,AAAA)", "", nil, ""},
		"placeholder":     {"![a](c.svg) " + catalog.ReadmeBase, "", []string{"c.svg"}, ""},
		"no picture":      {"[a](images/a.png) `![a](c.svg)`", "", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			files := []string{"extension/images/a.png", "a", "extension/images/a b.PNG", "b", "extension/c.svg", "<svg/>", "extension/no.txt", "n",
				"extension/README.md", c.readme, "outside.png", "o", "extension/a.js", "1"}
			if c.changelog != "" {
				files = append(files, "extension/CHANGELOG.md", c.changelog)
			}
			r, got := readPictures(t, "web", files...)
			var want []string
			if c.changed != "" {
				want = append(want, "extension/README.md")
			}
			for _, f := range c.files {
				want = append(want, "extension/"+f)
			}
			slices.Sort(want)
			if paths := pathsOf(got.version); !slices.Equal(paths, want) {
				t.Errorf("files %q, want %q", paths, want)
			}
			if text, ok := r.text(t, got.version, catalog.ReadmeAsset); text != c.changed || ok != (c.changed != "") {
				t.Errorf("readme %q, want %q", text, c.changed)
			}
			if text, _ := r.text(t, got.version, catalog.DetailsAsset); text != c.readme {
				t.Errorf("original %q, want %q", text, c.readme)
			}
		})
	}
}

// TestPicturesUnpacked has an extension that is unpacked: each file is there once.
func TestPicturesUnpacked(t *testing.T) {
	r, c := readPictures(t, "all", "extension/README.md", "![a](a.png)", "extension/a.png", "a")
	want := []string{"Acme.hello-1.0.0+b.vsix", "extension/README.md", "extension/a.png", "extension/package.json"}
	if paths := pathsOf(c.version); !slices.Equal(paths, want) {
		t.Errorf("files %q, want %q", paths, want)
	}
	if _, ok := r.text(t, c.version, catalog.ReadmeAsset); !ok {
		t.Error("there is no readme with the addresses of the gallery")
	}
}

// TestPictureLimits has more pictures than are stored. The others keep their addresses.
func TestPictureLimits(t *testing.T) {
	var files []string
	var readme strings.Builder
	for i := range maxPictures + 2 {
		files = append(files, fmt.Sprintf("extension/%d.png", i), "a")
		fmt.Fprintf(&readme, "![a](%d.png) ![a](%d.png)\n", i, i)
	}
	r, c := readPictures(t, "web", append(files, "extension/README.md", readme.String())...)
	text, _ := r.text(t, c.version, catalog.ReadmeAsset)
	if n := len(c.version.Files); n != maxPictures+1 || strings.Count(text, catalog.ReadmeBase) != 2*maxPictures {
		t.Errorf("%d files, and %d pictures in the readme", n, strings.Count(text, catalog.ReadmeBase))
	}
	const want = "pictures of the readme and the change log: 2 are left out, because the gallery stores at most 200, of 64 MiB together"
	if !slices.Contains(c.warnings, want) {
		t.Errorf("warnings %q, want %q", c.warnings, want)
	}
	large := strings.Repeat("\x00", maxPictureBytes/2+1)
	_, c = readPictures(t, "web", "extension/README.md", "![a](a.png) ![b](b.png) ![c](c.png)", "extension/a.png", large, "extension/b.png", large, "extension/c.png", "c")
	if paths := pathsOf(c.version); !slices.Equal(paths, []string{"extension/README.md", "extension/a.png", "extension/c.png"}) {
		t.Errorf("files %q", paths)
	}
}

// TestPageAsset reads the document for the page of a package, and one without any.
func TestPageAsset(t *testing.T) {
	r, c := readPictures(t, "web")
	text, _ := r.text(t, c.version, catalog.PageAsset)
	d, err := pagedata.Decode([]byte(text))
	if err != nil || len(d.Contributions) != 1 || d.Links.Directory != "hello" {
		t.Errorf("%s, %v", text, err)
	}
	c, err = r.readFile(t, archiveOf(t, past, "extension/package.json", helloJSON), nil)
	if _, ok := r.text(t, c.version, catalog.PageAsset); ok || err != nil || c.refused != nil {
		t.Errorf("a package with nothing to show has a document, %v, %v", err, c.refused)
	}
}

// TestDamagedReadme checks that a damaged readme is refused, although it is read before the others.
func TestDamagedReadme(t *testing.T) {
	text := archiveOf(t, past, "extension/package.json", picturesJSON, "extension/README.md", "![a](a.png)")
	r := newReader(t, vsix.Limits{})
	c, err := r.readFile(t, []byte(strings.Replace(string(text), "![a](a.png)", "![b](b.png)", 1)), nil)
	if err != nil || c.refused == nil || !strings.Contains(c.refused.Error(), "CRC-32") {
		t.Errorf("refused: %v, %v", c.refused, err)
	}
}
