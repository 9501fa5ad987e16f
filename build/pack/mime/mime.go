// Package mime knows the media types that vsce writes into [Content_Types].xml.
//
// They are those of the npm package mime 1.6.0 (MIT licence, Copyright (c) 2010
// Benjamin Thomas, Robert Kieffer), not of the machine: the same folder gives the
// same package anywhere. types.tsv has a line for each extension, sorted: the
// extension without dot, a tab, the media type.
package mime

import (
	_ "embed"
	"encoding/xml"
	"slices"
	"strings"
	"sync"
	"unicode/utf16"

	"galbuild/build/ecmascript"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
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

// TypeByExtension returns the media type for an extension such as ".ts", in any
// case: video/mp2t. An unknown one, such as "", has application/octet-stream. Like
// mime, it takes a name or a path as well.
func TypeByExtension(ext string) string {
	if t, ok := types()[lower(ext[strings.LastIndexAny(ext, `./\`)+1:])]; ok {
		return t
	}
	return "application/octet-stream"
}

// Extension returns the extension of a slashed path as vsce looks it up: Node.js's, with
// its dot, in lower case.
func Extension(name string) string { return lower(ecmascript.Extname(name)) }

// lower is as in JavaScript, where a Σ that ends a word is a ς.
func lower(s string) string { return cases.Lower(language.Und).String(s) }

// ContentTypes returns [Content_Types].xml for a package of these entries: a line
// for each extension, with its dot as vsce writes it, sorted. Those of package.json
// and of the manifest are always there. Where vsce writes XML that none can read,
// this differs: extensions are escaped, and have U+FFFD for what XML forbids.
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

// compare is the order of vsce, which sorts the elements as JavaScript does, by
// UTF-16 code units; so the quotation mark after an extension counts.
func compare(a, b string) int {
	return slices.Compare(utf16.Encode([]rune(a+`"`)), utf16.Encode([]rune(b+`"`)))
}

// packageType is TypeByExtension but for the manifest, which mime does not know.
func packageType(ext string) string {
	if ext == ".vsixmanifest" {
		return "text/xml"
	}
	return TypeByExtension(ext)
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes all
	return b.String()
}
