package manifest

import (
	"fmt"
	"slices"
	"strings"

	"galbuild/build/ecmascript"
)

// Package is the content of package.json. Its texts are translated after [Package.Translate], or
// if it was read with [ForPacking].
type Package struct {
	Publisher, Name, Version string // as written, never translated; may be empty for packing
	object
}

// ParsePackage parses package.json as editors do: as UTF-8 without a byte order mark, in which each
// invalid byte is replaced by U+FFFD. It refuses a package.json without publisher, name or
// version. [Package.CheckEditors] has the other rules of editors.
func ParsePackage(text []byte) (*Package, error) {
	if err := checkText(text); err != nil {
		return nil, err
	}
	o, err := parseObject(PlainJSON(text))
	if err != nil {
		return nil, err
	}
	p := &Package{object: o}
	if p.Publisher, err = p.required("publisher"); err != nil {
		return nil, err
	}
	if p.Name, err = p.required("name"); err != nil {
		return nil, err
	}
	if p.Version, err = p.required("version"); err != nil {
		return nil, err
	}
	return p, nil
}

// required returns a field that editors require, which must be a string.
func (p *Package) required(key string) (string, error) {
	s, ok := decode[string](p.object, key)
	switch {
	case !p.has(key):
		return "", fmt.Errorf("%s is missing", key)
	case !ok:
		return "", fmt.Errorf("%s is %.40s, want a string", key, p.fields[key])
	case s == "":
		return "", fmt.Errorf("%s is empty", key)
	}
	return s, nil
}

// Translate replaces each text that is a %key% by that of package.nls.json. It returns an error if
// nls is invalid or has more than limit texts.
func (p *Package) Translate(nls []byte, limit int) error {
	o, err := parseNLS(PlainJSON(nls))
	if err != nil {
		return err
	}
	if len(o.fields) > limit {
		return fmt.Errorf("%d texts, more than the limit of %d", len(o.fields), limit)
	}
	p.translations = make(map[string]string, len(o.fields))
	for key := range o.fields {
		if s, ok := decode[string](o, key); ok {
			p.translations[key] = s
		} else if s, ok := localized(o.fields[key]); ok {
			p.translations[key] = s
		}
	}
	return nil
}

// DisplayName returns the display name on one line, or the name if it is missing or a %key% without
// a translation. For packing, it is as written.
func (p *Package) DisplayName() string {
	if p.exact {
		return p.text(p.either("displayName", "name"))
	}
	if s := displayText(p.text("displayName")); s != "" {
		return s
	}
	return p.Name
}

// Description returns the description on one line. For packing, it is as written.
func (p *Package) Description() string {
	if p.exact {
		return p.text("description")
	}
	return displayText(p.text("description"))
}

// displayText returns s with its white space collapsed. It returns "" for a %key% without a
// translation, and for the text that vsce writes for an object.
func displayText(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if placeholder.MatchString(s) || s == printedObject {
		return ""
	}
	return s
}

// Resolve returns s, a text of the XML, on one line and translated: some packagers copy %key% from
// package.json.
func (p *Package) Resolve(s string) string { return displayText(p.translate(strings.TrimSpace(s))) }

// Categories returns the categories as written.
func (p *Package) Categories() []string { return p.texts("categories") }

// Preview reports whether the field preview is true.
func (p *Package) Preview() bool { return p.truthy("preview") }

// Engine returns the range of versions of editors, such as ^1.90.0. White space around it is
// removed, except for packing.
func (p *Package) Engine() string {
	text := p.object.object("engines").text("vscode")
	if p.exact {
		return text
	}
	return strings.TrimFunc(text, ecmascript.IsSpace)
}

// Icon returns the path of the icon below extension/, as written.
func (p *Package) Icon() string { return p.text("icon") }

// License returns the licence, as written.
func (p *Package) License() string { return p.text("license") }

// Files returns the patterns of the files to pack, and whether the field exists. If it does, it may
// be empty, and no file is packed.
func (p *Package) Files() (patterns []string, listed bool) {
	return p.texts("files"), p.truthy("files")
}

// Dependencies returns the ids of extensionDependencies, each once, lower case.
func (p *Package) Dependencies() []string { return p.ids("extensionDependencies") }

// ExtensionPack returns the ids of extensionPack, each once, lower case.
func (p *Package) ExtensionPack() []string { return p.ids("extensionPack") }

func (p *Package) ids(key string) []string {
	var ids []string
	for _, id := range p.texts(key) {
		ids = append(ids, strings.ToLower(strings.TrimSpace(id)))
	}
	return unique(ids)
}

// Browser reports whether it has an entry point for browsers.
func (p *Package) Browser() bool { return p.truthy("browser") }

// Theme reports whether it contributes colour, file icon or product icon themes.
func (p *Package) Theme() bool {
	return slices.ContainsFunc([]string{"themes", "iconThemes", "productIconThemes"}, p.contributes)
}

// contributes reports whether a contribution is a list that is not empty.
func (p *Package) contributes(key string) bool { return len(p.contributions().list(key)) > 0 }

func (p *Package) contributions() object { return p.object.object("contributes") }

// unique returns the non-empty texts of l, each once, in order of first use.
func unique(l []string) []string {
	return distinct(slices.DeleteFunc(l, func(s string) bool { return s == "" }))
}

// distinct returns the texts of l, each once, in order of first use.
func distinct(l []string) []string {
	seen := make(map[string]bool, len(l))
	return slices.DeleteFunc(l, func(s string) bool {
		duplicate := seen[s]
		seen[s] = true
		return duplicate
	})
}
