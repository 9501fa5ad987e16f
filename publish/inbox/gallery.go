package inbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"galbuild/build"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/policy"
	"galbuild/build/records"
	"galbuild/build/site"
	"galbuild/build/vsix"
	"galbuild/publish"
	"galbuild/publish/target"
)

// add adds the packages to the gallery. If none of them is accepted, publish.Add changes nothing.
// Then it is called again without those that it has refused, because the gallery may have to note
// that it has seen the others.
func (a *acceptance) add(gallery target.Target, scratch *site.Dir, result *publish.Result) (made *build.Result, err error) {
	for {
		*result, made, err = publish.Add(a.ctx, gallery, scratch, a.Build, a.sources, a.Options.Options)
		if !errors.Is(err, publish.ErrNoneAccepted) || made == nil || !a.settleRefused(made) {
			return made, err
		}
	}
}

// sources implements the last argument of publish.Add but one: it returns the folder with the
// packages that may enter a gallery with this catalogue. It decides about signatures each time,
// because somebody may have changed the policy.
func (a *acceptance) sources(old *catalog.Catalog) []string {
	rules, known := a.policy(old), newKnowledge(old)
	a.attempts++
	folder := filepath.Join(a.folder, strconv.Itoa(a.attempts))
	any := false
	for _, s := range a.pending {
		if s.result.State != "" || s.problem != nil || a.ctx.Err() != nil {
			continue
		}
		reason := s.verify(rules)
		if reason == nil && known.served[s.SHA256] {
			continue // settle accepts it
		}
		if reason == nil {
			reason, s.problem = a.fetch(s)
		}
		switch {
		case reason != nil:
			s.refuse(reason)
		case s.problem == nil:
			if s.problem = s.place(folder, known.lacksRecord(s, rules)); s.problem == nil {
				any = true
			}
		}
	}
	if !any {
		return nil
	}
	return []string{folder}
}

// policy returns the policy that the gallery will have.
func (a *acceptance) policy(old *catalog.Catalog) *policy.Policy {
	next := catalog.Catalog{Settings: catalog.Settings{Policy: a.Build.Settings.Policy}}
	if next.Policy == "" && old != nil && len(a.Build.Drop) == 0 {
		next.Policy = old.Policy
	}
	return policy.Of(&next)
}

// verify returns why the policy does not allow the submission, or nil.
func (s *pending) verify(p *policy.Policy) error {
	of := p.Publishers[s.Publisher]
	r := s.document.record()
	state, name := decision.Verify(r, of.Keys)
	if s.keyName = name; state == decision.Valid {
		return nil
	}
	if state, name = decision.Verify(r, of.Revoked); state == decision.Valid {
		return fmt.Errorf("it is signed with the key %s (%s), which is revoked: sign with another one", r.Key, name)
	}
	if len(of.Keys) == 0 {
		return fmt.Errorf("the policy of the gallery has no keys of the publisher %s", s.Publisher)
	}
	return fmt.Errorf("it is not signed with a key that may submit packages of the publisher %s: its key is %s", s.Publisher, r.Key)
}

// fetch downloads the package of a submission, unless it has been, and reads its id. It returns why
// the submission is refused, or an error about the target.
func (a *acceptance) fetch(s *pending) (reason, err error) {
	if s.file != "" {
		return nil, nil
	}
	file := filepath.Join(a.folder, s.SHA256.String()+packageSuffix)
	if err := a.download(s, file); err != nil {
		return nil, err
	}
	ref, _, err := blob.SumFile(file)
	if err != nil {
		return nil, err
	}
	if ref != s.SHA256 {
		return errors.New("the SHA-256 of the package is not the one in its name"), nil
	}
	if s.key, err = publish.PackageKey(file, a.limits); err != nil {
		return err, nil
	}
	if s.key != s.document.Package {
		return fmt.Errorf("the package is %s, and the submission says %s", s.key, s.document.Package), nil
	}
	s.file = file
	return nil, nil
}

// download copies a package to a file. It reads no more than the size that was listed.
func (a *acceptance) download(s *pending, file string) error {
	from, err := a.box.Get(a.ctx, s.PackageKey(), 0, s.pkg.Size)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, a.meter.reader(io.LimitReader(from, s.pkg.Size)))
	a.meter.next(s.pkg.Size)
	return errors.Join(err, to.Close())
}

