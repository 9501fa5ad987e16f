// Package report describes a delivery for the person who approves it: what is new, what has
// changed, what was kept out and why. It does no I/O.
//
//	catalogues of both sides, build report, lock ─ New ▶ Report ─ Markdown
//
// The same input gives the same report. Texts of packages and upstreams are shortened, and cannot
// be taken for the report's own: in Markdown they are escaped, see [galbuild/build/visible].
package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"galbuild/build"
	"galbuild/build/audit"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/collect/lock"
)

// Report is the report on a delivery. Its lists are sorted and never nil.
type Report struct {
	Tarball    string      `json:"tarball,omitempty"` // its name; "" if there is none
	Generation string      `json:"generation"`
	Since      []string    `json:"since"`   // generations to which the tarball can be applied; none if it has the whole site
	Gallery    Gallery     `json:"gallery"` // after the delivery
	New        []Extension `json:"new"`     // extensions of which the other side has no version
	Updated    []Extension `json:"updated"` // extensions with versions that the other side does not have
	Removed    []Removed   `json:"removed"` // versions that only the other side has

	Withdrawn   []Withdrawn     `json:"withdrawn"`   // versions that their upstream does not offer any more
	Held        []Held          `json:"held"`        // versions that the policy holds back for a while
	KeptOut     []Held          `json:"keptOut"`     // versions that the policy, vetting or a decision keeps out
	Quarantined []Held          `json:"quarantined"` // versions that wait for an approval
	Refused     []build.Problem `json:"refused"`     // packages that are invalid or could not be fetched
	Missing     []Missing       `json:"missing"`     // extensions that others need

	Settings         []audit.Setting  `json:"settings"`         // that differ
	AddedDecisions   []audit.Decision `json:"addedDecisions"`   // that the other side does not have
	RemovedDecisions []audit.Decision `json:"removedDecisions"` // that only the other side has
}

// Gallery counts what a gallery has.
type Gallery struct {
	Extensions int   `json:"extensions"`
	Versions   int   `json:"versions"`
	Bytes      int64 `json:"bytes"` // of all packages
}

