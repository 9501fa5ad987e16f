package galbuild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/dustin/go-humanize"

	"galbuild/build/blob"
	"galbuild/build/source"
	"galbuild/build/vsix"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
	"galbuild/publish/inbox"
)

// checkInbox refuses flags that have no meaning for an inbox, whose packages wait for a builder.
func (p *publishCmd) checkInbox() error {
	if !p.Inbox {
		return nil
	}
	for flag, given := range map[string]bool{
		"--from": p.From != "", "--replace": p.Replace, "--restore": p.Restore, "--prune": p.Prune, "--cors": p.CORS,
		"--policy": p.Policy != "", "--no-policy": p.NoPolicy, "--layout dbem": p.Layout == layoutDbem, "--unsigned": p.Unsigned,
		"--skip-duplicate": p.SkipDuplicate,
	} {
		if given {
			return fmt.Errorf("%s and --inbox: whoever accepts the packages decides that", flag)
		}
	}
	return nil
}

// submitted is the JSON document of publish --inbox.
type submitted struct {
	Target    string          `json:"target"`
	DryRun    bool            `json:"dryRun"`
	Submitted []submittedFile `json:"submitted"`
}

type submittedFile struct {
	inbox.Name
	Package string `json:"package"` // publisher.name@version[@platform]
	Size    int64  `json:"size"`    // in bytes
}

// submit puts packages into the inbox of the target. It reads all of them before it writes any.
func (p *publishCmd) submit(ctx context.Context, e *env, sources []string) error {
	secret, err := p.key(e)
	if err != nil {
		return err
	}
	if secret == nil {
		return hint.Add(errors.New("--sign-key FILE is missing: an inbox takes only what its author has signed"),
			"minisign -G -s FILE makes a key; send the public one to those who run the gallery")
	}
	by, err := p.author()
	if err != nil {
		return err
	}
	all, err := p.submissions(ctx, e, sources)
	if err != nil {
		return err
	}
	at, err := p.Open(e.target)
	if err != nil {
		return err
	}
	defer closeTarget(at)
	done := len(all)
	if !p.DryRun {
		bar := newProgress(e)
		done, err = inbox.Submit(ctx, at, all, by, secret, bar.showPublish)
		bar.close()
	}
	if err != nil {
		err = hint.Add(err, "run the command again: what is submitted twice is accepted once")
	}
	return errors.Join(err, e.printSubmitted(submitted{at.String(), p.DryRun, []submittedFile{}}, all[:done]))
}

// printSubmitted prints what was submitted.
func (e *env) printSubmitted(result submitted, all []inbox.Submission) error {
	would := ""
	if result.DryRun {
		would = "would be "
	}
	for _, s := range all {
		result.Submitted = append(result.Submitted, submittedFile{s.Name, s.Package, s.Size})
		if !e.json && !e.quiet {
			terminal.Fprintf(e.stdout, "%ssubmitted  %s (%s) as %s\n", would, s.Package, humanize.Bytes(uint64(s.Size)), s.PackageKey())
		}
	}
	if e.json {
		return e.printJSON(result)
	}
	return nil
}

// submissions reads the packages that sources name. None may be unreadable: an inbox refuses it
// anyway, and much later.
func (p *publishCmd) submissions(ctx context.Context, e *env, sources []string) (all []inbox.Submission, err error) {
	limits, err := p.limits()
	if err != nil {
		return nil, err
	}
	items, problems, err := source.Expand(ctx, sources, source.Config{Log: e.log, Stdin: e.stdin, Downloads: os.TempDir()})
	if err != nil {
		return nil, err
	}
	for _, problem := range problems {
		return nil, fmt.Errorf("%s: %w", problem.Name, problem.Err)
	}
	for _, item := range items {
		s, err := newSubmission(item, limits)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", item.Name, err)
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return nil, errors.New("there are no packages to submit")
	}
	return all, nil
}

func newSubmission(item source.Item, l vsix.Limits) (s inbox.Submission, err error) {
	s.File = item.Path
	if s.Package, err = publish.PackageKey(item.Path, l); err != nil {
		return s, err
	}
	s.Publisher, _, _ = strings.Cut(s.Package, ".")
	s.SHA256, s.Size, err = blob.SumFile(item.Path)
	return s, err
}
