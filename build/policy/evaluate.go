package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/github/go-spdx/v2/spdxexp"

	"galbuild/build/catalog"
)

// Evaluate returns which candidates the policy keeps out at a time.
func (p *Policy) Evaluate(c []Candidate, now time.Time) Result {
	r := &Result{}
	remaining := make([]*Candidate, 0, len(c))
	for i := range c {
		if x, ok := p.check(&c[i], now); ok {
			r.Excluded = append(r.Excluded, x)
			r.changesAt(x.Until)
			continue
		}
		remaining = append(remaining, &c[i])
	}
	protected := map[*Candidate]bool{}
	groups := byExtension(remaining)
	for _, group := range groups {
		p.keep.protect(group, protected)
	}
	remaining = remaining[:0]
	for _, group := range groups {
		group = p.keep.apply(r, group, protected, now)
		remaining = append(remaining, p.limits.apply(r, group, protected)...)
	}
	p.limits.applyTotal(r, remaining, protected)
	slices.SortFunc(r.Excluded, func(a, b Exclusion) int { return strings.Compare(a.Key, b.Key) })
	return *r
}

// changesAt records that the result changes at a time. The zero time is never.
func (r *Result) changesAt(t time.Time) {
	if !t.IsZero() && (r.Next.IsZero() || t.Before(r.Next)) {
		r.Next = t
	}
}

func (r *Result) exclude(c *Candidate, rule string, line int, format string, args ...any) {
	r.Excluded = append(r.Excluded, Exclusion{Key: c.Key, Rule: rule, Line: line, Detail: fmt.Sprintf(format, args...)})
}

// check applies the rules that look at one version.
func (p *Policy) check(c *Candidate, now time.Time) (x Exclusion, excluded bool) {
	if x := p.deny.check(c); x != nil {
		return x.exclusion(c.Key), true
	}
	var r Result
	if p.allow != nil {
		if line, detail := p.allow.check(c); line > 0 {
			r.exclude(c, "allow", line, "%s", detail)
		}
	}
	if v := c.Version; p.platforms != nil && v.Platform != "" && !p.platforms.has(v.Platform) {
		r.exclude(c, "platforms", p.platforms.line, "%s is not among the platforms", v.Platform)
	}
	p.checkRequired(&r, c)
	p.checkVet(&r, c)
	p.checkAttestations(&r, c)
	p.limits.check(&r, c)
	if len(r.Excluded) > 0 {
		return r.Excluded[0], true
	}
	return p.checkAge(c, now)
}

func (p *Policy) checkRequired(r *Result, c *Candidate) {
	q := &p.required
	if q.signature > 0 && !c.Version.Signed && !c.Version.Verified {
		r.exclude(c, "required.signature", q.signature, "the package has no signature of a gallery")
	}
	if q.licence != nil && (!c.Listed || c.Licence != "") {
		if reason := q.licence.refuses(c.Licence); reason != "" {
			r.exclude(c, "required.licence", q.licence.line, "%s", reason)
		}
	}
	if _, publisher := names(c.Key); q.verifiedPublisher > 0 && !c.Extension.Publisher.Verified && p.Publishers[publisher].Domain == "" {
		r.exclude(c, "required.verifiedPublisher", q.verifiedPublisher, "the publisher %s is not verified", publisher)
	}
}

// refuses returns the reason why a licence is not among those of the list, or "".
func (r *listRule) refuses(licence string) string {
	if licence == "" {
		return "the package names no licence"
	}
	valid := len(licence) <= catalog.MaxLicence
	if valid {
		valid, _ = spdxexp.ValidateLicenses([]string{licence})
	}
	if !valid {
		return fmt.Sprintf("the licence %.100q is not an SPDX expression", licence)
	}
	if ok, err := spdxexp.Satisfies(licence, r.values); err != nil || !ok {
		return fmt.Sprintf("the licence %s is not among those accepted", licence)
	}
	return ""
}

// check applies the limits of one version.
func (l *limitRules) check(r *Result, c *Candidate) {
	if m := l.packageSize; m.line > 0 && c.Size > m.most {
		r.exclude(c, "limits.packageSize", m.line, "the package has %s, more than %s", bytesOf(c.Size), bytesOf(m.most))
	}
	if n := int64(len(c.Version.Assets) + len(c.Version.Files)); l.files.line > 0 && n > l.files.most {
		r.exclude(c, "limits.files", l.files.line, "the gallery would serve %d files for it, more than %d", n, l.files.most)
	}
}

func bytesOf(n int64) string { return humanize.Comma(n) + " bytes" }

// checkAge applies the minimum age of the extension, else that of its publisher, else that of all.
func (p *Policy) checkAge(c *Candidate, now time.Time) (x Exclusion, excluded bool) {
	id, publisher := names(c.Key)
	var rule ageRule
	for _, scope := range []string{id, publisher, "*"} {
		var ok bool
		if rule, ok = p.minimumAge[scope]; ok {
			break
		}
	}
	from, what := c.Published, "published"
	if from.IsZero() {
		from, what = c.Seen, "first seen"
	}
	if from.IsZero() {
		from = now
	}
	until := from.Add(rule.age)
	// The clock may have been set back since the version was let in.
	if rule.age == 0 || c.Admitted || c.Listed && c.Published.IsZero() || !now.Before(until) {
		return Exclusion{}, false
	}
	return Exclusion{
		Key: c.Key, Rule: "minimumAge", Line: rule.line, Until: until,
		Detail: fmt.Sprintf("%s %s, offered from %s on", what, date(from), date(until)),
	}, true
}

func date(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// byExtension returns the candidates of each extension, newest version first.
func byExtension(all []*Candidate) (groups [][]*Candidate) {
	ids := make(map[string]int)
	for _, c := range all {
		id, _ := names(c.Key)
		i, ok := ids[id]
		if !ok {
			i = len(groups)
			ids[id] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], c)
	}
	for _, group := range groups {
		newestFirst(group)
	}
	slices.SortFunc(groups, func(a, b []*Candidate) int { return cmp.Compare(a[0].Key, b[0].Key) })
	return groups
}