// Extension is an extension with the versions that are new.
type Extension struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`             // as people see it
	Publisher string    `json:"publisher"`        // as people see it
	Domain    string    `json:"domain"`           // of the publisher; "" if it is not known
	Verified  bool      `json:"verified"`         // Domain belongs to the publisher
	Access    string    `json:"access"`           // to the namespace: "public" or "restricted"; "" if it is not known
	From      string    `json:"from,omitempty"`   // the newest version that the other side has
	Versions  []Version `json:"versions"`         // the newest first
	Changes   Changes   `json:"changes,omitzero"` // the part of the change log after From
}

// Version is a version that is new.
type Version struct {
	ID         string            `json:"id"` // catalog.Key
	SHA256     blob.Ref          `json:"sha256"`
	Bytes      int64             `json:"bytes"`
	Licence    string            `json:"licence"` // "" if it is not known
	Signed     bool              `json:"signed"`  // by the gallery that it is from
	PreRelease bool              `json:"preRelease"`
	Updated    time.Time         `json:"updated"`
	Upstream   string            `json:"upstream"`           // "" if it was not collected
	WantedBy   []string          `json:"wantedBy"`           // why it was collected
	Replaces   bool              `json:"replaces,omitempty"` // the other side has the version with different content
	Findings   []catalog.Finding `json:"findings"`
}

// Removed is a version that is not in the gallery any more.
type Removed struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// Withdrawn is a version that its upstream does not offer any more.
type Withdrawn struct {
	ID    string    `json:"id"`
	When  time.Time `json:"when,omitzero"` // zero if the upstream does not say
	Still bool      `json:"still"`         // the gallery has it
}

// Held is a version that is not offered.
type Held struct {
	ID     string    `json:"id"`
	Until  time.Time `json:"until,omitzero"` // zero if no date is known
	Rule   string    `json:"rule"`           // the key in the policy, or the kind of the decision
	Reason string    `json:"reason"`
	// SHA256 is the hash of the package that an approval would let in, or zero.
	SHA256   blob.Ref          `json:"sha256,omitzero"`
	Findings []catalog.Finding `json:"findings,omitempty"`
}

// Missing is an extension that is needed and that the gallery does not have.
type Missing struct {
	ID     string   `json:"id"`
	Chain  []string `json:"chain"` // the extensions that want it, the first one that of a request
	Kind   string   `json:"kind"`  // "dependency" or "pack member"; "" if it could not be collected
	Reason string   `json:"reason"`
}

// Input is what a report is made of.
type Input struct {
	From, To  *catalog.Catalog                       // of the other side, which is the zero value if it has nothing, and of the gallery
	Lock      *lock.Lock                             // of the packages; nil if they were not collected
	Build     *build.Report                          // of the build
	Findings  map[string][]catalog.Finding           // by the key of a version, besides those of the build
	Changelog func(*catalog.Version) (string, error) // returns the change log of a version, "" if it has none

	Withdrawn []Withdrawn
	Held      []Held // by the collection
	Refused   []build.Problem
	Missing   []Missing
}

// New returns the report on a delivery.
func New(in Input) (*Report, error) {
	difference, err := audit.Diff(in.From, in.To)
	if err != nil {
		return nil, err
	}
	to := difference.To
	r := &Report{
		Since: []string{}, Gallery: Gallery{to.Extensions, to.Versions, to.Bytes},
		New: []Extension{}, Updated: []Extension{}, Removed: []Removed{},
		Withdrawn: append([]Withdrawn{}, in.Withdrawn...), Quarantined: []Held{},
		Held: append([]Held{}, in.Held...), KeptOut: []Held{}, Missing: append([]Missing{}, in.Missing...),
		Refused:  append(append([]build.Problem{}, in.Refused...), in.Build.Refused...),
		Settings: difference.Settings, AddedDecisions: difference.AddedDecisions, RemovedDecisions: difference.RemovedDecisions,
	}
	if in.From.Render == 0 {
		r.Settings = []audit.Setting{} // the other side has nothing, so that all would differ
	}
	if err := r.addVersions(in); err != nil {
		return nil, err
	}
	r.addExcluded(in.Build.Excluded)
	r.addMissing(in.Build.Missing)
	r.markStill(in.To)
	r.addRemoved(difference.Removed, in)
	r.sort()
	r.shorten()
	return r, nil
}

// addVersions lists the versions that are new, by extension.
func (r *Report) addVersions(in Input) error {
	entries := entriesOf(in.Lock)
	for i := range in.To.Extensions {
		e := &in.To.Extensions[i]
		old := in.From.Find(e.Key())
		x := newExtension(e, old)
		had := refsOf(old)
		for key, v := range e.Keyed() {
			ref, ok := had[key]
			if ok && ref == v.Package.Ref {
				continue
			}
			entry := entries[key]
			x.Access = cmp.Or(x.Access, entry.Access)
			x.Versions = append(x.Versions, newVersion(key, v, entry, in.findings(key), ok))
			if err := x.addChanges(v, in.Changelog); err != nil {
				return err
			}
		}
		switch {
		case len(x.Versions) == 0:
		case old == nil:
			r.New = append(r.New, x)
		default:
			r.Updated = append(r.Updated, x)
		}
	}
	return nil
}

// entriesOf returns the entries of a lock by the key of their versions.
func entriesOf(l *lock.Lock) map[string]lock.Entry {
	all := make(map[string]lock.Entry)
	if l == nil {
		return all
	}
	for _, e := range l.Entries {
		all[e.Key()] = e
	}
	return all
}

// findings returns what was found in a version: once, if both the build and another check say so.
func (in *Input) findings(key string) (all []catalog.Finding) {
	i := slices.IndexFunc(in.Build.Findings, func(f build.Found) bool { return f.ID == key })
	if i >= 0 {
		all = append(all, in.Build.Findings[i].Findings...)
	}
	for _, f := range in.Findings[key] {
		if !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	return all
}

func newExtension(e, old *catalog.Extension) Extension {
	x := Extension{
		ID: e.ID(), Name: e.Versions[0].DisplayName,
		Publisher: cmp.Or(e.Publisher.DisplayName, e.Publisher.Name), Domain: e.Publisher.Domain, Verified: e.Publisher.Verified,
	}
	if old != nil {
		x.From = old.Versions[0].Version
	}
	return x
}

// refsOf returns the hashes of the packages of an extension, which may be nil, by key.
func refsOf(e *catalog.Extension) map[string]blob.Ref {
	all := make(map[string]blob.Ref)
	if e == nil {
		return all
	}
	for key, v := range e.Keyed() {
		all[key] = v.Package.Ref
	}
	return all
}

func newVersion(key string, v *catalog.Version, e lock.Entry, findings []catalog.Finding, replaces bool) Version {
	return Version{
		ID: key, SHA256: v.Package.Ref, Bytes: v.Package.Size, Licence: cmp.Or(v.Licence, e.Licence), Signed: v.Signed || v.Verified,
		PreRelease: v.PreRelease, Updated: v.Updated, Upstream: e.Upstream, WantedBy: append([]string{}, e.WantedBy...),
		Replaces: replaces, Findings: append([]catalog.Finding{}, findings...),
	}
}

// addChanges adds the changes of the newest version that is newer than those of the other side.
func (x *Extension) addChanges(v *catalog.Version, changelog func(*catalog.Version) (string, error)) error {
	if x.From == "" || len(x.Changes.Lines) > 0 || !isNewer(v.Version, x.From) || changelog == nil {
		return nil
	}
	text, err := changelog(v)
	if err == nil {
		x.Changes = changesBetween(text, x.From, v.Version)
	}
	return err
}

func isNewer(version, than string) bool {
	a, err := semver.NewVersion(version)
	if err != nil {
		return false
	}
	b, err := semver.NewVersion(than)
	return err == nil && a.GreaterThan(b)
}

// addExcluded lists the versions that the build has kept out, unless the collection has done so.
func (r *Report) addExcluded(all []build.Excluded) {
	known := make(map[string]bool)
	for _, h := range r.Held {
		known[h.ID] = true
	}
	for _, x := range all {
		h := Held{ID: x.ID, Until: x.Until, Rule: cmp.Or(x.Rule, x.Kind), Reason: x.Reason, SHA256: x.SHA256, Findings: x.Findings}
		switch {
		case known[x.ID]:
		case x.Kind == build.KindQuarantine:
			r.Quarantined = append(r.Quarantined, h)
		case !x.Until.IsZero():
			r.Held = append(r.Held, h)
		default:
			r.KeptOut = append(r.KeptOut, h)
		}
	}
}

// addMissing lists what the gallery lacks, unless the collection has listed it with its chain.
func (r *Report) addMissing(all []build.Missing) {
	known := make(map[string]bool)
	for _, m := range r.Missing {
		known[m.ID] = true
	}
	for _, m := range all {
		if !known[m.Needs] {
			r.Missing = append(r.Missing, Missing{ID: m.Needs, Chain: []string{m.Extension + "@" + m.Version}, Kind: m.Kind})
		}
	}
}

// markStill notes which of the versions that are not offered any more the gallery has.
func (r *Report) markStill(to *catalog.Catalog) {
	for i := range r.Withdrawn {
		w := &r.Withdrawn[i]
		id, _, _ := strings.Cut(w.ID, "@")
		_, w.Still = refsOf(to.Find(id))[w.ID]
	}
}

// addRemoved lists the versions that only the other side has, with the reason.
func (r *Report) addRemoved(all []audit.Item, in Input) {
	reasons := make(map[string]string)
	for _, w := range in.Withdrawn {
		reasons[w.ID] = "its upstream does not offer it any more"
	}
	for i := range in.To.Dropped {
		reasons[in.To.Dropped[i].Key()] = "the rule keep of the policy has dropped it"
	}
	for _, x := range in.Build.Excluded {
		reasons[x.ID] = cmp.Or(x.Rule, x.Kind) + ": " + x.Reason
	}
	for _, x := range all {
		r.Removed = append(r.Removed, Removed{x.ID, cmp.Or(reasons[x.ID], notThere(x.ID, in.To))})
	}
}

// notThere returns the reason for which a catalogue lacks a version whose package is gone.
func notThere(key string, c *catalog.Catalog) string {
	const reason = "its package is not in the folder of packages any more"
	id, _, _ := strings.Cut(key, "@")
	if e := c.Find(id); e != nil {
		return reason + "; the gallery has " + e.Versions[0].Version
	}
	return reason
}

func (r *Report) sort() {
	slices.SortFunc(r.Withdrawn, func(a, b Withdrawn) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(r.Held, func(a, b Held) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(r.KeptOut, func(a, b Held) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(r.Quarantined, func(a, b Held) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(r.Missing, func(a, b Missing) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), slices.Compare(a.Chain, b.Chain))
	})
	slices.SortFunc(r.Refused, func(a, b build.Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), strings.Compare(a.Reason, b.Reason))
	})
}

// Limits of a report, so that one package cannot make it unreadable.
const (
	maxText     = 300 // runes of a text
	maxFindings = 30  // of a version
	maxChain    = 20  // of what is missing
)

// shorten applies the limits.
func (r *Report) shorten() {
	for _, list := range [][]Extension{r.New, r.Updated} {
		for i := range list {
			shortenExtension(&list[i])
		}
	}
	for _, list := range [][]Held{r.Quarantined, r.Held, r.KeptOut} {
		for i := range list {
			list[i].Reason, list[i].Findings = cut(list[i].Reason, maxText), shortenFindings(list[i].Findings)
		}
	}
	for i := range r.Refused {
		r.Refused[i].Reason = cut(r.Refused[i].Reason, maxText)
	}
	for i := range r.Missing {
		m := &r.Missing[i]
		m.Reason, m.Chain = cut(m.Reason, maxText), m.Chain[:min(len(m.Chain), maxChain)]
	}
}

func shortenExtension(x *Extension) {
	x.Name, x.Publisher, x.Domain = cut(x.Name, maxText), cut(x.Publisher, maxText), cut(x.Domain, maxText)
	for i := range x.Versions {
		v := &x.Versions[i]
		v.Licence, v.Findings = cut(v.Licence, maxText), shortenFindings(v.Findings)
		v.WantedBy = v.WantedBy[:min(len(v.WantedBy), maxChain)]
	}
}

// shortenFindings returns the most severe findings, each with short texts.
func shortenFindings(all []catalog.Finding) []catalog.Finding {
	all = slices.Clone(all)
	severities := catalog.Severities()
	slices.SortStableFunc(all, func(a, b catalog.Finding) int {
		return cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity))
	})
	all = all[:min(len(all), maxFindings)]
	for i := range all {
		f := &all[i]
		f.Detail, f.File, f.Evidence = cut(f.Detail, maxText), cut(f.File, maxText), cut(f.Evidence, maxText)
	}
	return all
}

// Counts returns how many of something the report has, for a summary.
func (r *Report) Counts() []Count {
	versions := 0
	for _, list := range [][]Extension{r.New, r.Updated} {
		for i := range list {
			versions += len(list[i].Versions)
		}
	}
	return []Count{
		{len(r.New), "new extension"}, {len(r.Updated), "updated extension"}, {versions, "new version"}, {len(r.Removed), "removed version"},
		{len(r.Withdrawn), "version withdrawn upstream"}, {len(r.Held), "version held back"}, {len(r.KeptOut), "version kept out"},
		{len(r.Quarantined), "version in quarantine"}, {len(r.Refused), "refused package"}, {len(r.Missing), "missing extension"},
	}
}

// Count is a number of things.
type Count struct {
	N    int
	What string // in the singular
}
