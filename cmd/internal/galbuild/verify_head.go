package galbuild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"galbuild/build/history"
	"galbuild/build/regularfile"
	"galbuild/build/signkey"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
	"galbuild/publish/target"
)

// printedHead is a head of a history, as --json prints it.
type printedHead struct {
	History    string    `json:"history"`
	Number     int64     `json:"number"`
	Generation string    `json:"generation"`
	When       time.Time `json:"when"`
	Signed     bool      `json:"signed"`
}

func newPrintedHead(h history.Head) printedHead {
	return printedHead{h.History.String(), h.Number, h.Generation, h.When, h.IsSigned()}
}

// consistent is the JSON document of verify --consistent-with.
type consistent struct {
	Target         string      `json:"target"`
	Head           printedHead `json:"head"`
	ConsistentWith printedHead `json:"consistentWith"`
}

// checkConsistent proves that the history of the target extends that of the other head.
func (v *verifyCmd) checkConsistent(ctx context.Context, e *env) error {
	at, err := v.OpenToRead(e.target)
	if err != nil {
		return err
	}
	defer closeTarget(at)
	older, err := v.otherHead(ctx, e)
	if err != nil {
		return err
	}
	newer, err := v.head(ctx, at)
	if err == nil {
		err = publish.CheckExtends(ctx, at, older, newer)
	}
	switch {
	case errors.Is(err, history.ErrInconsistent):
		return hint.Add(err, "somebody has changed the history or switched back to an older state, or the head is one of another target; "+
			"galbuild history lists the entries")
	case err != nil:
		return explainHistory(err)
	case e.json:
		return e.printJSON(consistent{at.String(), newPrintedHead(newer), newPrintedHead(older)})
	case e.quiet:
		return nil
	}
	_, err = terminal.Fprintf(e.stdout, "%s: the history with %s extends that with %s\n", at, nameHead(newer), nameHead(older))
	return err
}

func nameHead(h history.Head) string {
	signed := ""
	if !h.IsSigned() {
		signed = ", not signed"
	}
	return fmt.Sprintf("head %d (%s%s)", h.Number, h.When.Format(time.RFC3339), signed)
}

// otherHead returns the head that --consistent-with names.
func (v *verifyCmd) otherHead(ctx context.Context, e *env) (history.Head, error) {
	if v.with != nil {
		at, err := v.with.OpenToRead(e.target)
		if err != nil {
			return history.Head{}, err
		}
		defer closeTarget(at)
		return v.head(ctx, at)
	}
	text, err := regularfile.ReadFile(v.ConsistentWith, history.MaxHead)
	var head history.Head
	if err == nil {
		if head, err = history.ParseHead(text); err != nil {
			err = fmt.Errorf("%s: %w", v.ConsistentWith, err)
		}
	}
	if err != nil {
		return history.Head{}, hint.Add(err, "name a file such as %s1-….head, the file of galshim --state, or a target", history.HeadDir)
	}
	return head, v.checkTrust(v.ConsistentWith, head)
}

// isFile reports whether a path is that of a file.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// head returns the head of the history of a target, after it has checked the signature if there is
// --trust.
func (v *verifyCmd) head(ctx context.Context, at target.Target) (history.Head, error) {
	head, err := publish.Head(ctx, at)
	if err != nil {
		return head, err
	}
	return head, v.checkTrust(at.String(), head)
}

// checkTrust checks that a head is signed by one of the keys of --trust, if there are any.
func (v *verifyCmd) checkTrust(name string, head history.Head) error {
	if len(v.Trust) == 0 {
		return nil
	}
	keys, err := signkey.ReadVerifiers(v.Trust)
	if err != nil {
		return err
	}
	if err := head.Verify(keys...); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// renew signs the head of the history again.
func (h *historyCmd) renew(ctx context.Context, e *env) error {
	commit, err := e.commit(&h.authorFlags)
	if err != nil {
		return err
	}
	at, err := h.Open(e.target)
	if err != nil {
		return err
	}
	defer closeTarget(at)
	head, err := publish.Renew(ctx, at, commit)
	switch {
	case errors.Is(err, publish.ErrNoKey):
		return hint.Add(err, "name one with --sign-key FILE")
	case errors.Is(err, site.ErrHistory):
		return explainHistory(err)
	case err != nil:
		return explainPublish(err)
	case e.json:
		return e.printJSON(renewed{at.String(), newPrintedHead(head)})
	case e.quiet:
		return nil
	}
	_, err = terminal.Fprintf(e.stdout, "%s: %s is signed\n", at, nameHead(head))
	return err
}

// renewed is the JSON document of history --renew.
type renewed struct {
	Target string      `json:"target"`
	Head   printedHead `json:"head"`
}
