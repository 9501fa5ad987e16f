package vet

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"
)

// otherPayload matches statements of Python, PowerShell and shells that run what they decode or
// download.
var otherPayload = regexp.MustCompile(`(?i)\b(?:exec|eval)\s*\(\s*(?:compile\s*\(\s*)?(?:__import__\s*\(\s*["'](?:base64|zlib|marshal|codecs)["']|(?:\w+\.)?(?:b64decode|b85decode|b32decode|a85decode|decompress|fromhex|unhexlify|loads)\s*\(|requests\.get|(?:urllib\.\w+\.)?urlopen)|\bfrombase64string\b[^\n]{0,200}\|\s*(?:iex|invoke-expression)\b|\b(?:iex|invoke-expression)\b[^\n]{0,200}\b(?:frombase64string|downloadstring|iwr|irm|invoke-webrequest|invoke-restmethod)\b|\b(?:iwr|irm|invoke-webrequest|invoke-restmethod|downloadstring)\b[^\n]{0,200}\|\s*(?:iex|invoke-expression)\b|\bbase64\s+(?:-d|--decode|-D)\b[^\n|]*\|\s*(?:ba|z|da)?sh\b|\beval\s+"?\$\(\s*(?:echo|printf|base64)\b[^\n]*base64|\bpowershell(?:\.exe)?\b[^\n]*\s-(?:e|en|enc|encodedcommand)\s+["']?[A-Za-z0-9+/=]{40}|/dev/tcp/\d+\.\d+\.\d+\.\d+/`)

// maxScript limits how much of a script is read.
const maxScript = 1 << 20

// checkScript looks for the same in programs that are not JavaScript.
func (s *Scanner) checkScript(f *file) {
	b := f.content[:min(len(f.content), maxScript)]
	at := otherPayload.FindIndex(b)
	if at == nil {
		at = runsVariable(b)
	}
	if at == nil {
		at = pipedInstaller(b)
	}
	if at == nil && strings.EqualFold(path.Ext(f.Name), ".vbs") {
		at = savedByScript.FindIndex(b)
	}
	if at != nil {
		s.findings.add(f.at(encodedPayload, High, at[0], at[1], "the script runs what it decodes or downloads"))
	}
}

// given matches a variable that is given something decoded or downloaded, in Python, PowerShell
// and shells.
var given = regexp.MustCompile(`(?im)(?:^|[;{&]|\blocal )[ \t]*\$?([a-z_]\w*)[ \t]*=[^\n;]*?(?:\bb64decode\b|\bdecompress\(|\burlopen\b|\brequests\.(?:get|post)\b|\bDownloadString\b|\bFromBase64String\b|\bInvoke-(?:WebRequest|RestMethod)\b|\biwr\b|\birm\b|\bbase64 +(?:-d|-D|--decode)\b|\bcurl +|\bwget +)`)

// runs matches a statement that runs the value of a variable.
var runs = regexp.MustCompile(`(?im)(?:\b(?:exec|eval)\s*\(\s*(?:compile\s*\(\s*)?|\b(?:iex|invoke-expression)[ \t]+\(?|\b(?:eval|(?:ba|z|da)?sh -c)[ \t]+"?|\becho[ \t]+"?)\$?\{?([a-z_]\w*)\}?"?([^\n]*)`)

// runsVariable finds a statement that runs a variable that was given something decoded or
// downloaded.
func runsVariable(b []byte) []int {
	names := make(map[string]bool)
	for _, m := range given.FindAllSubmatch(b, 100) {
		names[string(bytes.ToLower(m[1]))] = true
	}
	if len(names) == 0 {
		return nil
	}
	for _, m := range runs.FindAllSubmatchIndex(b, 1000) {
		if !names[string(bytes.ToLower(b[m[2]:m[3]]))] {
			continue
		}
		isEcho := bytes.HasPrefix(bytes.ToLower(b[m[0]:m[1]]), []byte("echo"))
		if !isEcho || intoShellCommand.Match(b[m[4]:m[5]]) {
			return m[:2]
		}
	}
	return nil
}

// intoShellCommand matches the end of a pipe into a shell.
var intoShellCommand = regexp.MustCompile(`\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b`)

// piped matches a download that is piped into a shell or an interpreter.
var piped = regexp.MustCompile(`(?m)^[^#\n]*?\b(?:curl|wget)\b[^|\n]*?(https?://[^\s"'|]+)[^|\n]*\|\s*(?:sudo\s+)?(?:(?:ba|z|da)?sh|node|python3?|cmd)\b`)

// installers are the addresses of installers that are known to be run like this.
var installers = []string{"sh.rustup.rs", "get.docker.com", "bun.sh/", "deno.land/", "get.pnpm.io", "raw.githubusercontent.com/nvm-sh/", "raw.githubusercontent.com/Homebrew/",
	"install.python-poetry.org", "astral.sh/", "get.sdkman.io", "get-ghcup.haskell.org", "deb.nodesource.com/", "nixos.org/", "fnm.vercel.app/", "cli.github.com/", "get.helm.sh", "install.duckdb.org", "dot.net/", "volta.sh"}

// pipedInstaller finds a download that is run, unless it is a well-known installer.
func pipedInstaller(b []byte) []int {
	for _, m := range piped.FindAllSubmatchIndex(b, 100) {
		if !isInstaller(string(b[m[2]:m[3]])) {
			return m[:2]
		}
	}
	return nil
}

// isInstaller reports whether an address is one of installers.
func isInstaller(address string) bool {
	address = strings.ToLower(address)
	return slices.ContainsFunc(installers, func(known string) bool {
		known = strings.ToLower(known)
		return strings.HasPrefix(address, "https://"+known) || strings.HasPrefix(address, "https://www."+known)
	})
}

// savedByScript matches a script that saves a download to a file and runs it.
var savedByScript = regexp.MustCompile(`(?is)XMLHTTP.*\bSaveToFile\b.*\.(?:Run|Exec|ShellExecute)\b`)

// Obfuscated code has many names such as _0x1a2b3c.
const (
	madeUpName  = "_0x"
	manyMadeUp  = 50
	minPerBytes = 400 // one such name in so many bytes
)

// checkObfuscated looks for the names that programs such as javascript-obfuscator make up.
func (s *Scanner) checkObfuscated(f *file) {
	n := bytes.Count(f.content, []byte(madeUpName))
	if n < manyMadeUp || len(f.content)/n > minPerBytes {
		return
	}
	at := bytes.Index(f.content, []byte(madeUpName))
	s.findings.add(f.at(obfuscated, Medium, at, at+maxEvidence, "the names in this code are made up by a program that obfuscates"))
}
