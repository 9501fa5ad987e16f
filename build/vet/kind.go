package vet

import (
	"bytes"
	"encoding/binary"
	"path"
	"strings"
	"unicode/utf8"
)

// Kinds of content, as messages name them.
const (
	elf      = "ELF program or library"
	pe       = "Windows program or library"
	machO    = "macOS program or library"
	wasm     = "WebAssembly"
	script   = "script with #!"
	archive  = "archive"
	bytecode = "V8 bytecode"
	media    = "picture, font or sound"
	text     = "text"
	unknown  = ""
)

// isNative reports whether a kind is run by the processor.
func isNative(kind string) bool { return kind == elf || kind == pe || kind == machO || kind == wasm }

// magics are the first bytes of files.
var magics = []struct{ prefix, kind string }{
	{"\x7fELF", elf}, {"\x00asm", wasm}, {"#!", script},
	{"\xfe\xed\xfa\xce", machO}, {"\xfe\xed\xfa\xcf", machO}, {"\xce\xfa\xed\xfe", machO}, {"\xcf\xfa\xed\xfe", machO},
	{"PK\x03\x04", archive}, {"\x1f\x8b", archive}, {"7z\xbc\xaf", archive}, {"Rar!", archive}, {"BZh", archive},
	{"\xfd7zXZ", archive}, {"\x28\xb5\x2f\xfd", archive}, {"MSCF", archive},
	{"\x89PNG", media}, {"\xff\xd8\xff", media}, {"GIF8", media}, {"wOFF", media}, {"wOF2", media}, {"OTTO", media},
	{"\x00\x01\x00\x00", media}, {"true", media}, {"ttcf", media}, {"RIFF", media}, {"\x00\x00\x01\x00", media}, {"BM", media},
	{"ID3", media}, {"OggS", media}, {"fLaC", media}, {"II*\x00", media}, {"MM\x00*", media}, {"%PDF", media},
}

// kindOf returns what the content of a file is, by its first bytes.
func kindOf(content []byte) string {
	switch {
	case bytes.HasPrefix(content, []byte("MZ")) && isPE(content):
		return pe
	case bytes.HasPrefix(content, []byte("\xca\xfe\xba\xbe")):
		if len(content) >= 8 && binary.BigEndian.Uint32(content[4:]) < 40 { // a Java class has its version there
			return machO
		}
		return unknown
	case isBytecode(content):
		return bytecode
	}
	for _, m := range magics {
		if !bytes.HasPrefix(content, []byte(m.prefix)) {
			continue
		}
		if (m.prefix == "true" || m.prefix == "BM") && isText(content) {
			return text
		}
		return m.kind
	}
	if isText(content) {
		return text
	}
	return unknown
}

// isPE reports whether content that begins with MZ has the header of a Windows program. Old
// programs for DOS have none.
func isPE(content []byte) bool {
	if len(content) < 0x40 {
		return false
	}
	at := int(binary.LittleEndian.Uint32(content[0x3c:]))
	return at < 0 || at+4 > len(content) || string(content[at:at+4]) == "PE\x00\x00"
}

// isBytecode reports whether content is JavaScript that V8 has compiled, which nobody can read.
// Source: SerializedCodeData in src/snapshot/code-serializer.h of V8.
func isBytecode(content []byte) bool {
	return len(content) > 64 && content[2] == 0xde && content[3] == 0xc0 && !isText(content)
}

// isText reports whether content is text in UTF-8 or an older encoding.
func isText(content []byte) bool {
	head := content[:min(len(content), headSize)]
	if len(head) == 0 || bytes.IndexByte(head, 0) >= 0 {
		return false
	}
	control, broken := 0, 0
	for i := 0; i < len(head); {
		r, size := utf8.DecodeRune(head[i:])
		switch {
		case r == utf8.RuneError && size == 1 && i+utf8.UTFMax < len(head):
			broken++
		case r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' && r != 0x1b:
			control++
		}
		i += size
	}
	return control*100 <= len(head) && broken*20 <= len(head)
}

// Classes of names, by their extension.
const (
	scriptName = "script" // JavaScript and TypeScript
	shellName  = "shell"  // other programs in text
	mediaName  = "media"
	dataName   = "data"   // texts that are not run
	nativeName = "native" // programs and libraries
	packName   = "archive"
	recordName = "record" // data that only the extension reads
)

var classes = classesByExtension(map[string]string{
	scriptName: "js cjs mjs jsx ts tsx cts mts",
	shellName:  "sh bash zsh fish ps1 psm1 bat cmd vbs wsf hta py pyw rb pl php lua applescript",
	mediaName:  "png jpg jpeg gif ico bmp webp tif tiff woff woff2 ttf otf eot mp3 mp4 wav ogg webm flac m4a avi mov pdf icns heic avif",
	dataName:   "json css md markdown txt yml yaml xml svg html htm csv map toml ini plist tmlanguage tmtheme less scss lock jsonc",
	nativeName: "exe dll so dylib node wasm com scr msi",
	recordName: "dat db log tmp bak cache idx sqlite old",
	packName:   "zip vsix tgz gz tar jar war 7z rar xz bz2 zst asar whl nupkg cab",
})

func classesByExtension(lists map[string]string) map[string]string {
	all := make(map[string]string)
	for class, list := range lists {
		for ext := range strings.FieldsSeq(list) {
			all[ext] = class
		}
	}
	return all
}

// extension returns the extension of a name in lower case, without its dot.
func extension(name string) string { return strings.ToLower(strings.TrimPrefix(path.Ext(name), ".")) }

// codeWords are words that occur in JavaScript and hardly in other texts; the first ones not
// even in prose.
var codeWords = []string{"require(", "eval(", "Function(", "function(", "=>", "module.exports", "process.", "globalThis", "global[",
	"Buffer.", "atob(", "child_process", "fetch(", "fromCharCode", "exports.", "function ", "const ", "let ", "var ", "await ", "console.", "global."}

// strongWords is the number of codeWords that do not occur in prose.
const strongWords = 15

// looksLikeCode reports whether a text is JavaScript and not prose, JSON or XML.
func looksLikeCode(b []byte) bool { return hasWords(b, codeWords) }

// hasWords reports whether a text has at least two of the words, and brackets.
func hasWords(b []byte, words []string) bool {
	b = b[:min(len(b), 256<<10)]
	if bytes.IndexByte(b, '(') < 0 || bytes.IndexByte(b, ')') < 0 {
		return false
	}
	n := 0
	for _, word := range words {
		if bytes.Contains(b, []byte(word)) {
			if n++; n == 2 {
				return true
			}
		}
	}
	return false
}
