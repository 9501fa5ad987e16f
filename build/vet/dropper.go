package vet

import (
	"bytes"
	"regexp"
)

// droppers looks for code that runs programs in ways that harmless code does not need: a file
// that it writes just before, a shell whose input comes from a connection, and the internals of
// Node.js.
func (p *payloadScan) droppers() {
	p.eachMatch(writtenFile, p.written)
	p.eachMatch(shellProcess, p.remoteShell)
	p.eachMatch(mediaLoader, func(at []int) { p.reportAt(at, "code loads pictures or fonts as modules or libraries") })
	if p.f.bundled() {
		return
	}
	p.eachMatch(binding, func(at []int) {
		p.reportAt(at, "code starts programs through the internals of Node.js")
	})
}

var (
	writtenFile  = newSearch("writeFile createWriteStream", `\b(?:writeFile|writeFileSync|createWriteStream)\s*\(\s*`)
	shellProcess = newSearch("spawn exec", `\b(?:spawn|execFile|exec)\s*\(\s*["'\x60](?:/bin/)?(?:ba|z|da)?(?:sh|cmd(?:\.exe)?|powershell(?:\.exe)?)["'\x60]`)
	binding      = newSearch("binding", `\bprocess\.(?:binding|_linkedBinding)\s*\(\s*["'\x60](?:spawn_sync|process_wrap)["'\x60]`)
	mediaLoader  = newSearch("_extensions dlopen", `\b_extensions\s*\[\s*["'\x60]\.(?:woff2?|ttf|otf|eot|png|jpe?g|gif|ico|svg|bmp|css|md|txt|dat)["'\x60]\s*\]\s*=|\bdlopen\s*\([^;\n]{0,80}\.(?:woff2?|ttf|otf|eot|png|jpe?g|gif|ico|svg|bmp|css|md|txt|dat)["'\x60]`)
	startup      = regexp.MustCompile(`(?i)Programs[\\/"', ]+Startup\b|LaunchAgents`)
	connects     = regexp.MustCompile(`\bnet\b|\btls\b|\bSocket\b|\bcreateConnection\b|\bWebSocket\b`)
	intoShell    = regexp.MustCompile(`\.pipe\(\s*[\w$.]+\.stdin\b`)
	outOfShell   = regexp.MustCompile(`\.stdout\.pipe\(\s*[\w$]+\s*\)`)
	temporary    = regexp.MustCompile(`\btmpdir\s*\(|\bTE?MP\b|["'\x60]/tmp/|/var/tmp/|["'\x60](?:Startup|AppData)["'\x60]|\\Startup\\`)
)

// eachMatch yields the places where a search matches.
func (p *payloadScan) eachMatch(s search, yield func(at []int)) {
	if !s.in(p.b) {
		return
	}
	for _, at := range s.pattern.FindAllIndex(p.b, 1000) {
		yield(at)
	}
}

func (p *payloadScan) reportAt(at []int, detail string) {
	p.report(call{from: at[0], open: at[1] - 1}, p.b[at[1]:min(len(p.b), at[1]+maxEvidence)], detail)
}

// How far from each other the parts of a dropper are.
const (
	farRun    = 600
	farSource = 500
)

// written looks at a file that is written. It is suspicious if it is run soon after, and its
// content is decoded, or it is downloaded into a folder for temporary files.
func (p *payloadScan) written(at []int) {
	arguments := arguments(p.b, at[1]-1-trailing(p.b[at[0]:at[1]]))
	target := bytes.TrimSpace(firstOf(arguments))
	if encoded.in(arguments) && startup.Match(target) {
		p.reportAt(at, "code writes a program that it decodes where the system starts it when the user logs in")
		return
	}
	if len(target) == 0 || len(target) > 100 || !p.isRun(at[1]+len(arguments), target) {
		return
	}
	content := arguments[min(len(arguments), len(target)):]
	around := p.b[max(0, at[0]-farSource):min(len(p.b), at[1]+farRun)]
	switch {
	case encoded.in(content):
		p.reportAt(at, "code runs a file with content that it decodes")
	case download.in(around) && (temporary.Match(target) || temporary.Match(p.assigned(at[0], string(target)))):
		p.reportAt(at, "code downloads a program into a folder for temporary files, and runs it")
	}
}

// trailing returns the number of spaces after the bracket that opens a call.
func trailing(b []byte) int { return len(b) - 1 - bytes.LastIndexByte(b, '(') }

// isRun reports whether a call soon after an offset runs or loads the file that an expression
// names.
func (p *payloadScan) isRun(from int, target []byte) bool {
	after := p.b[min(from, len(p.b)):min(len(p.b), from+farRun)]
	for i := 0; ; {
		n := bytes.Index(after[i:], target)
		if n < 0 {
			return false
		}
		at := i + n
		if runsTarget.Match(after[max(0, at-40):at]) {
			return true
		}
		i = at + len(target)
	}
}

// runsTarget matches the beginning of a call before its first argument.
var runsTarget = regexp.MustCompile(`\b(?:exec|execSync|execFile|execFileSync|spawn|spawnSync|fork|require|import)\s*\(\s*(?:["'\x60][\w .:&/"'\\-]*(?:["'\x60]\s*(?:\+|,\s*\[)\s*|\$\{))?$`)

// remoteShell looks at a shell that is started.
func (p *payloadScan) remoteShell(at []int) {
	around := p.b[max(0, at[0]-farSource):min(len(p.b), at[1]+farRun)]
	if connects.Match(around) && intoShell.Match(around) && outOfShell.Match(around) {
		p.reportAt(at, "code gives a shell to whoever is at the other end of a connection")
	}
}
