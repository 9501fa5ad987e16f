package vsix

import (
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/vsix/manifest"
)

const code = "Microsoft.VisualStudio.Code."

// readByEditors are the properties that are derived from package.json if the XML lacks them. The
// others are only shown on pages, and would make every response larger.
// Source: https://github.com/microsoft/vscode/blob/1.100.0/src/vs/platform/extensionManagement/common/extensionGalleryService.ts
var readByEditors = map[string]bool{
	catalog.PropertyEngine:                          true,
	code + "ExtensionDependencies":                  true,
	code + "ExtensionPack":                          true,
	code + "LocalizedLanguages":                     true,
	code + "EnabledApiProposals":                    true,
	code + "ExecutesCode":                           true,
	code + "SponsorLink":                            true,
	"Microsoft.VisualStudio.Services.Links.Source":  true,
	"Microsoft.VisualStudio.Services.Links.Support": true,
}

// decidedByPackage are the properties whose values editors also read in package.json, before or
// after the download. If the XML differs, the value of package.json is used. package.json has no
// field for the pre-release property.
var decidedByPackage = map[string]bool{
	catalog.PropertyEngine:         true,
	code + "ExtensionDependencies": true,
	code + "ExtensionPack":         true,
	code + "ExtensionKind":         true,
	code + "LocalizedLanguages":    true,
	code + "EnabledApiProposals":   true,
	code + "ExecutesCode":          true,
}

// setProperties sets the properties: those of the XML, and those derived from package.json that the
// XML lacks and that are not empty. Of several properties of a key, it uses the first, as editors
// do.
func (p *Package) setProperties(d *documents) {
	fromPackage := d.pkg.Properties()
	derived := make(map[string]string, len(fromPackage))
	for _, x := range fromPackage {
		derived[x.ID] = x.Value
	}
	if _, decided := d.pkg.DecidedKinds(); !decided {
		delete(derived, code+"ExtensionKind")
	}
	seen := make(map[string]bool)
	for _, x := range d.xml.Metadata.Properties {
		if seen[x.ID] || x.ID == "" {
			continue
		}
		seen[x.ID] = true
		value := p.valueOf(x, derived)
		if value != "" || x.Value == "" {
			p.Properties = append(p.Properties, catalog.Property{Key: x.ID, Value: value})
		}
	}
	for _, x := range fromPackage {
		if x.Value != "" && readByEditors[x.ID] && !seen[x.ID] {
			p.Properties = append(p.Properties, catalog.Property{Key: x.ID, Value: x.Value})
		}
	}
}

// valueOf returns the value of a property of the XML, or "" if it must be left out.
func (p *Package) valueOf(x manifest.Property, derived map[string]string) string {
	value, isDerived := derived[x.ID]
	switch {
	case manifest.Damaged(x.Value):
		p.warn(`extension.vsixmanifest has "[object Object]", a mistake of vsce, as property %s: `+
			`the value of package.json and package.nls.json is used: %q`, x.ID, value)
		return value
	case x.ID == catalog.PropertyPreRelease && strings.EqualFold(strings.TrimSpace(x.Value), "true"):
		p.PreRelease = true
		return "true" // editors compare exactly
	case decidedByPackage[x.ID] && (isDerived || x.ID != code+"ExtensionKind") &&
		!sameItems(x.ID, x.Value, value):
		p.warn("%s is %q in package.json and %q in extension.vsixmanifest: "+
			"package.json is used, because editors read it",
			strings.TrimPrefix(x.ID, code), clip(value), clip(x.Value))
		return value
	}
	return x.Value
}

// sameItems reports whether two values of a property are equal for editors. The case of ids does
// not matter, nor does the order, except for kinds, which are in the order of preference.
func sameItems(key, a, b string) bool {
	x, y := manifest.Split(strings.ToLower(a)), manifest.Split(strings.ToLower(b))
	if key != code+"ExtensionKind" {
		slices.Sort(x)
		slices.Sort(y)
	}
	return slices.Equal(x, y)
}
