// Package sidecar parses the metadata that an upstream gallery had of a package: a sidecar
// x.vsix.json, or latest.json and extension.json of vscodeoffline. It does no I/O.
//
// The text is an extension in one of these formats, or a list or a response that contains it:
//
//	{"extensionId": UUID, "lastUpdated": date, "statistics": {"install": 1}}  galbuild's own
//	{"source": {…}, "firstSeen": date, "pictures": {…}}  see Collected
//	{"statistics": [{"statisticName": …, "value": 1}], "versions": [{…}]}     the Marketplace's
//	{"results": [{"extensions": [{…}]}]}                                      its response
//	{"namespace": …, "name": …, "timestamp": date, "downloadCount": 1}        Open VSX's
//
// Keys match in any case of letters, and unknown ones are ignored. An invalid value causes a
// warning, and does not affect other keys. The text may be UTF-8 or, as Windows PowerShell writes
// it, UTF-16.
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

// Package is the package that a sidecar must describe.
type Package struct {
	Publisher, Name, Version string
	Platform                 string // "" is universal
}

func (p Package) id() string { return p.Publisher + "." + p.Name }

// Metadata is the content of a sidecar.
type Metadata struct {
	catalog.Sidecar
	Collected
	Preview  bool     // the flags of the extension contain preview
	Warnings []string // a warning for each invalid value
	Invalid  []string // the keys with invalid values, as in galbuild's own format: see [KeyID]
}

// Read parses a sidecar. It returns an error if nothing in it can be used: it is not JSON, or
// describes another extension. The error completes a message such as "x.vsix.json is left out: ".
func Read(text []byte, of Package) (*Metadata, error) {
	text, _, err := transform.Bytes(unicode.BOMOverride(unicode.UTF8.NewDecoder()), text)
	if err != nil {
		return nil, errors.New("it is not text in UTF-8 or UTF-16")
	}
	if err := checkJSON(text); err != nil {
		return nil, err
	}
	r := &reader{of: of}
	e, err := r.find(value{gjson.ParseBytes(text)})
	if err != nil {
		return nil, err
	}
	r.extension(e)
	return &r.metadata, nil
}

// checkJSON returns an error with the line in which text is not JSON.
func checkJSON(text []byte) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return errors.New("it is empty")
	}
	var raw json.RawMessage
	err := json.Unmarshal(text, &raw)
	if wrong, ok := errors.AsType[*json.SyntaxError](err); ok {
		valid := text[:min(max(wrong.Offset-1, 0), int64(len(text)))]
		return fmt.Errorf("it is not JSON: there is a syntax error in line %d", 1+strings.Count(string(valid), "\n"))
	}
	if err != nil {
		return errors.New("it is not JSON")
	}
	return nil
}

// A reader collects the metadata of a sidecar.
type reader struct {
	of       Package
	metadata Metadata
}

// invalid adds a warning about the value of a key. field is the key in galbuild's own format.
func (r *reader) invalid(key, want string, found value, field string) {
	text := fmt.Sprintf("%s is invalid: want %s, found %s", key, want, found.short())
	r.metadata.Warnings = append(r.metadata.Warnings, text)
	r.metadata.Invalid = append(r.metadata.Invalid, field)
}

// find returns the extension of the package from v.
func (r *reader) find(v value) (value, error) {
	all := extensions(v)
	if len(all) == 0 {
		return value{}, fmt.Errorf("want a JSON object with the metadata of an extension, found %s",
			v.short())
	}
	for _, e := range all {
		if id := idOf(e, r.of); strings.EqualFold(id, r.of.id()) {
			return e, nil
		}
	}
	return value{}, fmt.Errorf("it describes %s, but the package is %s",
		idOf(all[0], r.of), r.of.id())
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

// idOf returns the id of the extension that an object describes. Missing parts of it are those of
// the package.
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
