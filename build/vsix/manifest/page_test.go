package manifest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"galbuild/build/pagedata"
)

// pageOf returns the page of a package.json with these members, and texts and files.
func pageOf(t *testing.T, members, nls string, files map[string]string) pagedata.Document {
	t.Helper()
	p, err := ParsePackage([]byte(`{"publisher":"p","name":"a","version":"1.0.0",` + members + `}`))
	if err != nil {
		t.Fatal(err)
	}
	if nls != "" {
		if err := p.Translate([]byte(nls), 1000); err != nil {
			t.Fatal(err)
		}
	}
	return p.Page(func(file string) []byte { return []byte(files[file]) })
}

// printContributions returns one line for each item.
func printContributions(d pagedata.Document) (lines []string) {
	for _, c := range d.Contributions {
		for _, i := range c.Items {
			line := c.Kind + ": " + i.Name
			for _, more := range []string{i.Detail, i.Default, strings.Join(i.Colours, " ")} {
				if more != "" {
					line += " | " + more
				}
			}
			lines = append(lines, line)
		}
	}
	return lines
}

func TestPageContributions(t *testing.T) {
	for contributes, want := range map[string][]string{
		`{"commands":[{"command":"a.b","title":"%t%","category":"C"},{"command":"a.c","title":{"value":"$(x) V","original":"O"}},{"command":"a.d","title":"%unknown%"},{"command":"a.b","title":"%t%","category":"C"},5,{}]}`: {
			"Commands: C: Title | a.b", "Commands: V | a.c", "Commands: a.d"},
		`{"commands":{"command":"a.b","title":"T"}}`: {"Commands: T | a.b"},
		`{"configuration":[{"properties":{"a.z":{"description":"%t%","default":false},"a.m":{"markdownDescription":"m\n\nn"}}},{"properties":{"a.a":{"default":{ "b" : [1, "<"] }},"a.z":{"default":1}}}]}`: {
			`Settings: a.a | {"b":[1,"<"]}`, "Settings: m n | a.m", "Settings: a.z | 1"},
		`{"configuration":{"properties":{"a.a":{"description":"A","default":"` + strings.Repeat("x", 300) + `"},"a.b":1}}}`: {
			`Settings: A | a.a | "` + strings.Repeat("x", 199) + "…", "Settings: a.b"},
		`{"languages":[{"id":"l","aliases":["Long","Longer"],"extensions":[".l",".m"]},{"id":"k","filenames":["K"]},{"aliases":[]}]}`: {
			"Programming Languages: Long | .l, .m", "Programming Languages: k | K"},
		`{"iconThemes":[{"id":"i","label":"I"}],"productIconThemes":[{"id":"p"}],"debuggers":[{"type":"d","label":"D"}],"grammars":[{"language":"l","scopeName":"source.l"},{"scopeName":"source.i"}],"snippets":[{"language":"l","path":"./l.json"}]}`: {
			"File Icon Themes: I", "Product Icon Themes: p", "Debuggers: D | d", "Grammars: l | source.l", "Grammars: source.i", "Snippets: l | ./l.json"},
		`{"keybindings":{"key":"ctrl+a","command":"a.b"},"viewsContainers":{"panel":[{"id":"p","title":"P"}],"activitybar":[{"id":"c","title":"C"}]},"views":{"explorer":[{"id":"v","name":"V"}],"x":1}}`: {
			"Keyboard Shortcuts: ctrl+a | a.b", "View Containers: C | c", "View Containers: P | p", "Views: V | v"},
		`{"customEditors":[{"viewType":"x","displayName":"E","selector":[{"filenamePattern":"*.e"},{"filenamePattern":"*.f"}]}],"notebooks":[{"displayName":"N","selector":[{"filenamePattern":"*.n"}]}],"notebookRenderer":[{"displayName":"R","mimeTypes":["a/b","c/d"]}]}`: {
			"Custom Editors: E | *.e, *.f", "Notebooks: N | *.n", "Notebook Renderers: R | a/b, c/d"},
		`{"walkthroughs":[{"id":"w","title":"W"}],"authentication":[{"id":"s","label":"S"}],"taskDefinitions":[{"type":"t"}],"problemMatchers":[{"name":"m"}],"localizations":[{"languageId":"fr","languageName":"French"}],"colors":[{"id":"c","description":"C"}],"jsonValidation":[{"fileMatch":["a","b"],"url":"./s.json"},{"fileMatch":"c"}]}`: {
			"Walkthroughs: W | w", "Authentication: S | s", "Task Types: t", "Problem Matchers: m", "Language Packs: French | fr", "Colors: C | c", "JSON Validation: a, b | ./s.json", "JSON Validation: c"},
		`{"chatParticipants":[{"id":"c","name":"n","fullName":"N"}],"languageModelTools":[{"name":"t","displayName":"T"}],"languageModelChatProviders":[{"vendor":"v","displayName":"M"}],"mcpServerDefinitionProviders":[{"id":"m","label":"S"}]}`: {
			"Chat Participants: N | c", "Language Model Tools: T | t", "Language Models: M | v", "MCP Servers: S | m"},
		`null`: nil, `[]`: nil, `{"commands":"x","configuration":[1,{"properties":[]}],"views":[],"themes":[[]],"languages":{"id":{}},"authentication":null}`: nil,
	} {
		got := printContributions(pageOf(t, `"contributes":`+contributes, `{"t":"Title"}`, nil))
		if !slices.Equal(got, want) {
			t.Errorf("%s\ngot  %q\nwant %q", contributes, got, want)
		}
	}
}

