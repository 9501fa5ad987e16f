package galshim

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"galbuild/build/atomicfile"
	"galbuild/build/history"
	"galbuild/build/regularfile"
	"galbuild/build/signkey"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
)

// A trust decides which generations are served: those with a head of their history that a trusted
// key has signed, and that is not older than the newest one that was served before. It is used when
// generations are looked for, never by a request. The nil trust accepts every generation.
type trust struct {
	keys   []note.Verifier
	state  string        // file with the newest head; "" if it is only in memory
	least  int64         // lowest number of a head
	maxAge time.Duration // of a head; 0 means any
	now    func() time.Time

	newest atomic.Pointer[history.Head] // that was served; nil at first
}

// errFrozen is wrapped by errors about a head that is older than --max-age.
var errFrozen = errors.New("the head of the history is too old")

// errReplaced is wrapped by errors about a head that does not follow the one that was served
// before.
var errReplaced = errors.New("which was served before")

// newTrust returns the trust that the flags describe, or nil without --trust.
func (c *commandLine) newTrust(log *slog.Logger) (*trust, error) {
	if len(c.Trust) == 0 {
		return nil, nil
	}
	keys, err := signkey.ReadVerifiers(c.Trust)
	if err != nil {
		return nil, fmt.Errorf("--trust: %w", err)
	}
	t := &trust{keys: keys, state: c.State, least: c.AtLeast, maxAge: c.MaxAge, now: time.Now}
	if t.state == "" {
		log.Warn("without --state FILE, older heads are refused only until galshim ends", "at-least", t.least)
		return t, nil
	}
	return t, t.load()
}

// load reads the state file, if there is one.
func (t *trust) load() error {
	text, err := regularfile.ReadFile(t.state, history.MaxHead)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var head history.Head
	if err == nil {
		head, err = history.ParseHead(text)
	}
	if err != nil {
		return hint.Add(fmt.Errorf("--state: %s: %w", t.state, err), "restore the file; without it, older heads would be accepted")
	}
	t.newest.Store(&head)
	return nil
}

// check returns the head h that CURRENT names next to the generation c, or an error if it must not
// be served. The function files reads the files of the site.
func (t *trust) check(files site.Files, c site.Current, h site.Head) (history.Head, error) {
	if t == nil {
		return history.Head{}, nil
	}
	head, err := site.ReadHead(files, c, h)
	if err == nil {
		err = head.Verify(t.keys...)
	}
	if err == nil {
		err = t.compare(head)
	}
	if errors.Is(err, errReplaced) {
		err = hint.Add(err, "%s", t.wayBack())
	}
	if err != nil {
		return history.Head{}, fmt.Errorf("generation %s is not trusted: %w", c.Generation, err)
	}
	return head, nil
}

// compare returns an error for a head that is older than the newest one or than the flags allow.
func (t *trust) compare(head history.Head) error {
	if head.Number < t.least {
		return fmt.Errorf("head %d of %s is older than --at-least %d", head.Number, date(head), t.least)
	}
	if newest := t.newest.Load(); newest != nil {
		before := fmt.Sprintf("head %d of %s", newest.Number, date(*newest))
		switch {
		case head.History != newest.History:
			return fmt.Errorf("head %d of %s is of another history, %s, than %s of %s, %w", head.Number, date(head), head.History, before, newest.History, errReplaced)
		case head.Number < newest.Number:
			return fmt.Errorf("head %d of %s is older than %s, %w", head.Number, date(head), before, errReplaced)
		case head.Number == newest.Number && !head.Same(*newest):
			return fmt.Errorf("head %d of %s is another one than %s, %w: the history has been forked", head.Number, date(head), before, errReplaced)
		}
	}
	return t.checkAge(head)
}

// wayBack returns what to do if the site was replaced on purpose.
func (t *trust) wayBack() string {
	const meant = "if that is meant, such as after a restore from a backup, "
	if t.state == "" {
		return meant + "restart galshim"
	}
	return meant + fmt.Sprintf("move %s away and restart galshim", t.state)
}

// checkAge returns an error for a head that is too old. One whose time is as far in the future is
// refused too, because it would not become too old for long.
func (t *trust) checkAge(head history.Head) error {
	age := t.now().Sub(head.When)
	switch {
	case t.maxAge == 0:
		return nil
	case age > t.maxAge:
		return fmt.Errorf("%w: head %d of %s is older than --max-age %s", errFrozen, head.Number, date(head), t.maxAge)
	case -age > t.maxAge:
		return fmt.Errorf("the head of the history is in the future: head %d of %s, by more than --max-age %s", head.Number, date(head), t.maxAge)
	}
	return nil
}

// date returns the time of a head for messages.
func date(h history.Head) string { return h.When.Format(time.RFC3339) }

// accept records a head that check has returned, before its generation is served. It writes the
// state file if the head is newer than the one in it.
func (t *trust) accept(head history.Head) error {
	if t == nil {
		return nil
	}
	if newest := t.newest.Load(); newest != nil && head.Same(*newest) && !head.When.After(newest.When) {
		return nil
	}
	if t.state != "" {
		err := atomicfile.Replace(t.state, atomicfile.FileMode, func(file *os.File) error {
			_, err := file.Write(head.File())
			return err
		})
		if err != nil {
			return hint.Add(fmt.Errorf("--state: %w", err), "galshim must be able to write to the folder %s", filepath.Dir(t.state))
		}
	}
	t.newest.Store(&head)
	return nil
}

// served returns the head that was accepted last, or nil without --trust.
func (t *trust) served() *history.Head {
	if t == nil {
		return nil
	}
	return t.newest.Load()
}

// frozen returns an error if the head that is served has become too old.
func (t *trust) frozen() error {
	if head := t.served(); head != nil {
		return t.checkAge(*head)
	}
	return nil
}

// validateTrust checks the flags that belong to --trust.
func (c *commandLine) validateTrust() error {
	given := ""
	switch {
	case c.AtLeast < 0:
		return fmt.Errorf("--at-least=%d: must not be negative", c.AtLeast)
	case c.MaxAge < 0:
		return fmt.Errorf("--max-age %s: must not be negative", c.MaxAge)
	case len(c.Trust) > 0:
		return nil
	case c.State != "":
		given = "--state"
	case c.AtLeast > 0:
		given = "--at-least"
	case c.MaxAge > 0:
		given = "--max-age"
	}
	if given == "" {
		return nil
	}
	return hint.Add(fmt.Errorf("%s needs --trust", given), "name the public key that must have signed with --trust FILE")
}
