package vet

import (
	"bytes"
	"regexp"
)

// otherPayload matches statements of Python, PowerShell and shells that run what they decode or
// download.
var otherPayload = regexp.MustCompile(`(?i)\b(?:exec|eval)\s*\(\s*(?:compile\s*\(\s*)?(?:__import__\s*\(\s*["'](?:base64|zlib|marshal|codecs)["']|(?:\w+\.)?(?:b64decode|b85decode|b32decode|a85decode|decompress|fromhex|unhexlify|loads)\s*\(|requests\.get|(?:urllib\.\w+\.)?urlopen)|\bfrombase64string\b[^\n]{0,200}\|\s*(?:iex|invoke-expression)\b|\b(?:iex|invoke-expression)\b[^\n]{0,200}\b(?:frombase64string|downloadstring|iwr|irm|invoke-webrequest|invoke-restmethod)\b|\b(?:iwr|irm|invoke-webrequest|invoke-restmethod|downloadstring)\b[^\n]{0,200}\|\s*(?:iex|invoke-expression)\b|\bbase64\s+(?:-d|--decode|-D)\b[^\n|]*\|\s*(?:ba|z|da)?sh\b|\beval\s+"?\$\(\s*(?:echo|printf|base64)\b[^\n]*base64|\bpowershell(?:\.exe)?\b[^\n]*\s-(?:e|en|enc|encodedcommand)\s+["']?[A-Za-z0-9+/=]{40}|/dev/tcp/\d+\.\d+\.\d+\.\d+/`)

// maxScript limits how much of a script is read.
const maxScript = 1 << 20

// checkScript looks for the same in programs that are not JavaScript.
func (s *Scanner) checkScript(f *file) {
	if at := otherPayload.FindIndex(f.content[:min(len(f.content), maxScript)]); at != nil {
		s.findings.add(f.at(encodedPayload, High, at[0], at[1], "the script runs what it decodes or downloads"))
	}
}

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
