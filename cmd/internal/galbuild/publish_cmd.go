package galbuild

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/dustin/go-humanize"

	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/cmd/internal/usage"
	"galbuild/publish"
	"galbuild/publish/target"
)

type publishCmd struct {
	Site    string   `arg:"" optional:"" type:"source" help:"A site's folder (default: site), an extension's folder, or packages, as for add."`
	Version string   `arg:"" optional:"" type:"source" help:"The next version of an extension, such as 1.2.3, or major, minor or patch; or another package."`
	Sources []string `arg:"" optional:"" name:"package" type:"source" help:"More packages."`
	what    []string // the arguments, whatever they are

	Layout  string        `enum:"site,dbem" default:"site" help:"Layout on the target: a gallery (site), or a repository of dbem (default: ${default})."`
	From    string        `placeholder:"TARGET" help:"Publish the site of another target: a folder, s3://BUCKET/PREFIX, oss://…, dropbox:/PATH, artifactory:URL/REPO or the https address of a site."`
	Replace bool          `help:"Remove versions that the target has and the site does not, even if somebody else has published them."`
	Prune   bool          `help:"Afterwards remove files that no generation needs."`
	Grace   time.Duration `default:"24h" help:"Only remove objects older than this (default: ${default})."`
	CORS    bool          `name:"cors" help:"Let pages of any origin read the bucket, as editors in a browser must; galbuild config s3-cors prints the policy."`

	vscePublish
	transfer
	location
	limitFlags
	publishPackFlags
}

// transfer says how objects are sent.
type transfer struct {
	Jobs   int  `placeholder:"N" help:"How many objects to upload at a time (default: 16)."`
	DryRun bool `help:"Only print what would be done."`
}

func (t *transfer) options(p *progress) publish.Options {
	return publish.Options{Jobs: t.Jobs, DryRun: t.DryRun, Progress: p.showPublish}
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
	// They are three so that flags may stand between the first ones.
	p.what = slices.DeleteFunc(append([]string{p.Site, p.Version}, p.Sources...), func(s string) bool { return s == "" })
	if err := errors.Join(p.transfer.check(), checkGrace(p.Grace), p.vscePublish.check(), p.packFlags.check(), checkTargets("--target", p.Target...)); err != nil {
		return err
	}
	if _, err := p.limits(); err != nil {
		return err
	}
	if p.From != "" && len(p.what)+len(p.PackagePath) > 0 {
		return errors.New("--from or a site: which of them?")
	}
	if len(p.PackagePath) > 0 && len(p.what) > 0 {
		return errors.New("-i or arguments: name what to publish in one way")
	}
	return p.location.Validate()
}

// Run publishes a whole site, or packages, and does what was asked for besides.
func (p *publishCmd) Run(ctx context.Context, e *env) error {
	first := p.firstWrite()
	return first.takeBack(p.run(ctx, e))
}

