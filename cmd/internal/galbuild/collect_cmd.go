package galbuild

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"galbuild/build/collect"
	"galbuild/build/collect/lock"
	"galbuild/build/upstream"
	"galbuild/cmd/internal/hint"
)

type collectCmd struct {
	Requests []string `arg:"" optional:"" name:"request" help:"An extension, such as acme.hello, acme.hello@1.2.0, acme.hello@^1.2, acme.hello@pre-release, acme.hello@all or acme.hello@linux-x64; a list of them (@list.txt, or @- for standard input); an extensions.json, .code-workspace, product.json or galbuild.lock; the address of a package; or github:OWNER/REPO[@TAG]. Without any, what was requested last time."`

	Output string `short:"o" name:"output" default:"vsixs" type:"newfile" placeholder:"FOLDER" help:"Folder of the packages and of their lock."`

	Engine     []string `placeholder:"VERSION" help:"Only packages that this version of VS Code can run, such as 1.96. May be repeated."`
	Platform   []string `placeholder:"PLATFORM" help:"Only packages for this platform, such as linux-x64, and universal ones. May be repeated."`
	PreRelease bool     `help:"Also the newest pre-release of each extension, if it is newer than the newest release."`
	Keep       int      `placeholder:"N" help:"How many versions of each extension to collect, the newest first (default: 1)."`
	Packs      bool     `help:"Also the members of extension packs (default: what the policy says)."`
	Newest     bool     `help:"Ignore the versions in lists of names, as code --list-extensions --show-versions prints them."`

	Search    string `group:"Begin a gallery:" placeholder:"TEXT" help:"Also the extensions that a search of the first upstream finds, at most --top."`
	Publisher string `group:"Begin a gallery:" placeholder:"NAME" help:"Also the extensions of a publisher, at most --top."`
	Category  string `group:"Begin a gallery:" placeholder:"NAME" help:"Also the extensions of a category, at most --top."`
	Top       int    `group:"Begin a gallery:" placeholder:"N" help:"Also the first N extensions of the upstream, or of the search, publisher or category (with these, default: 50)."`

	Policy string `type:"file" placeholder:"FILE" help:"Policy (JSON) that says what may be collected."`

	Locked bool `help:"Collect exactly what the lock has, and fail if it does not have what is requested."`
	DryRun bool `help:"Print the plan, and download no package."`

	With     []string `placeholder:"PATH=FILE|URL" help:"Also this file, which the gallery serves at companions/PATH, such as cli/code.tar.gz=https://…. May be repeated."`
	Pictures bool     `help:"Also the pictures that readmes show and no package has."`
	Jobs     int      `placeholder:"N" help:"Number of downloads at a time (default: 4)."`

	upstreamFlags
	scanFlags
	clockFlag
	limitFlags
}

// defaultTop is how many extensions of a search are collected.
const defaultTop = 50

// Validate implements Kong's hook.
func (c *collectCmd) Validate() error {
	for _, n := range []struct {
		flag  string
		value int
	}{{"jobs", c.Jobs}, {"keep", c.Keep}, {"top", c.Top}} {
		if n.value < 0 {
			return fmt.Errorf("--%s=%d: must not be negative", n.flag, n.value)
		}
	}
	if c.Locked && c.lists() {
		return errors.New("--locked collects what the lock has: --search, --publisher, --category and --top cannot be given with it")
	}
	if c.Locked && (c.OSV != "" || len(c.Scanner) > 0) {
		return errors.New("--locked collects what the lock has, and vets nothing: --osv and --scanner cannot be given with it")
	}
	if _, err := c.companions(); err != nil {
		return err
	}
	if _, err := c.settings(); err != nil {
		return err
	}
	if _, err := c.time(); err != nil {
		return err
	}
	_, err := c.limits()
	return err
}

// lists reports whether extensions of a list of the upstream are requested.
func (c *collectCmd) lists() bool { return c.Search+c.Publisher+c.Category != "" || c.Top > 0 }

func (c *collectCmd) companions() (all []collect.Companion, err error) {
	for _, text := range c.With {
		companion, failed := collect.ParseCompanion(text)
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("--with=%w", failed))
		}
		all = append(all, companion)
	}
	return all, err
}

// settings returns the settings that the flags describe, without those of an earlier lock.
func (c *collectCmd) settings() (lock.Settings, error) {
	s := lock.Settings{From: c.From, PreReleases: c.PreRelease, Keep: c.Keep, Packs: c.Packs, Pictures: c.Pictures}
	for _, text := range c.Engine {
		engine, err := collect.ParseEngine(text)
		if err != nil {
			return s, fmt.Errorf("--engine=%w", err)
		}
		s.Engines = append(s.Engines, engine)
	}
	for _, text := range c.Platform {
		platform, err := collect.ParsePlatform(text)
		if err != nil {
			return s, fmt.Errorf("--platform=%w", err)
		}
		s.Platforms = append(s.Platforms, platform)
	}
	return s, nil
}

// Run collects packages.
func (c *collectCmd) Run(ctx context.Context, e *env) error {
	return explainCollect(c.run(ctx, e), c.Output)
}

func (c *collectCmd) run(ctx context.Context, e *env) error {
	r, err := c.newCollection(e)
	if err != nil {
		return err
	}
	defer r.close()
	if c.Locked {
		return c.fetchLocked(ctx, r)
	}
	if err := c.choose(r); err != nil {
		return err
	}
	if err := r.open(); err != nil {
		return err
	}
	listed, err := c.listed(ctx, r)
	if err != nil {
		return err
	}
	r.requests = append(r.requests, listed...)
	plan, err := r.plan(ctx)
	if err != nil {
		return err
	}
	return r.carryOut(ctx, plan, c.DryRun)
}

