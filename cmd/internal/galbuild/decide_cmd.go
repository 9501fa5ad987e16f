package galbuild

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"

	"galbuild/build"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
)

// authorFlags are the flags of commands that change a gallery. The history and decisions have them.
type authorFlags struct {
	By     string `placeholder:"NAME" help:"Who does this (default: the user). Only auditors see it, and the reason."`
	Reason string `placeholder:"TEXT" help:"Why."`
	clockFlag
	signFlags
}

// author returns who decides.
func (f *authorFlags) author() (decision.Author, error) {
	at, err := f.time()
	return decision.Author{By: cmp.Or(f.By, userName()), Reason: f.Reason, When: at}, err
}

// commit returns what the history says about a command.
func (e *env) commit(f *authorFlags) (site.Commit, error) {
	a, err := f.author()
	if err != nil {
		return site.Commit{}, err
	}
	sign, err := f.signer(e)
	return site.Commit{Command: e.command, By: a.By, Reason: a.Reason, When: a.When, Sign: sign}, err
}

// keepFlag is the flag of commands that prune.
type keepFlag struct {
	KeepGenerations int `default:"2" placeholder:"N" help:"Keep the files of this many generations, the current one included, so that galbuild rollback can switch back to them."`
}

func (k *keepFlag) check() error {
	if k.KeepGenerations < 1 {
		return fmt.Errorf("--keep-generations=%d: must be at least 1, for the current one", k.KeepGenerations)
	}
	return nil
}

func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return os.Getenv("USER")
}

// deciding are the arguments and flags of commands that decide about ids.
type deciding struct {
	authorFlags
	transfer
	targets.Flags

	subjects []catalog.Subject
	purge    bool              // delete what is kept out
	how      string            // flags that the history names, such as " --purge"
	earlier  []catalog.Subject // to purge, although they were decided about earlier
	where    string            // the target, for messages
	names    map[string]string // keys of packages by subject, for messages
}

// parse separates the target from the ids, and parses them.
func (d *deciding) parse(args []string) error {
	if err := d.transfer.check(); err != nil {
		return err
	}
	if _, err := d.author(); err != nil {
		return err
	}
	named := ""
	if n := len(args); n > 0 && !isHash(args[n-1]) {
		var err error
		if args, named, err = d.Last(args, otherID); err != nil {
			return err
		}
	}
	if len(args) == 0 {
		return errors.New("name what to decide about before the target")
	}
	if err := d.parseSubjects(args); err != nil {
		return err
	}
	return d.Check(named)
}

// parseSubjects parses ids and hashes.
func (d *deciding) parseSubjects(args []string) error {
	for _, arg := range args {
		if !isHash(arg) {
			if err := idType().check(arg); err != nil {
				return fmt.Errorf("<id>: %w", err)
			}
		}
		s, err := catalog.ParseSubject(arg)
		if err != nil {
			return err
		}
		d.subjects = append(d.subjects, s)
	}
	return nil
}

// isHash reports whether an argument is the hash of a package, and not an id or a target.
func isHash(arg string) bool { return strings.HasPrefix(strings.ToLower(arg), "sha256:") }

// decided is the JSON document of commands that decide.
type decided struct {
	publish.Result
	Decisions []recorded      `json:"decisions"`
	Purged    *publish.Purged `json:"purged,omitempty"` // only with --purge

	names map[string]string // see deciding
}

