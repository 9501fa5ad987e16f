package catalog

import (
	"slices"
	"strings"
)

// Kinds of needs.
const (
	NeedDependency = "dependency"
	NeedMember     = "pack member"
)

// Need is an extension that a version needs.
type Need struct {
	ID      string `json:"id"`                // in lower case
	Kind    string `json:"kind"`              // "dependency" or NeedMember
	Missing bool   `json:"missing,omitempty"` // neither the gallery nor the editor has it
}

// Needs returns the dependencies and pack members of a version, sorted by id and without
// duplicates. An extension that is both is a dependency or a pack member, whichever property
// comes first.
func (c *Catalog) Needs(v *Version) []Need {
	all := []Need{}
	seen := make(map[string]bool)
	for _, p := range v.Properties {
		kind := ""
		switch p.Key {
		case PropertyDependencies:
			kind = NeedDependency
		case PropertyPack:
			kind = NeedMember
		default:
			continue
		}
		for id := range strings.SplitSeq(strings.ToLower(p.Value), ",") {
			if id = strings.TrimSpace(id); id != "" && !seen[id] {
				seen[id] = true
				all = append(all, Need{id, kind, c.Find(id) == nil && !BuiltIn(id)})
			}
		}
	}
	slices.SortFunc(all, func(a, b Need) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// BuiltIn reports whether the extension with a lower-case id is part of the editor. No gallery has
// such extensions.
// Source: the extensions folder and product.json's builtInExtensions of VS Code.
func BuiltIn(id string) bool {
	return strings.HasPrefix(id, "vscode.") || slices.Contains([]string{
		"ms-vscode.js-debug", "ms-vscode.js-debug-companion", "ms-vscode.vscode-js-profile-table",
		"ms-vscode.node-debug", "ms-vscode.node-debug2", "ms-vscode.references-view",
	}, id)
}
