package vsix

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"testing"

	"galbuild/build/catalog"
	"galbuild/build/vsix/manifest"
)

// many returns n texts that are formatted with their numbers.
func many(n int, format string) []string {
	l := make([]string, n)
	for i := range l {
		l[i] = fmt.Sprintf(format, i)
	}
	return l
}

// boundPackage returns a package. change may add to its package.json and its XML.
func boundPackage(t *testing.T, change func(fields map[string]any, x *manifest.XML)) []byte {
	t.Helper()
	fields := map[string]any{"name": "hello", "publisher": "acme", "version": "1.0.0", "engines": map[string]string{"vscode": "^1.90.0"}}
	x := &manifest.XML{Metadata: manifest.Metadata{Identity: manifest.Identity{Name: "hello", Publisher: "acme", Version: "1.0.0"}}}
	change(fields, x)
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	body, err := xml.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	return pack(t, []entry{{name: packageJSON.name, content: string(text)}, {name: manifest.XMLPath, content: string(body)},
		{name: "extension/readme.md", content: strings.Repeat("readme\n", 100)}, {name: "extension/e.js", content: "1"}})
}

// TestBounds exceeds each limit.
func TestBounds(t *testing.T) {
	for name, c := range map[string]struct {
		change func(fields map[string]any, x *manifest.XML)
		limits string
		want   string // text of the error or of a warning
		check  func(*Package) any
		value  any
	}{
		"display name": {func(_ map[string]any, x *manifest.XML) { x.Metadata.DisplayName = strings.Repeat("ü", 256) }, "",
			"display name has 256 characters, more than the limit of 255: it is cut", func(p *Package) any { return p.DisplayName }, strings.Repeat("ü", 254) + "…"},
		"description": {func(f map[string]any, _ *manifest.XML) { f["description"] = strings.Repeat("d", 4097) }, "",
			"description has 4097 characters, more than the limit of 4096", func(p *Package) any { return len(p.Description) }, 4095 + len("…")},
		"categories": {func(_ map[string]any, x *manifest.XML) { x.Metadata.Categories = strings.Join(many(51, "c%d"), ",") }, "",
			"categories: there are 51, more than the limit of 50", func(p *Package) any { return len(p.Categories) }, 50},
		"tags, with the tag for browsers": {func(f map[string]any, x *manifest.XML) {
			x.Metadata.Tags = strings.Join(append(many(600, "t%d"), manifest.TagWeb), ",")
		}, "", "tags: there are 601", func(p *Package) any { return fmt.Sprint(len(p.Tags), p.Web, slices.Contains(p.Tags, manifest.TagWeb)) }, "500 true true"},
		"long tags": {func(f map[string]any, x *manifest.XML) {
			x.Metadata.Tags = "short," + strings.Repeat("t", 101) + ",other"
		}, "",
			"tags: 1 left out, longer than the limit of 100 bytes, such as \"tttt", func(p *Package) any { return strings.Join(p.Tags, ",") }, "short,other"},
		"tag for browsers longer than the limit": {func(f map[string]any, x *manifest.XML) { x.Metadata.Tags = manifest.TagWeb }, "tag-bytes=5",
			"tags: 1 left out", func(p *Package) any { return strings.Join(p.Tags, ",") }, manifest.TagWeb},
		"properties": {func(_ map[string]any, x *manifest.XML) {
			for _, key := range many(300, "k%d") {
				x.Metadata.Properties = append(x.Metadata.Properties, manifest.Property{ID: key, Value: "v"})
			}
			x.Metadata.Properties = append(x.Metadata.Properties, manifest.Property{ID: catalog.PropertyPreRelease, Value: "true"})
		}, "", "properties: there are 302, more than the limit of 200", func(p *Package) any { return fmt.Sprint(len(p.Properties), p.Properties[0].Key, p.Properties[1].Key) },
			"200" + catalog.PropertyPreRelease + catalog.PropertyEngine},
		"long property": {func(_ map[string]any, x *manifest.XML) {
			x.Metadata.Properties = []manifest.Property{{ID: "k", Value: strings.Repeat("v", 32<<10+1)}, {ID: strings.Repeat("k", 257)}}
		}, "", `property "k" is left out: its key has 1 bytes and its value 32769`, func(p *Package) any { return len(p.Properties) }, 1},
		"long pack": {func(f map[string]any, _ *manifest.XML) { f["extensionPack"] = many(5000, "acme.e%d") }, "",
			"property Microsoft.VisualStudio.Code.ExtensionPack: its key has 41 bytes and its value 53889, more than the limits of 256 and 32768", nil, nil},
		"asset types": {func(_ map[string]any, x *manifest.XML) {
			for _, kind := range many(1000, "t%d") {
				x.Assets = append(x.Assets, manifest.Asset{Type: kind, Path: "extension/e.js"})
			}
		}, "", "assets: 1000 are listed, more than the limit asset-types of 200 allows; those after the first 198", func(p *Package) any { return len(p.Assets) }, 200},
		"readme": {func(_ map[string]any, x *manifest.XML) {
			x.Assets = []manifest.Asset{{Type: catalog.DetailsAsset, Path: "extension/readme.md"}}
		}, "readme-bytes=699", "readme \"extension/readme.md\" is left out: it has 700 bytes, more than the limit of 699", func(p *Package) any { return len(p.Assets) }, 2},
		"change log": {func(_ map[string]any, x *manifest.XML) {
			x.Assets = []manifest.Asset{{Type: catalog.ChangelogAsset, Path: "extension/readme.md"}}
		}, "changelog-bytes=699", "change log \"extension/readme.md\" is left out", func(p *Package) any { return len(p.Assets) }, 2},
		"metadata": {func(_ map[string]any, x *manifest.XML) {
			for _, key := range many(5, "k%d") {
				x.Metadata.Properties = append(x.Metadata.Properties, manifest.Property{ID: key, Value: strings.Repeat("v", 30<<10)})
			}
		}, "", "have 153", nil, nil},
		"warnings": {func(_ map[string]any, x *manifest.XML) {
			for _, kind := range many(1000, "t%d") {
				x.Assets = append(x.Assets, manifest.Asset{Type: kind, Path: "missing"})
			}
		}, "warnings=7", "993 more warnings than the limit of 7 are left out", func(p *Package) any { return len(p.Warnings) }, 8},
		"publisher": {func(f map[string]any, _ *manifest.XML) { f["publisher"] = strings.Repeat("p", 5000) }, "",
			"publisher has 5000 bytes, more than the limit of 100", nil, nil},
		"version":  {func(f map[string]any, _ *manifest.XML) {}, "version-bytes=4", "version has 5 bytes, more than the limit of 4", nil, nil},
		"platform": {func(_ map[string]any, x *manifest.XML) { x.Metadata.Identity.Platform = "linux-x64" }, "platform-bytes=8", "target platform has 9 bytes", nil, nil},
		"hidden characters": {func(_ map[string]any, x *manifest.XML) { x.Metadata.DisplayName = "\u202eMicr\u043esoft\u200b" }, "",
			"it contains the bidirectional character U+202E", func(p *Package) any { return p.DisplayName }, "\u202eMicr\u043esoft\u200b"},
		"publisher of other letters": {func(f map[string]any, _ *manifest.XML) { f["publisher"] = "\u0430cme" }, "", "look-alike letter U+0430", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var l Limits
			if c.limits != "" {
				if err := l.Set(c.limits); err != nil {
					t.Fatal(err)
				}
			}
			archive := boundPackage(t, c.change)
			p, err := Open(bytes.NewReader(archive), int64(len(archive)), l)
			if c.check == nil {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Fatalf("error %v, want %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(p.Warnings, func(w string) bool { return strings.Contains(w, c.want) }) {
				t.Errorf("warnings %q, want %q", p.Warnings, c.want)
			}
			if got := c.check(p); got != c.value {
				t.Errorf("%v, want %v", got, c.value)
			}
		})
	}
}

