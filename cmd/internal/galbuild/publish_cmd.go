package galbuild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/dustin/go-humanize"

	"galbuild/build"
	"galbuild/build/history"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
	"galbuild/publish/target"
)

type publishCmd struct {
	// Three fields, so that flags can stand between the arguments.
	Site    string   `arg:"" optional:"" complete:"path" help:"The folder of a site (default: site), the folder of an extension, or packages as for add."`
	Version string   `arg:"" optional:"" complete:"path" help:"The next version, such as 1.2.3, or major, minor or patch, if the first argument is an extension; otherwise a package."`
	Sources []string `arg:"" optional:"" name:"package" complete:"path" help:"More packages. The last argument is the target if it is the address of a target or the folder of a site."`

	args []string        // those that name what to publish
	from *targets.Remote // the target to publish the site of, or nil

	Layout      string            `enum:"site,dbem" default:"site" help:"Layout of the target: a gallery (site), or a repository of dbem (dbem)."`
	From        string            `complete:"path" placeholder:"TARGET" help:"Publish the site of another target: ${readable}."`
	Replace     bool              `help:"Remove versions that the target has and the site does not, even if somebody else published them."`
	MaxRemovals build.MaxRemovals `placeholder:"N|N%" help:"Publish nothing if more versions of the target than this would vanish without a decision (default: 20%, and more than ten)."`
	Repair      bool              `help:"Send everything that the site has again, which replaces objects of the target that were lost or damaged."`
	Restore     bool              `help:"Restore versions that were removed, if their packages are named one by one or packed from a folder."`
	Prune       bool              `help:"Prune the target afterwards, as galbuild prune does."`
	Grace       time.Duration     `default:"24h" help:"With --prune, only remove objects older than this."`
	keepFlag
	Inbox bool `help:"Put packages into the inbox of the target, signed with --sign-key, for those who run the gallery to accept."`
	CORS  bool `name:"cors" help:"Let web pages of any origin read the bucket, which editors in a browser need; galbuild config s3-cors prints the policy."`

	vscePublish
	policyFlags
	authorFlags
	transfer
	targets.Flags
	limitFlags
	publishPackFlags
}

// transfer are the flags of commands that upload objects.
type transfer struct {
	Jobs   int  `placeholder:"N" help:"Number of objects to upload at a time (default: 16)."`
	DryRun bool `help:"Print what would be done, and change nothing."`
}

func (t *transfer) options(p *progress, commit site.Commit) publish.Options {
	return publish.Options{Jobs: t.Jobs, DryRun: t.DryRun, Progress: p.showPublish, Commit: commit}
}

func (t *transfer) check() error {
	if t.Jobs < 0 {
		return fmt.Errorf("--jobs=%d: must not be negative", t.Jobs)
	}
	return nil
}

func checkGrace(grace time.Duration) error {
	if grace < 0 {
		return fmt.Errorf("--grace=%s: must not be negative", grace)
	}
	return nil
}

// Validate implements Kong's hook.
func (p *publishCmd) Validate() error {
	if err := errors.Join(p.transfer.check(), checkGrace(p.Grace), p.keepFlag.check(), p.checkInbox(), p.vscePublish.check(), p.packFlags.check(), checkTargets("--target", p.Target...)); err != nil {
		return err
	}
	if _, err := p.limits(); err != nil {
		return err
	}
	if _, err := p.author(); err != nil {
		return err
	}
	if p.Policy != "" && p.NoPolicy {
		return errors.New("--policy and --no-policy: give one of them")
	}
	args := slices.DeleteFunc(append([]string{p.Site, p.Version}, p.Sources...), func(s string) bool { return s == "" })
	args, named, err := p.Last(args, otherContent)
	switch {
	case err != nil:
		return err
	case p.From != "" && len(args)+len(p.PackagePath) > 0:
		return fmt.Errorf("--from %s and other arguments: name one thing to publish", p.From)
	case len(p.PackagePath) > 0 && len(args) > 0:
		return errors.New("-i and other arguments: name packages in one way only")
	}
	p.args = append(args, p.PackagePath...)
	if err := errors.Join(checkSources(p.args), p.Check(named)); err != nil || p.From == "" {
		return err
	}
	p.from, err = p.At(p.From)
	return err
}