// recorded is a record with both parts, as --json prints it.
type recorded struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind"`
	Subject string    `json:"subject"`
	Counter int64     `json:"counter"`
	When    time.Time `json:"when"`
	Use     string    `json:"use,omitempty"`
	By      string    `json:"by,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Key     string    `json:"key,omitempty"` // the ID of the key that has signed it
}

func newRecorded(r *catalog.Record) recorded {
	made := recorded{ID: r.ID.String(), Kind: r.Kind, Subject: r.Subject.String(), Counter: r.Counter, When: r.When, Use: r.Use, Key: r.Key}
	if p := r.Private; p != nil {
		made.By, made.Reason = p.By, p.Reason
	}
	return made
}

// run records what decide returns, and prints it.
func (d *deciding) run(ctx context.Context, e *env, decide func(*catalog.Catalog, decision.Author) ([]catalog.Record, error)) error {
	result, err := d.decide(ctx, e, decide)
	if err != nil {
		return err
	}
	if err := e.printDecided(result); err != nil {
		return err
	}
	return e.printPurged(result.Purged, d.DryRun)
}

func (d *deciding) decide(ctx context.Context, e *env, decide func(*catalog.Catalog, decision.Author) ([]catalog.Record, error)) (decided, error) {
	author, err := d.author()
	if err != nil {
		return decided{}, err
	}
	at, err := d.Open(e.target)
	if err != nil {
		return decided{}, err
	}
	defer closeTarget(at)
	d.where = at.String()
	d.names = make(map[string]string)
	made := decided{Decisions: []recorded{}, names: d.names}
	commit, err := e.commit(&d.authorFlags)
	if err != nil {
		return decided{}, err
	}
	commit.Command += d.how
	lines := publish.NewLines(at) // purge reads few chunks that the decision has not read
	err = e.inWorkspace(func(dir *site.Dir, bar *progress) error {
		o := d.options(bar, commit)
		o.Lines = lines
		made.Result, err = publish.Decide(ctx, at, dir, o, func(c *catalog.Catalog) ([]catalog.Record, error) {
			records, err := decide(c, author)
			made.Decisions = made.Decisions[:0]
			for i := range records {
				if !decision.Includes(c.Records, records[i:i+1]) {
					made.Decisions = append(made.Decisions, newRecorded(&records[i]))
				}
			}
			return records, err
		})
		return err
	})
	switch {
	case errors.Is(err, publish.ErrNothing):
		return made, nothingAt(at)
	case err != nil || !d.purge:
		return made, explainPublish(err)
	}
	purged, err := publish.Purge(ctx, at, d.purged(made.Decisions), publish.Options{DryRun: d.DryRun, Lines: lines})
	made.Purged = &purged
	if err != nil {
		return made, hint.Add(err, "the decision is published, and what it keeps out is not listed any more; run it again to delete the rest")
	}
	return made, nil
}

// purged returns the subjects to purge: those of the new decisions, and those that were named and
// decided about earlier.
func (d *deciding) purged(decisions []recorded) []catalog.Subject {
	subjects := slices.Clone(d.earlier)
	for _, r := range decisions {
		if s, err := catalog.ParseSubject(r.Subject); err == nil {
			subjects = append(subjects, s)
		}
	}
	return subjects
}

// printPurged prints what was deleted, and what caches may still hold. It is an error if the target
// keeps something.
func (e *env) printPurged(p *publish.Purged, dryRun bool) error {
	if p == nil {
		return nil
	}
	if !e.quiet && !e.json {
		would := ""
		if dryRun {
			would = "would be "
		}
		terminal.Fprintf(e.stdout, "%spurged: %s, %s\n", would, plural(len(p.Objects), "object"), plural(len(p.Generations), "earlier generation"))
		e.printCached(p.Cached)
	}
	for _, left := range p.Left {
		of := ""
		if left.Key != "" {
			of = left.Key + ": "
		}
		terminal.Fprintf(e.stderr, "galbuild: not purged: %s%s\n", of, left.Reason)
	}
	if len(p.Left) > 0 {
		return errors.New("the gallery does not serve it any more, but the target keeps some of it; see above")
	}
	return nil
}

// printCached prints how caches forget paths.
func (e *env) printCached(paths []string) {
	if len(paths) == 0 {
		return
	}
	terminal.Fprintln(e.stdout, "caches may still hold:")
	for _, p := range paths {
		terminal.Fprintf(e.stdout, "  %s\n", p)
	}
	var patterns strings.Builder
	for _, p := range paths {
		fmt.Fprintf(&patterns, " -e '%s'", strings.TrimSuffix(p, "*"))
	}
	terminal.Fprintf(e.stdout, "nginx:  grep -rlaF%s /var/cache/nginx | xargs -r rm -f\n", &patterns)
	terminal.Fprintf(e.stdout, "CDN:    aws cloudfront create-invalidation --distribution-id ID --paths '%s'\n", strings.Join(paths, "' '"))
}

func (e *env) printDecided(d decided) error {
	if e.json {
		return e.printJSON(d)
	}
	if e.quiet {
		return nil
	}
	for _, r := range d.Decisions {
		if r.Kind == decision.Removed { // printResult prints the versions
			continue
		}
		use := ""
		if r.Use != "" {
			use = ", use " + r.Use
		}
		name := ""
		if key := d.names[r.Subject]; key != "" {
			name = key + ", "
		}
		terminal.Fprintf(e.stdout, "%-7s  %s%s%s\n", r.Kind, name, r.Subject, use)
	}
	e.printVersions(d.Result)
	return e.printResult(d.Result)
}

type blockCmd struct {
	IDs       []string `arg:"" name:"id" help:"What to block: publisher.name[@version][@platform], or sha256: and the hash of a package. It need not be in the gallery. The last argument is the target if it is an address or the folder of a site."`
	Purge     bool     `help:"Delete everything that the target has of it, also in earlier generations, so that nothing answers at any address and no rollback brings it back."`
	Malicious bool     `help:"Purge it, and also tell editors, which then uninstall every version of an extension. With a version, they update from it if the gallery serves a newer one."`

	deciding
}

// Validate implements Kong's hook.
func (b *blockCmd) Validate() error {
	if err := b.parse(b.IDs); err != nil {
		return err
	}
	if b.Reason == "" {
		return errors.New("--reason TEXT is missing: auditors must be able to find out why")
	}
	for _, s := range b.subjects {
		if b.Malicious && (!s.SHA256.IsZero() || s.Version == "" && s.Platform != "") {
			return errors.New("--malicious needs publisher.name[@version], because that is how editors know extensions")
		}
	}
	return nil
}

// Run blocks packages, now and in the future.
func (b *blockCmd) Run(ctx context.Context, e *env) error {
	kind := decision.Blocked
	b.purge = b.Purge || b.Malicious
	if b.Purge {
		b.how = " --purge"
	}
	if b.Malicious {
		kind, b.how = decision.Malicious, " --malicious"
		b.warn(e)
	}
	return b.run(ctx, e, func(c *catalog.Catalog, a decision.Author) ([]catalog.Record, error) {
		return decision.Add(c.Records, a, kind, b.subjects, "")
	})
}

// warn says what editors do, before it is done.
func (b *blockCmd) warn(e *env) {
	for _, s := range b.subjects {
		if s.CheckExtension() == nil {
			terminal.Fprintf(e.stderr, "galbuild: warning: editors uninstall every version of %s when they read the control manifest next\n", s)
		}
	}
}

type unblockCmd struct {
	IDs []string `arg:"" name:"id" help:"What to unblock, as for block. An extension stands for all that is blocked of it. The last argument is the target if it is an address or the folder of a site."`
	deciding
}

// Validate implements Kong's hook.
func (u *unblockCmd) Validate() error { return u.parse(u.IDs) }

// Run ends blocks.
func (u *unblockCmd) Run(ctx context.Context, e *env) error {
	return u.run(ctx, e, func(c *catalog.Catalog, a decision.Author) ([]catalog.Record, error) {
		return restore(c, a, u.subjects, decision.Blocked, decision.Malicious)
	})
}

type restoreCmd struct {
	IDs []string `arg:"" name:"id" help:"What to restore: publisher.name[@version][@platform] of removed versions, or of a deprecated extension. An extension stands for all that is removed of it. The last argument is the target if it is an address or the folder of a site."`
	deciding
}

// Validate implements Kong's hook.
func (r *restoreCmd) Validate() error { return r.parse(r.IDs) }

// Run lets removed versions be published again.
func (r *restoreCmd) Run(ctx context.Context, e *env) error {
	return r.run(ctx, e, func(c *catalog.Catalog, a decision.Author) ([]catalog.Record, error) {
		return restore(c, a, r.subjects, decision.Removed, decision.Deprecated)
	})
}

// restore ends the decisions in force of these kinds about the subjects and what they stand for.
// What is in force besides stays in force.
func restore(c *catalog.Catalog, a decision.Author, subjects []catalog.Subject, kinds ...string) ([]catalog.Record, error) {
	set := decision.Of(c)
	var ended []catalog.Subject
	var stay []*catalog.Record
	for _, s := range subjects {
		before := len(ended)
		for _, r := range set.All() {
			if !slices.Contains(kinds, r.Kind) || !standsFor(s, r.Subject) || slices.Contains(ended, r.Subject) {
				continue
			}
			ended = append(ended, r.Subject)
			for _, other := range set.About(r.Subject) {
				if !slices.Contains(kinds, other.Kind) || r.Kind != decision.Deprecated && other.Kind == decision.Deprecated {
					stay = append(stay, other)
				}
			}
		}
		if len(ended) == before {
			return nil, noDecision(set, s, kinds)
		}
	}
	records, err := decision.Add(c.Records, a, decision.Restored, ended, "")
	for _, r := range stay {
		if err == nil {
			records, err = decision.Add(records, a, r.Kind, []catalog.Subject{r.Subject}, r.Use)
		}
	}
	return records, err
}

// standsFor reports whether an id on the command line stands for the subject of a decision.
func standsFor(s, of catalog.Subject) bool {
	if !s.SHA256.IsZero() || !of.SHA256.IsZero() {
		return s == of
	}
	return s.Extension == of.Extension && (s.Version == "" || s.Version == of.Version) && (s.Platform == "" || s.Platform == of.Platform)
}

// noDecision is the error for a subject about which there is no decision of these kinds in force.
func noDecision(set *decision.Set, s catalog.Subject, kinds []string) error {
	err := fmt.Errorf("%s is not %s", s, strings.Join(kinds, " or "))
	var found []string
	for _, r := range set.All() {
		if s.SHA256.IsZero() && s.Extension == r.Subject.Extension {
			found = append(found, r.Subject.String()+" is "+r.Kind)
		}
	}
	if len(found) == 0 {
		return err
	}
	return hint.Add(err, "%s", firstOf(found, 5))
}

type deprecateCmd struct {
	IDs []string `arg:"" name:"id" help:"The extension to deprecate: publisher.name. It stays in the gallery. The last argument is the target if it is an address or the folder of a site."`
	Use string   `placeholder:"ID" help:"The extension that editors offer instead."`
	deciding
}

// Validate implements Kong's hook.
func (d *deprecateCmd) Validate() error {
	if err := d.parse(d.IDs); err != nil {
		return err
	}
	for _, s := range d.subjects {
		if err := cmp.Or(s.CheckExtension(), wantID(s)); err != nil {
			return err
		}
	}
	if d.Use == "" {
		return nil
	}
	use, err := catalog.ParseSubject(d.Use)
	if err == nil {
		err = cmp.Or(use.CheckExtension(), wantID(use))
	}
	if err != nil {
		return fmt.Errorf("--use: %w", err)
	}
	d.Use = use.String()
	return nil
}

func wantID(s catalog.Subject) error {
	if s.SHA256.IsZero() {
		return nil
	}
	return fmt.Errorf("%s: want the id of an extension", s)
}

// Run marks extensions as deprecated.
func (d *deprecateCmd) Run(ctx context.Context, e *env) error {
	return d.run(ctx, e, func(c *catalog.Catalog, a decision.Author) ([]catalog.Record, error) {
		if d.Use != "" && c.Find(d.Use) == nil && !e.quiet {
			terminal.Fprintf(e.stderr, "galbuild: warning: %s is not in the gallery%s\n", d.Use, build.Suggest(c, d.Use))
		}
		return decision.Add(c.Records, a, decision.Deprecated, d.subjects, d.Use)
	})
}

// printExcluded prints which versions are kept out, by what, and how to bring them back.
func (e *env) printExcluded(all []build.Excluded) {
	if e.quiet {
		return
	}
	e.printSome(len(all), func(i int) string { return "kept out: " + explainExcluded(&all[i]) })
}

func explainExcluded(x *build.Excluded) string {
	if x.IsByPolicy() {
		return explainRule(x)
	}
	if x.When.IsZero() {
		return x.ID + ", which the control manifest lists as malicious"
	}
	by, reason := "", ""
	if x.By != "" {
		by = " by " + x.By
	}
	if x.Reason != "" {
		reason = " (" + x.Reason + ")"
	}
	done, undo := x.Kind, "unblock"
	switch x.Kind {
	case decision.Removed:
		undo = "restore"
	case decision.Malicious:
		done = "blocked as malicious"
	}
	return fmt.Sprintf("%s: %s was %s on %s%s%s; galbuild %s %s lets it in again", x.ID, x.Subject, done, x.When.Format(time.DateOnly), by, reason, undo, x.Subject)
}