// TestTranslationsLimit has too many texts in package.nls.json.
func TestTranslationsLimit(t *testing.T) {
	archive := pack(t, []entry{packageJSON, {name: manifest.NLSPath, content: `{"a":"1","b":"2","c":"3"}`}})
	p, err := Open(bytes.NewReader(archive), int64(len(archive)), Limits{Translations: 2})
	if err != nil || !strings.Contains(strings.Join(p.Warnings, "\n"), "package.nls.json is ignored: 3 texts, more than the limit of 2") {
		t.Errorf("%v, %v", p, err)
	}
}

// TestLongMessages checks that long texts of a package do not make messages long.
func TestLongMessages(t *testing.T) {
	long := strings.Repeat("x", 500<<10) // a longer text would be refused for its ratio
	for name, change := range map[string]func(map[string]any, *manifest.XML){
		"version":   func(_ map[string]any, x *manifest.XML) { x.Metadata.Identity.Version = long },
		"publisher": func(_ map[string]any, x *manifest.XML) { x.Metadata.Identity.Publisher = long },
		"platform":  func(_ map[string]any, x *manifest.XML) { x.Metadata.Identity.Platform = long },
		"asset":     func(_ map[string]any, x *manifest.XML) { x.Assets = []manifest.Asset{{Type: "t", Path: long}} },
	} {
		p, _, err := openAndWalk(boundPackage(t, change))
		if err != nil && len(err.Error()) > 1000 {
			t.Errorf("%s: the error has %d bytes", name, len(err.Error()))
		}
		for i := 0; p != nil && i < len(p.Warnings); i++ {
			if n := len(p.Warnings[i]); n > 600 {
				t.Errorf("%s: a warning has %d bytes", name, n)
			}
		}
	}
}

// TestRecoverPanic has a reader that panics.
func TestRecoverPanic(t *testing.T) {
	_, err := Open(panicking{}, 100, Limits{})
	p, ok := err.(*PanicError)
	if !ok || !strings.Contains(err.Error(), "internal error in galbuild") || !strings.Contains(string(p.Stack), "panicking") {
		t.Fatalf("error %v", err)
	}
	archive := pack(t, []entry{packageJSON})
	opened, err := Open(bytes.NewReader(archive), int64(len(archive)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	opened.archive.files[0].zip = nil
	if _, ok := opened.Walk(nil).(*PanicError); !ok {
		t.Error("Walk did not return the panic as an error")
	}
}

type panicking struct{}

func (panicking) ReadAt([]byte, int64) (int, error) { panic("out of range") }
