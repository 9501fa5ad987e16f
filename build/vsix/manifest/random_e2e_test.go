//go:build e2e

package manifest

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"galbuild/build/pack/packtest"
)

// fieldValues are usual and unusual values of the fields of package.json, as JSON separated by |.
// Values that vsce refuses, and that galbuild treats differently on purpose, are left out.
var fieldValues = map[string]string{
	"displayName":           `"Hello" | "" | null | 5 | true | ["a","b"] | " x  y " | "%t%" | "a\nb" | "<&>'\""`,
	"description":           `"A git linter" | "" | null | 0 | false | [] | "c++, C#\tand NodeJS" | "%t%" | "%a-b%" | ["php"] | "javascript"`,
	"categories":            `[] | ["Other"] | ["a","","a",null,5] | ["%t%"] | null`,
	"keywords":              `[] | ["a","b","a"] | ["","x",null,true,7] | "hello" | null | ["%t%"] | "%l%"`,
	"preview":               `true | false | 0 | 1 | "" | "x" | null | []`,
	"pricing":               `"Free" | "Trial" | "" | null`,
	"qna":                   `"marketplace" | true | false | null | "" | "https://q.example" | 5 | []`,
	"markdown":              `"standard" | "github" | null | 5`,
	"galleryBanner":         `{} | {"color":"#fff"} | {"color":"","theme":"dark"} | {"color":5,"theme":false} | null | "x"`,
	"sponsor":               `{"url":"https://s.example/?a&b"} | null`,
	"bugs":                  `"https://b.example" | "" | {} | {"url":"u","email":"e"} | {"email":"e"} | {"url":""} | null | [] | 5`,
	"homepage":              `"https://h.example" | "" | null | false | 5 | ["a"]`,
	"repository":            `"o/r" | "" | "https://gitlab.com/g/p" | {"url":"git+https://github.com/o/r.git#x"} | {"url":null} | {} | 5 | "https://x.example/r" | "%r%" | "git@github.com:o/r"`,
	"badges":                `[] | [{"url":"https://b.example/b.png","href":"h","description":"d"}] | null`,
	"extensionKind":         `"ui" | "workspace" | ["ui"] | ["workspace","ui"] | [] | "" | null`,
	"extensionDependencies": `[] | ["a.b","A.b","a.b"] | null | [""]`,
	"extensionPack":         `[] | ["a.b"] | null | ["","x.y"]`,
	"enabledApiProposals":   `[] | ["a","a@1"] | null | [5,""]`,
	"main":                  `"./dist/main.js" | "dist/main" | "" | null`,
	"browser":               `"./dist/main.js" | "" | null`,
	"activationEvents":      `[] | [] | [] | ["onLanguage:go","x"] | ["onLanguage:","onLanguage:a b",5] | null`,
}

var contributionValues = map[string]string{
	"themes":                        `[{}] | [] | {} | "x" | "" | null`,
	"iconThemes":                    `[{}] | [] | null`,
	"productIconThemes":             `[5] | {"a":1}`,
	"snippets":                      `[{}] | [] | "s"`,
	"keybindings":                   `[{}] | {"key":"a"} | null`,
	"debuggers":                     `[{}] | [] | null`,
	"jsonValidation":                `[{}] | [] | null | {}`,
	"terminal":                      `{} | null`,
	"typescriptServerPlugins":       `[]`,
	"markdown.previewStyles":        `[] | null`,
	"html.customData":               `[]`,
	"chatParticipants":              `[{}] | []`,
	"languageModelTools":            `[{}]`,
	"languageModelChatProviders":    `[{}]`,
	"modelContextServerCollections": `[{}]`,
	"menus":                         `{"statusBar/remoteIndicator":[{}]} | {"statusBar/remoteIndicator":[]} | {} | [] | null`,
	"languages":                     `[{"id":"go","aliases":["Go!","ü"],"extensions":[".go","x",".a.b"]}] | [{},{"id":"","aliases":null,"extensions":null}] | [] | null | [{"id":5}]`,
	"grammars":                      `[{"language":"go"}] | [{}] | [{"language":null},{"language":"b"}] | [] | null`,
	"localizations":                 `[{"languageId":"de","translations":[{"id":"vscode","path":"./de.json"},{"id":"x"}]}] | [] | null | [{"languageId":"fr","localizedLanguageName":"","languageName":"x","translations":[]}]`,
}

const randomNLS = `{"t":"A rust text","l":["x","y"],"r":"bitbucket:o/r"}`

// choose sets some of the fields to random values.
func choose(random *rand.Rand, values map[string]string, fields map[string]json.RawMessage) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if random.IntN(4) == 0 {
			l := strings.Split(values[key], ` | `)
			fields[key] = json.RawMessage(l[random.IntN(len(l))])
		}
	}
}

func randomPackage(t *testing.T, random *rand.Rand) string {
	t.Helper()
	fields := map[string]json.RawMessage{
		"name": json.RawMessage(`"hello"`), "publisher": json.RawMessage(`"acme"`),
		"version": json.RawMessage(`"1.0.0"`), "engines": json.RawMessage(`{"vscode":"^1.90.0"}`),
	}
	choose(random, fieldValues, fields)
	if random.IntN(3) > 0 {
		contributions := map[string]json.RawMessage{}
		choose(random, contributionValues, contributions)
		text, err := json.Marshal(contributions)
		if err != nil {
			t.Fatal(err)
		}
		fields["contributes"] = text
	}
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestRandom compares the XML of random packages with that of vsce.
func TestRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var cases []vsceCase
	var jobs []any
	for range 200 {
		c := vsceCase{files: map[string]string{"package.json": randomPackage(t, random), "files": "README.md\nde.json\n"}}
		if random.IntN(2) == 0 {
			c.files["package.nls.json"] = randomNLS
		}
		cases, jobs = append(cases, c), append(jobs, c.folder(t))
	}
	var results []string
	runVsce(t, jobs, &results)
	accepted := 0
	for i, c := range cases {
		if results[i] != "" {
			t.Logf("refused: %s", results[i])
			continue
		}
		accepted++
		recorded := manifestOf(t, jobs[i].(vsceJob).Out)
		c.files["extension.vsixmanifest"] = recorded
		if _, err := packtest.CanonicalXML([]byte(recorded)); err != nil {
			t.Fatal(err)
		}
		if got := c.difference(t); got != "" {
			t.Errorf("%s\n%s", c.files["package.json"], got)
		}
	}
	if accepted < 100 {
		t.Errorf("%d of %d accepted only", accepted, len(cases))
	}
}
