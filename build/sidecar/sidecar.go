// Package sidecar reads what an upstream gallery knew of a package: a sidecar x.vsix.json, and
// the latest.json and extension.json of vscodeoffline. It does no I/O.
//
// The text is one extension in one of these shapes, or a list or a response that has the
// extension in it:
//
//	{"extensionId": UUID, "lastUpdated": date, "statistics": {"install": 1}}  galbuild's own
//	{"statistics": [{"statisticName": …, "value": 1}], "versions": [{…}]}     the Marketplace's
//	{"results": [{"extensions": [{…}]}]}                                      its response
//	{"namespace": …, "name": …, "timestamp": date, "downloadCount": 1}        Open VSX's
//
// Keys are found in any case of letters, and unknown ones are ignored. A key with a value that
// cannot be read is named in a warning, and concerns that key alone. The text may be UTF-8 or,
// as Windows PowerShell writes it, UTF-16.
//
// Sources: IRawGalleryExtension in VS Code's extensionGalleryService.ts; ExtensionJson.java of
// Open VSX; vscoffline/sync.py of vscodeoffline.
package sidecar

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"galbuild/build/catalog"
)

// Package is what a sidecar must be about.
type Package struct {
	Publisher, Name, Version string
	Platform                 string // "" is universal
}

func (p Package) id() string { return p.Publisher + "." + p.Name }

// Known is what was read.
type Known struct {
	catalog.Sidecar
	Preview  bool     // the gallery's flags say so
	Warnings []string // what could not be read, and why
	// Unread lists the keys whose values could not be read, in galbuild's own shape.
	Unread []string
}

// Read reads a sidecar. The error says why nothing in it can be used.
func Read(text []byte, of Package) (*Known, error) {
	text, _, err := transform.Bytes(unicode.BOMOverride(unicode.UTF8.NewDecoder()), text)
	if err != nil {
		return nil, errors.New("it is not text in UTF-8 or UTF-16")
	}
	if err := checkJSON(text); err != nil {
		return nil, err
	}
	r := &reading{of: of}
	e, err := r.find(value{gjson.ParseBytes(text)})
	if err != nil {
		return nil, err
	}
	r.extension(e)
	return &r.known, nil
}

// checkJSON tells where text stops being JSON.
func checkJSON(text []byte) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return errors.New("it is empty")
	}
	var raw json.RawMessage
	err := json.Unmarshal(text, &raw)
	if wrong, ok := errors.AsType[*json.SyntaxError](err); ok {
		before := text[:min(max(wrong.Offset-1, 0), int64(len(text)))]
		return fmt.Errorf("it is not JSON: line %d cannot be read", 1+strings.Count(string(before), "\n"))
	}
	if err != nil {
		return errors.New("it is not JSON")
	}
	return nil
}

// A reading is one sidecar being read.
type reading struct {
	of    Package
	known Known
}

// unread notes that a key cannot be read; what is the key of it in galbuild's own shape.
func (r *reading) unread(key, wanted string, found value, what string) {
	text := fmt.Sprintf("%s cannot be read: want %s, found %s", key, wanted, found.short())
	r.known.Warnings = append(r.known.Warnings, text)
	r.known.Unread = append(r.known.Unread, what)
}

// find returns the extension in v that the package is of.
func (r *reading) find(v value) (value, error) {
	all := extensions(v)
	if len(all) == 0 {
		return value{}, fmt.Errorf("want an object with what the gallery knows, found %s", v.short())
	}
	for _, e := range all {
		if id := idOf(e, r.of); strings.EqualFold(id, r.of.id()) {
			return e, nil
		}
	}
	return value{}, fmt.Errorf("it is about %s, and the package is %s", idOf(all[0], r.of), r.of.id())
}

// extensions returns the objects that may describe extensions.
func extensions(v value) []value {
	if list := v.get("results"); list.IsArray() {
		return slices.Concat(each(list, extensions)...)
	}
	if list := v.get("extensions"); list.IsArray() {
		return slices.Concat(each(list, extensions)...)
	}
	if v.IsArray() {
		return slices.Concat(each(v, extensions)...)
	}
	if v.IsObject() {
		return []value{v}
	}
	return nil
}

func each[T any](list value, f func(value) T) []T {
	var all []T
	list.ForEach(func(_, v gjson.Result) bool {
		all = append(all, f(value{v}))
		return true
	})
	return all
}

// idOf returns which extension an object says it is about. Where it does not say, that is the
// package's.
func idOf(e value, of Package) string {
	if id := e.get("identity").text(); strings.Contains(id, ".") {
		return id
	}
	publisher, name := e.get("namespace").text(), ""
	if publisher != "" {
		name = e.get("name").text()
	} else {
		p := e.get("publisher")
		if publisher = p.object().get("publisherName").text(); publisher == "" {
			publisher = p.text()
		}
		name = e.get("extensionName").text()
	}
	if publisher == "" {
		publisher = of.Publisher
	}
	if name == "" {
		name = of.Name
	}
	return publisher + "." + name
}
