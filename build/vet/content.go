package vet

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"galbuild/build/vsix"
)

// file is a file that rules look at.
type file struct {
	vsix.Entry
	content []byte // or its beginning, if cut
	cut     bool
	kind    string
	class   string // of the name
}

func (f *file) bundled() bool { return strings.Contains(f.Name, "/node_modules/") }

// isCode reports whether the file is JavaScript, or something that Node.js would run as such.
func (f *file) isCode() bool {
	return f.class == scriptName && (f.kind == text || f.kind == script || f.kind == unknown) ||
		f.class == "" && f.kind == script && bytes.Contains(f.content[:min(len(f.content), 80)], []byte("node"))
}

// isSource reports whether the file is text that some program runs.
func (f *file) isSource() bool { return f.isCode() || f.class == shellName || f.kind == script }

// line returns the number of the line of an offset, from 1.
func (f *file) line(offset int) int { return 1 + bytes.Count(f.content[:offset], []byte("\n")) }

// at returns a finding about the bytes of a file between two offsets.
func (f *file) at(rule string, severity Severity, from, to int, detail string) Finding {
	return Finding{Rule: rule, Severity: severity, Detail: clip(detail), File: f.Name, Line: f.line(from),
		Evidence: evidence(f.content[from:min(to, len(f.content))])}
}

// whole returns a finding about a file.
func (f *file) whole(rule string, severity Severity, detail string) Finding {
	return Finding{Rule: rule, Severity: severity, Detail: clip(detail), File: f.Name, Evidence: evidence(f.content[:min(len(f.content), 32)])}
}

// checkContent compares the bytes of a file with its name.
func (s *Scanner) checkContent(f *file) {
	if reason, severity := contradiction(f); reason != "" {
		s.findings.add(f.whole(wrongContent, severity, reason))
		return
	}
	if f.class == mediaName {
		s.checkHiddenCode(f)
	}
}

// contradiction returns how the bytes of a file contradict its name.
func contradiction(f *file) (reason string, severity Severity) {
	ext := path.Ext(f.Name)
	switch f.class {
	case mediaName:
		return mediaContradiction(f)
	case dataName, scriptName:
		if isNative(f.kind) {
			return fmt.Sprintf("a file with the extension %s is a %s", ext, f.kind), High
		}
		if f.kind != text {
			break
		}
		switch strings.ToLower(ext) {
		case ".json", ".map":
			if !startsLikeJSON(f.content) && looksLikeCode(f.content) {
				return fmt.Sprintf("a file with the extension %s has code", ext), High
			}
		case ".svg", ".css", ".csv", ".yml", ".yaml", ".xml", ".toml", ".ini", ".lock":
			if startsLikeCode(f.content) {
				return fmt.Sprintf("a file with the extension %s has code", ext), High
			}
		}
	case nativeName:
		if f.kind == text && looksLikeCode(f.content) && !bytes.HasPrefix(f.content, []byte("#!")) {
			return fmt.Sprintf("a file with the extension %s has code in text", ext), High
		}
	case packName, recordName:
		if isNative(f.kind) && f.kind != wasm {
			return fmt.Sprintf("a file with the extension %s is a %s", ext, f.kind), High
		}
	}
	return "", 0
}

// mediaContradiction is contradiction for pictures, fonts and sounds.
func mediaContradiction(f *file) (reason string, severity Severity) {
	ext := path.Ext(f.Name)
	switch {
	case isNative(f.kind), f.kind == script:
		return fmt.Sprintf("a file with the extension %s is a %s", ext, f.kind), High
	case f.kind != text:
		return "", 0
	case startsLikeMarkup(f.content) && !bytes.Contains(bytes.ToLower(f.content[:min(len(f.content), headSize)]), []byte("<script")):
		return "", 0 // an SVG, or the error page of a server
	case looksLikeCode(f.content):
		return fmt.Sprintf("a file with the extension %s has code", ext), High
	case len(f.content) > 512 && !isPointer(f.content):
		return fmt.Sprintf("a file with the extension %s is text", ext), Low
	}
	return "", 0
}

