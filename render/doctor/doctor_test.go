package doctor

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"galbuild/render/deploy"
)

// TestTable compares the table in README.md with the checks.
func TestTable(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| (.*) \\| (failed|warning) \\|$").FindAllStringSubmatch(string(text), -1)
	all := Checks()
	if len(rows) != len(all) {
		t.Errorf("README.md has %d rows, want %d", len(rows), len(all))
	}
	for i, c := range all {
		looks := c.Looks
		if c.Galshim {
			looks += " (galshim)"
		}
		if i < len(rows) && (rows[i][1] != c.ID || rows[i][2] != looks || rows[i][3] != string(c.Worst)) {
			t.Errorf("row %d: got %q, want\n| `%s` | %s | %s |", i+1, rows[i][0], c.ID, looks, c.Worst)
		}
	}
}

// TestChecks checks that checks need only earlier ones, so that causes come before consequences.
func TestChecks(t *testing.T) {
	seen, group := make(map[string]bool), ""
	groups := make(map[string]bool)
	for _, c := range checks {
		for _, id := range c.needs {
			if !seen[id] {
				t.Errorf("%s needs %s, which is not before it", c.id, id)
			}
		}
		if seen[c.id] {
			t.Errorf("%s is there twice", c.id)
		}
		seen[c.id] = true
		if c.group != group {
			group = c.group
			if groups[group] {
				t.Errorf("the group %s is divided by %s", group, c.id)
			}
			groups[group] = true
		}
	}
}

