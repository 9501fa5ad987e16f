package manifest

import (
	"slices"
	"strings"
	"testing"
)

func TestKinds(t *testing.T) {
	for fields, want := range map[string]string{
		`"main":"x","browser":"x"`:            "workspace,web",
		`"main":"x"`:                          "workspace",
		`"browser":"x"`:                       "web",
		`"x":1`:                               "ui,workspace,web",
		`"extensionPack":["a.b"]`:             "workspace,web",
		`"contributes":{"jsonValidation":[]}`: "workspace,web",
		`"contributes":{"localizations":[]}`:  "ui,workspace",
		`"contributes":{"debuggers":{},"html.customData":[]}`: "workspace",
		`"extensionKind":"ui","main":"x"`:                     "ui,workspace",
		`"extensionKind":"ui","browser":"x"`:                  "ui,workspace,web",
		`"extensionKind":["ui"],"main":"x"`:                   "ui",
		`"extensionKind":[]`:                                  "web",
		`"extensionKind":"","main":"x"`:                       "workspace",
	} {
		if got := strings.Join(parse(t, fields).Kinds(), ","); got != want {
			t.Errorf("%s: %s, want %s", fields, got, want)
		}
	}
}

func TestDescribedTags(t *testing.T) {
	for description, want := range map[string]string{
		"":                             "",
		"Digital gitter":               "",
		"git, GIT and Git.":            "git",
		"C++ and c#":                   "c++,c#",
		"c++x":                         "",
		"ESLint for JavaScript/nodejs": "node,javascript,linters",
	} {
		if got := strings.Join(unique(describedTags(description)), ","); got != want {
			t.Errorf("%q: %s, want %s", description, got, want)
		}
	}
}

func TestPlatform(t *testing.T) {
	for text, want := range map[string]string{"": "", "universal": "", "undefined": "", " Linux-X64 ": "linux-x64", "win32-ia32": "win32-ia32"} {
		if got, err := ParsePlatform(text); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"..", "a/b", "a b", strings.Repeat("a", 101)} {
		if got, err := ParsePlatform(text); err == nil {
			t.Errorf("%q is accepted as %q", text, got)
		}
	}
}

func parse(t testing.TB, fields string) *Package {
	t.Helper()
	p, err := ParsePackage([]byte(`{"name":"hello","publisher":"acme","version":"1.0.0",` + fields + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// FuzzPackage derives the XML from any package.json, writes it, and parses it.
func FuzzPackage(f *testing.F) {
	f.Add([]byte(`{"name":"hello","version":"1.0.0"}`), []byte(`{"k":"v"}`))
	f.Add([]byte("\xef\xbb\xbf"+`{"name":"h","version":"1","displayName":"%k%","keywords":["a","b"],"icon":"i.png","badges":[{"url":"x"}]}`), []byte(`{"k":{"message":"m"},}`))
	f.Add([]byte(`{"name":"h","version":"1","contributes":{"languages":[{"id":"x","extensions":[".x"]}],"localizations":[{"languageId":"de","translations":[{"id":"vscode","path":"a"}]}]}}`), []byte(`// {`))
	f.Add([]byte("\xff\xfe{\x00}\x00"), []byte{})
	f.Fuzz(func(t *testing.T, text, nls []byte) {
		p, err := ParsePackage(PlainJSON(text))
		if err != nil {
			return
		}
		_ = p.Translate(nls, 1000) // an invalid one is ignored
		if all := p.Contributed(); len(all) > contributedTexts || len(strings.Join(all, "")) > contributedBytes {
			t.Errorf("%d texts are contributed: %q", len(all), all)
		}
		x := Derive(p, []string{PackagePath, "extension/i.png", "extension/a"}, Options{PreRelease: true})
		written, err := x.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseXML(written)
		if err != nil {
			t.Fatalf("%v in\n%s", err, written)
		}
		if len(again.Assets) != len(x.Assets) || len(again.Metadata.Properties) != len(x.Metadata.Properties) {
			t.Errorf("parsed %+v, want %+v", again, x)
		}
	})
}

// FuzzXML parses any text without a panic, and writes it.
func FuzzXML(f *testing.F) {
	f.Add([]byte(`<PackageManifest><Metadata><Identity Id="a"/><Tags>a,b</Tags></Metadata></PackageManifest>`))
	f.Add([]byte("<\x00P\x00"))
	f.Add([]byte("\xfe\xff\x00<"))
	f.Add([]byte("<?xml version='1.0' encoding='koi8-r'?><PackageManifest>\xff"))
	f.Fuzz(func(t *testing.T, text []byte) {
		x, err := ParseXML(text)
		if err != nil {
			return
		}
		if slices.Contains(Split(x.Metadata.Tags), "") {
			t.Errorf("empty tag in %q", x.Metadata.Tags)
		}
		if _, err := x.Bytes(); err != nil {
			t.Errorf("write the parsed XML: %v", err)
		}
	})
}
