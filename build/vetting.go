package build

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/policy"
	"galbuild/build/records"
	"galbuild/build/similar"
	"galbuild/build/source"
	"galbuild/build/vet"
	"galbuild/build/vsix"
)

// setVets sets whether packages are vetted. That costs time, so it is done only if the policy has
// an action for findings.
func (r *reader) setVets() error {
	p, err := parsePolicy(r.Settings)
	r.vets = r.Vet || p != nil && p.Vets()
	return err
}

// notRules warns about names of rules in the policy that are unknown. A later program may know
// them.
func notRules(c *catalog.Catalog) (warnings []Problem) {
	var names []string
	for _, r := range vet.Rules() {
		names = append(names, r.ID)
	}
	named := policy.Of(c).VetRules()
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if !slices.Contains(names, name) {
			warnings = append(warnings, Problem{File: fmt.Sprintf("%s:%d", policyName, named[name]),
				Reason: fmt.Sprintf("vet: there is no rule %s%s", name, similar.Question(name, names))})
		}
	}
	return warnings
}

// Candidates returns the versions of a catalogue as a policy sees them, with what is known about
// their packages. They are admitted if the gallery has let them in under the same policy.
func Candidates(c *catalog.Catalog, p *policy.Policy, served, admitted bool) (all []policy.Candidate) {
	r := &rules{policy: p, attestations: decision.NewAttestations(c.Records, p.Keys), packages: c.Packages}
	var ids []string
	for i := range c.Extensions {
		e := &c.Extensions[i]
		ids = append(ids, e.ID())
		for key, v := range e.Keyed() {
			x := policy.NewCandidate(key, e, v, served)
			x.Admitted = admitted
			x.Approvals, x.Verdicts = r.attestationsOf(v.Package.Ref)
			all = append(all, x)
		}
	}
	r.addFindings(all, ids)
	return all
}

// mustVet reports whether a package that has not changed must be read because neither these rules
// nor later ones have vetted it.
func (r *reader) mustVet(c *candidate) bool {
	if !r.vets || c.refused != nil || c.excluded != nil {
		return false
	}
	p := catalog.FindPackage(r.last.packages, c.version.Package.Ref, c.key())
	return p == nil || p.Vetted == nil || p.Vetted.Version < vet.Version
}

// A scanner vets a package while it is read. The zero value does nothing.
type scanner struct{ *vet.Scanner }

func (r *reader) newScanner(p *vsix.Package) scanner {
	if !r.vets {
		return scanner{}
	}
	return scanner{vet.NewScanner(p, vet.Options{})}
}

// read looks at a file, and returns its complete content.
func (s scanner) read(e vsix.Entry, content io.Reader) (io.Reader, error) {
	if s.Scanner == nil {
		return content, nil
	}
	return s.Read(e, content)
}

// result returns what was found, or nil if the package was not vetted.
func (s scanner) result() *catalog.Vetted {
	if s.Scanner == nil {
		return nil
	}
	result := s.Result()
	v := &catalog.Vetted{Version: vet.Version, Findings: newFindings(result.Findings)}
	if profile, err := result.Profile.Encode(); err == nil && len(profile) <= catalog.MaxProfile {
		v.Profile = bytes.TrimSpace(profile)
	}
	return v
}

// newFindings returns findings, sorted by severity, as a catalogue has them, with limits.
func newFindings(found []vet.Finding) (all []catalog.Finding) {
	for _, f := range mostFindings(found) {
		all = append(all, catalog.Finding{
			Rule: f.Rule, Severity: f.Severity.String(), Line: max(f.Line, 0),
			Detail: shortText(f.Detail), File: shortText(f.File), Evidence: shortText(f.Evidence),
		})
	}
	return all
}

// mostFindings leaves out findings if there are too many: the mildest ones, but never the first one
// of a rule. Otherwise a package could hide that one among those that its policy does not mind.
func mostFindings(found []vet.Finding) (most []vet.Finding) {
	if len(found) <= catalog.MaxFindings {
		return found
	}
	first := make(map[string]int) // by rule
	for i := range slices.Backward(found) {
		first[found[i].Rule] = i
	}
	others := max(0, catalog.MaxFindings-len(first))
	for i, f := range found {
		if first[f.Rule] != i {
			if others == 0 {
				continue
			}
			others--
		}
		most = append(most, f)
	}
	return most[:min(len(most), catalog.MaxFindings)]
}