func (p *publishCmd) run(ctx context.Context, e *env) error {
	at, err := p.open(e)
	if err != nil {
		return err
	}
	defer closeTarget(at)
	if p.Prune && e.json && p.Layout != layoutDbem {
		return errors.New("--prune and --json: what is pruned is another result; galbuild prune --json prints it")
	}
	bucket, ok := at.(interface{ CORS(context.Context) error })
	if p.CORS && !ok {
		return fmt.Errorf("--cors: %s is no bucket; its own settings, or the web server before it, say who may read", at)
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
	return prune(ctx, e, at, p.Grace, p.DryRun)
}

func (p *publishCmd) publish(ctx context.Context, e *env, at target.Target) error {
	p.what = append(p.what, p.PackagePath...)
	if dir, version, ok := p.extension(); ok && p.From == "" {
		return p.publishExtension(ctx, e, dir, version)
	}
	if err := errors.Join(p.checkPacking(), p.checkVersion()); err != nil {
		return err
	}
	if p.From != "" {
		return p.publishFrom(ctx, e, at)
	}
	if len(p.what) == 0 {
		p.what = []string{"site"}
	}
	root := p.what[0]
	switch {
	case len(p.what) == 1 && isSite(root):
		return p.publishSite(ctx, e, at, root)
	case len(p.what) == 1 && isFolder(root) && !hasPackages(root) && !isPackagePath(root):
		return hint.Add(fmt.Errorf("%s is not a site: it has no %s%s", root, site.CurrentPath, similarIfMissing(root)), "galbuild SOURCE… -o %s builds one; an extension's folder has a %s", root, packageJSON)
	}
	if err := p.packagesOnly(); err != nil {
		return err
	}
	return p.add(ctx, e, p.what, "", "")
}

// publishFrom publishes what another place serves, by way of a temporary site.
func (p *publishCmd) publishFrom(ctx context.Context, e *env, at target.Target) error {
	l, err := parsePlace(p.From, place{Endpoint: p.Endpoint, Region: p.Region, CA: p.CA})
	if err != nil {
		return err
	}
	if l.S3 != "" || l.OSS != "" {
		l.s3Flags = p.s3Flags
	}
	from, err := l.openToRead(e)
	if err != nil {
		return err
	}
	return e.inWorkspace(func(between *site.Dir, bar *progress) error {
		if _, _, err := publish.Pull(ctx, from, between, false, p.options(bar)); err != nil {
			return explainPublish(err)
		}
		bar.close()
		return p.publishSite(ctx, e, at, between.Root)
	})
}

func similarIfMissing(path string) string {
	if _, err := os.Stat(path); err == nil {
		return ""
	}
	return usage.SimilarFiles(path)
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err != nil && errors.Is(err, os.ErrNotExist) || err == nil && info.IsDir()
}

// isSame reports whether two paths lead to the same folder.
func isSame(a, b string) bool {
	first, errA := os.Stat(a)
	second, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(first, second)
}

func hasPackages(folder string) bool {
	found, _ := fs.Glob(os.DirFS(folder), "*.vsix") // the folder's name is no pattern
	return len(found) > 0
}

func (p *publishCmd) publishSite(ctx context.Context, e *env, at target.Target, root string) error {
	if p.given() == 0 && isSame(root, cmp.Or(p.Output, "site")) {
		return hint.Add(fmt.Errorf("%s is the site itself: name the target to publish it to", root),
			"a folder with -o, or --s3, --oss, --artifactory, --dropbox or -c; galbuild publish --help has them")
	}
	if p.Layout == layoutDbem {
		return p.publishDbem(ctx, e, at, root)
	}
	var result publish.Result
	err := e.inWorkspace(func(dir *site.Dir, bar *progress) (err error) {
		result, err = publish.Site(ctx, at, root, dir, p.Replace, p.options(bar))
		return err
	})
	if err != nil {
		return explainPublish(err)
	}
	if !e.quiet {
		e.someOf(len(result.Kept), func(i int) string {
			return fmt.Sprintf("kept: %s, which somebody else has published; --replace removes it", result.Kept[i])
		})
	}
	return e.printResult(result)
}

// printResult tells what was published.
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

// explainPublish adds the way out of what publishing can run into.
func explainPublish(err error) error {
	switch {
	case hint.Has(err):
		return err
	case errors.Is(err, target.ErrChanged):
		return hint.Add(err, "others are publishing to it; run it again to continue, nothing is uploaded twice")
	case errors.Is(err, publish.ErrNothing):
		return hint.Add(err, "galbuild publish SITE publishes a gallery there")
	case errors.Is(err, publish.ErrNoEarlier):
		return hint.Add(err, "a target keeps the generation before the current one until a prune")
	case errors.Is(err, context.Canceled):
		return hint.Add(errors.New("interrupted"), "the target still has the old generation; run it again to continue, nothing is uploaded twice")
	}
	return err
}

type pruneCmd struct {
	Target string        `arg:"" optional:"" help:"The target as one word, such as s3://BUCKET/PREFIX or a folder, instead of the flags below."`
	Grace  time.Duration `default:"24h" help:"Only remove objects older than this (default: ${default})."`
	DryRun bool          `help:"Only print what would be removed."`
	location
}

// Validate implements Kong's hook.
func (p *pruneCmd) Validate() error {
	if err := checkGrace(p.Grace); err != nil {
		return err
	}
	return p.name(p.Target)
}

// Run removes what no generation needs.
func (p *pruneCmd) Run(ctx context.Context, e *env) error {
	at, err := p.open(e)
	if err != nil {
		return err
	}
	return prune(ctx, e, at, p.Grace, p.DryRun)
}

func prune(ctx context.Context, e *env, at target.Target, grace time.Duration, dryRun bool) error {
	removed, err := publish.Prune(ctx, at, grace, publish.Options{DryRun: dryRun})
	if err != nil {
		return explainPublish(err)
	}
	if e.json {
		return e.printJSON(map[string]any{"target": at.String(), "removed": append([]string{}, removed...), "dryRun": dryRun})
	}
	if e.quiet {
		return nil
	}
	if e.verbose || dryRun {
		for _, key := range removed {
			terminal.Fprintln(e.stdout, "remove  "+key)
		}
	}
	would := ""
	if dryRun {
		would = "would be "
	}
	_, err = terminal.Fprintf(e.stdout, "%s: %s %sremoved\n", at, plural(len(removed), "object"), would)
	return err
}

type rollbackCmd struct {
	Target string `arg:"" optional:"" help:"The target as one word, such as s3://BUCKET/PREFIX or a folder, instead of the flags below."`
	DryRun bool   `help:"Only print what would be done."`
	location
}

// Validate implements Kong's hook.
func (r *rollbackCmd) Validate() error { return r.name(r.Target) }

// Run makes the generation before the current one count again.
func (r *rollbackCmd) Run(ctx context.Context, e *env) error {
	at, err := r.open(e)
	if err != nil {
		return err
	}
	result, err := publish.Rollback(ctx, at, publish.Options{DryRun: r.DryRun})
	if err != nil {
		return explainPublish(err)
	}
	return e.printResult(result)
}
