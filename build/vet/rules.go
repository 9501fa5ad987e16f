package vet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"galbuild/build/visible"
	"galbuild/build/vsix"
)

// IDs of rules.
const (
	changed        = "changed"
	newBinary      = "new-binary"
	newHost        = "new-host"
	newActivation  = "new-activation"
	newEntryPoint  = "new-entry-point"
	newOwner       = "new-owner"
	newSize        = "new-size"
	hiddenChars    = "hidden-characters"
	wrongContent   = "wrong-content"
	executable     = "executable"
	codeInTheme    = "code-in-theme"
	activation     = "activation"
	folderTask     = "folder-task"
	installScript  = "install-script"
	lookAlike      = "look-alike"
	encodedPayload = "encoded-payload"
	obfuscated     = "obfuscated-code"
	address        = "address"
	secretRule     = "secret"
	advisory       = "advisory"
	denied         = "denied"
	notChecked     = "not-checked"
	scannerFound   = "scanner"
)

var rules = []Rule{
	{changed, High, "A version differs from the one before it in several ways that are unusual together."},
	{newBinary, Medium, "A version has a native or WebAssembly file, and the one before it has not."},
	{newHost, Medium, "The code names a host that the version before does not name."},
	{newActivation, Medium, "A version is activated by events that did not activate the one before it."},
	{newEntryPoint, High, "A version has code that starts, and the one before it had none, or the file that starts has another name."},
	{newOwner, Medium, "A version names another publisher or repository than the one before it."},
	{newSize, Low, "A version is several times as large as the one before it."},
	{hiddenChars, High, "Code has characters that are invisible, or that change the order in which others are shown."},
	{wrongContent, High, "The bytes of a file contradict its name, such as code in a font."},
	{executable, Low, "The package has a program, a native module, a WebAssembly file or a script for a shell."},
	{codeInTheme, High, "An extension that contributes only themes or snippets has code that starts."},
	{activation, Medium, "The extension starts with the editor, whatever the user does."},
	{folderTask, High, "A file tasks.json has a task that runs when a folder is opened."},
	{installScript, High, "A package.json has a script that npm runs when the package is installed."},
	{lookAlike, High, "The id or the display name is like that of another publisher's extension."},
	{encodedPayload, High, "Code decodes or downloads data and runs the result."},
	{obfuscated, Medium, "The code is obfuscated: the names in it are made up by a program, and its texts are encoded."},
	{address, High, "Code has a public IP address, or the address of a service to which stolen data is often sent."},
	{secretRule, Medium, "A file has a key or a token that should not be published."},
	{advisory, High, "A bundled npm package is malicious or vulnerable according to an advisory."},
	{denied, High, "A list denies the extension, the version or the package."},
	{notChecked, Low, "A check could not be made."},
	{scannerFound, High, "An external scanner has found something."},
}

// Rules returns all rules, in the order of the documentation.
func Rules() []Rule { return slices.Clone(rules) }

// External returns the IDs of rules for what only callers with a scanner or with advisories can
// find.
func External() []string { return []string{advisory, notChecked, scannerFound} }

// maxPerRule limits the findings of a rule about a package. The last one counts those that are
// left out.
const maxPerRule = 20

// findings collects the findings about a package.
type findings struct {
	all   []Finding
	count map[string]int
	left  map[string]int
}

// add adds a finding. Of too many findings of a rule, those of the highest severity are kept.
func (f *findings) add(x Finding) {
	if f.count == nil {
		f.count, f.left = make(map[string]int), make(map[string]int)
	}
	if f.count[x.Rule] < maxPerRule {
		f.count[x.Rule]++
		f.all = append(f.all, x)
		return
	}
	f.left[x.Rule]++
	for i := range f.all {
		if f.all[i].Rule == x.Rule && f.all[i].Severity < x.Severity {
			f.all[i] = x
			return
		}
	}
}

// full reports whether there are enough findings of a rule of at least this severity. Another
// one is only counted, so that it need not be made.
func (f *findings) full(rule string, severity Severity) bool {
	if f.count[rule] < maxPerRule {
		return false
	}
	for i := range f.all {
		if f.all[i].Rule == rule && f.all[i].Severity < severity {
			return false
		}
	}
	f.left[rule]++
	return true
}

// sorted returns the findings by severity, rule, file and line.
func (f *findings) sorted() []Finding {
	all := slices.Clone(f.all)
	for rule, n := range f.left {
		all = append(all, Finding{Rule: rule, Severity: Low, Detail: fmt.Sprintf("%d more findings of this rule are not listed", n)})
	}
	Sort(all)
	return all
}

// Sort sorts findings by severity, high first, then by rule, file, line and detail.
func Sort(all []Finding) {
	slices.SortFunc(all, func(a, b Finding) int {
		return cmp.Or(-cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line), cmp.Compare(a.Detail, b.Detail))
	})
}

// Denied returns the finding that a list denies a package.
func Denied(reason string) Finding {
	return Finding{Rule: denied, Severity: High, Detail: clip(reason)}
}

// NotChecked returns the finding that a check could not be made.
func NotChecked(reason string) Finding {
	return Finding{Rule: notChecked, Severity: Low, Detail: clip(reason)}
}

// Worst returns the highest severity of the findings, or 0 if there are none.
func Worst(all []Finding) (worst Severity) {
	for i := range all {
		worst = max(worst, all[i].Severity)
	}
	return worst
}

// maxEvidence is the length in bytes of the longest evidence.
const maxEvidence = 120

// evidence returns bytes of a package as text that can be printed.
func evidence(b []byte) string {
	text := strings.ToValidUTF8(string(b[:min(len(b), maxEvidence)]), "?")
	text = visible.Escape(text, "")
	if len(b) > maxEvidence {
		text += "…"
	}
	return text
}

// clip shortens a text that quotes a package.
func clip(s string) string {
	const longest = 300
	text, _ := vsix.Cut(s, longest)
	return text
}
