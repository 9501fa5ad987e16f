package galbuild

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"galbuild/build/history"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
	"galbuild/publish/target"
)

type historyCmd struct {
	Target  string `arg:"" optional:"" complete:"path" help:"The target: ${readable}."`
	Last    int    `short:"n" placeholder:"N" help:"Print only the last N entries."`
	Restart bool   `help:"Begin a new history with the current generation, because the one that the target has is damaged. Its files stay."`

	Renew bool `help:"Sign the head of the history again, with the time of now, for clients that refuse one that is too old."`

	authorFlags
	targets.Flags
}

// Validate implements Kong's hook.
func (h *historyCmd) Validate() error {
	if h.Last < 0 {
		return fmt.Errorf("--last=%d: must not be negative", h.Last)
	}
	if h.Restart && h.Renew {
		return errors.New("--restart and --renew: give one of them")
	}
	if h.Restart && h.Reason == "" {
		return errors.New("--restart needs --reason TEXT: auditors must be able to find out why")
	}
	if _, err := h.author(); err != nil {
		return err
	}
	return h.Check(h.Target)
}

// printedHistory is the JSON document of history.
type printedHistory struct {
	Target  string           `json:"target"`
	Entries []*history.Entry `json:"entries"` // the latest first
}

// Run prints the history of a target, or begins a new one.
func (h *historyCmd) Run(ctx context.Context, e *env) error {
	switch {
	case h.Restart:
		return h.restart(ctx, e)
	case h.Renew:
		return h.renew(ctx, e)
	}
	at, err := h.open(e)
	if err != nil {
		return err
	}
	defer closeTarget(at)
	list := printedHistory{at.String(), []*history.Entry{}}
	for entry, err := range publish.History(ctx, at) {
		if err != nil {
			return explainHistory(err)
		}
		if list.Entries = append(list.Entries, entry); len(list.Entries) == h.Last {
			break
		}
	}
	if e.json {
		return e.printJSON(list)
	}
	return e.printEntries(list.Entries)
}

// open opens the target to read it.
func (h *historyCmd) open(e *env) (target.Target, error) {
	if folder, ok := h.Folder(); ok {
		if err := needSite(folder); err != nil {
			return nil, err
		}
	}
	return h.OpenToRead(e.target)
}

// explainHistory adds a hint to errors of reading a history.
func explainHistory(err error) error {
	if errors.Is(err, site.ErrHistory) && (errors.Is(err, target.ErrNotExist) || errors.Is(err, fs.ErrNotExist)) {
		return hint.Add(err, "who did what and why is not served by websites, and not in tarballs: name the target itself; %s", restoreHint)
	}
	return explainPublish(err)
}

// restoreHint is the hint for a damaged history.
const restoreHint = "if the file is lost, restore it from a copy, or begin a new history with galbuild history --restart"

// printEntries prints entries in columns.
func (e *env) printEntries(entries []*history.Entry) error {
	if e.quiet {
		return nil
	}
	wide := 0
	for _, x := range entries {
		wide = max(wide, len(changesOf(x)))
	}
	for _, x := range entries {
		by, reason := "", ""
		if x.By != "" {
			by = "  by " + x.By
		}
		if x.Reason != "" {
			reason = "  (" + x.Reason + ")"
		}
		if x.Sender != nil {
			reason += fmt.Sprintf("  from generation %s, number %d there", x.Sender.Generation, x.Sender.Number)
		}
		if _, err := terminal.Fprintf(e.stdout, "%4d  %s  %s  %-*s  %s%s%s\n", x.Number, x.When.Format(time.RFC3339), x.Generation, wide, changesOf(x), x.Command, by, reason); err != nil {
			return err
		}
		if e.verbose {
			for _, c := range x.Added {
				terminal.Fprintf(e.stdout, "      added    %s\n", c.Key)
			}
			for _, c := range x.Removed {
				terminal.Fprintf(e.stdout, "      removed  %s\n", c.Key)
			}
		}
	}
	return nil
}

// changesOf returns how many versions a generation has, and how many were added and removed.
func changesOf(x *history.Entry) string {
	return fmt.Sprintf("%s  +%d -%d", plural(x.Versions, "version"), len(x.Added), len(x.Removed))
}

// restart begins a new history.
func (h *historyCmd) restart(ctx context.Context, e *env) error {
	commit, err := e.commit(&h.authorFlags)
	if err != nil {
		return err
	}
	commit.Command = "history --restart"
	at, err := h.Open(e.target)
	if err != nil {
		return err
	}
	defer closeTarget(at)
	if _, err := publish.Head(ctx, at); errors.Is(err, site.ErrHistory) && h.SignKey == "" && !h.Unsigned {
		return hint.Add(errors.New("the head of the history cannot be read, so it may be signed, and no key was given to sign the next one"),
			"sign with --sign-key FILE, or go on without signatures with --unsigned; nothing has changed")
	}
	if _, err := publish.RestartHistory(ctx, at, commit); err != nil {
		return explainPublish(err)
	}
	if e.json {
		return e.printJSON(printedHistory{at.String(), []*history.Entry{}})
	}
	if !e.quiet {
		_, err = terminal.Fprintf(e.stdout, "%s: a new history begins; clients that follow the old one refuse it until the head that they keep is removed\n", at)
	}
	return err
}
