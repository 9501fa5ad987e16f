package vsix

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf16"
)

// An editorCase is a package.json, and the reason why editors do not install the package, or "" if
// they do. TestEditor compares it with code-server.
type editorCase struct{ name, packageJSON, want string }

func editorCases() []editorCase {
	all := []editorCase{
		{"no-publisher", `{"name":"no-publisher","version":"1.0.0","engines":{"vscode":"^1.60.0"}}`, "publisher is missing"},
		{"byte-order-mark", "\ufeff" + editorJSON("byte-order-mark", ""), "it begins with a byte order mark; editors cannot read JSON with one"},
		{"utf-16", toUTF16(editorJSON("utf-16", "")), "it is UTF-16; editors read UTF-8"},
		{"not-utf-8", editorJSON("not-utf-8", "\"description\":\"\xff\""), ""},
		{"version-large", `{"name":"version-large","publisher":"acme","version":"1.9007199254740992.0","engines":{"vscode":"^1.60.0"}}`,
			`version "1.9007199254740992.0": a number is too large, at most 9007199254740991 is allowed`},
		{"version-largest", `{"name":"version-largest","publisher":"acme","version":"1.9007199254740991.0","engines":{"vscode":"^1.60.0"}}`, ""},
		{"no-engines", `{"name":"no-engines","publisher":"acme","version":"1.0.0"}`, "engines.vscode is missing"},
		{"no-engine", `{"name":"no-engine","publisher":"acme","version":"1.0.0","engines":{}}`, "engines.vscode is missing"},
	}
	for _, c := range []editorCase{
		{"plain", `"main":"a.js","activationEvents":["*"]`, ""},
		{"dependencies-text", `"extensionDependencies":"acme.plain"`, `extensionDependencies is "acme.plain"; editors want a list of strings`},
		{"dependencies-number", `"extensionDependencies":[1]`, "extensionDependencies is [1]; editors want a list of strings"},
		{"dependencies-null", `"extensionDependencies":null`, "extensionDependencies is null; editors want a list of strings"},
		{"pack-number", `"extensionPack":[1]`, ""},
		{"kind-number", `"extensionKind":5`, ""},
		{"contributes-text", `"contributes":"x"`, ""},
		{"display-name-number", `"displayName":5`, ""},
		{"events-null", `"main":"a.js","activationEvents":null`, "activationEvents is null; editors want a list of strings"},
		{"events-null-item", `"main":"a.js","activationEvents":[null]`, "activationEvents is [null]; editors want a list of strings"},
		{"events-no-code", `"activationEvents":[]`, "activationEvents without main or browser; editors refuse that"},
		{"main-number", `"main":5`, "main is 5; editors want a string"},
		{"main-null", `"main":null`, "main is null; editors want a string"},
		{"browser-false", `"browser":false`, "browser is false; editors want a string"},
		{"engine-star", `"engines":{"vscode":"*"}`, ""},
		{"engine-star-code", `"main":"a.js","engines":{"vscode":"*"}`, `engines.vscode "*": editors accept * only without main and browser`},
		{"engine-star-space", `"engines":{"vscode":" *"}`, `engines.vscode " *": editors accept *`},
		{"engine-space", `"main":"a.js","engines":{"vscode":" ^1.60.0\t"}`, ""},
		{"engine-two-parts", `"engines":{"vscode":"^1.60"}`, `engines.vscode "^1.60": want *, or three numbers such as ^1.90.0`},
		{"engine-tilde", `"engines":{"vscode":"~1.60.0"}`, "want *, or three numbers"},
		{"engine-or", `"engines":{"vscode":"^1.60.0 || ^2.0.0"}`, "want *, or three numbers"},
		{"engine-empty", `"engines":{"vscode":""}`, "want *, or three numbers"},
		{"engine-number", `"engines":{"vscode":1}`, "engines.vscode is 1; editors want a string"},
		{"engine-null", `"engines":{"vscode":null}`, "engines.vscode is null; editors want a string"},
		{"engine-object", `"engines":{"vscode":{"value":"^1.60.0"}}`, `engines.vscode is {"value":"^1.60.0"}; editors want a string`},
		{"engines-text", `"engines":"^1.60.0"`, "engines.vscode is missing"},
		{"engine-any", `"engines":{"vscode":"x.x.x"}`, "want a number first, such as 1.x.x"},
		{"engine-1-any", `"main":"a.js","engines":{"vscode":"1.x.x"}`, ""},
		{"engine-0-any", `"engines":{"vscode":"^0.x.x"}`, "want two numbers for editors before 1.0.0, such as 0.10.x"},
		{"engine-0-10", `"main":"a.js","engines":{"vscode":"^0.10.x"}`, ""},
		{"engine-date", `"main":"a.js","engines":{"vscode":">=1.60.0-20240101"}`, ""},
	} {
		all = append(all, editorCase{c.name, editorJSON(c.name, c.packageJSON), c.want})
	}
	return all
}

// editorJSON returns a package.json with more fields. Of two equal fields, the last one is used.
func editorJSON(name, fields string) string {
	if fields != "" {
		fields = "," + fields
	}
	return `{"name":"` + name + `","publisher":"acme","version":"1.0.0","engines":{"vscode":"^1.60.0"}` + fields + `}`
}

func toUTF16(s string) string {
	b := []byte("\xff\xfe")
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

// editorPackage returns the package of a case, with a valid XML.
func editorPackage(t testing.TB, c editorCase) []byte {
	t.Helper()
	return pack(t, []entry{
		{name: "extension.vsixmanifest", content: `<PackageManifest><Metadata><Identity Publisher="acme" Id="` + c.name + `"/></Metadata></PackageManifest>`},
		{name: "extension/package.json", content: c.packageJSON}, {name: "extension/a.js", content: "exports.activate = () => {}"},
	})
}

// TestEditorCases opens the packages of editorCases.
func TestEditorCases(t *testing.T) {
	for _, c := range editorCases() {
		archive := editorPackage(t, c)
		p, err := Open(bytes.NewReader(archive), int64(len(archive)), Limits{})
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		case err == nil && p.Publisher+"."+p.Name != "acme."+c.name:
			t.Errorf("%s: id %s.%s", c.name, p.Publisher, p.Name)
		}
	}
}
