package policy

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/github/go-spdx/v2/spdxexp"

	"galbuild/build/catalog"
	"galbuild/build/jsonc"
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
	*jsonc.Reader
	policy    *Policy
	denyLists []jsonc.Field
	lists     *jsonc.Field
	logo      *jsonc.Field // of the key gallery
	files     *jsonc.Field
	ratings   *jsonc.Field
}

// policyKeys are the keys of a policy, in the order of its documentation.
var policyKeys = []string{
	"$schema", "allow", "deny", "denyLists", "minimumAge", "keep", "required", "limits", "platforms", "vet", "keys",
	"featured", "recommended", "deprecated", "publishers", "search", "ratings", "rateUrl", "gallery", "collect", "lists", "files",
}

func (r *reader) readPolicy(root jsonc.Field) {
	p := r.policy
	for _, f := range r.Members(root, policyKeys...) {
		switch f.Name {
		case "$schema":
			r.String(f, "the address of a schema")
		case "allow":
			p.allow = r.readAllow(f)
		case "deny":
			r.readDeny(f)
		case "denyLists":
			r.denyLists = r.Elements(f)
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
		case "collect":
			p.Collect = r.readCollect(f)
		case "files":
			r.files = &f
		default:
			r.readPresentation(f)
		}
	}
	r.checkKeys()
}

// readPresentation reads a key that says how the gallery presents extensions.
func (r *reader) readPresentation(f jsonc.Field) {
	p := r.policy
	switch f.Name {
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
	case "ratings":
		r.ratings = &f
	case "rateUrl":
		p.RateURL = r.readRateURL(f)
	}
}

// scope returns the lower-case name of what a rule is for: an extension, a publisher or "*".
func (r *reader) scope(f jsonc.Field) (string, bool) {
	if f.Name == "*" {
		return "*", true
	}
	publisher, name, ok := strings.Cut(f.Name, ".")
	if !ok {
		name = "any"
	}
	if err := catalog.CheckID(publisher, name); err != nil {
		r.Problem(f, `want "*", a publisher such as "acme", or an extension such as "acme.notes": %v`, err)
		return "", false
	}
	return strings.ToLower(f.Name), true
}

// scopes returns the members of an object by their [reader.scope].
func (r *reader) scopes(f jsonc.Field) map[string]jsonc.Field {
	all := make(map[string]jsonc.Field)
	for _, x := range r.Members(f) {
		scope, ok := r.scope(x)
		if !ok {
			continue
		}
		if other, again := all[scope]; again {
			r.Problem(x, "is given twice, first on line %d as %s: case does not matter", other.Line, other.Name)
			continue
		}
		all[scope] = x
	}
	return all
}

// extension returns the lower-case id of an extension.
func (r *reader) extension(f jsonc.Field) (string, bool) {
	const want = `the id of an extension such as "acme.notes"`
	s, ok := r.String(f, want)
	if !ok {
		return "", false
	}
	return r.extensionID(f, s)
}

func (r *reader) extensionID(f jsonc.Field, s string) (string, bool) {
	publisher, name, _ := strings.Cut(s, ".")
	if err := catalog.CheckID(publisher, name); err != nil {
		r.Problem(f, `want the id of an extension such as "acme.notes", found %.100q: %v`, s, err)
		return "", false
	}
	return strings.ToLower(s), true
}

