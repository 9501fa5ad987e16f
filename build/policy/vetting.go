package policy

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"aead.dev/minisign"

	"galbuild/build/catalog"
	"galbuild/build/jsonc"
)

// An Action is what a policy does about a finding.
type Action int

// Actions, the mildest one first.
const (
	Off        Action = iota
	Warn              // the report has a warning
	Quarantine        // the version is kept out until somebody approves its package
	Refuse            // the version is kept out
)

var actions = []string{Off: "off", Warn: "warn", Quarantine: "quarantine", Refuse: "refuse"}

// String returns the word in a policy.
func (a Action) String() string { return actions[a] }

// RuleApprovals is the name of the rule that requires approvals.
const RuleApprovals = "required.approvals"

// RuleVet begins the name of each rule that keeps out a version because of a finding; the name of
// the rule that found it follows.
const RuleVet = "vet."

// vetRules have the actions for findings. A severity without an entry is off.
type vetRules struct {
	severities map[string]actionRule // by severity
	rules      map[string]actionRule // by rule; they take precedence
	except     map[string][]string   // names of rules, or "*", by lower-case scope
	named      map[string]int        // the lines of the names of rules
}

// An actionRule is an action and its line in the policy.
type actionRule struct {
	line   int
	action Action
}

// Vets reports whether packages must be vetted: some finding can have an action other than off.
func (p *Policy) Vets() bool {
	for _, all := range []map[string]actionRule{p.vet.severities, p.vet.rules} {
		for _, r := range all {
			if r.action != Off {
				return true
			}
		}
	}
	return false
}

// VetRules returns the names of the rules that the policy mentions, and their lines.
func (p *Policy) VetRules() map[string]int { return p.vet.named }

// ActionOf returns the action for a finding in the version with a [catalog.Key]. Commands that vet
// packages without a gallery call it.
func (p *Policy) ActionOf(key string, f *catalog.Finding) Action { return p.vet.of(key, f).action }

func (v *vetRules) of(key string, f *catalog.Finding) actionRule {
	for _, scope := range vetScopes(key) {
		if names := v.except[scope]; slices.Contains(names, "*") || slices.Contains(names, f.Rule) {
			return actionRule{}
		}
	}
	if r, ok := v.rules[f.Rule]; ok {
		return r
	}
	return v.severities[f.Severity]
}

// vetScopes returns the keys under which "except" can name a version.
func vetScopes(key string) []string {
	id, publisher := names(key)
	_, rest, _ := strings.Cut(key, "@")
	version, _, _ := strings.Cut(rest, "@")
	return []string{publisher, id, id + "@" + version}
}

// strictest returns the strictest action, and the first finding with it.
func (v *vetRules) strictest(c *Candidate) (strictest actionRule, finding *catalog.Finding) {
	for i := range c.Findings {
		if r := v.of(c.Key, &c.Findings[i]); r.action > strictest.action {
			strictest, finding = r, &c.Findings[i]
		}
	}
	return strictest, finding
}

// Vet returns the strictest action for the findings in a version, and the findings whose action is
// not off. A version that this policy has let in before stays, and an approval ends a quarantine:
// then the action is Warn.
func (p *Policy) Vet(c *Candidate) (Action, []catalog.Finding) {
	rule, _ := p.vet.strictest(c)
	action := rule.action
	if action > Warn && (c.Admitted || action == Quarantine && len(c.Approvals) > 0) {
		action = Warn
	}
	var all []catalog.Finding
	for i := range c.Findings {
		if p.vet.of(c.Key, &c.Findings[i]).action > Off {
			all = append(all, c.Findings[i])
		}
	}
	return action, all
}

// VetExclusion returns why the findings in a version keep it out, or nil.
func (p *Policy) VetExclusion(c *Candidate) *Exclusion {
	action, findings := p.Vet(c)
	if action <= Warn {
		return nil
	}
	rule, finding := p.vet.strictest(c)
	return &Exclusion{
		Key: c.Key, Rule: RuleVet + finding.Rule, Line: rule.line, Detail: finding.String(),
		Quarantine: action == Quarantine, Findings: findings,
	}
}

func (p *Policy) checkVet(r *Result, c *Candidate) {
	if x := p.VetExclusion(c); x != nil {
		r.Excluded = append(r.Excluded, *x)
	}
}

// checkAttestations applies the rules that require approvals and verdicts.
func (p *Policy) checkAttestations(r *Result, c *Candidate) {
	q := &p.required
	if n := len(c.Approvals); int64(n) < q.approvals.most {
		r.exclude(c, RuleApprovals, q.approvals.line, "the package has %d of the %d approvals that it needs", n, q.approvals.most)
	}
	if q.verdicts == nil {
		return
	}
	for _, scanner := range q.verdicts.values {
		switch result := c.Verdicts[scanner]; result {
		case "clean":
		case "":
			r.exclude(c, "required.verdicts", q.verdicts.line, "the package has no signed verdict of %s", scanner)
		default:
			r.exclude(c, "required.verdicts", q.verdicts.line, "the verdict of %s is %q", scanner, result)
		}
	}
}

