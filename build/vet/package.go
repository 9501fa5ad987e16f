package vet

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	json2 "github.com/go-json-experiment/json"
	"github.com/tailscale/hujson"
)

// description is what the package.json of an extension says, as far as rules need it. Members of
// other types than expected are ignored.
type description struct {
	Main             any `json:"main"`
	Browser          any `json:"browser"`
	ActivationEvents any `json:"activationEvents"`
	Contributes      any `json:"contributes"`
	Scripts          any `json:"scripts"`
	Repository       any `json:"repository"`
	Name             any `json:"name"`
	Publisher        any `json:"publisher"`
	Version          any `json:"version"`
}

func asText(v any) string {
	s, _ := v.(string)
	return s
}

func asTexts(v any) (all []string) {
	list, _ := v.([]any)
	for _, x := range list {
		if s, ok := x.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

// addDescription reads the package.json of the extension.
func (s *Scanner) addDescription(f *file) {
	var d description
	if err := json2.Unmarshal(f.content, &d); err != nil {
		s.findings.add(f.whole(notChecked, Low, "package.json cannot be read as JSON"))
		return
	}
	p := &s.profile
	p.Publisher, p.Name, p.Version = asText(d.Publisher), asText(d.Name), asText(d.Version)
	p.Main, p.Browser = cleanEntry(d.Main), cleanEntry(d.Browser)
	p.Repository = repository(d.Repository)
	p.Activation = asTexts(d.ActivationEvents)
	slices.Sort(p.Activation)
	p.Activation = slices.Compact(p.Activation)
	s.contributes, _ = d.Contributes.(map[string]any)
	s.checkActivation(f)
	s.checkScripts(f, d.Scripts, true)
}

// cleanEntry returns the path of the file that starts, below the folder of the extension.
func cleanEntry(v any) string {
	s := strings.TrimSpace(asText(v))
	if s == "" {
		return ""
	}
	return strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(s, "\\", "/")), "/")
}

// repository returns host and path of a repository in lower case, such as github.com/acme/tool.
func repository(v any) string {
	if object, ok := v.(map[string]any); ok {
		v = object["url"]
	}
	s := strings.ToLower(strings.TrimSpace(asText(v)))
	if short, ok := strings.CutPrefix(s, "github:"); ok {
		s = "github.com/" + short
	} else if strings.Count(s, "/") == 1 && !strings.ContainsAny(s, ":.") {
		s = "github.com/" + s
	}
	s = strings.TrimPrefix(s, "git+")
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	}
	if _, rest, ok := strings.Cut(s, "@"); ok {
		s = strings.Replace(rest, ":", "/", 1)
	}
	s, _, _ = strings.Cut(s, "#")
	s = strings.TrimPrefix(s, "www.")
	return strings.TrimSuffix(strings.TrimRight(s, "/"), ".git")
}

func (s *Scanner) checkActivation(f *file) {
	for _, event := range s.profile.Activation {
		if s.profile.Main == "" && s.profile.Browser == "" {
			return
		}
		switch event {
		case "*":
			s.findings.add(f.text(activation, Medium, `"*"`, "the extension starts with the editor (activation event *)"))
		case "onStartupFinished":
			s.findings.add(f.text(activation, Low, `"onStartupFinished"`, "the extension starts soon after the editor (activation event onStartupFinished)"))
		}
	}
}

// text returns a finding about the first occurrence of a text in a file.
func (f *file) text(rule string, severity Severity, text, detail string) Finding {
	at := strings.Index(string(f.content), text)
	if at < 0 {
		return f.whole(rule, severity, detail)
	}
	return f.at(rule, severity, at, at+len(text), detail)
}

// installHooks are the scripts that npm runs when a package is installed.
var installHooks = []string{"preinstall", "install", "postinstall", "preuninstall", "postuninstall", "prepare"}

// uninstallHook is the script that VS Code runs when an extension is uninstalled.
const uninstallHook = "vscode:uninstall"

