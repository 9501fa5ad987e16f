package galbuild

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"galbuild/build"
	"galbuild/build/policy"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
)

// policyFlags are the flags of commands that publish under the policy of a gallery.
type policyFlags struct {
	Policy       string `type:"file" placeholder:"FILE" help:"Policy (JSON) of the gallery, which says what may enter. It stays until it is changed or dropped."`
	NoPolicy     bool   `name:"no-policy" help:"Drop the policy."`
	AcceptPolicy bool   `help:"Let a policy that is new take versions out of the gallery. Without it, they are only named."`
}

// change returns what happens to the policy of the gallery. It reads the file of a new one.
func (f *policyFlags) change() (build.PolicyChange, error) {
	change := build.PolicyChange{Drop: f.NoPolicy, Accept: f.AcceptPolicy}
	switch {
	case f.Policy == "":
		return change, nil
	case f.NoPolicy:
		return change, errors.New("--policy and --no-policy: give one of them")
	}
	p, err := loadPolicy(f.Policy)
	if err == nil {
		change.Text = string(p.Text())
	}
	return change, err
}

// loadPolicy reads a policy and the lists that it names, whose paths are relative to it.
func loadPolicy(file string) (*policy.Policy, error) {
	text, err := targets.ReadSmallFile(file, policy.MaxText)
	if err != nil {
		return nil, err
	}
	return policy.Load(file, text, func(path string) ([]byte, error) {
		if path = filepath.FromSlash(path); !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(file), path)
		}
		text, err := targets.ReadSmallFile(path, policy.MaxText)
		if failed, ok := errors.AsType[*os.PathError](err); ok {
			err = failed.Err // the message names the list
		}
		return text, err
	})
}

// clockFlag is the flag of commands whose result depends on the time.
type clockFlag struct {
	Now string `placeholder:"TIME" help:"The time of the run, such as 2026-01-02T15:04:05Z (default: the time of SOURCE_DATE_EPOCH, else now)."`
}

// time returns the time of the run.
func (f *clockFlag) time() (time.Time, error) {
	if f.Now != "" {
		at, err := time.Parse(time.RFC3339, f.Now)
		if err != nil {
			err = fmt.Errorf("--now=%s: want a time such as 2026-01-02T15:04:05Z", f.Now)
		}
		return at, err
	}
	at, err := sourceDate()
	if err == nil && at.IsZero() {
		at = time.Now()
	}
	return at, err
}

// explainPolicy prints what a new policy would take out of the gallery, and adds a hint, if that
// was not accepted. It returns other errors as they are.
func (e *env) explainPolicy(err error) error {
	refused, ok := errors.AsType[*build.PolicyError](err)
	if !ok {
		return err
	}
	e.printSome(len(refused.Excluded), func(i int) string { return "would be removed: " + explainExcluded(&refused.Excluded[i]) })
	document := e.printJSON(map[string]any{"excluded": refused.Excluded})
	return errors.Join(hint.Add(err, "nothing is published; --accept-policy publishes without them"), document)
}

// maxDiff is the largest number of lines of a difference that is printed without -v.
const maxDiff = 30

// printPolicyDiff says that the gallery keeps its policy, and how that of what it received differs.
func (e *env) printPolicyDiff(what, diff string) {
	if diff == "" || e.quiet {
		return
	}
	terminal.Fprintf(e.stderr, "galbuild: the gallery keeps its policy, and %s has another one; --policy FILE changes it\n", what)
	lines := strings.SplitAfter(strings.TrimRight(diff, "\n"), "\n")
	for i, line := range lines[1:] { // without the command diff
		if i == maxDiff && !e.verbose {
			terminal.Fprintf(e.stderr, "… and %d more lines; -v prints them all\n", len(lines)-1-i)
			return
		}
		terminal.Fprintf(e.stderr, "  %s\n", strings.TrimRight(line, "\n"))
	}
}

// explainRule describes a version that the policy keeps out.
func explainRule(x *build.Excluded) string {
	undo := ""
	if !x.SHA256.IsZero() {
		undo = fmt.Sprintf("; galbuild approve %s lets it in", x.ID)
	}
	return fmt.Sprintf("%s: %s (%s, line %d of the policy)%s", x.ID, x.Reason, x.Rule, x.Line, undo)
}
