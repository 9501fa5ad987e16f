package publish

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"galbuild/build"
	"galbuild/render/pages"
)

// refusedRule is the group of packages that are refused because of what is in them.
const refusedRule = "refused"

// reportPage returns what the page about a build shows: packages that were refused, and versions
// that the policy or decisions keep out. Everybody can read the page. So it shows neither the
// folders of packages nor who decided and why.
func reportPage(r *build.Report) *pages.Report {
	groups := make(map[string][]pages.ReportEntry)
	for _, p := range r.Refused {
		if p.Unread { // the next build may read it, and it should not make a generation
			continue
		}
		file := path.Base(strings.ReplaceAll(p.File, `\`, "/"))
		groups[refusedRule] = append(groups[refusedRule], pages.ReportEntry{Subject: file, Reason: strings.ReplaceAll(p.Reason, p.File, file)})
	}
	for _, x := range r.Excluded {
		e := pages.ReportEntry{Subject: x.ID}
		if x.IsByPolicy() {
			e.Reason = x.Reason
		}
		if !x.Until.IsZero() {
			e.Until = x.Until.UTC().Format(time.DateOnly)
		}
		rule := cmp.Or(x.Rule, x.Kind)
		groups[rule] = append(groups[rule], e)
	}
	all := new(pages.Report)
	for _, rule := range slices.Sorted(maps.Keys(groups)) {
		all.Groups = append(all.Groups, pages.ReportGroup{Rule: rule, Entries: groups[rule]})
	}
	return all
}
