package policy

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/github/go-spdx/v2/spdxexp"

	"galbuild/build/catalog"
	"galbuild/build/npmsemver"
	"galbuild/build/units"
)

// rules are the rules of a policy. Those that the policy does not have are zero.
type rules struct {
	allow      *allowRule
	deny       denyRule
	platforms  *listRule
	required   requiredRules
	limits     limitRules
	minimumAge map[string]ageRule // by publisher.name, publisher, or "*", in lower case
	keep       *keepRule
	vet        vetRules
}

// A listRule is a rule with a list of values.
type listRule struct {
	line   int
	values []string
}

func (r *listRule) has(value string) bool { return slices.Contains(r.values, value) }

// requiredRules are the lines of what is required; 0 is a rule that the policy does not have.
type requiredRules struct {
	signature, verifiedPublisher int
	licence                      *listRule
	approvals                    limitRule // the least number of them
	verdicts                     *listRule // the names of scanners
}

// A limitRule is a limit. It is zero if the policy does not have it.
type limitRule struct {
	line int
	most int64
}

type limitRules struct {
	packageSize, files          limitRule // of one version
	versionsPerExtension, total limitRule
}

type ageRule struct {
	line int
	age  time.Duration
}

type keepRule struct {
	line      int
	last      int           // 0 if it is not given
	newerThan time.Duration // 0 if it is not given
	grace     time.Duration
	engines   []string
	pinned    map[string][]catalog.ID // by lower-case id of the extension
}

// A reader fills a policy.
type reader struct {
	*document
	policy    *Policy
	denyLists []field
	lists     *field
	logo      *field // of the key gallery
	files     *field
	ratings   *field
}

// policyKeys are the keys of a policy, in the order of its documentation.
var policyKeys = []string{
	"$schema", "allow", "deny", "denyLists", "minimumAge", "keep", "required", "limits", "platforms", "vet", "keys",
	"featured", "recommended", "deprecated", "publishers", "search", "ratings", "rateUrl", "gallery", "collect", "lists", "files",
}

func (r *reader) readPolicy(root field) {
	p := r.policy
	for _, f := range r.members(root, policyKeys...) {
		switch f.name {
		case "$schema":
			r.string(f, "the address of a schema")
		case "allow":
			p.allow = r.readAllow(f)
		case "deny":
			r.readDeny(f)
		case "denyLists":
			r.denyLists = r.elements(f)
		case "lists":
			r.lists = &f
		case "minimumAge":
			p.minimumAge = r.readAges(f)
		case "keep":
			p.keep = r.readKeep(f)
		case "required":
			r.readRequired(f)
		case "limits":
			r.readLimits(f)
		case "platforms":
			p.platforms = r.readPlatforms(f)
		case "vet":
			p.vet = r.readVet(f)
		case "keys":
			p.Keys = r.readKeys(f)
		case "featured":
			p.Featured = r.extensions(f)
		case "recommended":
			p.Recommended = r.extensions(f)
		case "deprecated":
			p.Deprecated = r.readDeprecated(f)
		case "publishers":
			p.Publishers = r.readPublishers(f)
		case "search":
			p.Search = r.readSearch(f)
		case "gallery":
			p.Gallery = r.readGallery(f)
		case "collect":
			p.Collect = r.readCollect(f)
		case "files":
			r.files = &f
		case "ratings":
			r.ratings = &f
		case "rateUrl":
			p.RateURL = r.readRateURL(f)
		}
	}
	r.checkKeys()
}

// scope returns the lower-case name of what a rule is for: an extension, a publisher or "*".
func (r *reader) scope(f field) (string, bool) {
	if f.name == "*" {
		return "*", true
	}
	publisher, name, ok := strings.Cut(f.name, ".")
	if !ok {
		name = "any"
	}
	if err := catalog.CheckID(publisher, name); err != nil {
		r.problem(f, `want "*", a publisher such as "acme", or an extension such as "acme.notes": %v`, err)
		return "", false
	}
	return strings.ToLower(f.name), true
}

// scopes returns the members of an object by their [reader.scope].
func (r *reader) scopes(f field) map[string]field {
	all := make(map[string]field)
	for _, x := range r.members(f) {
		scope, ok := r.scope(x)
		if !ok {
			continue
		}
		if other, again := all[scope]; again {
			r.problem(x, "is given twice, first on line %d as %s: case does not matter", other.line, other.name)
			continue
		}
		all[scope] = x
	}
	return all
}

// extension returns the lower-case id of an extension.
func (r *reader) extension(f field) (string, bool) {
	const want = `the id of an extension such as "acme.notes"`
	s, ok := r.string(f, want)
	if !ok {
		return "", false
	}
	return r.extensionID(f, s)
}

func (r *reader) extensionID(f field, s string) (string, bool) {
	publisher, name, _ := strings.Cut(s, ".")
	if err := catalog.CheckID(publisher, name); err != nil {
		r.problem(f, `want the id of an extension such as "acme.notes", found %.100q: %v`, s, err)
		return "", false
	}
	return strings.ToLower(s), true
}

