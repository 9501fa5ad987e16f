package build

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/source"
	"galbuild/build/vsix"
)

var update = flag.Bool("update", false, "record what this version reads")

// TestReadingVersion fails if packages are read differently under the same readingVersion: sites
// would keep the results in the build cache of an earlier program. If the change is intended,
// raise readingVersion, add a line to its history, and run with -update.
func TestReadingVersion(t *testing.T) {
	var got strings.Builder
	fmt.Fprintf(&got, "reading %d\n", readingVersion)
	for _, s := range readingSamples(t) {
		fmt.Fprintf(&got, "-- %s --\n", s.name)
		writeResult(t, &got, s.read(t))
	}
	golden := filepath.Join("testdata", "reading.txt")
	recorded, err := os.ReadFile(golden)
	first, _, _ := strings.Cut(string(recorded), "\n")
	switch {
	case string(recorded) == got.String():
	case err == nil && first == fmt.Sprintf("reading %d", readingVersion):
		t.Errorf("packages are read differently than %s records; raise readingVersion and run with -update: %s",
			golden, firstDifference(got.String(), string(recorded)))
	case !*update:
		t.Errorf("%s records %q; run with -update", golden, first)
	default:
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// writeResult writes the warnings, the reason, and each member of the version on a line.
func writeResult(t *testing.T, to *strings.Builder, c *candidate) {
	t.Helper()
	for _, w := range c.warnings {
		fmt.Fprintf(to, "warning: %q\n", w)
	}
	if c.refused != nil {
		fmt.Fprintf(to, "refused: %q\n", c.refused)
		return
	}
	if c.bundled != nil {
		fmt.Fprintf(to, "bundled: %v\n", c.bundled)
	}
	text, err := json.Marshal(c.version)
	var members map[string]json.RawMessage
	if err == nil {
		err = json.Unmarshal(text, &members)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		fmt.Fprintf(to, "%s: %s\n", key, members[key])
	}
}

func firstDifference(got, want string) string {
	wanted := strings.Split(want, "\n")
	for i, line := range strings.Split(got, "\n") {
		if i >= len(wanted) || wanted[i] != line {
			return fmt.Sprintf("line %d is %s", i+1, line)
		}
	}
	return fmt.Sprintf("%d lines are missing", len(wanted))
}

// A readingSample is a package with the files next to it.
type readingSample struct {
	name               string
	text               []byte
	sidecar, signature string
	unpack             string
	pictures           []string // contents of files in the folder pictures
}

// read reads a sample as a run does. Its file was written on 1 January 2026, and the run is two
// months later.
func (s readingSample) read(t *testing.T) *candidate {
	t.Helper()
	r := newReader(t, vsix.Limits{})
	r.Settings.Unpack, r.Now = s.unpack, now
	path := filepath.Join(t.TempDir(), "x.vsix")
	item := &source.Item{Name: "x.vsix", Path: path, Size: int64(len(s.text)), ModTime: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	files := map[string]string{path: string(s.text)}
	if s.sidecar != "" {
		item.Sidecar = &source.Stamp{Path: path + ".json"}
		files[item.Sidecar.Path] = s.sidecar
	}
	if s.signature != "" {
		item.Signature = &source.Stamp{Path: filepath.Join(filepath.Dir(path), "x.sigzip")}
		files[item.Signature.Path] = s.signature
	}
	for _, content := range s.pictures {
		files[pictureFile(filepath.Dir(path), content)] = content
	}
	for file, text := range files {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := new(candidate)
	if err := r.readOne(item, c); err != nil {
		t.Fatal(err)
	}
	return c
}

// readingSamples returns the samples of the project, and packages for cases that these do not have.
func readingSamples(t *testing.T) []readingSample {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join("..", "testdata", "samples", "*", "package.json"))
	if err != nil || len(folders) < 9 {
		t.Fatalf("%d samples, %v", len(folders), err)
	}
	var all []readingSample
	for _, file := range folders {
		dir := filepath.Dir(file)
		all = append(all, readingSample{name: filepath.Base(dir), text: packed(t, os.DirFS(dir), past), unpack: "web"})
	}
	hello := archiveOf(t, past, "extension/package.json", helloJSON, "extension/a.js", "1")
	edited := func(old, edit string) []byte {
		return archiveOf(t, past, "extension/package.json", strings.Replace(helloJSON, old, edit, 1))
	}
	var compressed bytes.Buffer
	z := gzip.NewWriter(&compressed)
	if _, err := z.Write(hello); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	sidecar := `{"extensionId":"6b1e0c1e-1111-4222-8333-444455556666","publisher":{"publisherId":"6b1e0c1e-1111-4222-8333-777788889999",` +
		`"displayName":"Acme \u202eInc","domain":"https://acme.example","isDomainVerified":true},"releaseDate":"2024-01-01T01:01:01Z",` +
		`"publishedDate":"2099-01-01T00:00:00Z","lastUpdated":"2025-03-03T03:03:03Z","statistics":{"install":"many","averagerating":4.5}}`
	xml := `<PackageManifest><Metadata><Identity Language="en-US" Id="hello" Version="1.0.0" Publisher="acme"/><DisplayName>Hi</DisplayName><Tags>a,__b</Tags></Metadata>` +
		`<Assets><Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/README.md"/></Assets></PackageManifest>`
	collectedText := archiveOf(t, past, "extension/package.json", helloJSON, "extension/README.md",
		"![a](https://acme.example/a.svg?x) ![b](https://acme.example/b.png) ![c](https://acme.example/c)\n")
	return append(all,
		readingSample{name: "unpack all", text: hello, unpack: "all"},
		readingSample{name: "gzip", text: compressed.Bytes()},
		readingSample{name: "sidecar", text: hello, sidecar: sidecar},
		readingSample{name: "invalid sidecar", text: hello, sidecar: "?"},
		readingSample{name: "signature", text: hello, signature: signatureOf(t, hello)},
		readingSample{name: "signature of another package", text: hello, signature: signatureOf(t, []byte("other"))},
		readingSample{name: "verified signature of Open VSX", text: hello, sidecar: `{"source":{"signature":"verified"}}`,
			signature: string(archiveOf(t, past, ".signature.manifest", "{}", ".signature.p7s", "", ".signature.sig", "x"))},
		readingSample{name: "no dates", text: archiveOf(t, time.Time{}, "extension/package.json", helloJSON)},
		readingSample{name: "date in the future", text: archiveOf(t, now.AddDate(1, 0, 0), "extension/package.json", helloJSON)},
		readingSample{name: "manifest", text: archiveOf(t, past, "extension.vsixmanifest", xml, "extension/package.json", helloJSON, "extension/README.md", "# Hello")},
		readingSample{name: "look-alike name", text: edited(`"name":"hello"`, `"name":"hello","displayName":"H\u0435llo"`)},
		readingSample{name: "no engine", text: edited(`,"engines":{"vscode":"^1.90.0"}`, "")},
		readingSample{name: "byte order mark", text: archiveOf(t, past, "extension/package.json", "\ufeff"+helloJSON)},
		readingSample{name: "npm packages", text: archiveOf(t, past, "extension/package.json", helloJSON,
			"extension/node_modules/left-pad/package.json", `{"name":"left-pad","version":"1.3.0","license":"WTFPL"}`,
			"extension/node_modules/left-pad/node_modules/@types/node/package.json", `{"version":"20.1.0","license":"MIT"}`,
			"extension/node_modules/left-pad/lib/package.json", `{"name":"lib","version":"1.0.0"}`,
			"extension/server/node_modules/left-pad/package.json", `{"name":"left-pad","version":"1.3.0","license":"WTFPL"}`,
			"extension/server/node_modules/other/package.json", `{"name":"../x","version":"2.0.0","license":"UNLICENSED"}`,
			"extension/node_modules/.bin/package.json", `{"name":"bin","version":"1.0.0"}`,
			"extension/node_modules/broken/package.json", `{`,
			"extension/node_modules/no-version/package.json", `{"name":"no-version"}`)},
		readingSample{name: "pictures", text: archiveOf(t, past, "extension/package.json",
			strings.Replace(helloJSON, "{", `{"main":"a.js","repository":"https://github.com/acme/hello","contributes":{"commands":[{"command":"hello.say","title":"%say%"}]},`, 1),
			"extension/package.nls.json", `{"say":"Say hello"}`,
			"extension/README.md", "# Hello\n\n![a](images/a.png) ![b](https://github.com/acme/hello/raw/HEAD/images/b.gif)\n\n<img src=\"images/none.png\">\n",
			"extension/CHANGELOG.md", "![c](images/c.svg) ![a](/images/a.png)\n",
			"extension/images/a.png", "a", "extension/images/b.gif", "b", "extension/images/c.svg", "c", "extension/images/d.png", "d")},
		readingSample{name: "collected", text: collectedText, pictures: []string{drawing}, sidecar: `{"lastUpdated":"2025-11-30T00:00:00Z","firstSeen":"2026-02-01T00:00:00Z",` +
			`"source":{"upstream":"https://gallery.example/","url":"https://user@gallery.example/hello.vsix?token=1","sha256":"` + blob.Sum(collectedText).String() + `","access":"maybe","licence":"MIT"},` +
			`"pictures":{"https://acme.example/a.svg?x":` + pictureOf(drawing, "image/svg+xml") + `,"https://acme.example/b.png":` + pictureOf("b", "image/png") +
			`,"https://acme.example/c":` + pictureOf("c", "text/html") + `}}`},
		readingSample{name: "another hash", text: hello, sidecar: `{"source":{"upstream":"https://gallery.example","sha256":"` + blob.Sum(nil).String() + `"}}`},
		readingSample{name: "path in the parent", text: archiveOf(t, past, "extension/package.json", helloJSON, "../x", "1")},
		readingSample{name: "not a zip archive", text: []byte("hello")},
	)
}

const drawing = `<svg xmlns="http://www.w3.org/2000/svg"/>`

// pictureFile returns the path of the file of a collected drawing, below the folder of a package.
func pictureFile(dir, content string) string {
	return filepath.Join(dir, "pictures", blob.Sum([]byte(content)).String()+".svg")
}

// pictureOf returns the value with which a sidecar lists a picture.
func pictureOf(content, mediaType string) string {
	return fmt.Sprintf(`{"sha256":"%s","type":"%s"}`, blob.Sum([]byte(content)), mediaType)
}

var past = time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC)

// packed returns a package with the files of an extension folder.
func packed(t *testing.T, dir fs.FS, modified time.Time) []byte {
	t.Helper()
	var files []string
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(dir, name)
		files = append(files, "extension/"+name, string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return archiveOf(t, modified, files...)
}

// archiveOf returns a zip archive with these names and texts, in this order.
func archiveOf(t *testing.T, modified time.Time, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: files[i], Modified: modified, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// signatureOf returns a signature archive for a package.
func signatureOf(t *testing.T, pkg []byte) string {
	t.Helper()
	ref := blob.Sum(pkg)
	manifest := `{"package":{"digests":{"sha256":"` + base64.StdEncoding.EncodeToString(ref[:]) + `"}}}`
	return string(archiveOf(t, past, ".signature.manifest", manifest, ".signature.p7s", "x"))
}