func shortText(s string) string {
	s = strings.Map(printable, strings.ToValidUTF8(s, "\uFFFD"))
	for i := range s {
		if i > catalog.MaxFinding-4 {
			return s[:i]
		}
	}
	return s
}

// addRecords adds the records next to a package. Those that are invalid are left out.
func (r *reader) addRecords(item *source.Item, c *candidate) {
	if item.Records == nil {
		return
	}
	warn := func(err error) {
		text, _ := vsix.Cut(fmt.Sprintf("records %s: %v", base(item.Records.Path), err), longestReason)
		c.warnings = append(c.warnings, text)
	}
	text, err := readSmall(item.Records.Path, records.MaxBytes)
	if err != nil {
		c.incomplete = true
		warn(err)
		return
	}
	var problems []error
	c.records, problems = records.Parse(text, c.ref)
	for _, err := range problems {
		warn(err)
	}
}

// mergeRecords returns the records of the last generation with those next to packages.
func mergeRecords(last []catalog.Record, candidates []candidate) []catalog.Record {
	var more []catalog.Record
	for i := range candidates {
		if c := &candidates[i]; c.refused == nil {
			more = append(more, c.records...)
		}
	}
	if decision.Includes(last, more) {
		return last
	}
	return decision.Merge(last, more)
}

// addVetted adds the findings to what the catalogue says about packages.
func (a *assembly) addVetted() {
	var all []catalog.Package
	for i := range a.candidates {
		if c := &a.candidates[i]; c.refused == nil && c.vetted != nil {
			all = append(all, catalog.Package{SHA256: c.version.Package.Ref, ID: c.key(), Vetted: c.vetted})
		}
	}
	if all = catalog.Packages(all); !catalog.IncludesPackages(a.catalog.Packages, all) {
		a.catalog.Packages = catalog.MergePackages(a.catalog.Packages, all)
	}
}

// attestationsOf returns the names of the keys that have approved a package, and the verdicts that
// the policy asks for.
func (r *rules) attestationsOf(ref blob.Ref) (approvals []string, verdicts map[string]string) {
	for _, name := range r.policy.Scanners() {
		if verdicts == nil {
			verdicts = make(map[string]string)
		}
		verdicts[name] = r.attestations.Verdict(ref, name)
	}
	return r.attestations.Approvals(ref), verdicts
}

// idsOf returns the ids of extensions.
func idsOf(groups [][]identified) []string {
	ids := make([]string, len(groups))
	for i, g := range groups {
		ids[i] = g[0].publisher + "." + g[0].name
	}
	return ids
}

// addFindings adds what was found in versions, those of an extension one after another and the
// newest one first.
func (r *rules) addFindings(all []policy.Candidate, ids []string) {
	if r.packages == nil || !r.policy.Vets() {
		return
	}
	groups := candidatesByExtension(all)
	entering := 0 // extensions of which nothing was let in before
	for _, versions := range groups {
		if isNew(versions) {
			entering++
		}
	}
	names := newNames(ids, entering)
	for _, versions := range groups {
		var alike []catalog.Finding
		if isNew(versions) {
			alike = names.lookAlikes(&versions[0])
		}
		r.addVersionFindings(versions, alike)
	}
}

// candidatesByExtension divides a list in which the versions of an extension follow each other.
func candidatesByExtension(all []policy.Candidate) (groups [][]policy.Candidate) {
	from := 0
	for i := range all {
		if i+1 == len(all) || all[i+1].Extension != all[i].Extension {
			groups, from = append(groups, all[from:i+1]), i+1
		}
	}
	return groups
}

// isNew reports whether none of the versions of an extension was let in before.
func isNew(versions []policy.Candidate) bool {
	return !slices.ContainsFunc(versions, func(c policy.Candidate) bool { return c.Admitted })
}

// maxLookAlikes limits how many pairs of ids of a gallery are compared, which takes about a second.
const maxLookAlikes = 5_000_000

