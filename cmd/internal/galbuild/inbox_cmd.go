package galbuild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"galbuild/build/blob"
	"galbuild/build/vsix"
	"galbuild/cmd/internal/addresses"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
	"galbuild/publish/inbox"
	"galbuild/publish/target"
)

type inboxCmd struct {
	What []string `arg:"" optional:"" name:"package" complete:"path" help:"What to look at: a publisher, or packages, each a .vsix file or PUBLISHER/SHA256 (default: the whole inbox). The last argument is the target if it is an address or a folder."`
	targets.Flags

	publisher string // "" for all
	names     []inbox.Name
	files     []string
}

// Validate implements Kong's hook.
func (i *inboxCmd) Validate() error {
	what, named, err := i.Last(i.What, otherSubmission)
	if err != nil {
		return err
	}
	if n := len(what); named == "" && n > 0 { // also the folder of a gallery that has no generation yet
		if info, err := os.Stat(what[n-1]); err == nil && info.IsDir() {
			what, named = what[:n-1], what[n-1]
		}
	}
	for _, arg := range what {
		if err := i.parse(arg); err != nil {
			return err
		}
	}
	if i.publisher != "" && len(what) > 1 {
		return errors.New("name one publisher, or packages")
	}
	return i.Check(named)
}

// parse parses an argument that is not the target.
func (i *inboxCmd) parse(arg string) error {
	if strings.HasSuffix(strings.ToLower(arg), ".vsix") {
		i.files = append(i.files, arg)
		return nil
	}
	publisher, hash, isPackage := strings.Cut(arg, "/")
	err := inbox.CheckPublisher(publisher)
	if !isPackage && err == nil {
		i.publisher = publisher
		return nil
	}
	ref, bad := blob.Parse(hash)
	if err = errors.Join(err, bad); err != nil {
		return hint.Add(fmt.Errorf("%s: want a publisher, a .vsix file, or PUBLISHER/SHA256", arg), "a new folder is named as the target with -o")
	}
	i.names = append(i.names, inbox.Name{Publisher: strings.ToLower(publisher), SHA256: ref})
	return nil
}

// otherSubmission returns what an argument is if it names submissions, or "".
func otherSubmission(arg string) string {
	if addresses.Scheme(arg) == "" && strings.HasSuffix(strings.ToLower(arg), ".vsix") {
		return "a package"
	}
	return ""
}

// inboxList is the JSON document of inbox.
type inboxList struct {
	Target      string          `json:"target"`
	Submissions []inbox.Entry   `json:"submissions"`
	Skipped     []inbox.Skipped `json:"skipped"`
}

// Run lists submissions and what became of them. For packages that are named, it needs no right to
// list the target, and fails if one of them was refused.
func (i *inboxCmd) Run(ctx context.Context, e *env) error {
	at, err := i.OpenToRead(e.target)
	if err != nil {
		return err
	}
	list := inboxList{at.String(), []inbox.Entry{}, []inbox.Skipped{}}
	if len(i.names)+len(i.files) > 0 {
		list.Submissions, err = i.read(ctx, at)
	} else {
		var skipped []inbox.Skipped
		list.Submissions, skipped, err = inbox.Status(ctx, at, i.publisher)
		list.Skipped = append(list.Skipped, skipped...)
	}
	if err != nil {
		return err
	}
	if err := e.printInbox(list, i.publisher); err != nil {
		return err
	}
	refused := slices.ContainsFunc(list.Submissions, func(s inbox.Entry) bool { return s.State == inbox.Refused || s.Problem != "" })
	if refused && len(i.names)+len(i.files) > 0 {
		return errors.New("a package was refused")
	}
	return nil
}

// read reads the submissions that are named.
func (i *inboxCmd) read(ctx context.Context, at target.Target) ([]inbox.Entry, error) {
	names := slices.Clone(i.names)
	for _, file := range i.files {
		key, err := publish.PackageKey(file, vsix.Limits{})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		ref, _, err := blob.SumFile(file)
		if err != nil {
			return nil, err
		}
		publisher, _, _ := strings.Cut(key, ".")
		names = append(names, inbox.Name{Publisher: publisher, SHA256: ref})
	}
	all := []inbox.Entry{}
	for _, n := range names {
		s, err := inbox.StatusOf(ctx, at, n)
		if errors.Is(err, target.ErrNotExist) {
			return nil, hint.Add(fmt.Errorf("%s has no submission %s", at, n.DocumentKey()),
				"galbuild publish PACKAGE TARGET --inbox submits a package; results are deleted after 30 days")
		}
		if err != nil {
			return nil, hint.Add(fmt.Errorf("%s: %w", at, err), "a bucket says this also of what does not exist, unless you may list it")
		}
		all = append(all, s)
	}
	return all, nil
}

// printNoSubmissions says that there is nothing to list, of one publisher or of all.
func (e *env) printNoSubmissions(at, publisher string) error {
	of := ""
	if publisher != "" {
		of = " of the publisher " + publisher
	}
	_, err := terminal.Fprintf(e.stdout, "%s: the inbox has no submissions%s\n", at, of)
	return err
}

func (e *env) printInbox(list inboxList, publisher string) error {
	if e.json {
		return e.printJSON(list)
	}
	e.printSkipped(list.Skipped)
	if len(list.Submissions) == 0 {
		return e.printNoSubmissions(list.Target, publisher)
	}
	table := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	terminal.Fprintf(table, "state\tpackage\tby\tkey\twhen\treason\n")
	for i := range list.Submissions {
		s := &list.Submissions[i]
		when, reason := "", s.Problem
		if r := s.Result; r != nil && reason == "" {
			when, reason = day(r.When), describeResult(*r)
		}
		name := s.Package
		if name == "" {
			name = s.PackageKey()
		}
		terminal.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", s.State, name, s.By, s.Key, when, reason)
	}
	return table.Flush()
}

// describeResult returns why a submission was refused or waits, or in which generation it is.
func describeResult(r inbox.Result) string {
	switch {
	case r.State == inbox.Accepted && r.Number > 0:
		return fmt.Sprintf("generation %d, %s", r.Number, r.Generation)
	case r.State == inbox.Accepted:
		return "generation " + r.Generation
	case !r.Until.IsZero():
		return r.Reason + "; until " + day(r.Until)
	}
	return r.Reason
}

func (e *env) printSkipped(all []inbox.Skipped) {
	for _, s := range all {
		terminal.Fprintf(e.stderr, "galbuild: skipped: %s: %s\n", s.Key, s.Reason)
	}
}
