package build

import (
	"fmt"
	"slices"

	"galbuild/build/catalog"
	"galbuild/build/stats"
)

// importStats replaces the imported statistics of the last generation by those that the run is
// given, or drops them. It warns about extensions that are not in the catalogue, and leaves them
// out.
func (a *assembly) importStats(c Config) {
	if c.Stats == nil {
		if slices.Contains(c.Drop, settingStats) {
			a.catalog.Usage = catalog.WithImported(a.catalog.Usage, nil)
		}
		return
	}
	imported := make(map[string]*catalog.Imported)
	var unknown []stats.Entry
	for _, e := range c.Stats.Entries {
		if a.catalog.Find(e.ID) == nil {
			unknown = append(unknown, e)
			continue
		}
		imported[e.ID] = &e.Imported
	}
	a.catalog.Usage = catalog.WithImported(a.catalog.Usage, imported)
	for i, e := range unknown {
		if i == maxUnknownStats && len(unknown) > maxUnknownStats+1 {
			a.warnings = append(a.warnings, Problem{File: c.Stats.File, Reason: fmt.Sprintf("%d more extensions are not in the gallery", len(unknown)-i)})
			break
		}
		suggestion := ""
		if len(unknown) <= maxUnknownStats { // a file of a large gallery has thousands
			suggestion = Suggest(a.catalog, e.ID)
		}
		a.warnings = append(a.warnings, Problem{File: fmt.Sprintf("%s:%d", c.Stats.File, e.Line), Reason: e.ID + " is not in the gallery" + suggestion})
	}
}

// maxUnknownStats is for how many extensions of a file of statistics there is a warning of their
// own.
const maxUnknownStats = 5

// hasImported reports whether a catalogue has statistics of a file.
func hasImported(c *catalog.Catalog) bool {
	return slices.ContainsFunc(c.Usage, func(u catalog.Usage) bool { return u.Imported != nil })
}
