package policy

import (
	"fmt"
	"strings"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/jsonc"
)

// A denyRule has what deny and the lists name.
type denyRule struct {
	publishers map[string]denial     // by lower-case name
	ids        map[string][]deniedID // by lower-case id of the extension
	hashes     map[blob.Ref]denial
}

// A denial is where something is denied.
type denial struct {
	subject  string // as in the file
	line     int    // of the policy
	list     string // the list, or "" for deny itself
	listLine int
}

type deniedID struct {
	catalog.ID
	denial
}

func (r *reader) readDeny(f jsonc.Field) {
	for _, x := range r.Elements(f) {
		if s, ok := r.String(x, wantDenied); ok {
			if err := r.policy.deny.add(denial{subject: s, line: x.Line}); err != nil {
				r.Problem(x, "%v", err)
			}
		}
	}
}

const wantDenied = `a publisher such as "acme", an id such as "acme.notes", "acme.notes@1.2.3" or "acme.notes@linux-x64", or "sha256:" and a hash`

// add adds what x.subject names.
func (d *denyRule) add(x denial) error {
	if d.ids == nil {
		*d = denyRule{make(map[string]denial), make(map[string][]deniedID), make(map[blob.Ref]denial)}
	}
	if _, err := blob.Parse(strings.ToLower(x.subject)); err == nil {
		return fmt.Errorf("%s is a hash; write sha256:%s", x.subject, x.subject)
	}
	publisher := strings.TrimSuffix(x.subject, ".*")
	if !strings.ContainsAny(publisher, ".@:") {
		if err := catalog.CheckID(publisher, "any"); err != nil {
			return fmt.Errorf("want %s, found %.100q: %w", wantDenied, x.subject, err)
		}
		d.publishers[strings.ToLower(publisher)] = x
		return nil
	}
	subject, err := parseSubject(x.subject)
	switch {
	case err != nil:
		return err
	case !subject.SHA256.IsZero():
		d.hashes[subject.SHA256] = x
	default:
		d.ids[subject.Extension] = append(d.ids[subject.Extension], deniedID{subject.ID, x})
	}
	return nil
}

// check returns what denies a candidate, or nil.
func (d *denyRule) check(c *Candidate) *denial {
	id, publisher := names(c.Key)
	if x, ok := d.hashes[c.Version.Package.Ref]; ok {
		return &x
	}
	for _, x := range d.ids[id] {
		if x.Matches(c.Version) {
			return &x.denial
		}
	}
	if x, ok := d.publishers[publisher]; ok {
		return &x
	}
	return nil
}

// exclusion describes what a denial keeps out.
func (x *denial) exclusion(key string) Exclusion {
	if x.list == "" {
		return Exclusion{Key: key, Rule: "deny", Line: x.line, Detail: x.subject + " is denied"}
	}
	return Exclusion{Key: key, Rule: "denyLists", Line: x.line, Detail: fmt.Sprintf("%s is on line %d of the list %s", x.subject, x.listLine, x.list)}
}