// Scanners returns the names of the scanners whose verdicts the policy requires.
func (p *Policy) Scanners() []string {
	if p.required.verdicts == nil {
		return nil
	}
	return p.required.verdicts.values
}

// readVet reads the actions for findings.
func (r *reader) readVet(f jsonc.Field) (v vetRules) {
	v.severities, v.named = make(map[string]actionRule), make(map[string]int)
	for _, x := range r.Members(f, append(catalog.Severities(), "rules", "except")...) {
		switch x.Name {
		case "rules":
			v.rules = r.readVetRules(x, v.named)
		case "except":
			v.except = r.readExcept(x, v.named)
		default:
			v.severities[x.Name] = r.readAction(x)
		}
	}
	return v
}

func (r *reader) readAction(f jsonc.Field) actionRule {
	want := "off, warn, quarantine or refuse"
	s, ok := r.String(f, want)
	i := slices.Index(actions, s)
	if ok && i < 0 {
		r.Problem(f, "want %s, found %.100q", want, s)
	}
	return actionRule{f.Line, Action(max(i, 0))}
}

const wantRule = `the name of a rule such as "hidden-characters"`

func (r *reader) readVetRules(f jsonc.Field, named map[string]int) map[string]actionRule {
	all := make(map[string]actionRule)
	for _, x := range r.Members(f) {
		if !catalog.IsRule(x.Name) {
			r.Problem(x, "want %s", wantRule)
		}
		all[x.Name], named[x.Name] = r.readAction(x), x.Line
	}
	return all
}

// readExcept returns the rules that do not apply, by publisher, id or version.
func (r *reader) readExcept(f jsonc.Field, named map[string]int) map[string][]string {
	all := make(map[string][]string)
	for _, x := range r.Members(f) {
		scope, ok := r.vetScope(x)
		for _, y := range r.Elements(x) {
			s, isText := r.String(y, wantRule+` or "*"`)
			if isText && s != "*" && !catalog.IsRule(s) {
				r.Problem(y, "want %s or \"*\", found %.100q", wantRule, s)
			}
			if ok && isText {
				all[scope] = append(all[scope], s)
			}
			if s != "*" {
				named[s] = y.Line
			}
		}
	}
	return all
}

func (r *reader) vetScope(f jsonc.Field) (string, bool) {
	if publisher := f.Name; catalog.CheckID(publisher, "any") == nil {
		return strings.ToLower(publisher), true
	}
	subject, err := parseSubject(f.Name)
	if err == nil && (!subject.SHA256.IsZero() || subject.Platform != "") {
		err = errors.New("it has a hash or a platform")
	}
	if err != nil {
		r.Problem(f, `want a publisher such as "acme", an extension such as "acme.notes" or a version such as "acme.notes@1.2.3": %v`, err)
		return "", false
	}
	return subject.String(), true
}

var goodName = regexp.MustCompile(`^[^\x00-\x1f\x7f-\x9f]{1,100}$`)

// readKeys reads the public keys of those who sign records.
func (r *reader) readKeys(f jsonc.Field) map[string]minisign.PublicKey {
	const want = `a minisign public key such as "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"`
	all := make(map[string]minisign.PublicKey)
	owners := make(map[string]string)
	for _, x := range r.Members(f) {
		s, ok := r.String(x, want)
		if !ok {
			continue
		}
		var key minisign.PublicKey
		if err := key.UnmarshalText([]byte(s)); err != nil || key.String() != s {
			r.Problem(x, "want %s, found %.100q", want, s)
			continue
		}
		if !goodName.MatchString(x.Name) {
			r.Problem(x, "want a name of at most 100 characters")
		}
		if other, again := owners[s]; again {
			r.Problem(x, "is also the key of %s", other)
		}
		owners[s], all[x.Name] = x.Name, key
	}
	return all
}

func (r *reader) readVerdicts(f jsonc.Field) *listRule {
	rule := &listRule{line: f.Line}
	for _, x := range r.Elements(f) {
		s, ok := r.String(x, `the name of a scanner such as "clamav"`)
		if ok && !goodName.MatchString(s) {
			r.Problem(x, "want a name of at most 100 characters")
		}
		rule.values = append(rule.values, s)
	}
	r.notEmpty(f)
	return rule
}

// checkKeys refuses requirements that no package can meet.
func (r *reader) checkKeys() {
	q, keys := &r.policy.required, int64(len(r.policy.Keys))
	if a := q.approvals; a.most > keys {
		r.Problem(jsonc.Field{Key: RuleApprovals, Line: a.line}, "want at most %d, the number of keys, found %d: each approval is by another key", keys, a.most)
	}
	if q.verdicts != nil && keys == 0 {
		r.Problem(jsonc.Field{Key: "required.verdicts", Line: q.verdicts.line}, "the policy has no keys, so nothing could enter")
	}
}