// extensions returns a list of lower-case ids without duplicates.
func (r *reader) extensions(f jsonc.Field) (ids []string) {
	for _, x := range r.Elements(f) {
		if id, ok := r.extension(x); ok && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// goodDuration has fewer forms than durations of flags have, so that a schema can describe them.
var goodDuration = regexp.MustCompile(`^([0-9]{1,5}d)?([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$`)

func (r *reader) duration(f jsonc.Field) (d time.Duration, ok bool) {
	const want = `a duration such as "12h", "7d" or "0s"`
	s, ok := r.String(f, want)
	if !ok {
		return 0, false
	}
	d, err := units.ParseDuration(s)
	if err != nil || !goodDuration.MatchString(s) {
		r.Problem(f, "want %s, found %.100q", want, s)
		return 0, false
	}
	return d, true
}

func (r *reader) readAges(f jsonc.Field) map[string]ageRule {
	values := map[string]jsonc.Field{"*": f}
	if f.Value.Value.Kind() == '{' {
		values = r.scopes(f)
	}
	all := make(map[string]ageRule)
	for scope, x := range values {
		age, _ := r.duration(x)
		all[scope] = ageRule{x.Line, age}
	}
	return all
}

// defaultGrace is how long the files of a dropped version are served if the policy does not say it.
const defaultGrace = 30 * 24 * time.Hour

func (r *reader) readKeep(f jsonc.Field) *keepRule {
	k := &keepRule{line: f.Line, grace: defaultGrace, pinned: make(map[string][]catalog.ID)}
	drops := false
	for _, x := range r.Members(f, "last", "newerThan", "grace", "engines", "pinned") {
		switch x.Name {
		case "last":
			k.last, drops = r.Count(x), true
		case "newerThan":
			drops = true
			var ok bool
			if k.newerThan, ok = r.duration(x); ok && k.newerThan == 0 {
				r.Problem(x, "want more than 0s")
			}
		case "grace":
			k.grace, _ = r.duration(x)
		case "engines":
			k.engines = r.readEngines(x)
		case "pinned":
			r.readPinned(x, k.pinned)
		}
	}
	if !drops && f.Value.Value.Kind() == '{' {
		r.Problem(f, "want last or newerThan: without them, all versions are kept")
	}
	return k
}

func (r *reader) readEngines(f jsonc.Field) (engines []string) {
	const want = `a version of VS Code such as "1.85.0"`
	for _, x := range r.Elements(f) {
		s, ok := r.String(x, want)
		if !ok {
			continue
		}
		if _, err := npmsemver.ParseVersion(s); err != nil {
			r.Problem(x, "want %s, found %.100q", want, s)
			continue
		}
		engines = append(engines, s)
	}
	return engines
}

func (r *reader) readPinned(f jsonc.Field, pinned map[string][]catalog.ID) {
	for _, x := range r.Elements(f) {
		s, ok := r.String(x, `an id such as "acme.notes@1.2.3"`)
		if !ok {
			continue
		}
		subject, err := parseSubject(s)
		if err == nil && !subject.SHA256.IsZero() {
			r.Problem(x, `want an id such as "acme.notes@1.2.3", found %.100q`, s)
			continue
		}
		if err != nil {
			r.Problem(x, "%v", err)
			continue
		}
		pinned[subject.Extension] = append(pinned[subject.Extension], subject.ID)
	}
}

func (r *reader) readRequired(f jsonc.Field) {
	q := &r.policy.required
	for _, x := range r.Members(f, "signature", "licence", "verifiedPublisher", "approvals", "verdicts") {
		switch x.Name {
		case "signature":
			q.signature = lineIf(r.Bool(x), x)
		case "verifiedPublisher":
			q.verifiedPublisher = lineIf(r.Bool(x), x)
		case "licence":
			q.licence = r.readLicences(x)
		case "approvals":
			q.approvals = limitRule{x.Line, int64(r.Count(x))}
		case "verdicts":
			q.verdicts = r.readVerdicts(x)
		}
	}
}

// lineIf returns the line of a field, or 0.
func lineIf(on bool, f jsonc.Field) int {
	if !on {
		return 0
	}
	return f.Line
}

func (r *reader) readLicences(f jsonc.Field) *listRule {
	const want = `an SPDX identifier such as "MIT" or "GPL-2.0-only WITH Classpath-exception-2.0"`
	rule := &listRule{line: f.Line}
	for _, x := range r.Elements(f) {
		s, ok := r.String(x, want)
		if !ok {
			continue
		}
		valid, _ := spdxexp.ValidateLicensesWithOptions([]string{s}, spdxexp.ValidateLicensesOptions{FailComplexExpressions: true})
		if len(s) > catalog.MaxLicence || !valid {
			r.Problem(x, "want %s, found %.100q", want, s)
			continue
		}
		rule.values = append(rule.values, s)
	}
	r.notEmpty(f)
	return rule
}

// notEmpty refuses an empty list, which would keep out everything.
func (r *reader) notEmpty(f jsonc.Field) {
	if f.Value.Value.Kind() == '[' && len(r.Elements(f)) == 0 {
		r.Problem(f, "the list is empty, so that nothing could enter; leave the key out to accept all")
	}
}

func (r *reader) readLimits(f jsonc.Field) {
	l := &r.policy.limits
	for _, x := range r.Members(f, "packageSize", "files", "versionsPerExtension", "total") {
		switch x.Name {
		case "packageSize":
			l.packageSize = limitRule{x.Line, r.Size(x)}
		case "files":
			l.files = limitRule{x.Line, int64(r.Count(x))}
		case "versionsPerExtension":
			l.versionsPerExtension = limitRule{x.Line, int64(r.Count(x))}
		case "total":
			l.total = limitRule{x.Line, r.Size(x)}
		}
	}
}

func (r *reader) readPlatforms(f jsonc.Field) *listRule {
	rule := &listRule{line: f.Line}
	for _, x := range r.Elements(f) {
		if s, ok := r.String(x, "a platform such as linux-x64"); ok && r.isPlatform(x, s) {
			rule.values = append(rule.values, s)
		}
	}
	r.notEmpty(f)
	return rule
}

// isPlatform reports whether s is a target platform or "universal".
func (r *reader) isPlatform(f jsonc.Field, s string) bool {
	err := checkPlatform(s)
	if err != nil {
		r.Problem(f, "%v", err)
	}
	return err == nil
}

func checkPlatform(s string) error {
	known := append(catalog.Platforms(), catalog.Universal)
	if slices.Contains(known, s) {
		return nil
	}
	return fmt.Errorf("%.100q is not a platform%s", s, jsonc.OrOneOf(s, known))
}

// parseSubject parses an id or a hash. Unlike [catalog.ParseSubject], it knows all platforms.
func parseSubject(s string) (catalog.Subject, error) {
	subject, err := catalog.ParseSubject(s)
	if err == nil && subject.Platform != "" {
		err = checkPlatform(subject.Platform)
	}
	return subject, err
}

func (r *reader) readDeprecated(f jsonc.Field) []Deprecation {
	var all []Deprecation
	for _, x := range r.Members(f) {
		d := Deprecation{}
		d.ID, _ = r.extensionID(x, x.Name)
		for _, y := range r.Members(x, "use", "reason") {
			switch y.Name {
			case "use":
				d.Use, _ = r.extension(y)
			case "reason":
				d.Reason, _ = r.String(y, "a text")
			}
		}
		all = append(all, d)
		if d.ID != "" && d.ID == d.Use {
			r.Problem(x, "is to be replaced with itself")
		}
	}
	slices.SortStableFunc(all, func(a, b Deprecation) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

func (r *reader) readPublishers(f jsonc.Field) map[string]Publisher {
	all := make(map[string]Publisher)
	for _, x := range r.Members(f) {
		if err := catalog.CheckID(x.Name, "any"); err != nil {
			r.Problem(x, `want the name of a publisher such as "acme": %v`, err)
			continue
		}
		all[strings.ToLower(x.Name)] = r.readPublisher(x)
	}
	return all
}

func (r *reader) readPublisher(f jsonc.Field) (p Publisher) {
	for _, x := range r.Members(f, "displayName", "domain", "keys", "revoked") {
		switch x.Name {
		case "displayName":
			p.DisplayName, _ = r.String(x, "a name")
		case "domain":
			const want = "an address such as https://acme.example"
			s, ok := r.String(x, want)
			if ok && (!strings.HasPrefix(s, "https://") || catalog.CheckURL(s) != nil) {
				r.Problem(x, "want %s, found %.100q", want, s)
			}
			p.Domain = s
		case "keys":
			p.Keys = r.readKeys(x)
		case "revoked":
			p.Revoked = r.readKeys(x)
		}
	}
	r.checkRevoked(f, p)
	return p
}

// checkRevoked refuses a key, or the name of a key, that is in force and also revoked.
func (r *reader) checkRevoked(f jsonc.Field, p Publisher) {
	for _, name := range slices.Sorted(maps.Keys(p.Revoked)) {
		for _, other := range slices.Sorted(maps.Keys(p.Keys)) {
			if name == other || p.Revoked[name].Equal(p.Keys[other]) {
				r.Problem(f, "the revoked key %s is also one of the keys, as %s", name, other)
			}
		}
	}
}

func (r *reader) readSearch(f jsonc.Field) (s Search) {
	for _, x := range r.Members(f, "pins", "synonyms") {
		switch x.Name {
		case "pins":
			s.Pins = make(map[string][]string)
			for _, pin := range r.Members(x) {
				if query := strings.ToLower(strings.TrimSpace(pin.Name)); query != "" {
					s.Pins[query] = append(s.Pins[query], r.extensions(pin)...)
				} else {
					r.Problem(pin, "the text of the search is empty")
				}
			}
		case "synonyms":
			for _, set := range r.Elements(x) {
				s.Synonyms = append(s.Synonyms, r.readSynonyms(set))
			}
		}
	}
	return s
}

func (r *reader) readSynonyms(f jsonc.Field) (words []string) {
	elements := r.Elements(f)
	for _, x := range elements {
		if s, ok := r.String(x, "a word"); ok {
			if !isWord(s) {
				r.Problem(x, "want one word of letters and digits, found %.100q", s)
			}
			words = append(words, strings.ToLower(s))
		}
	}
	if f.Value.Value.Kind() == '[' && len(elements) < 2 {
		r.Problem(f, `want at least two words such as ["js", "javascript"]`)
	}
	return words
}

// isWord reports whether s is a word of searches: letters and digits, with + and # at the end.
// Package index also ends a word where a script without spaces, such as Chinese, begins or ends.
func isWord(s string) bool {
	letters := strings.TrimRight(s, "+#")
	return letters != "" && !strings.ContainsFunc(letters, func(c rune) bool { return !unicode.In(c, unicode.L, unicode.M, unicode.Nd) })
}