// names are the ids with which those of extensions that are entering are compared.
type names struct {
	*vet.Names
	unchecked []vet.Finding
}

func newNames(ids []string, entering int) *names {
	n := new(names)
	if entering*len(ids) > maxLookAlikes {
		n.unchecked = append(n.unchecked, vet.NotChecked(fmt.Sprintf("its id is compared only with well-known ones, because %d extensions are new at once", entering)))
		ids = nil
	}
	n.Names = vet.NewNames(ids, vet.Popular())
	return n
}

// lookAlikes returns what is found in the names of an extension that is entering.
func (n *names) lookAlikes(newest *policy.Candidate) []catalog.Finding {
	found := n.LookAlikes(newest.Extension.ID(), newest.Version.DisplayName)
	return newFindings(append(found, n.unchecked...))
}

// addVersionFindings adds the findings in the versions of an extension, and alike to each. A
// version is compared with the one before it that may enter, so that a version does not become
// harmless because the one before it, which is kept out, has the same.
func (r *rules) addVersionFindings(versions []policy.Candidate, alike []catalog.Finding) {
	before := new(profiles)
	for i := range slices.Backward(versions) {
		c := &versions[i]
		last, follows := before.of(c.Version)
		p := catalog.FindPackage(r.packages, c.Version.Package.Ref, c.Key)
		if p == nil || p.Vetted == nil {
			before.set(c.Version, last)
			continue
		}
		c.Findings = append(slices.Clone(p.Vetted.Findings), alike...)
		profile, _ := vet.ParseProfile(p.Vetted.Profile) // nil if another program has made it
		if follows && profile != nil {
			c.Findings = append(c.Findings, newFindings(vet.Compare(last, profile))...)
		}
		if action, _ := r.policy.Vet(c); action <= policy.Warn {
			before.set(c.Version, profile)
		}
	}
}

// profiles has the last profiles of an extension while its versions are looked at, the oldest
// first.
type profiles struct {
	byPlatform map[string]*vet.Profile // nil if that version was not vetted
	version    string                  // the one that is looked at
	older      *vet.Profile            // the last one of the versions before it, for any platform
	last       *vet.Profile            // the last one
}

// of returns the profile with which a version is compared: the one before it for its platform, or
// for any platform if it is the first for its own.
func (p *profiles) of(v *catalog.Version) (before *vet.Profile, follows bool) {
	if v.Version != p.version {
		p.version, p.older = v.Version, p.last
	}
	if before, follows = p.byPlatform[v.Platform]; !follows && p.older != nil {
		return p.older, true
	}
	return before, follows
}

func (p *profiles) set(v *catalog.Version, profile *vet.Profile) {
	if p.byPlatform == nil {
		p.byPlatform = make(map[string]*vet.Profile)
	}
	p.byPlatform[v.Platform] = profile
	if profile != nil {
		p.last = profile
	}
}

// warn keeps the findings of the versions that may enter.
func (r *rules) warn(candidates []policy.Candidate, versions map[string]identified) {
	r.warned = make(map[string][]catalog.Finding)
	for i := range candidates {
		c := &candidates[i]
		if _, ok := versions[c.Key]; !ok {
			continue
		}
		if action, findings := r.policy.Vet(c); action == policy.Warn {
			r.warned[c.Key] = findings
		}
	}
}

// someFindings is how many findings of a package are warnings of their own.
const someFindings = 5

// warnFindings adds warnings about the packages of the candidates that are accepted. It also keeps
// what was found in them.
func (a *assembly) warnFindings(warned map[string][]catalog.Finding, accepted map[string]*candidate) {
	for _, key := range slices.Sorted(maps.Keys(warned)) {
		c := accepted[key]
		if c == nil {
			continue
		}
		a.findings = append(a.findings, Found{key, warned[key]})
		for i, f := range warned[key] {
			if i == someFindings {
				a.warnings = append(a.warnings, Problem{File: c.item.Name, Reason: fmt.Sprintf("vet: and %d more findings", len(warned[key])-i)})
				break
			}
			a.warnings = append(a.warnings, Problem{File: c.item.Name, Reason: fmt.Sprintf("%s%s (%s): %s", policy.RuleVet, f.Rule, f.Severity, f.String())})
		}
	}
}