// knowledge is what a gallery has already.
type knowledge struct {
	served  map[blob.Ref]bool              // packages
	keys    map[string]bool                // of versions
	records map[blob.Ref][]*catalog.Record // of submissions, by package
}

func newKnowledge(c *catalog.Catalog) knowledge {
	k := knowledge{make(map[blob.Ref]bool), make(map[string]bool), make(map[blob.Ref][]*catalog.Record)}
	for key, v := range c.Versions() {
		k.served[v.Package.Ref], k.keys[key] = true, true
	}
	for i := range c.Records {
		if r := &c.Records[i]; r.Kind == decision.Submitted {
			k.records[r.Subject.SHA256] = append(k.records[r.Subject.SHA256], r)
		}
	}
	return k
}

// lacksRecord reports whether the gallery needs the record of a submission: unless it has a valid
// one of the package, or will refuse the package because its version exists. An author who submits
// packages again and again must not fill the catalogue.
func (k knowledge) lacksRecord(s *pending, p *policy.Policy) bool {
	return !k.keys[s.key] && !slices.ContainsFunc(k.records[s.SHA256], func(r *catalog.Record) bool {
		state, _ := decision.Verify(r, p.Publishers[s.Publisher].Keys)
		return state == decision.Valid
	})
}

// place moves the package to its path in a folder, by which auditors see where it came from. If
// record is set, it writes the record of the submission next to it.
func (s *pending) place(folder string, record bool) error {
	file := filepath.Join(folder, filepath.FromSlash(s.PackageKey()))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	if err := os.Rename(s.file, file); err != nil { // in a temporary folder, which is lost anyway if the process is killed
		return err
	}
	if s.file = file; !record {
		return nil
	}
	text, err := records.Encode([]catalog.Record{*s.document.record()})
	if err == nil {
		err = os.WriteFile(records.Path(file), text, 0o600)
	}
	return err
}

// settleRefused refuses what the build has refused. It reports whether there is anything.
func (a *acceptance) settleRefused(made *build.Result) (any bool) {
	for _, p := range made.Report.Refused {
		for _, s := range a.pending {
			if s.result.State != "" || s.file == "" || filepath.Base(p.File) != filepath.Base(s.file) {
				continue
			}
			if any = true; p.Unread {
				s.problem = errors.New(p.Reason)
				continue
			}
			s.refuse(errors.New(a.plain(p.Reason)))
		}
	}
	return any
}

// settle decides about all submissions, given the result of the build whose catalogue the gallery
// has now.
func (a *acceptance) settle(made *build.Result) {
	a.settleRefused(made)
	known := newKnowledge(made.Catalog)
	excluded := make(map[string]*build.Excluded)
	for i := range made.Report.Excluded {
		x := &made.Report.Excluded[i]
		excluded[x.ID] = x
	}
	for _, s := range a.pending {
		switch {
		case s.result.State != "" || s.problem != nil:
		case known.served[s.SHA256]:
			s.result = Result{State: Accepted}
		case excluded[s.key] != nil:
			s.result = exclusion(excluded[s.key])
		default:
			s.problem = errors.New("the gallery did not take it, and did not say why")
		}
	}
}

// exclusion returns the result of a package that is kept out. It waits if the passing of time or an
// approval lets it in. Who decided and why is for auditors, and authors do not see it.
func exclusion(x *build.Excluded) Result {
	if !x.IsByPolicy() {
		return Result{State: Refused, Reason: fmt.Sprintf("a decision of the gallery keeps it out: %s is %s", x.Subject, x.Kind)}
	}
	r := Result{State: Refused, Reason: fmt.Sprintf("%s (%s, line %d of the policy)", x.Reason, x.Rule, x.Line), Until: x.Until}
	if !x.Until.IsZero() || !x.SHA256.IsZero() {
		r.State = Waiting
	}
	return r
}

// maxReason is the largest size of a reason in bytes.
const maxReason = 2 << 10

// plain returns a reason without the names of temporary folders.
func (a *acceptance) plain(reason string) string {
	for n := 1; n <= a.attempts; n++ {
		reason = strings.ReplaceAll(reason, filepath.Join(a.folder, strconv.Itoa(n))+string(filepath.Separator), "")
	}
	reason, _ = vsix.Cut(strings.ToValidUTF8(reason, "\uFFFD"), maxReason/utf8.UTFMax)
	return reason
}
