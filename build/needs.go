package build

import (
	"cmp"
	"slices"
	"strings"

	"galbuild/build/catalog"
)

// Missing is an extension that another one needs and that the gallery does not have.
type Missing struct {
	Extension string `json:"extension"` // id of the extension that needs it
	Version   string `json:"version"`   // version of that extension
	Needs     string `json:"needs"`     // id of the missing extension, in lower case
	Kind      string `json:"kind"`      // "dependency" or "pack member"
}

// missing returns the extensions that the newest version of each extension needs and that the
// gallery does not have, sorted. An editor does not install an extension without its
// dependencies. It installs a pack without the missing members, and does not report them.
func missing(c *catalog.Catalog) []Missing {
	all := []Missing{}
	for i := range c.Extensions {
		e := &c.Extensions[i]
		seen := make(map[string]bool)
		for _, v := range e.Versions {
			if v.Version != e.Versions[0].Version {
				break
			}
			for _, need := range Needs(c, &v) {
				if need.Missing && !seen[need.ID] {
					seen[need.ID] = true
					all = append(all, Missing{e.ID(), v.Version, need.ID, need.Kind})
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b Missing) int {
		return cmp.Or(strings.Compare(a.Extension, b.Extension), strings.Compare(a.Needs, b.Needs))
	})
	return all
}

// Need is an extension that a version needs.
type Need struct {
	ID      string `json:"id"`                // in lower case
	Kind    string `json:"kind"`              // "dependency" or "pack member"
	Missing bool   `json:"missing,omitempty"` // neither the gallery nor the editor has it
}

// Needs returns the dependencies and pack members of a version, sorted by id and without
// duplicates. An extension that is both is a dependency or a pack member, whichever property
// comes first.
func Needs(c *catalog.Catalog, v *catalog.Version) []Need {
	all := []Need{}
	seen := make(map[string]bool)
	for _, p := range v.Properties {
		kind := ""
		switch p.Key {
		case "Microsoft.VisualStudio.Code.ExtensionDependencies":
			kind = "dependency"
		case "Microsoft.VisualStudio.Code.ExtensionPack":
			kind = "pack member"
		default:
			continue
		}
		for id := range strings.SplitSeq(strings.ToLower(p.Value), ",") {
			if id = strings.TrimSpace(id); id != "" && !seen[id] {
				seen[id] = true
				all = append(all, Need{id, kind, c.Find(id) == nil && !builtIn(id)})
			}
		}
	}
	slices.SortFunc(all, func(a, b Need) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// builtIn reports whether an extension is part of the editor. No gallery has such extensions.
// Source: the extensions folder and product.json's builtInExtensions of VS Code.
func builtIn(id string) bool {
	return strings.HasPrefix(id, "vscode.") || slices.Contains([]string{
		"ms-vscode.js-debug", "ms-vscode.js-debug-companion", "ms-vscode.vscode-js-profile-table",
		"ms-vscode.node-debug", "ms-vscode.node-debug2", "ms-vscode.references-view",
	}, id)
}
