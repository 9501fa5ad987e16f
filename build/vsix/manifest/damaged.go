package manifest

import (
	"encoding/json"
	"slices"
	"strings"
)

// printedObject is what vsce writes where a text of package.json is an object, or is
// translated to one: {"message": "Hello", "comment": ["A greeting"]} in package.nls.json.
// Source: patchNLS in https://github.com/microsoft/vscode-vsce/blob/v3.2.1/src/nls.ts
const printedObject = "[object Object]"

// Damaged tells whether a text of the XML, or an item of its comma list, is what vsce writes
// in place of an object.
func Damaged(text string) bool {
	return slices.ContainsFunc(strings.Split(text, ","), damagedItem)
}

// damagedItem knows the tag, too, that vsce makes of a language's alias.
func damagedItem(item string) bool {
	item = strings.TrimSpace(item)
	return item == printedObject || item == "objectObject" || item == "lp-"+printedObject
}

// Repair returns the items of a damaged comma list of the XML that are not damaged, and those
// that follow from package.json.
func Repair(list string, derived []string) []string {
	items := slices.DeleteFunc(Split(list), damagedItem)
	return unique(append(items, derived...))
}

// localized returns a text that package.json or package.nls.json gives as an object for
// translators: its message, or value.
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