// Run publishes a site, packages or an extension. Then it executes --cors and --prune.
func (p *publishCmd) Run(ctx context.Context, e *env) error {
	before := targetBefore(&p.Flags)
	return before.cleanUp(p.run(ctx, e))
}

func (p *publishCmd) run(ctx context.Context, e *env) error {
	at, err := p.Open(e.target)
	if err != nil {
		return err
	}
	defer closeTarget(at)
	bucket, ok := at.(interface{ CORS(context.Context) error })
	if p.CORS && !ok {
		return fmt.Errorf("--cors: %s is not a bucket; set its CORS policy in the web server that serves it", at)
	}
	if err := p.publish(ctx, e, at); err != nil {
		return err
	}
	if p.CORS && !p.DryRun {
		if err := bucket.CORS(ctx); err != nil {
			return err
		}
	}
	if !p.Prune || p.Layout == layoutDbem {
		return nil
	}
	return p.prune(ctx, e, at)
}

// prune prunes the target after publishing. What is pruned becomes a part of the JSON document.
func (p *publishCmd) prune(ctx context.Context, e *env, at target.Target) error {
	removed, err := prune(ctx, e, at, p.Grace, p.KeepGenerations, p.DryRun)
	if err != nil || !e.json {
		return err
	}
	return e.addJSON(map[string][]string{"pruned": removed})
}

func (p *publishCmd) publish(ctx context.Context, e *env, at target.Target) error {
	var what content
	if p.from == nil {
		var err error
		if what, err = classify(p.args); err != nil {
			return err
		}
	}
	if what.extension != "" {
		return p.publishExtension(ctx, e, what.extension, what.version)
	}
	if err := p.checkPacking(); err != nil {
		return err
	}
	if p.Repair && p.from == nil && what.site == "" {
		return hint.Add(errors.New("--repair is for a site, which has all files of a gallery"), "galbuild publish SITE TARGET --repair sends them again")
	}
	if p.Restore && (p.from != nil || what.site != "") {
		return hint.Add(errors.New("--restore is for packages that are named one by one, and not for a whole site"), "galbuild restore ID TARGET lets a removed version in again")
	}
	switch {
	case p.Inbox && what.site != "":
		return hint.Add(fmt.Errorf("--inbox is for packages and extensions, and %s is a site", what.site), "galbuild publish PACKAGE… TARGET --inbox submits packages")
	case p.from != nil:
		return p.publishFrom(ctx, e, at)
	case what.site != "":
		return p.publishSite(ctx, e, at, what.site, nil)
	}
	return p.publishPackages(ctx, e, what.packages)
}

// publishFrom publishes the site of another target. It is copied to a temporary folder first.
func (p *publishCmd) publishFrom(ctx context.Context, e *env, at target.Target) error {
	from, err := p.from.OpenToRead(e.target)
	if err != nil {
		return err
	}
	defer closeTarget(from)
	return e.inWorkspace(func(copied *site.Dir, bar *progress) error {
		pulled, err := publish.Pull(ctx, from, copied, false, p.options(bar, site.Commit{}))
		if err != nil {
			return explainPublish(err)
		}
		bar.close()
		return p.publishSite(ctx, e, at, copied.Root, pulled.Sender)
	})
}

// publishPackages adds packages to the site of the target.
func (p *publishCmd) publishPackages(ctx context.Context, e *env, sources []string) error {
	if err := p.packagesOnly(); err != nil {
		return err
	}
	if err := checkRestore(p.Restore, sources); err != nil {
		return err
	}
	return p.add(ctx, e, &addCmd{Sources: sources}, "")
}

// isSame reports whether two paths are the same existing folder.
func isSame(a, b string) bool {
	first, errA := os.Stat(a)
	second, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(first, second)
}