// usualInstall matches scripts that build or fetch what a package is known to need.
var usualInstall = regexp.MustCompile(`^(?:npx |npm exec |yarn |pnpm )?(?:(?:cd [\w./-]+ && )?(?:npm|yarn|pnpm)(?: (?:run|install|ci|i|rebuild|update|--?[\w-]+|[\w:.@/-]+))*|node-gyp(?:-build)?\b.*|prebuild-install\b.*|node-pre-gyp\b.*|husky(?: install)?|patch-package|electron-builder install-app-deps|electron-rebuild|opencollective[\w-]*.*|ngcc.*|node (?:\./)?node_modules/vscode/bin/install|tsc\b.*|exit 0|true|echo [\w ]*|lerna bootstrap|is-ci .*|lint-staged|simple-git-hooks)$`)

// Scripts that download, decode or hide what they run.
var dangerousScript = regexp.MustCompile(`(?i)\b(?:curl|wget|bitsadmin|certutil|mshta|rundll32|regsvr32|iwr|invoke-webrequest|invoke-expression|iex|downloadstring)\b|powershell(?:\.exe)?\b.*\s-(?:e|en|enc|encodedcommand|w|windowstyle)\b|\bbase64\b|\bnode\s+(?:-e|--eval|-p)\b|\bpython3?\s+-c\b|\beval\b|https?://|\bnc\s+-|/dev/tcp/|\bchmod \+x\b|\batob\b|\bosascript\b|` + mediaArgument)

// mediaArgument matches a program that is given a picture or a font to run.
const mediaArgument = `(?:node|sh|bash|python3?|bun|deno run)(?:\.exe)?["']?\s+["']?[\w./\\@${}-]*\.(?:woff2?|ttf|otf|eot|png|jpe?g|gif|ico|svg|bmp|webp|mp[34]|pdf|css)\b`

// checkScripts looks at the scripts that npm runs when a package is installed. Editors do not run
// those of an extension.
func (s *Scanner) checkScripts(f *file, scripts any, own bool) {
	all, _ := scripts.(map[string]any)
	for _, hook := range append([]string{uninstallHook}, installHooks...) {
		command := strings.TrimSpace(asText(all[hook]))
		if command == "" || (hook == "prepare" || hook == uninstallHook) && !dangerousScript.MatchString(command) {
			continue
		}
		severity := Medium
		switch {
		case dangerous(command):
			severity = High
		case !own, harmless(command):
			severity = Low
		}
		s.findings.add(f.text(installScript, severity, `"`+hook+`"`, fmt.Sprintf("script %s: %s", hook, command)))
	}
}

// dangerous reports whether a command downloads, decodes or hides what it runs.
func dangerous(command string) bool {
	return len(command) > 2000 || dangerousScript.MatchString(command)
}

func harmless(command string) bool {
	for part := range strings.SplitSeq(strings.ReplaceAll(command, "||", "&&"), "&&") {
		if part = strings.TrimSpace(part); !strings.HasPrefix(part, "cd ") && !usualInstall.MatchString(part) {
			return false
		}
	}
	return true
}

// addBundled looks at the package.json of a bundled npm package.
func (s *Scanner) addBundled(f *file) {
	var d description
	if json2.Unmarshal(f.content, &d) == nil {
		s.checkScripts(f, d.Scripts, false)
	}
}

// A task is what a file tasks.json says of a task.
type task struct {
	Type         any                   `json:"type"`
	Command      any                   `json:"command"`
	Args         any                   `json:"args"`
	RunOptions   struct{ RunOn any }   `json:"runOptions"`
	Presentation map[string]any        `json:"presentation"`
	Windows      struct{ Command any } `json:"windows"`
	Linux        struct{ Command any } `json:"linux"`
	Osx          struct{ Command any } `json:"osx"`
}

// checkTasks looks for tasks that run when a folder is opened. Those of build tools are usual.
func (s *Scanner) checkTasks(f *file) {
	if !strings.Contains(string(f.content), "folderOpen") {
		return
	}
	tasks, err := readTasks(f)
	if err != nil {
		s.findings.add(f.text(folderTask, Medium, "folderOpen", "a task seems to run when the folder is opened; the file cannot be read completely"))
		return
	}
	for i := range tasks {
		t := &tasks[i]
		if asText(t.RunOptions.RunOn) != "folderOpen" {
			continue
		}
		severity := Medium
		if t.unusual() {
			severity = High
		}
		s.findings.add(f.text(folderTask, severity, "folderOpen", "a task runs when the folder is opened: "+t.line()))
	}
}

