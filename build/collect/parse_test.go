package collect

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// show returns a request on one line.
func show(r Request) string {
	s := r.String()
	if r.Entry != nil {
		s += " locked"
	}
	if r.Source != CommandLine {
		s += fmt.Sprintf(" (%s:%d)", r.Source, r.Line)
	}
	return s
}

func showAll(all []Request) string {
	var lines []string
	for _, r := range all {
		lines = append(lines, show(r))
	}
	return strings.Join(lines, "\n")
}

// inFolder changes to a new folder with these files.
func inFolder(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// TestParseArgument checks what an argument asks for, and what is wrong with it.
func TestParseArgument(t *testing.T) {
	inFolder(t, map[string]string{"list.txt": "acme.hello", "x.vsix": "PK"})
	const form = `want publisher.name[@VERSION][@PLATFORM], where VERSION is 1.2.3, a range such as ^1.2, latest, pre-release or all`
	for arg, want := range map[string]string{
		"acme.hello":                   "acme.hello",
		"Acme.Hello":                   "acme.hello",
		"acme.hello.more":              "acme.hello.more",
		"zainchen.json":                "zainchen.json",
		"acme.lock":                    "acme.lock",
		"acme.hello@1.2.3":             "acme.hello@1.2.3",
		"acme.hello@1.2.3-RC.1+b":      "acme.hello@1.2.3-RC.1+b",
		"acme.hello@^1.2":              "acme.hello@^1.2",
		"acme.hello@>=1.2 <2":          "acme.hello@>=1.2 <2",
		"acme.hello@1.x":               "acme.hello@1.x",
		"acme.hello@1":                 "acme.hello@1",
		"acme.hello@1.2.3 - 2 || 3":    "acme.hello@1.2.3 - 2 || 3",
		"acme.hello@LATEST":            "acme.hello",
		"acme.hello@Pre-Release":       "acme.hello@pre-release",
		"acme.hello@all":               "acme.hello@all",
		"acme.hello@Linux-X64":         "acme.hello@linux-x64",
		"acme.hello@universal":         "acme.hello@universal",
		"acme.hello@~1.2@web":          "acme.hello@~1.2@web",
		"acme.hello@all@web":           "acme.hello@all@web",
		"https://host/x.vsix":          "https://host/x.vsix",
		"https://host/a@1.vsix?x=1#f":  "https://host/a@1.vsix?x=1#f",
		"github:acme/tools":            "github:acme/tools",
		"GitHub:acme/my.tools@v1.2/rc": "github:acme/my.tools@v1.2/rc",
		"":                             `"" is not the id of an extension: ` + form,
		"hello":                        `"hello" is not the id of an extension: ` + form,
		"acme.":                        `"acme." is not the id of an extension: ` + form,
		"ac me.hello":                  `"ac me.hello" is not the id of an extension: publisher "ac me": want at most`,
		"acme.hello@":                  `"acme.hello@": nothing follows an "@": ` + form,
		"acme.hello@1@web@web":         `"acme.hello@1@web@web": there are 3 "@", at most two are allowed: ` + form,
		"acme.hello@lastest":           `"acme.hello@lastest": "lastest" is neither a version nor a platform; did you mean "latest"?`,
		"acme.hello@prerelease":        `did you mean "pre-release"?`,
		"acme.hello@linux-x86":         `"linux-x86" is neither a version nor a platform; did you mean "linux-x64"?`,
		"acme.hello@1.2.3@linux-x86":   `"linux-x86" is not a platform; did you mean "linux-x64"?`,
		"acme.hello@web@1.2.3":         `the platform web comes before the version: ` + form,
		"acme.hello@v1.2.3":            `"v1.2.3" is neither a version nor a platform; did you mean "1.2.3"?`,
		"acme.hello@^1.2.z":            `"^1.2.z" is neither a version nor a platform: ` + form,
		"acme.hello@lates@web":         `"lates" is not a version; did you mean "latest"?`,
		"list.txt":                     `"list.txt" is a file; did you mean "@list.txt"?`,
		"x.vsix":                       `"x.vsix" is a package: build a gallery of it, or add it to one, without collecting it`,
		"@none.txt":                    `none.txt: no such file or directory`,
		"extensions.json":              `extensions.json: no such file or directory`,
		"galbuild.lock":                `galbuild.lock: no such file or directory`,
		"@https://u:secret@host/l.txt": `@https://u:xxxxx@host/l.txt: a list must be a local file; download it first`,
		"ftp://host/x.vsix":            `"ftp://host/x.vsix": want an address that begins with https:// or http://`,
		"github:acme":                  `"github:acme": want github:OWNER/REPO or github:OWNER/REPO@TAG`,
	} {
		all, err := Parse([]string{arg}, ParseConfig{})
		if got := showAll(all); err == nil && got != want {
			t.Errorf("%q: got %s, want %s", arg, got, want)
		}
		if err != nil && (len(all) > 0 || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %s", arg, err, want)
		}
	}
}

// TestParseFiles checks what files ask for.
func TestParseFiles(t *testing.T) {
	inFolder(t, map[string]string{
		"list.txt":         "# Ours.\nacme.hello@1.2.3 # the last good one\n\nAcme.Notes\n@more/more.txt\nhttps://host/x.vsix\n",
		"more/more.txt":    "@../list.txt\nacme.more@>=1 <2\n",
		"windows.txt":      "\xff\xfea\x00.\x00b\x00\r\x00\n\x00",
		"shown.txt":        "Extensions installed on WSL: Ubuntu:\nacme.hello@1.2.3\n",
		"empty.txt":        "# Nothing.\n",
		"wrong.txt":        "acme.hello\nacme.hello@lastest\nhello\n",
		"binary.txt":       "PK\x03\x04",
		"extensions.json":  "// Ours.\n{\n  \"recommendations\": [\n    \"acme.hello\",\n    \"Acme.notes@pre-release\", // soon\n  ],\n  \"unwantedRecommendations\": [\"acme.bad\"]\n}",
		"unwanted.json":    `{"unwantedRecommendations": ["acme.bad"]}`,
		"plain.json":       "\xef\xbb\xbf" + `{"extensions": ["acme.hello"]}`,
		"array.json":       `["acme.hello", "acme.notes"]`,
		"x.code-workspace": `{"folders": [], "extensions": {"recommendations": ["acme.hello"]}}`,
		"y.code-workspace": `{"folders": [], "settings": {}}`,
		"wrong.json":       "{\"recommendations\": [\n1,\n\"acme\"]}",
		"other.json":       "{\n\"a\": 1, \"b\": 2, \"c\": 3, \"d\": 4}",
		"object.json":      `{"recommendations": {}}`,
		"syntax.json":      "{\n\"recommendations\": [",
		"product.json": `{
			"nameShort": "Code",
			"builtInExtensions": [{"name": "ms-vscode.js-debug", "version": "1.2.3"}],
			"keymapExtensionTips": ["a.keys"], "languageExtensionTips": ["a.language"], "webExtensionTips": ["a.web"],
			"extensionRecommendations": {"a.files": {"onFileOpen": []}},
			"configBasedExtensionTips": {"git": {"recommendations": {"a.config": {"name": "x"}}}},
			"exeBasedExtensionTips": {"az": {"recommendations": {"a.exe": {"name": "x"}}}},
			"remoteExtensionTips": {"ssh": {"extensionId": "a.remote"}},
			"virtualWorkspaceExtensionTips": {"x": {"extensionId": "a.virtual"}, "y": {}},
			"extensionsGallery": {"serviceUrl": "https://host"}
		}`,
		"galbuild.lock": `{"galbuildLock": 1, "entries": [
			{"id":"Acme.Hello","version":"1.0.0","address":"https://host/a.vsix","sha256":"` + strings.Repeat("ab", 32) + `","size":1,"wantedBy":["list.txt"],"added":"2026-01-01T00:00:00Z"},
			{"id":"acme.native","version":"2.0.0","platform":"web","address":"https://host/b.vsix","sha256":"` + strings.Repeat("ab", 32) + `","size":1,"wantedBy":["list.txt"],"added":"2026-01-01T00:00:00Z"}
		], "companions": []}`,
	})
	for _, test := range []struct{ args, want string }{
		{"@list.txt", "acme.hello@1.2.3 (list.txt:2)\nacme.notes (list.txt:4)\nacme.more@>=1 <2 (more/more.txt:2)\nhttps://host/x.vsix (list.txt:6)"},
		{"@./list.txt acme.last", "acme.hello@1.2.3 (list.txt:2)\nacme.notes (list.txt:4)\nacme.more@>=1 <2 (more/more.txt:2)\nhttps://host/x.vsix (list.txt:6)\nacme.last"},
		{"@windows.txt", "a.b (windows.txt:1)"},
		{"@shown.txt", "acme.hello@1.2.3 (shown.txt:2)"},
		{"- a.b", "x.y@1.0.0 (standard input:1)\na.b"},
		{"@empty.txt", "empty.txt: the list names no extension"},
		{"@wrong.txt bad", "wrong.txt:2: \"acme.hello@lastest\": \"lastest\" is neither a version nor a platform; did you mean \"latest\"?\nwrong.txt:3: \"hello\" is not the id"},
		{"@binary.txt", "binary.txt: not a list: line 1 contains control characters"},
		{"extensions.json", "acme.hello (extensions.json:4)\nacme.notes@pre-release (extensions.json:5)"},
		{"@extensions.json", "acme.hello (extensions.json:4)\nacme.notes@pre-release (extensions.json:5)"},
		{"unwanted.json", ""},
		{"plain.json", "acme.hello (plain.json:1)"},
		{"array.json", "acme.hello (array.json:1)\nacme.notes (array.json:1)"},
		{"x.code-workspace", "acme.hello (x.code-workspace:1)"},
		{"y.code-workspace", ""},
		{"wrong.json", "wrong.json:2: want the id of an extension such as \"acme.hello\"\nwrong.json:3: \"acme\" is not the id"},
		{"other.json", `other.json:1: want an object with "recommendations" or "extensions", a .code-workspace, a product.json or a galbuild.lock, found the keys "a", "b", "c", …`},
		{"object.json", "object.json:1: want a list of ids in square brackets"},
		{"syntax.json", "syntax.json:2: the text ends before a bracket"},
		{"product.json", "a.keys (product.json:4)\na.language (product.json:4)\na.web (product.json:4)\na.files (product.json:5)\na.config (product.json:6)\na.exe (product.json:7)\na.remote (product.json:8)\na.virtual (product.json:9)"},
		{"galbuild.lock", "acme.hello@1.0.0@universal locked (galbuild.lock:0)\nacme.native@2.0.0@web locked (galbuild.lock:0)"},
	} {
		all, err := Parse(strings.Fields(test.args), ParseConfig{Stdin: strings.NewReader("x.y@1.0.0\n")})
		if got := showAll(all); err == nil && got != test.want {
			t.Errorf("%s: got\n%s\nwant\n%s", test.args, got, test.want)
		}
		if err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got\n%v\nwant\n%s", test.args, err, test.want)
		}
	}
}

