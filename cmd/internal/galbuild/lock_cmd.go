package galbuild

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"galbuild/build/collect"
	"galbuild/build/collect/lock"
	"galbuild/build/similar"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
)

type lockCmd struct {
	Outdated lockOutdatedCmd `cmd:"" help:"List the packages of a lock of which upstreams have newer ones."`
	Update   lockUpdateCmd   `cmd:"" help:"Choose extensions of a lock again, and what they need, and download what has changed."`
	Why      lockWhyCmd      `cmd:"" help:"Print why an extension is in a lock."`
}

// collectedFolder is where a lock is if no folder is named.
const collectedFolder = "vsixs"

// readLock returns the lock in a folder.
func readLock(dir string) (*lock.Lock, error) {
	l, err := collect.ReadLock(dir)
	if err != nil {
		return nil, hint.Add(err, "restore it, for example from version control")
	}
	if l == nil {
		return nil, hint.Add(fmt.Errorf("%s has no %s", dir, lock.FileName), "galbuild collect -o %s makes one", dir)
	}
	return l, nil
}

// lockFlags are the flags of commands that compare a lock with its upstreams.
type lockFlags struct {
	Policy string `type:"file" placeholder:"FILE" help:"Policy (JSON) that says what may be collected."`
	upstreamFlags
	clockFlag
	limitFlags
}

// Validate implements Kong's hook.
func (f *lockFlags) Validate() error {
	if _, err := f.time(); err != nil {
		return err
	}
	_, err := f.limits()
	return err
}

// collection opens the folder of a lock, with the requests and settings that it was made with.
func (f *lockFlags) collection(e *env, dir string, dryRun bool) (*collection, error) {
	c := &collectCmd{Output: dir, DryRun: dryRun, Policy: f.Policy, upstreamFlags: f.upstreamFlags, clockFlag: f.clockFlag, limitFlags: f.limitFlags}
	if _, err := readLock(dir); err != nil { // before the folder is made
		return nil, err
	}
	r, err := c.newCollection(e)
	if err != nil {
		return nil, err
	}
	if err = c.choose(r); err == nil {
		err = r.open()
	}
	if err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

type lockOutdatedCmd struct {
	Folder string `arg:"" optional:"" default:"vsixs" complete:"path" help:"Folder of the lock."`
	lockFlags
}

// outdated is the JSON document of lock outdated.
type outdated struct {
	Folder   string             `json:"folder"`
	Outdated []collect.Outdated `json:"outdated"`
	Missing  []collect.Missing  `json:"missing"`
	Warnings []string           `json:"warnings"`
}

// Run prints what an update would change.
func (c *lockOutdatedCmd) Run(ctx context.Context, e *env) error {
	r, err := c.collection(e, c.Folder, true)
	if err != nil {
		return err
	}
	defer r.close()
	cfg := r.planConfig()
	plan, err := collect.Update(ctx, r.requests, nil, cfg)
	r.bar.close()
	if err != nil {
		return explainCollect(err, c.Folder)
	}
	result := outdated{c.Folder, plan.Outdated(), append([]collect.Missing{}, plan.Missing...), append([]string{}, plan.Warnings...)}
	if !e.quiet {
		e.printSome(len(result.Warnings), func(i int) string { return "warning: " + result.Warnings[i] })
	}
	switch {
	case e.json:
		return e.printJSON(result)
	case e.quiet:
		return nil
	}
	return result.print(e)
}

func (o *outdated) print(e *env) error {
	for _, x := range o.Outdated {
		name := (&lock.Entry{ID: x.ID, Version: x.Locked, Platform: x.Platform}).String()
		switch {
		case x.Newest == "":
			terminal.Fprintf(e.stdout, "%s is not offered any more\n", name)
		case x.Newest != x.Locked:
			terminal.Fprintf(e.stdout, "%s has a newer version, %s\n", name, x.Newest)
		}
		for i := range x.Held {
			terminal.Fprintf(e.stdout, "%s: held back: %s\n", name, describeHeld(&x.Held[i]))
		}
	}
	for i := range o.Missing {
		terminal.Fprintf(e.stdout, "%s is missing\n", describeMissing(&o.Missing[i]))
	}
	_, err := terminal.Fprintf(e.stdout, "%s outdated\n", plural(len(o.Outdated), "package"))
	return err
}

type lockUpdateCmd struct {
	IDs    []string `arg:"" optional:"" name:"id" help:"Extensions, such as acme.hello, or none for all; and the folder of the lock, unless it is vsixs."`
	DryRun bool     `help:"Print the plan, and download no package."`
	Jobs   int      `placeholder:"N" help:"Number of downloads at a time (default: 4)."`
	lockFlags
}

// Run updates extensions.
func (c *lockUpdateCmd) Run(ctx context.Context, e *env) error {
	ids, dir, err := idsAndFolder(c.IDs)
	if err != nil {
		return err
	}
	return explainCollect(c.run(ctx, e, ids, dir), dir)
}

func (c *lockUpdateCmd) run(ctx context.Context, e *env, ids []string, dir string) error {
	r, err := c.collection(e, dir, c.DryRun)
	if err != nil {
		return err
	}
	defer r.close()
	r.jobs = c.Jobs
	for _, id := range ids {
		if err := checkLocked(r.old, id, dir); err != nil {
			return err
		}
	}
	plan, err := collect.Update(ctx, r.requests, ids, r.planConfig())
	r.bar.close()
	if err != nil {
		return err
	}
	return r.carryOut(ctx, plan, c.DryRun)
}

type lockWhyCmd struct {
	ID     string `arg:"" help:"The extension, such as acme.hello."`
	Folder string `arg:"" optional:"" default:"vsixs" complete:"path" help:"Folder of the lock."`
}

// why is the JSON document of lock why.
type why struct {
	ID     string     `json:"id"`
	Chains [][]string `json:"chains"`
}

// Run prints the chains by which an extension is wanted.
func (c *lockWhyCmd) Run(e *env) error {
	l, err := readLock(c.Folder)
	if err != nil {
		return err
	}
	if err := checkLocked(l, c.ID, c.Folder); err != nil {
		return err
	}
	result := why{strings.ToLower(c.ID), collect.Why(l, c.ID)}
	switch {
	case e.json:
		return e.printJSON(result)
	case e.quiet:
		return nil
	}
	for _, chain := range result.Chains {
		if _, err := terminal.Fprintln(e.stdout, strings.Join(chain, " > ")); err != nil {
			return err
		}
	}
	return nil
}

// checkLocked returns an error, with a similar id if there is one, if a lock does not have an
// extension.
func checkLocked(l *lock.Lock, id, dir string) error {
	var ids []string
	for i := range l.Entries {
		if strings.EqualFold(l.Entries[i].ID, id) {
			return nil
		}
		ids = append(ids, l.Entries[i].ID)
	}
	return fmt.Errorf("the lock of %s has no %s%s", dir, id, similar.Question(id, ids))
}

// idsAndFolder separates ids from the folder, which may be the last argument.
func idsAndFolder(args []string) (ids []string, dir string, err error) {
	dir = collectedFolder
	if n := len(args); n > 0 {
		if info, failed := os.Stat(args[n-1]); failed == nil && info.IsDir() {
			args, dir = args[:n-1], args[n-1]
		} else if failed != nil && !errors.Is(failed, fs.ErrNotExist) {
			return nil, "", failed
		}
	}
	all, err := parseIDs(args)
	if err != nil {
		return nil, "", err
	}
	for _, id := range all {
		if err := id.CheckExtension(); err != nil {
			return nil, "", err
		}
		ids = append(ids, id.Extension)
	}
	return ids, dir, nil
}
