package vet

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"galbuild/build/secret"
	"galbuild/build/vsix"
)

// Version is that of the rules. It rises when the same package gives another result, so that
// callers who keep results vet the packages again. TestVersion fails if it does not.
const Version = 1

// maxFile is the size in bytes of the largest file that is read completely. Of a larger one, only
// the first headSize bytes are read.
const (
	maxFile  = 16 << 20
	headSize = 4 << 10
)

// Options select what a Scanner compares a package with. The zero value is ready for use.
type Options struct {
	Advisories *Advisories // about npm packages; nil: bundled packages are not compared with any
}

// Result is what was seen in a package.
type Result struct {
	Findings []Finding // sorted, see Sort
	Profile  Profile
}

// A Scanner looks at the files of one package, in any order. It needs memory for one file of at
// most 16 MiB at a time. It must not be used by several goroutines at once.
type Scanner struct {
	options     Options
	profile     Profile
	findings    findings
	contributes map[string]any
	hosts       map[string]bool
	used        map[string]bool // what the code can do
	code        string          // a file with code of the extension itself; "" if there is none
	bundled     vsix.Bundled
	buffer      bytes.Buffer
}

// NewScanner returns a scanner for the files of p.
func NewScanner(p *vsix.Package, o Options) *Scanner {
	s := newScanner(o)
	s.profile.Platform = p.Platform
	return s
}

func newScanner(o Options) *Scanner {
	return &Scanner{options: o, profile: Profile{Rules: Version}, hosts: make(map[string]bool), used: make(map[string]bool)}
}

// Read reads what it needs of a file from content, looks at it, and returns a reader of the
// complete content, which is valid until the next call.
func (s *Scanner) Read(e vsix.Entry, content io.Reader) (io.Reader, error) {
	n := e.Size
	if n > maxFile {
		n = headSize
	}
	s.buffer.Reset()
	if _, err := io.CopyN(&s.buffer, content, n); err != nil && err != io.EOF {
		return nil, err
	}
	s.Add(e, s.buffer.Bytes())
	return io.MultiReader(bytes.NewReader(s.buffer.Bytes()), content), nil
}

// Add looks at a file. Content is all of it, or the beginning of a file that is too large to be
// read completely. It is not kept.
func (s *Scanner) Add(e vsix.Entry, content []byte) {
	s.profile.Size += e.Size
	if e.Size == 0 || !strings.HasPrefix(e.Name, "extension/") {
		return
	}
	f := &file{Entry: e, content: content, cut: int64(len(content)) < e.Size, kind: kindOf(content), class: classes[extension(e.Name)]}
	s.list(f)
	s.checkContent(f)
	s.checkDescription(f)
	if f.kind == text || f.kind == script || f.class == scriptName {
		s.checkText(f)
	}
}

// checkDescription looks at the files that describe the extension, its tasks and bundled
// packages.
func (s *Scanner) checkDescription(f *file) {
	switch base := path.Base(f.Name); {
	case f.Name == "extension/package.json":
		s.addDescription(f)
	case base == "package.json" && s.bundled.Wants(f.Entry):
		s.bundled.Add(f.Entry, f.content)
		s.addBundled(f)
	case base == "tasks.json" && !f.bundled(), strings.HasSuffix(base, ".code-workspace"):
		s.checkTasks(f)
	}
}

// checkText looks at a file that is text.
func (s *Scanner) checkText(f *file) {
	s.checkCharacters(f)
	for _, x := range secret.Scan(strings.TrimPrefix(f.Name, "extension/"), f.content, secret.Options{}) {
		s.findings.add(Finding{Rule: secretRule, Severity: Medium, Detail: clip(x.Description), File: f.Name, Line: x.Line})
	}
	switch {
	case f.isCode():
		if !f.bundled() {
			s.code = f.Name
		}
		s.checkPayload(f)
		s.checkObfuscated(f)
		s.checkAddresses(f)
		s.checkConnections(f)
		s.checkJoined(f)
		s.checkDeadDrops(f)
		s.checkWrittenTasks(f)
		s.noteUses(f)
	case f.isSource():
		s.checkScript(f)
		s.checkAddresses(f)
	}
}

// uses notes what code can do.
func (s *Scanner) uses(what string) { s.used[what] = true }

// capabilities are texts in code that show what it can do.
var capabilities = map[string][]string{
	"network":  {`"https"`, `'https'`, `"http"`, `'http'`, `"net"`, `'net'`, "fetch(", "XMLHttpRequest", "WebSocket", "axios", `"node:http`, `"node:net"`},
	"programs": {"child_process"},
	"files":    {"writeFile", "createWriteStream", "homedir()", "process.env"},
}

func (s *Scanner) noteUses(f *file) {
	for what, all := range capabilities {
		for _, word := range all {
			if s.used[what] {
				break
			}
			if bytes.Contains(f.content, []byte(word)) {
				s.used[what] = true
			}
		}
	}
}

// Result returns the findings and the profile of the package, when all its files have been added.
func (s *Scanner) Result() Result {
	s.checkTheme()
	s.checkBundled()
	p := s.profile
	p.Hosts = s.hostList()
	slices.Sort(p.Binaries)
	for what := range s.used {
		p.Uses = append(p.Uses, what)
	}
	slices.Sort(p.Uses)
	p.shorten()
	return Result{s.findings.sorted(), p}
}

// addBinary notes a native or WebAssembly file for the profile.
func (s *Scanner) addBinary(f *file) {
	s.profile.Binaries = append(s.profile.Binaries, strings.TrimPrefix(f.Name, "extension/"))
}

// Points of contribution that need no code.
var withoutCode = map[string]bool{"themes": true, "iconThemes": true, "productIconThemes": true, "snippets": true}

// checkTheme looks for code in an extension that only contributes themes or snippets.
func (s *Scanner) checkTheme() {
	if s.profile.Main == "" && s.profile.Browser == "" || len(s.contributes) == 0 {
		return
	}
	for point := range s.contributes {
		if !withoutCode[point] {
			return
		}
	}
	severity, does := Medium, ""
	if len(s.used) > 0 {
		severity = High
		all := make([]string, 0, len(s.used))
		for what := range s.used {
			all = append(all, what)
		}
		slices.Sort(all)
		does = ", which uses " + strings.Join(all, ", ")
	}
	s.findings.add(Finding{Rule: codeInTheme, Severity: severity, File: "extension/package.json",
		Detail:   fmt.Sprintf("the extension contributes only themes or snippets, and has code that starts%s", does),
		Evidence: evidence([]byte(s.profile.Main + s.profile.Browser))})
}

// checkBundled compares the bundled npm packages with the advisories.
func (s *Scanner) checkBundled() {
	if s.options.Advisories == nil {
		return
	}
	for _, p := range s.bundled.Packages() {
		for _, a := range s.options.Advisories.About(p.Name, p.Version) {
			s.findings.add(Finding{Rule: advisory, Severity: a.Severity, File: "node_modules/" + p.Name,
				Detail: clip(fmt.Sprintf("%s@%s: %s %s", p.Name, p.Version, a.ID, a.Summary))})
		}
	}
}
