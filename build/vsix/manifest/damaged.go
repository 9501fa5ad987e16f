package manifest

import (
	"encoding/json"
	"slices"
	"strings"
)

// printedObject is the text that vsce writes if a value of package.json, or its translation, is an
// object, such as {"message": "Hello", "comment": ["A greeting"]} in package.nls.json.
// Source: patchNLS in https://github.com/microsoft/vscode-vsce/blob/v3.2.1/src/nls.ts
const printedObject = "[object Object]"

// Damaged reports whether a text of the XML, or an item of a comma-separated list, is what vsce
// writes for an object.
func Damaged(text string) bool {
	return slices.ContainsFunc(strings.Split(text, ","), damagedItem)
}

// damagedItem reports whether an item is what vsce writes for an object: as a text, as the alias of
// a language in tags, or as a localization in tags.
func damagedItem(item string) bool {
	item = strings.TrimSpace(item)
	return item == printedObject || item == "objectObject" || item == "lp-"+printedObject
}

// Repair returns the items of a comma-separated list of the XML that are not damaged, followed by
// those derived from package.json. Each is returned once.
func Repair(list string, derived []string) []string {
	items := slices.DeleteFunc(Split(list), damagedItem)
	return unique(append(items, derived...))
}

// localized returns the message or value of an object that package.json or package.nls.json has in
// place of a text, with comments for translators.
func localized(raw json.RawMessage) (string, bool) {
	var fields struct {
		Message *string `json:"message"`
		Value   *string `json:"value"`
	}
	if len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, &fields) != nil {
		return "", false
	}
	for _, s := range []*string{fields.Message, fields.Value} {
		if s != nil {
			return *s, true
		}
	}
	return "", false
}