func TestPageThemes(t *testing.T) {
	files := map[string]string{
		"themes/dark.json": `{ // a comment
			"include": "./base.json", "colors": {"editor.background": "#123", "editor.foreground": null,},
			"tokenColors": [
				{"settings": {"foreground": "#EEEEEEAA"}},
				{"scope": "comment, string", "settings": {"foreground": "#111111"}},
				{"scope": ["string.quoted", "source.x keyword"], "settings": {"foreground": "#222"}},
				{"scope": "string", "settings": {"foreground": "#777777"}},
				{"scope": "entity.name", "settings": {"foreground": "#333333"}},
				{"scope": "entity.name.function.x", "settings": {"foreground": "#444444"}},
				{"scope": "comment", "settings": {"foreground": "red"}}, 5,
			],}`,
		"themes/base.json": `{"include":"dark.json","colors":{"editor.background":"#ffffff"},"tokenColors":[{"scope":"keyword","settings":{"foreground":"#555555"}},{"scope":"comment","settings":{"foreground":"#666666"}}]}`,
		"light.json":       `{"tokenColors":"./light.tmTheme"}`,
		"broken.json":      `{`,
	}
	for path, want := range map[string]string{
		`"path":"./themes/dark.json"`:                "T | #112233 #eeeeee #111111 #555555 #222222 #333333",
		`"path":"themes\\dark.json","uiTheme":"vs"`:  "T | #112233 #eeeeee #111111 #555555 #222222 #333333",
		`"path":"../../themes/../light.json"`:        "T",
		`"path":"/light.json","uiTheme":"vs-dark"`:   "T | #1e1e1e #bbbbbb",
		`"path":"broken.json","uiTheme":"vs-dark"`:   "T",
		`"path":"light.tmTheme","uiTheme":"vs-dark"`: "T",
		`"path":5`: "T",
		`"a":1`:    "T",
	} {
		got := printContributions(pageOf(t, `"contributes":{"themes":[{"label":"T",`+path+`}]}`, "", files))
		if !slices.Equal(got, []string{"Color Themes: " + want}) {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

// TestThemeLimits has a theme that includes itself, and more themes than are read.
func TestThemeLimits(t *testing.T) {
	read := 0
	p := contributing(t, `{"themes":[`+strings.Repeat(`{"path":"a.json"},`, 1000)+`{}]}`)
	d := p.Page(func(string) []byte { read++; return []byte(`{"include":"a.json"}`) })
	if read != maxThemes*maxIncludes || len(d.Contributions) != 0 {
		t.Errorf("%d files are read, %+v", read, d.Contributions)
	}
}

func TestPageLinks(t *testing.T) {
	for members, want := range map[string]pagedata.Links{
		`"repository":"github:acme/notes"`:                                                                          {Repository: "https://github.com/acme/notes", Bugs: "https://github.com/acme/notes/issues"},
		`"repository":{"url":"git+https://git.acme.example/a.git","directory":"b/c"}`:                               {Repository: "https://git.acme.example/a", Directory: "b/c"},
		`"repository":"git@git.acme.example:a.git","bugs":{"email":"a@b.example"}`:                                  {Bugs: "mailto:a@b.example"},
		`"repository":"https://github.com/acme/all/tree/main/notes","bugs":"https://b.example"`:                     {Repository: "https://github.com/acme/all", Bugs: "https://b.example"},
		`"homepage":" https://h.example ","qna":"https://q.example","sponsor":{"url":"https://s.example"}`:          {Homepage: "https://h.example", QnA: "https://q.example", Sponsor: "https://s.example"},
		`"homepage":"javascript:a","qna":"marketplace","sponsor":{"url":"%a%"},"bugs":{"url":"file:///etc/passwd"}`: {},
		`"homepage":5,"qna":false,"sponsor":[],"bugs":null,"repository":{"url":{}}`:                                 {},
	} {
		if got := pageOf(t, members, "", nil).Links; got != want {
			t.Errorf("%s: got %+v, want %+v", members, got, want)
		}
	}
}

func TestNetwork(t *testing.T) {
	setting := func(key, value string) string {
		return `"main":"a.js","contributes":{"configuration":{"properties":{"` + key + `":{"default":` + value + `}}}}`
	}
	for members, want := range map[string]string{
		`"contributes":{"authentication":[{"id":"a","label":"Acme"}]}`:                                                         "It signs in to Acme.",
		`"extensionDependencies":["vscode.GitHub-authentication","acme.a"]`:                                                    "It depends on vscode.github-authentication, which signs in to GitHub.",
		setting("a.serverUrl", `"https://API.acme.example.net:8443/v1?k"`):                                                     "",
		setting("a.serverUrl", `"https://API.acme.dev:8443/v1?k"`):                                                             "The setting a.serverUrl is https://api.acme.dev by default.",
		setting("a.server", `"wss://acme.dev"`):                                                                                "The setting a.server is wss://acme.dev by default.",
		setting("a.host", `"https://93.184.216.34/"`):                                                                          "The setting a.host is https://93.184.216.34 by default.",
		strings.Replace(setting("a.server", `"wss://acme.dev"`), "main", "other", 1):                                           "",
		strings.Replace(setting("a.server", `"wss://acme.dev"`), "main", "browser", 1):                                         "The setting a.server is wss://acme.dev by default.",
		`"contributes":{"configurationDefaults":{"mcp":{"servers":{"b":{"url":"https://acme.dev/mcp"},"a":{"command":"x"}}}}}`: "It adds the MCP server b at https://acme.dev.",
		`"main":"a","contributes":{"configuration":{"properties":{"e.url":{"default":"https://e.dev"},"b.url":{"default":"https://b.dev"},"c.url":{"default":"https://c.dev"},"d.url":{"default":"https://d.dev"}}}}`: "The setting b.url is https://b.dev by default. " +
			"The setting c.url is https://c.dev by default. The setting d.url is https://d.dev by default.",
		`"activationEvents":["onUri"],"main":"a.js","contributes":{"chatParticipants":[{"id":"a"}]}`: "",
	} {
		if got := pageOf(t, members, "", nil).Network; got != want {
			t.Errorf("%s: got %q, want %q", members, got, want)
		}
	}
	for key, values := range map[string][]string{
		"a.url": {`""`, "5", "null", `["https://acme.dev"]`, `"http://localhost:1"`, `"http://127.0.0.1"`, `"http://[::1]:5"`, `"http://0.0.0.0"`, `"http://192.168.1.1"`,
			`"http://server"`, `"http://a.localhost."`, `"https://example.com"`, `"https://api.example.org/"`, `"https://{host}.acme.dev"`, `"https://${host}"`, `"ftp://acme.dev"`,
			`"acme.dev"`, `"file:///a"`, `"http://www.w3.org/2000/svg"`, `"https://"`, `"https://%zz.dev"`, `"https://` + strings.Repeat("a", 2000) + `.dev"`},
		"a.documentationUrl":              {`"https://acme.dev"`},
		"url.title":                       {`"https://acme.dev"`},
		"a.homepage":                      {`"https://acme.dev"`},
		strings.Repeat("a", 200) + ".url": {`"https://acme.dev"`},
	} {
		for _, value := range values {
			if got := pageOf(t, setting(key, value), "", nil).Network; got != "" {
				t.Errorf("%.50s, %.50s: got %q", key, value, got)
			}
		}
	}
}

// TestPageIsLimited has a hundred thousand commands and settings, with a title of a megabyte.
func TestPageIsLimited(t *testing.T) {
	var commands, settings []string
	for i := range 100_000 {
		commands = append(commands, fmt.Sprintf(`{"command":"c%d","title":"%%t%%"}`, i))
		settings = append(settings, fmt.Sprintf(`"s%d":{"description":"%%t%%","default":[]}`, i))
	}
	members := `"contributes":{"commands":[` + strings.Join(commands, ",") + `],"configuration":{"properties":{` + strings.Join(settings, ",") + `}}}`
	d := pageOf(t, members, `{"t":"`+strings.Repeat("$(x) y", 1<<18)+`"}`, nil)
	for _, c := range d.Contributions {
		if len(c.Items) != pagedata.MaxItems || c.More != 100_000-pagedata.MaxItems {
			t.Errorf("%s: %d items and %d more", c.Kind, len(c.Items), c.More)
		}
	}
	if len(d.Contributions) != 2 || len(d.Encode()) > pagedata.MaxBytes {
		t.Errorf("%d kinds, %d bytes", len(d.Contributions), len(d.Encode()))
	}
}