func TestParseURL(t *testing.T) {
	for text, want := range map[string]Gallery{
		"https://h/g":                                {Service: "https://h/g/api", Resource: "https://h/g/files/{publisher}/{name}/{version}/{path}"},
		"https://h/g/api/":                           {Service: "https://h/g/api", Resource: "https://h/g/files/{publisher}/{name}/{version}/{path}"},
		"https://h/g/manifest.json":                  {Service: "https://h/g/api", Resource: "https://h/g/files/{publisher}/{name}/{version}/{path}"},
		"http://h:81/_apis/public/gallery":           {Service: "http://h:81/_apis/public/gallery", Resource: "http://h:81/files/{publisher}/{name}/{version}/{path}"},
		"https://h/vscode/gallery/extensionquery":    {Service: "https://h/vscode/gallery", Resource: "https://h/vscode/unpkg/{publisher}/{name}/{version}/{path}"},
		"https://h/t/gal_s3cret":                     {Service: "https://h/t/gal_s3cret/api", Resource: "https://h/t/gal_s3cret/files/{publisher}/{name}/{version}/{path}"},
		"https://[2001:db8::1]:8443/t/gal_x/team-a/": {Service: "https://[2001:db8::1]:8443/t/gal_x/team-a/api", Resource: "https://[2001:db8::1]:8443/t/gal_x/team-a/files/{publisher}/{name}/{version}/{path}"},
	} {
		g, err := ParseURL(text)
		if err != nil || g.Service != want.Service || g.Resource != want.Resource || !strings.HasSuffix(g.Control, "/control.json") {
			t.Errorf("%s: got %+v, %v", text, g, err)
		}
	}
	for text, want := range map[string]string{
		"h": "must begin with http", "ftp://h": "must begin with http", "https://": "has no host", "https://u:s3cret@h": "has a user",
		"https://h/?x": "may have only", "https://h/%zz": "is not a URL", "https://h#x": "may have only",
	} {
		if _, err := ParseURL(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// TestPrintedSettings parses what galbuild config prints for each editor.
func TestPrintedSettings(t *testing.T) {
	for name, write := range map[string]func(*bytes.Buffer, deploy.Editor) error{
		"code-server": func(b *bytes.Buffer, e deploy.Editor) error { return deploy.CodeServer(b, e) },
		"vscodium":    func(b *bytes.Buffer, e deploy.Editor) error { return deploy.VSCodium(b, e) },
		"vscode":      func(b *bytes.Buffer, e deploy.Editor) error { return deploy.VSCode(b, e) },
	} {
		var b bytes.Buffer
		if err := write(&b, deploy.Editor{BaseURL: "https://h/g", ContentURL: "https://files.example"}); err != nil {
			t.Fatal(err)
		}
		g, err := ParseSettings(name, b.Bytes())
		want := Gallery{
			Service: "https://h/g/api", Item: "https://h/g/item", Publisher: g.Publisher, Resource: "https://files.example/files/{publisher}/{name}/{version}/{path}",
			Latest: "https://h/g/api/vscode/{publisher}/{name}/latest", Control: "https://h/g/control.json",
		}
		if err != nil || g != want {
			t.Errorf("%s: got %+v, %v", name, g, err)
		}
	}
}

func TestParseSettings(t *testing.T) {
	for text, service := range map[string]string{
		`{"serviceUrl": "https://h/api",}`:                                                            "https://h/api",
		"{\n// comment\n\"extensionsGallery\": {\"serviceUrl\": \"https://h/api\"}}":                  "https://h/api",
		`{"ExtensionGalleryServiceUrl": "https://h/g/manifest.json"}`:                                 "https://h/g/api",
		`{"extensions.gallery.serviceUrl": "https://h/_apis/public/gallery"}`:                         "https://h/_apis/public/gallery",
		`{"windsurf.marketplaceExtensionGalleryServiceURL": "https://h/vscode/gallery"}`:              "https://h/vscode/gallery",
		`{"antigravity.marketplaceExtensionGalleryServiceURL": "https://h/vscode/gallery"}`:           "https://h/vscode/gallery",
		"service_url: https://h/vscode/gallery\nitem_url: 'https://h/item'":                           "https://h/vscode/gallery",
		"export VSCODE_GALLERY_SERVICE_URL='https://h/api'\r\n":                                       "https://h/api",
		"environment:\n  - EXTENSIONS_GALLERY='{\"serviceUrl\":\"https://h/api\",\"itemUrl\":\"x\"}'": "https://h/api",
	} {
		if g, err := ParseSettings("f", []byte(text)); err != nil || g.Service != service {
			t.Errorf("%s: got %+v, %v", text, g, err)
		}
	}
	for text, want := range map[string]string{
		"":                         "f: has no address of a gallery; it is the key serviceUrl",
		`{"serviceUrl": 7}`:        "has no address",
		`{"serviceUrl": "ftp://"}`: "serviceUrl does not begin with http",
		`{"serviceUrl": `:          "f",
	} {
		if _, err := ParseSettings("f", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	if _, err := ParseSettings("f", []byte("{}")); !errors.Is(err, ErrNoSettings) {
		t.Errorf("got %v", err)
	}
}

func TestSettings(t *testing.T) {
	for text, want := range map[string]string{
		`{"serviceUrl": "https://h/api", "resourceUrlTemplate": "https://h/{publisher}/{name}/{version}/{path}"}`: "ok",
		`{"serviceUrl": "https://h/api"}`:  "warning: there is no resourceUrlTemplate",
		`{"serviceUrl": "https://h/api/"}`: "failed: serviceUrl ends with a slash",
		`{"serviceUrl": "https://h/api", "resourceUrlTemplate": "https://h/{publisher}/{name}/{path}"}`: "failed: resourceUrlTemplate lacks {version}",
		`{"serviceUrl": "https://h/api", "extensionUrlTemplate": "https://h/latest"}`:                   "failed: extensionUrlTemplate lacks {publisher}, {name}",
		`{"serviceUrl": "https://h/api", "controlUrl": "h/control.json"}`:                               "failed: controlUrl does not begin with http",
	} {
		g, err := ParseSettings("f", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		o := checkSettings(t.Context(), &examination{Config: Config{Settings: true}, at: g})
		if got := string(o.status) + ": " + o.text; !strings.HasPrefix(got, want) || (o.status == OK) != (o.mend == nil) {
			t.Errorf("%s: got %s, %q", text, got, o.mend)
		}
	}
}

// TestMask checks that no text has a token.
func TestMask(t *testing.T) {
	g, err := ParseURL("https://h/t/s3cret-path/")
	if err != nil {
		t.Fatal(err)
	}
	c, err := newClient(Config{Gallery: g, Header: http.Header{"Authorization": {"Bearer s3cret-bearer"}, "Cookie": {"name=s3cret-cookie"}}})
	if err != nil {
		t.Fatal(err)
	}
	text := c.mask("https://h/t/s3cret-path/api Bearer s3cret-bearer, s3cret-bearer, name=s3cret-cookie, https://other/t/gal_s3cret/api")
	if strings.Contains(text, "s3cret") || !strings.Contains(text, "https://h/t/…/api") {
		t.Error(text)
	}
}

func TestExplainRedirect(t *testing.T) {
	const from = "http://h/g/api/extensionquery"
	for to, want := range map[string]string{
		"https://h/g/api/extensionquery":      "the gallery is at https",
		"https://h/login":                     "looks like a login page",
		"https://idp.example/start?id=1":      "looks like a login page",
		"http://h/g/api/extensionquery/":      "a proxy adds a slash",
		"https://new.example/api":             "moved to another host",
		"http://h/other":                      "to another path",
		"https://h:8443/g/api/extensionquery": "the gallery is at https",
		"https://h/oauth2/sign_in?rd=s3cret":  "looks like a login page",
	} {
		if lines, why := explainRedirect(from, to); !strings.Contains(why, want) || len(lines) == 0 {
			t.Errorf("%s: got %s", to, why)
		}
	}
}

func TestOlder(t *testing.T) {
	for pair, want := range map[[2]string]bool{
		{"1.0.0", "1.0.1"}: true, {"1.0.1", "1.0.0"}: false, {"1.0.0", "1.0.0"}: false, {"1.9.0", "1.10.0"}: true,
		{"2.0.0-beta", "2.0.0"}: true, {"odd", "1.0.0"}: false, {"1.2.3.4", "9.0.0"}: false,
	} {
		if older(pair[0], pair[1]) != want {
			t.Errorf("%s, %s: want %t", pair[0], pair[1], want)
		}
	}
}

func FuzzParseSettings(f *testing.F) {
	printed, err := filepath.Glob("../deploy/testdata/*.txt")
	if err != nil || len(printed) == 0 {
		f.Fatalf("%d files, %v", len(printed), err)
	}
	for _, file := range printed {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"extensions.gallery.serviceUrl": "https://h/manifest.json"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		g, err := ParseSettings("f", text)
		if err == nil && g.Service == "" {
			t.Error("no service")
		}
	})
}

// FuzzExtensions reads responses of a gallery that is not trusted.
func FuzzExtensions(f *testing.F) {
	f.Add([]byte(`{"results":[{"extensions":[{"publisher":{"publisherName":"a"},"extensionName":"b","flags":"","versions":[{"version":"1.0.0","files":[],"assetUri":"x","fallbackAssetUri":"y"}]}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		document, valid := (&response{body: text, header: http.Header{}}).document()
		if !valid {
			return
		}
		for _, e := range extensionsOf(document.Get("results.0.extensions")) {
			if problemOf(e) != "" {
				continue
			}
			for _, v := range e.versions() {
				if v.archive() == "" || v.asset(assetManifest) == "" || v.number() == "" && v.Get("version").String() != "" {
					t.Error("no address")
				}
			}
		}
	})
}