// checkWrittenTasks looks for code that may write such a task into a folder.
func (s *Scanner) checkWrittenTasks(f *file) {
	if !bytes.Contains(f.content, []byte("folderOpen")) {
		return
	}
	severity := Medium
	if writesUnusualTask(f.content) {
		severity = High
	}
	if bytes.Contains(f.content, []byte("runOn")) && bytes.Contains(f.content, []byte("tasks.json")) {
		s.findings.add(f.text(folderTask, severity, "folderOpen", "the code may write a task that runs when a folder is opened"))
	}
}

// writtenCommand matches the command of a task in code, also in JSON that is a text there.
var writtenCommand = regexp.MustCompile(`\bcommand\\?["']?\s*:\s*\\?["'\x60]([^"'\x60\\]{2,200})`)

// writesUnusualTask reports whether code has a task that runs when a folder is opened, and runs
// something else than a build tool.
func writesUnusualTask(b []byte) bool {
	const near = 500
	at := bytes.Index(b, []byte("folderOpen"))
	around := b[max(0, at-near):min(len(b), at+near)]
	if !bytes.Contains(around, []byte("runOn")) {
		return false
	}
	for _, m := range writtenCommand.FindAllSubmatch(around, -1) {
		if command := string(m[1]); strings.IndexByte(command, ' ') > 0 && (dangerous(command) || !builds(command)) {
			return true
		}
	}
	return false
}

// readTasks returns the tasks of a file tasks.json, or of a workspace.
func readTasks(f *file) ([]task, error) {
	text, err := hujson.Standardize(slices.Clone(f.content))
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(f.Name, ".code-workspace") {
		var workspace struct {
			Tasks struct {
				Tasks []task `json:"tasks"`
			} `json:"tasks"`
		}
		err = json2.Unmarshal(text, &workspace, json2.MatchCaseInsensitiveNames(true))
		return workspace.Tasks.Tasks, err
	}
	var document struct {
		Tasks []task `json:"tasks"`
	}
	err = json2.Unmarshal(text, &document, json2.MatchCaseInsensitiveNames(true))
	return document.Tasks, err
}

func (t *task) line() string {
	words := []string{asText(t.Command), asText(t.Windows.Command), asText(t.Linux.Command), asText(t.Osx.Command)}
	words = append(words, asTexts(t.Args)...)
	return strings.TrimSpace(strings.Join(words, " "))
}

// buildTool matches commands that watch or build a project.
var buildTool = regexp.MustCompile(`^(?:npm|yarn|pnpm|npx|bun|tsc|gulp|grunt|make|cargo|go|dotnet|mvn|gradle|\./gradlew|webpack|vite|esbuild|docker|docker-compose|git|echo|code|bundle|rake|mix|poetry|uv|pip|flutter|jekyll|hugo)\b`)

// unusual reports whether a task runs something else than a build tool, or hides what it does.
func (t *task) unusual() bool {
	kind, line := asText(t.Type), t.line()
	if kind != "shell" && kind != "process" && kind != "" {
		return false
	}
	return dangerous(line) || !builds(line)
}

// builds reports whether each command of a command line is one of a build tool, and none is
// downloaded to be run.
func builds(line string) bool {
	for part := range strings.FieldsFuncSeq(line, func(r rune) bool { return r == '&' || r == ';' || r == '|' }) {
		if part = strings.TrimSpace(part); part != "" && !strings.HasPrefix(part, "cd ") && !buildTool.MatchString(part) || runsUnknown.MatchString(part) {
			return false
		}
	}
	return line != ""
}

// runsUnknown matches the command of a package that is downloaded without a question.
var runsUnknown = regexp.MustCompile(`^(?:npx\s+(?:-y|--yes)|npm\s+exec\s+(?:-y|--yes)|(?:pnpm|yarn)\s+dlx|bunx|uvx)\b`)
