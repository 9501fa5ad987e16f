package build

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/source"
	"galbuild/build/wording"
)

// Report is what a run has to say, as `--json` prints it. Its lists are sorted.
type Report struct {
	Site       string    `json:"site"`
	Generation string    `json:"generation,omitempty"` // that counts afterwards
	Previous   string    `json:"previous,omitempty"`   // that counted before, if it was another
	DryRun     bool      `json:"dryRun,omitempty"`
	Extensions int       `json:"extensions"`
	Versions   int       `json:"versions"` // each platform of a version counts
	Bytes      int64     `json:"bytes"`    // of all packages
	Read       int       `json:"read"`     // packages read, in this run
	Unchanged  int       `json:"unchanged"`
	Added      []string  `json:"added"`
	Removed    []string  `json:"removed"`
	Kept       []string  `json:"kept"` // that the sources do not have, for a reason told in Refused
	Refused    []Problem `json:"refused"`
	Warnings   []Problem `json:"warnings"`
	Missing    []Missing `json:"missing"`
}

// Problem is what is wrong with one source.
type Problem struct {
	File   string `json:"file"`
	Reason string `json:"reason"`
}

// Missing is an extension that another needs and the gallery does not have.
type Missing struct {
	Extension string `json:"extension"` // that needs it
	Version   string `json:"version"`
	Needs     string `json:"needs"`
	As        string `json:"as"` // "dependency" or "pack member"
}

// again returns what another run over the same sources would report.
func (r Report) again() Report {
	r.Site, r.Generation, r.Previous, r.DryRun = "", "", "", false
	r.Unchanged, r.Read = r.Unchanged+r.Read, 0
	r.Added, r.Removed = []string{}, []string{}
	return r
}

// makeReport takes the old versions by key, and of them leaves those removed.
func makeReport(old map[string]known, made *assembly, problems []source.Problem) Report {
	r := Report{
		Extensions: len(made.catalog.Extensions),
		Refused:    []Problem{},
		Warnings:   append([]Problem{}, made.warnings...),
		Kept:       append([]string{}, slices.Sorted(slices.Values(made.kept))...),
		Missing:    missing(made.catalog),
	}
	for _, p := range problems {
		r.Refused = append(r.Refused, Problem{p.Name, wording.Text(p.Err)})
	}
	for _, c := range made.candidates {
		r.count(&c)
	}
	r.compare(made.catalog, old)
	byFile := func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), strings.Compare(a.Reason, b.Reason))
	}
	slices.SortFunc(r.Refused, byFile)
	slices.SortFunc(r.Warnings, byFile)
	return r
}

func (r *Report) count(c *candidate) {
	if c.known {
		r.Unchanged++
	} else {
		r.Read++
	}
	if c.refused != nil {
		reason := c.refused.Error()
		if c.stays {
			reason += fmt.Sprintf("; the gallery keeps %s as it was, until galbuild remove takes it out", c.before)
		}
		r.Refused = append(r.Refused, Problem{c.item.Name, reason})
		return
	}
	if c.item.Untrusted != "" {
		r.Warnings = append(r.Warnings, Problem{c.item.Name, "sidecar " + base(c.item.Untrusted) +
			" is left out: it lies in an unpacked extension, whose files are not trusted"})
	}
	for _, w := range c.warnings {
		r.Warnings = append(r.Warnings, Problem{c.item.Name, w})
	}
}

// compare counts the versions, and finds those that are new or gone.
func (r *Report) compare(c *catalog.Catalog, old map[string]known) {
	r.Added, r.Removed = []string{}, []string{}
	for key, k := range versions(c) {
		r.Versions++
		r.Bytes += k.version.Package.Size
		if _, ok := old[key]; !ok {
			r.Added = append(r.Added, key)
		}
		delete(old, key)
	}
	r.Removed = slices.AppendSeq(r.Removed, maps.Keys(old))
	slices.Sort(r.Added)
	slices.Sort(r.Removed)
}

// missing returns what the newest version of each extension needs and nobody in
// the gallery provides: an editor refuses to install without a dependency, and
// silently leaves out a member of a pack.
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
					all = append(all, Missing{e.ID(), v.Version, need.ID, need.As})
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b Missing) int {
		return cmp.Or(strings.Compare(a.Extension, b.Extension), strings.Compare(a.Needs, b.Needs))
	})
	return all
}

// Need is an extension that another one needs.
type Need struct {
	ID      string `json:"id"`                // in lower case
	As      string `json:"as"`                // "dependency" or "pack member"
	Missing bool   `json:"missing,omitempty"` // the gallery does not have it, nor does the editor
}

// Needs returns the dependencies and pack members of a version, sorted.
func Needs(c *catalog.Catalog, v *catalog.Version) []Need {
	all := []Need{}
	seen := make(map[string]bool)
	for _, p := range v.Properties {
		as := ""
		switch p.Key {
		case "Microsoft.VisualStudio.Code.ExtensionDependencies":
			as = "dependency"
		case "Microsoft.VisualStudio.Code.ExtensionPack":
			as = "pack member"
		default:
			continue
		}
		for id := range strings.SplitSeq(strings.ToLower(p.Value), ",") {
			if id = strings.TrimSpace(id); id != "" && !seen[id] {
				seen[id] = true
				all = append(all, Need{id, as, c.Find(id) == nil && !builtIn(id)})
			}
		}
	}
	slices.SortFunc(all, func(a, b Need) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// builtIn tells ids that come with the editor and are in no gallery.
// Source: the extensions folder and product.json's builtInExtensions of VS Code.
func builtIn(id string) bool {
	return strings.HasPrefix(id, "vscode.") || slices.Contains([]string{
		"ms-vscode.js-debug", "ms-vscode.js-debug-companion", "ms-vscode.vscode-js-profile-table",
		"ms-vscode.node-debug", "ms-vscode.node-debug2", "ms-vscode.references-view",
	}, id)
}