// newCollection reads the lock of the folder.
func (c *collectCmd) newCollection(e *env) (*collection, error) {
	r := &collection{env: e, dir: c.Output, flags: &c.upstreamFlags, jobs: c.Jobs, dryRun: c.DryRun, vets: true, scan: c.scanFlags}
	var err error
	if r.now, err = c.time(); err != nil {
		return nil, err
	}
	if r.limits, err = c.limits(); err != nil {
		return nil, err
	}
	if r.companions, err = c.companions(); err != nil {
		return nil, err
	}
	if c.Policy != "" {
		if r.policy, err = loadPolicy(c.Policy); err != nil {
			return nil, err
		}
	}
	return r, r.readLock()
}

// choose sets the requests and settings: those of the command line, or else those of the lock, with
// the flags that are given.
func (c *collectCmd) choose(r *collection) (err error) {
	if r.settings, err = c.settings(); err != nil {
		return err
	}
	if len(c.Requests) > 0 || c.lists() {
		r.requests, err = collect.Parse(c.Requests, collect.ParseConfig{Newest: c.Newest, Stdin: r.env.stdin})
		return err
	}
	if r.old == nil {
		return hint.Add(fmt.Errorf("nothing is requested, and %s has no %s", c.Output, lock.FileName),
			"name extensions, such as redhat.java, or lists, such as @list.txt: galbuild help collect")
	}
	r.settings = overriding(r.old.Settings, r.settings)
	r.requests, err = collect.Requests(r.old)
	return err
}

// overriding returns the settings of a lock with those that flags set.
func overriding(s, flags lock.Settings) lock.Settings {
	if len(flags.From) > 0 {
		s.From = flags.From
	}
	if len(flags.Engines) > 0 {
		s.Engines = flags.Engines
	}
	if len(flags.Platforms) > 0 {
		s.Platforms = flags.Platforms
	}
	if flags.Keep > 0 {
		s.Keep = flags.Keep
	}
	s.PreReleases = s.PreReleases || flags.PreReleases
	s.Packs = s.Packs || flags.Packs
	s.Pictures = s.Pictures || flags.Pictures
	return s
}

// listed returns requests for the extensions that the first upstream with such a list lists.
func (c *collectCmd) listed(ctx context.Context, r *collection) (all []collect.Request, err error) {
	if !c.lists() {
		return nil, nil
	}
	top := c.Top
	if top == 0 {
		top = defaultTop
	}
	for _, u := range r.upstreams {
		ids, failed := u.List(ctx, upstream.Listing{Search: c.Search, Publisher: c.Publisher, Category: c.Category, Top: top})
		if errors.Is(failed, upstream.ErrUnsupported) {
			err = failed
			continue
		}
		if failed != nil {
			return nil, fmt.Errorf("list extensions of %s: %w", u.Name(), failed)
		}
		for _, id := range ids {
			all = append(all, collect.Request{ID: strings.ToLower(id), Source: c.listing(top)})
		}
		if len(all) == 0 {
			return nil, fmt.Errorf("%s has no extensions for %s", u.Name(), c.listing(top))
		}
		return all, nil
	}
	return nil, fmt.Errorf("list extensions: %w", err)
}

// listing describes what is listed, as the source of requests.
func (c *collectCmd) listing(top int) string {
	var parts []string
	for _, x := range []struct{ name, value string }{{"search", c.Search}, {"publisher", c.Publisher}, {"category", c.Category}} {
		if x.value != "" {
			parts = append(parts, fmt.Sprintf("--%s=%s", x.name, x.value))
		}
	}
	return strings.Join(append(parts, fmt.Sprintf("--top=%d", top)), " ")
}

// fetchLocked collects exactly what a lock has: the one that is the only argument, or that of the
// folder.
func (c *collectCmd) fetchLocked(ctx context.Context, r *collection) error {
	locked, requests := r.old, c.Requests
	if len(requests) == 1 && strings.HasSuffix(requests[0], ".lock") {
		var err error
		if locked, err = collect.ReadLockFile(requests[0]); err != nil {
			return err
		}
		requests = nil
	}
	if locked == nil {
		return hint.Add(fmt.Errorf("--locked: %s has no %s", c.Output, lock.FileName),
			"run the command without --locked to make one, or name one: galbuild collect galbuild.lock --locked")
	}
	wanted, err := collect.Parse(requests, collect.ParseConfig{Newest: c.Newest, Stdin: r.env.stdin})
	if err != nil {
		return err
	}
	if missing := notLocked(wanted, locked); len(missing) > 0 {
		return hint.Add(fmt.Errorf("--locked: the lock does not have %s", firstOf(missing, 5)), "run the command without --locked")
	}
	r.settings = overriding(locked.Settings, lock.Settings{From: c.From})
	if err := r.open(); err != nil {
		return err
	}
	return r.carryOutLock(ctx, locked, c.DryRun)
}

// notLocked returns the requests that a lock does not satisfy.
func notLocked(requests []collect.Request, l *lock.Lock) (missing []string) {
	for _, r := range requests {
		if !collect.Satisfies(l, r) {
			missing = append(missing, r.String())
		}
	}
	return missing
}

// explainCollect adds hints to the errors of commands that write a folder of packages.
func explainCollect(err error, dir string) error {
	switch {
	case err == nil, hint.Has(err):
		return err
	case isFull(err):
		return hint.Add(err, "%s and run the command again; what has been downloaded is kept", makeRoom(err))
	case isForbidden(err):
		return hint.Add(err, "the user running galbuild must be able to write to %s, or name another folder with -o", filepath.Clean(dir))
	case errors.Is(err, context.Canceled):
		return hint.Add(errors.New("interrupted"), "run the command again to continue; nothing is downloaded twice")
	}
	return err
}