// publishSite publishes the site at root. The sender is nil if that is not a copy.
func (p *publishCmd) publishSite(ctx context.Context, e *env, at target.Target, root string, sender *history.Sender) error {
	if folder, ok := p.Folder(); ok && isSame(root, folder) {
		return hint.Add(fmt.Errorf("%s is both the site and the target: name another target", root), "galbuild publish %s TARGET publishes it; galbuild publish --help lists what a target can be", root)
	}
	if p.Layout == layoutDbem {
		return p.publishDbem(ctx, e, at, root)
	}
	change, err := p.change()
	if err != nil {
		return err
	}
	commit, err := e.commit(&p.authorFlags)
	if err != nil {
		return err
	}
	commit.Sender = sender
	var result publish.Result
	err = e.inWorkspace(func(dir *site.Dir, bar *progress) (err error) {
		o := p.options(bar, commit)
		o.MaxRemovals, o.Policy, o.Repair = p.MaxRemovals, change, p.Repair
		result, err = publish.Site(ctx, at, root, dir, p.Replace, o)
		return err
	})
	if err != nil {
		return e.explainPolicy(explainPublish(err))
	}
	if result.Objects == 0 && !p.DryRun {
		if err := p.signUnchanged(ctx, at, commit); err != nil {
			return err
		}
	}
	e.printPolicyDiff("the site", result.PolicyDiff)
	if !e.quiet {
		e.printSome(len(result.Kept), func(i int) string {
			return fmt.Sprintf("kept: %s, which somebody else has published; --replace removes it", result.Kept[i])
		})
		e.printExcluded(result.Excluded)
		e.printVersions(result)
	}
	return e.printResult(result)
}

// signUnchanged signs the head of the history of a target whose generation has not changed, if it
// is not signed and a key was given.
func (p *publishCmd) signUnchanged(ctx context.Context, at target.Target, commit site.Commit) error {
	if p.SignKey == "" {
		return nil
	}
	head, err := publish.Head(ctx, at)
	if err == nil && !head.IsSigned() {
		_, err = publish.Renew(ctx, at, commit)
	}
	return explainPublish(err)
}

// printVersions prints which versions a change of a target adds and removes.
func (e *env) printVersions(r publish.Result) {
	if e.json || e.quiet {
		return
	}
	would := ""
	if r.DryRun {
		would = "would be "
	}
	e.printKeys(would+"added", r.AddedVersions)
	e.printKeys(would+"removed", r.RemovedVersions)
}

// printResult prints what was published.
func (e *env) printResult(r publish.Result) error {
	if e.json {
		return e.printJSON(r)
	}
	if e.quiet {
		return nil
	}
	for _, line := range r.Plan {
		terminal.Fprintln(e.stdout, line)
	}
	var err error
	switch {
	case r.DryRun:
		_, err = terminal.Fprintf(e.stdout, "%s: %s would be sent or copied (%s), %d removed\n", r.Target, plural(r.Objects, "object"), humanize.Bytes(uint64(r.Bytes)), r.Removed)
	case r.Previous == "" && r.Objects == 0:
		_, err = terminal.Fprintf(e.stdout, "%s: generation %s, as before\n", r.Target, r.Generation)
	default:
		_, err = terminal.Fprintf(e.stdout, "%s: %s sent or copied (%s)\n", r.Target, plural(r.Objects, "object"), humanize.Bytes(uint64(r.Bytes)))
		if err == nil {
			err = e.printGeneration(r)
		}
	}
	return err
}

func (e *env) printGeneration(r publish.Result) error {
	if r.Previous == "" {
		_, err := terminal.Fprintf(e.stdout, "generation %s\n", r.Generation)
		return err
	}
	_, err := terminal.Fprintf(e.stdout, "generation %s (before: %s)\n", r.Generation, r.Previous)
	return err
}

// explainPublish adds a hint to errors of publishing.
func explainPublish(err error) error {
	if removals, ok := errors.AsType[*build.RemovalsError](err); ok {
		return explainRemovals(err, removals, "nothing is published; check that all sources are there")
	}
	switch {
	case hint.Has(err):
		return err
	case errors.Is(err, target.ErrChanged):
		return hint.Add(err, "others are publishing to the target; run the command again to continue: nothing is uploaded twice")
	case errors.Is(err, publish.ErrNothing):
		return hint.Add(err, "galbuild publish SITE publishes a gallery there")
	case errors.Is(err, publish.ErrNoEarlier):
		return hint.Add(err, "galbuild history lists the generations that have been current")
	case errors.Is(err, context.Canceled):
		return hint.Add(errors.New("interrupted"), "the target still has the old generation; run the command again to continue: nothing is uploaded twice")
	}
	return err
}
