// Package mime has the media types that vsce writes to [Content_Types].xml.
//
// They are those of the npm package mime 1.6.0 (MIT licence, Copyright (c) 2010 Benjamin
// Thomas, Robert Kieffer), not those of the system, so that the same folder gives the same
// package everywhere. types.tsv has a line for each extension, sorted: the extension without
// its dot, a tab, the media type.
package mime

import (
	_ "embed"
	"encoding/xml"
	"slices"
	"strings"
	"sync"
	"unicode/utf16"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"galbuild/build/ecmascript"
)

//go:embed types.tsv
var table string

var types = sync.OnceValue(func() map[string]string {
	byExtension := make(map[string]string)
	for line := range strings.Lines(table) {
		ext, mediaType, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		byExtension[ext] = mediaType
	}
	return byExtension
})

// TypeByExtension returns the media type of an extension without regard to case, such as
// video/mp2t for ".ts". That of an unknown extension, and of "", is application/octet-stream.
// Like mime, it also accepts a file name or a path.
func TypeByExtension(ext string) string {
	if t, ok := types()[lower(ext[strings.LastIndexAny(ext, `./\`)+1:])]; ok {
		return t
	}
	return "application/octet-stream"
}

// Extension returns the extension of a slashed path as vsce determines it: as Node.js does, with
// its dot, and in lower case.
func Extension(name string) string { return lower(ecmascript.Extname(name)) }

// lower converts to lower case as in JavaScript, where a Σ at the end of a word becomes ς.
func lower(s string) string { return cases.Lower(language.Und).String(s) }

// ContentTypes returns the [Content_Types].xml of a package with these entries. It has an element
// for each extension, sorted, with the leading dot that vsce writes, and always those for .json
// and .vsixmanifest. Unlike vsce it escapes extensions, and replaces characters that XML does
// not allow by U+FFFD, so that the XML is well-formed.
func ContentTypes(entries []string) []byte {
	extensions := []string{".json", ".vsixmanifest"}
	for _, name := range entries {
		if ext := Extension(name); ext != "" {
			extensions = append(extensions, ext)
		}
	}
	slices.SortFunc(extensions, compare)
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?>` + "\n" +
		`<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">`)
	for _, ext := range slices.Compact(extensions) {
		b.WriteString(`<Default Extension="` + escape(ext) + `" ContentType="` + packageType(ext) + `"/>`)
	}
	b.WriteString("</Types>\n")
	return []byte(b.String())
}

// compare orders extensions as vsce does. vsce sorts whole elements by UTF-16 code units, so the
// quotation mark after an extension matters.
func compare(a, b string) int {
	return slices.Compare(utf16.Encode([]rune(a+`"`)), utf16.Encode([]rune(b+`"`)))
}

// packageType is TypeByExtension, with the type of the manifest, which mime does not have.
func packageType(ext string) string {
	if ext == ".vsixmanifest" {
		return "text/xml"
	}
	return TypeByExtension(ext)
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder returns no errors
	return b.String()
}