// extensions returns a list of lower-case ids without duplicates.
func (r *reader) extensions(f field) (ids []string) {
	for _, x := range r.elements(f) {
		if id, ok := r.extension(x); ok && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// The forms of durations and sizes are fewer than those of flags, so that a schema can have them.
var (
	goodDuration = regexp.MustCompile(`^([0-9]{1,5}d)?([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$`)
	goodSize     = regexp.MustCompile(`^[0-9]{1,12}([kKMGT]i?)?B$`)
)

func (r *reader) duration(f field) (d time.Duration, ok bool) {
	const want = `a duration such as "12h", "7d" or "0s"`
	s, ok := r.string(f, want)
	if !ok {
		return 0, false
	}
	d, err := units.ParseDuration(s)
	if err != nil || !goodDuration.MatchString(s) {
		r.problem(f, "want %s, found %.100q", want, s)
		return 0, false
	}
	return d, true
}

func (r *reader) size(f field) int64 {
	const want = `a size such as "500KB", "10MB" or "4GiB"`
	s, ok := r.string(f, want)
	if !ok {
		return 0
	}
	n, err := units.ParseSize(s)
	if err != nil || n < 1 || !goodSize.MatchString(s) {
		r.problem(f, "want %s, found %.100q", want, s)
		return 0
	}
	return n
}

func (r *reader) readAges(f field) map[string]ageRule {
	values := map[string]field{"*": f}
	if f.value.Value.Kind() == '{' {
		values = r.scopes(f)
	}
	all := make(map[string]ageRule)
	for scope, x := range values {
		age, _ := r.duration(x)
		all[scope] = ageRule{x.line, age}
	}
	return all
}

// defaultGrace is how long the files of a dropped version are served if the policy does not say it.
const defaultGrace = 30 * 24 * time.Hour

func (r *reader) readKeep(f field) *keepRule {
	k := &keepRule{line: f.line, grace: defaultGrace, pinned: make(map[string][]catalog.ID)}
	drops := false
	for _, x := range r.members(f, "last", "newerThan", "grace", "engines", "pinned") {
		switch x.name {
		case "last":
			k.last, drops = r.count(x), true
		case "newerThan":
			drops = true
			var ok bool
			if k.newerThan, ok = r.duration(x); ok && k.newerThan == 0 {
				r.problem(x, "want more than 0s")
			}
		case "grace":
			k.grace, _ = r.duration(x)
		case "engines":
			k.engines = r.readEngines(x)
		case "pinned":
			r.readPinned(x, k.pinned)
		}
	}
	if !drops && f.value.Value.Kind() == '{' {
		r.problem(f, "want last or newerThan: without them, all versions are kept")
	}
	return k
}

func (r *reader) readEngines(f field) (engines []string) {
	const want = `a version of VS Code such as "1.85.0"`
	for _, x := range r.elements(f) {
		s, ok := r.string(x, want)
		if !ok {
			continue
		}
		if _, err := npmsemver.ParseVersion(s); err != nil {
			r.problem(x, "want %s, found %.100q", want, s)
			continue
		}
		engines = append(engines, s)
	}
	return engines
}

func (r *reader) readPinned(f field, pinned map[string][]catalog.ID) {
	for _, x := range r.elements(f) {
		s, ok := r.string(x, `an id such as "acme.notes@1.2.3"`)
		if !ok {
			continue
		}
		subject, err := parseSubject(s)
		if err == nil && !subject.SHA256.IsZero() {
			r.problem(x, `want an id such as "acme.notes@1.2.3", found %.100q`, s)
			continue
		}
		if err != nil {
			r.problem(x, "%v", err)
			continue
		}
		pinned[subject.Extension] = append(pinned[subject.Extension], subject.ID)
	}
}

func (r *reader) readRequired(f field) {
	q := &r.policy.required
	for _, x := range r.members(f, "signature", "licence", "verifiedPublisher", "approvals", "verdicts") {
		switch x.name {
		case "signature":
			q.signature = lineIf(r.bool(x), x)
		case "verifiedPublisher":
			q.verifiedPublisher = lineIf(r.bool(x), x)
		case "licence":
			q.licence = r.readLicences(x)
		case "approvals":
			q.approvals = limitRule{x.line, int64(r.count(x))}
		case "verdicts":
			q.verdicts = r.readVerdicts(x)
		}
	}
}

// lineIf returns the line of a field, or 0.
func lineIf(on bool, f field) int {
	if !on {
		return 0
	}
	return f.line
}

func (r *reader) readLicences(f field) *listRule {
	const want = `an SPDX identifier such as "MIT" or "GPL-2.0-only WITH Classpath-exception-2.0"`
	rule := &listRule{line: f.line}
	for _, x := range r.elements(f) {
		s, ok := r.string(x, want)
		if !ok {
			continue
		}
		valid, _ := spdxexp.ValidateLicensesWithOptions([]string{s}, spdxexp.ValidateLicensesOptions{FailComplexExpressions: true})
		if len(s) > catalog.MaxLicence || !valid {
			r.problem(x, "want %s, found %.100q", want, s)
			continue
		}
		rule.values = append(rule.values, s)
	}
	r.notEmpty(f)
	return rule
}

// notEmpty refuses an empty list, which would keep out everything.
func (r *reader) notEmpty(f field) {
	if f.value.Value.Kind() == '[' && len(r.elements(f)) == 0 {
		r.problem(f, "the list is empty, so that nothing could enter; leave the key out to accept all")
	}
}

func (r *reader) readLimits(f field) {
	l := &r.policy.limits
	for _, x := range r.members(f, "packageSize", "files", "versionsPerExtension", "total") {
		switch x.name {
		case "packageSize":
			l.packageSize = limitRule{x.line, r.size(x)}
		case "files":
			l.files = limitRule{x.line, int64(r.count(x))}
		case "versionsPerExtension":
			l.versionsPerExtension = limitRule{x.line, int64(r.count(x))}
		case "total":
			l.total = limitRule{x.line, r.size(x)}
		}
	}
}

func (r *reader) readPlatforms(f field) *listRule {
	rule := &listRule{line: f.line}
	for _, x := range r.elements(f) {
		if s, ok := r.string(x, "a platform such as linux-x64"); ok && r.isPlatform(x, s) {
			rule.values = append(rule.values, s)
		}
	}
	r.notEmpty(f)
	return rule
}

// isPlatform reports whether s is a target platform or "universal".
func (r *reader) isPlatform(f field, s string) bool {
	err := checkPlatform(s)
	if err != nil {
		r.problem(f, "%v", err)
	}
	return err == nil
}

func checkPlatform(s string) error {
	known := append(catalog.Platforms(), catalog.Universal)
	if slices.Contains(known, s) {
		return nil
	}
	return fmt.Errorf("%.100q is not a platform%s", s, orOneOf(s, known))
}

// parseSubject parses an id or a hash. Unlike [catalog.ParseSubject], it knows all platforms.
func parseSubject(s string) (catalog.Subject, error) {
	subject, err := catalog.ParseSubject(s)
	if err == nil && subject.Platform != "" {
		err = checkPlatform(subject.Platform)
	}
	return subject, err
}

func (r *reader) readDeprecated(f field) []Deprecation {
	var all []Deprecation
	for _, x := range r.members(f) {
		d := Deprecation{}
		d.ID, _ = r.extensionID(x, x.name)
		for _, y := range r.members(x, "use", "reason") {
			switch y.name {
			case "use":
				d.Use, _ = r.extension(y)
			case "reason":
				d.Reason, _ = r.string(y, "a text")
			}
		}
		all = append(all, d)
		if d.ID != "" && d.ID == d.Use {
			r.problem(x, "is to be replaced with itself")
		}
	}
	slices.SortStableFunc(all, func(a, b Deprecation) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

func (r *reader) readPublishers(f field) map[string]Publisher {
	all := make(map[string]Publisher)
	for _, x := range r.members(f) {
		if err := catalog.CheckID(x.name, "any"); err != nil {
			r.problem(x, `want the name of a publisher such as "acme": %v`, err)
			continue
		}
		all[strings.ToLower(x.name)] = r.readPublisher(x)
	}
	return all
}

func (r *reader) readPublisher(f field) (p Publisher) {
	for _, x := range r.members(f, "displayName", "domain") {
		switch x.name {
		case "displayName":
			p.DisplayName, _ = r.string(x, "a name")
		case "domain":
			const want = "an address such as https://acme.example"
			s, ok := r.string(x, want)
			if ok && (!strings.HasPrefix(s, "https://") || catalog.CheckURL(s) != nil) {
				r.problem(x, "want %s, found %.100q", want, s)
			}
			p.Domain = s
		}
	}
	return p
}

func (r *reader) readSearch(f field) (s Search) {
	for _, x := range r.members(f, "pins", "synonyms") {
		switch x.name {
		case "pins":
			s.Pins = make(map[string][]string)
			for _, pin := range r.members(x) {
				if query := strings.ToLower(strings.TrimSpace(pin.name)); query != "" {
					s.Pins[query] = append(s.Pins[query], r.extensions(pin)...)
				} else {
					r.problem(pin, "the text of the search is empty")
				}
			}
		case "synonyms":
			for _, set := range r.elements(x) {
				s.Synonyms = append(s.Synonyms, r.readSynonyms(set))
			}
		}
	}
	return s
}

func (r *reader) readSynonyms(f field) (words []string) {
	elements := r.elements(f)
	for _, x := range elements {
		if s, ok := r.string(x, "a word"); ok {
			if !isWord(s) {
				r.problem(x, "want one word of letters and digits, found %.100q", s)
			}
			words = append(words, strings.ToLower(s))
		}
	}
	if f.value.Value.Kind() == '[' && len(elements) < 2 {
		r.problem(f, `want at least two words such as ["js", "javascript"]`)
	}
	return words
}

// isWord reports whether s is a word of searches: letters and digits, with + and # at the end.
// Package index also ends a word where a script without spaces, such as Chinese, begins or ends.
func isWord(s string) bool {
	letters := strings.TrimRight(s, "+#")
	return letters != "" && !strings.ContainsFunc(letters, func(c rune) bool { return !unicode.In(c, unicode.L, unicode.M, unicode.Nd) })
}
