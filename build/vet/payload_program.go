package vet

import (
	"bytes"
	"fmt"
	"regexp"
)

// program looks at a call that runs a program or a command line.
func (p *payloadScan) program(c call, arguments, code []byte) {
	p.uses("programs")
	first := firstOf(code)
	line := bytes.ToLower(joinedWords(arguments))
	switch {
	case p.startsLater(line):
		p.report(c, arguments, "code has a program started again whenever the user logs in, or at intervals")
	case fetchesAndRuns(line), fetchesAndRuns(bytes.ToLower(arguments)), fetchesAndRuns(p.lineOf(c, first)):
		p.report(c, arguments, "code runs a command line that downloads or decodes what it runs")
	case runsFile.in(line):
		p.report(c, arguments, "code runs a file with the name of a picture or font")
	case encoded.in(code) && evalOption.Match(code):
		p.report(c, arguments, fmt.Sprintf("code runs (%s) an interpreter with code that it decodes", c.name))
	case p.direct(c, first):
		p.report(c, arguments, fmt.Sprintf("code runs (%s) a command line that it decodes or downloads", c.name))
	}
}

// startsLater reports whether a command line has a program started by the system later.
func (p *payloadScan) startsLater(line []byte) bool { return persists.in(line) }

var persists = newSearch("schtasks reg", `\bschtasks\b.*\s/create\b.*/tr\b|\breg(?:\.exe)?\s+add\b.*\\currentversion\\+run\b`)

// lineOf returns the value, in lower case, of the name that is run as a command line.
func (p *payloadScan) lineOf(c call, first []byte) []byte {
	name := string(bytes.TrimSpace(first))
	if len(name) < 2 || len(name) > maxName || !isName(name) {
		return nil
	}
	return bytes.ToLower(p.assigned(c.from, name))
}

// fetchesAndRuns reports whether a command line, in lower case, downloads or decodes what it
// runs, and that is not a well-known installer.
func fetchesAndRuns(line []byte) bool {
	if !fetchRun.in(line) {
		return false
	}
	m := pipedAddress.FindSubmatch(line)
	return m == nil || !isInstaller(string(m[1]))
}

// pipedAddress matches the address in a download that is piped into a shell.
var pipedAddress = regexp.MustCompile(`\b(?:curl|wget)\b[^|;]*?(https?://[^\s"'|)]+)`)

// direct reports whether the first argument is decoded: in the call itself, or in the value of
// the name that it is.
func (p *payloadScan) direct(c call, first []byte) bool {
	if encoded.in(first) || letterByLetter.Match(first) {
		return true
	}
	name := string(bytes.TrimSpace(asTextCall.ReplaceAll(first, nil)))
	if name != "" && len(name) <= maxName && isNameByte(name[0]) && p.isDownloaded(c.from, name) {
		return true
	}
	if len(name) < 2 || !isName(name) {
		return false
	}
	value, _ := outline(p.assigned(c.from, name))
	return encoded.in(value) || letterByLetter.Match(value)
}

// letterByLetter matches a text that is written as an array of letters.
var letterByLetter = regexp.MustCompile(`\[(?:\s*["']\w["']\s*,){2,}\s*["']\w["']\s*\]\s*\.join\(\s*["']["']`)

// asTextCall matches what makes a text of a value.
var asTextCall = regexp.MustCompile(`\.(?:toString|trim)\([^)]*\)`)

// encoded matches the decoding of base64, hexadecimal digits and character codes. Other
// decodings are usual in command lines.
var encoded = newSearch("atob Buffer fromCharCode", `\batob\s*\(|\bBuffer\.from\s*\([^()]*["'](?:base64(?:url)?|hex)["']|\bfromCharCode\b`)

// evalOption matches the option of an interpreter before the code that it runs.
var evalOption = regexp.MustCompile(`(?i)["'\x60](?:-e|-c|-p|--eval|-command|-enc|-encodedcommand)["'\x60]\s*,`)

// joinedWords returns texts in an array as one command line.
func joinedWords(arguments []byte) []byte {
	arguments = bytes.ReplaceAll(arguments[:min(len(arguments), 500)], []byte("process.execPath"), []byte("node"))
	return betweenWords.ReplaceAll(arguments, []byte(" "))
}

var betweenWords = regexp.MustCompile(`["'\x60]?\s*,\s*\[?\s*(?:(?:path\.)?(?:join|resolve)\([^"')]*)?["'\x60]?|["']\s*\+\s*[\w.]*\s*\+?\s*["']?`)

// modules are those whose names are hidden by code that is up to something.
var modules = regexp.MustCompile(`^(?:node:)?(?:child_process|fs|https?|net|vm|os|dns|crypto)$`)