// TestParseStandardInput checks that the two names of standard input stand for it, and in a list
// for files.
func TestParseStandardInput(t *testing.T) {
	inFolder(t, map[string]string{"list.txt": "@-\n"})
	for args, want := range map[string]string{
		"-":         "x.y@1.0.0 (standard input:1)",
		"@-":        "x.y@1.0.0 (standard input:1)",
		"@list.txt": "no such file",
	} {
		all, err := Parse([]string{args}, ParseConfig{Stdin: strings.NewReader("x.y@1.0.0\n")})
		if got := showAll(all); got != want && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %q, %v; want %q", args, got, err, want)
		}
	}
}

// TestParsePlatform checks that only platforms of editors are accepted.
func TestParsePlatform(t *testing.T) {
	for text, want := range map[string]string{
		"Linux-x64": "linux-x64",
		"universal": "universal",
		"linux-x46": `"linux-x46" is not a platform; did you mean "linux-x64"?`,
		"":          `"" is not a platform; want win32-x64, `,
	} {
		got, err := ParsePlatform(text)
		if err == nil && got != want || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %q, %v; want %q", text, got, err, want)
		}
	}
}

// TestParseNewest checks that versions of lists can be ignored, and only these.
func TestParseNewest(t *testing.T) {
	inFolder(t, map[string]string{"list.txt": "a.a@1.2.3\na.b@^1\na.c@1.0.0@web\n"})
	all, err := Parse([]string{"@list.txt", "a.d@1.0.0"}, ParseConfig{Newest: true})
	if want := "a.a (list.txt:1)\na.b@^1 (list.txt:2)\na.c@web (list.txt:3)\na.d@1.0.0"; err != nil || showAll(all) != want {
		t.Errorf("got\n%s\n%v", showAll(all), err)
	}
}

// FuzzParse checks that no file makes Parse panic, and that each request can be written as an
// argument that asks for the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"acme.hello@^1.2@web", `{"recommendations": ["a.b@all"]}`, `{"nameShort": "", "exeBasedExtensionTips": {"a": {"recommendations": {"a.b": 1}}}}`,
		`{"galbuildLock": 1, "entries": [{"id": "a.b", "version": "1.0.0"}]}`, "[[[[", "github:a/b@c", `{"extensions": {"recommendations": []}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p := &parser{read: map[string]bool{"": true}}
		p.text(text, "/nowhere", origin{source: "x"})
		for _, r := range p.requests {
			if r.Entry != nil || r.Address != "" {
				continue
			}
			r.Source, r.Line = CommandLine, 0
			again, err := Parse([]string{show(r)}, ParseConfig{})
			if err != nil || len(again) != 1 || again[0] != r {
				t.Errorf("%+v: %+v, %v", r, again, err)
			}
		}
	})
}
