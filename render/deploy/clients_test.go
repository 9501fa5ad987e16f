package deploy

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"testing"
)

// clients are the editors, and the forms of VS Code's settings, that have only the gallery's own
// addresses.
var clients = map[string]func(io.Writer, Editor) error{
	"cursor.txt": Cursor, "windsurf.txt": Windsurf, "antigravity.txt": Antigravity, "positron.txt": Positron, "gitlab.txt": GitLab,
	"vscode-patch.js": VSCodePatch, "vscode-policy.json": VSCodePolicy, "vscode.reg": VSCodeRegistry, "vscode.mobileconfig": VSCodeProfile,
}

func TestClients(t *testing.T) {
	for name, write := range clients {
		golden(t, name, func(w io.Writer) error { return write(w, Editor{BaseURL: "https://host.example/tools/gallery"}) })
		for _, bad := range []string{"https://h'; rm -rf /", `https://h"`, "https://h/<x>", "https://h/&"} {
			if err := write(io.Discard, Editor{BaseURL: bad}); err == nil {
				t.Errorf("%s accepts %s", name, bad)
			}
		}
	}
}

// TestClientSettings checks the values that editors read.
func TestClientSettings(t *testing.T) {
	for _, test := range []struct {
		name  string
		write func(io.Writer, Editor) error
		want  map[string]string
	}{
		{"windsurf", Windsurf, map[string]string{
			"windsurf.marketplaceExtensionGalleryServiceURL": "https://h.example/g/api", "windsurf.marketplaceGalleryItemURL": "https://h.example/g/item",
		}},
		{"antigravity", Antigravity, map[string]string{
			"antigravity.marketplaceExtensionGalleryServiceURL": "https://h.example/g/api", "antigravity.marketplaceGalleryItemURL": "https://h.example/g/item",
		}},
		{"policy", VSCodePolicy, map[string]string{"ExtensionGalleryServiceUrl": "https://h.example/g/manifest.json"}},
	} {
		got := map[string]string{}
		if err := json.Unmarshal([]byte(withoutComments(printed(t, test.write))), &got); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if len(got) != len(test.want) {
			t.Errorf("%s: %v", test.name, got)
		}
		for key, want := range test.want {
			if got[key] != want {
				t.Errorf("%s: %s is %q, want %q", test.name, key, got[key], want)
			}
		}
	}
}

// withoutComments removes the lines that begin with #.
func withoutComments(text string) string {
	var rest strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			rest.WriteString(line)
		}
	}
	return rest.String()
}

// TestGitLabSettings checks the JSON that the printed command sends.
func TestGitLabSettings(t *testing.T) {
	_, after, _ := strings.Cut(printed(t, GitLab), "--data '")
	body, _, _ := strings.Cut(after, "'")
	var got struct {
		Marketplace struct {
			Enabled bool              `json:"enabled"`
			Preset  string            `json:"preset"`
			Custom  map[string]string `json:"custom_values"`
		} `json:"vscode_extension_marketplace"`
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	m := got.Marketplace
	if !m.Enabled || m.Preset != "custom" || m.Custom["service_url"] != "https://h.example/g/api" ||
		m.Custom["item_url"] != "https://h.example/g/item" || m.Custom["resource_url_template"] != "https://h.example/g/files/{publisher}/{name}/{version}/{path}" {
		t.Errorf("the command sends %+v", m)
	}
}

// TestProfile checks that the configuration profile is well-formed XML, whose keys and values
// alternate, and that profiles of two galleries have different identities.
func TestProfile(t *testing.T) {
	text := printed(t, VSCodeProfile)
	if values := stringsOf(t, text); values["ExtensionGalleryServiceUrl"] != "https://h.example/g/manifest.json" {
		t.Errorf("the profile has %v", values)
	}
	var other strings.Builder
	if err := VSCodeProfile(&other, Editor{BaseURL: "https://other.example"}); err != nil {
		t.Fatal(err)
	}
	if a, b := stringsOf(t, text)["PayloadUUID"], stringsOf(t, other.String())["PayloadUUID"]; a == b || len(a) != 36 {
		t.Errorf("two galleries have the profiles %q and %q", a, b)
	}
}

// stringsOf returns the strings of a property list by their keys. Of equal keys, the last counts.
func stringsOf(t *testing.T, plist string) map[string]string {
	t.Helper()
	values, key, text := map[string]string{}, "", ""
	decoder := xml.NewDecoder(strings.NewReader(plist))
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return values
		}
		if err != nil {
			t.Fatalf("%v in %s", err, plist)
		}
		switch token := token.(type) {
		case xml.CharData:
			text = string(token)
		case xml.EndElement:
			switch token.Name.Local {
			case "key":
				key = text
			case "string":
				values[key] = text
			}
		}
	}
}