func startsLikeMarkup(b []byte) bool { return bytes.HasPrefix(trimStart(b), []byte("<")) }

// isPointer reports whether a file is what Git LFS leaves in place of a large file.
func isPointer(b []byte) bool { return bytes.HasPrefix(b, []byte("version https://git-lfs")) }

// trimStart removes white space and a byte order mark from the start.
func trimStart(b []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\ufeff")), " \t\r\n")
}

// startsLikeJSON reports whether a text begins like JSON, with or without comments.
func startsLikeJSON(b []byte) bool {
	b = trimStart(b)
	for bytes.HasPrefix(b, []byte("//")) || bytes.HasPrefix(b, []byte("/*")) || bytes.HasPrefix(b, []byte("#")) {
		end := "\n"
		if bytes.HasPrefix(b, []byte("/*")) {
			end = "*/"
		}
		_, b, _ = bytes.Cut(b, []byte(end))
		b = trimStart(b)
	}
	if len(b) == 0 {
		return true
	}
	switch b[0] {
	case '[', '"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return true
	case '{':
		b = trimStart(b[1:])
		return len(b) == 0 || strings.IndexByte(`"}'/`, b[0]) >= 0
	}
	return bytes.HasPrefix(b, []byte("true")) || bytes.HasPrefix(b, []byte("false")) || bytes.HasPrefix(b, []byte("null"))
}

// startsLikeCode reports whether a text begins with a statement of JavaScript.
func startsLikeCode(b []byte) bool {
	b = trimStart(b)
	for _, word := range []string{"const ", "let ", "var ", "require(", "eval(", "(function", "(()", "(async", "!function", "module.", "global", "\"use strict\"", "'use strict'", "import("} {
		if bytes.HasPrefix(b, []byte(word)) {
			return looksLikeCode(b)
		}
	}
	return false
}

// minHiddenCode is the length of the shortest text in a picture or font that may be code.
const minHiddenCode = 60

// checkHiddenCode looks for code among the bytes of a picture, a font or a sound.
func (s *Scanner) checkHiddenCode(f *file) {
	for from := 0; from < len(f.content); {
		to := from
		for to < len(f.content) && printable(f.content[to]) {
			to++
		}
		if run := f.content[from:to]; to-from >= minHiddenCode && !startsLikeMarkup(run) && !bytes.Contains(run[:min(len(run), 2048)], []byte("</")) && hasWords(run, codeWords[:strongWords]) {
			s.findings.add(f.at(wrongContent, High, from, to, fmt.Sprintf("a file with the extension %s has code among its bytes", path.Ext(f.Name))))
			return
		}
		from = to + 1
	}
}

func printable(c byte) bool { return c >= ' ' && c < 0x7f || c == '\n' || c == '\t' || c == '\r' }

// list notes what a package has that can be run, and what was not looked into.
func (s *Scanner) list(f *file) {
	switch {
	case isNative(f.kind):
		s.addBinary(f)
		s.findings.add(f.whole(executable, Low, "a "+f.kind))
	case f.class == shellName && !f.bundled(), f.kind == script && f.class != scriptName:
		s.findings.add(f.whole(executable, Low, "a script"))
	case f.kind == bytecode:
		s.findings.add(f.whole(notChecked, Medium, "this is code that V8 has compiled, which cannot be read"))
	case f.kind == archive && f.class != dataName, f.class == packName && f.kind == unknown:
		s.findings.add(f.whole(notChecked, Low, "this archive was not looked into"))
	}
	if f.cut {
		s.findings.add(f.whole(notChecked, Low, fmt.Sprintf("of this file with %d bytes, only the beginning was read", f.Size)))
	}
	if f.class == scriptName && f.kind == unknown && f.Size > 0 {
		s.findings.add(f.whole(notChecked, Low, "the encoding of this file is not known"))
	}
}
