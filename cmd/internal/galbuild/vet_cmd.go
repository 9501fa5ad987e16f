package galbuild

import (
	"context"
	"errors"
	"fmt"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/policy"
	"galbuild/build/vet"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
)

type vetCmd struct {
	Sources   []string `arg:"" optional:"" name:"source" type:"source" help:"Packages, folders and other sources, as of build."`
	Against   string   `type:"path" placeholder:"SITE|FOLDER" help:"Compare with the versions in a site or in a folder of packages, besides those among the sources."`
	Policy    string   `type:"file" placeholder:"FILE" help:"Policy (JSON), of which deny and denyLists apply."`
	Deny      []string `sep:"none" type:"file" placeholder:"LIST" help:"A list of extensions, versions or hashes to report, as of denyLists in a policy. May be repeated."`
	FailOn    string   `enum:"low,medium,high" default:"high" help:"Exit with status 1 if there is a finding of this severity or a higher one."`
	ListRules bool     `name:"rules" help:"Print the rules, and exit."`
	CA        string   `name:"ca" aliases:"ca-bundle,ca-cert" type:"existingfile" placeholder:"FILE" help:"File of certificates (PEM) to trust in addition to the system's, for https sources."`
	scanFlags
	verdictFlags
	limitFlags
}

// Validate implements Kong's hook.
func (v *vetCmd) Validate() error {
	if len(v.Sources) == 0 && !v.ListRules {
		return errors.New(`missing argument "<source> ..."`)
	}
	if v.Key != "" && len(v.Scanner) == 0 {
		return errors.New("--key signs the verdicts of scanners: name one with --scanner COMMAND")
	}
	if _, err := v.time(); err != nil {
		return err
	}
	_, err := v.limits()
	return err
}

// vetted is the JSON document of vet.
type vetted struct {
	Packages []vettedPackage `json:"packages"`
	High     int             `json:"high"` // findings of each severity
	Medium   int             `json:"medium"`
	Low      int             `json:"low"`
}

// vettedPackage is a package that was vetted, or that could not be read.
type vettedPackage struct {
	File     string        `json:"file"`
	ID       string        `json:"id"`               // "" if it could not be read
	Before   string        `json:"before,omitempty"` // the version that it was compared with
	Reason   string        `json:"reason,omitempty"` // why it could not be read
	Findings []vet.Finding `json:"findings"`
}

// Run looks for signs of malice in packages. It returns an error if there are findings of the
// severity of --fail-on, or if a package could not be read.
func (v *vetCmd) Run(ctx context.Context, e *env) error {
	if v.ListRules {
		return v.printRules(e)
	}
	found, err := v.vet(ctx, e)
	if err != nil {
		return err
	}
	switch {
	case e.json:
		err = e.printJSON(found)
	case !e.quiet:
		err = found.print(e)
	}
	if err != nil {
		return err
	}
	return v.judge(e, found)
}

func (v *vetCmd) printRules(e *env) error {
	if e.json {
		return e.printJSON(map[string]any{"rules": vet.Rules()})
	}
	for _, r := range vet.Rules() {
		if _, err := terminal.Fprintf(e.stdout, "%-18s  %-6s  %s\n", r.ID, r.Severity, r.Summary); err != nil {
			return err
		}
	}
	return nil
}

// judge returns the error of a run with findings.
func (v *vetCmd) judge(e *env, found vetted) error {
	var least vet.Severity
	if err := least.UnmarshalText([]byte(v.FailOn)); err != nil {
		return err
	}
	failed, unread := 0, 0
	for i := range found.Packages {
		p := &found.Packages[i]
		switch {
		case p.Reason != "":
			unread++
			terminal.Fprintf(e.stderr, "galbuild: %s: %s\n", p.File, p.Reason)
		case vet.Worst(p.Findings) >= least:
			failed++
		}
	}
	switch {
	case failed > 0:
		return hint.Add(fmt.Errorf("%s with findings of severity %s", plural(failed, "package"), atLeast(least)),
			"galbuild vet --rules explains each rule; --fail-on sets the severity that fails")
	case unread > 0:
		return fmt.Errorf("%s could not be read", plural(unread, "package"))
	}
	return nil
}

func atLeast(s vet.Severity) string {
	if s == vet.High {
		return s.String()
	}
	return s.String() + " or higher"
}

// print prints the findings of each package, and how many there are.
func (r *vetted) print(e *env) error {
	read := 0
	for i := range r.Packages {
		p := &r.Packages[i]
		if p.Reason == "" {
			read++
		}
		shown := p.Findings
		if !e.verbose {
			shown = withoutLow(p.Findings)
		}
		if len(shown) > 0 {
			terminal.Fprintf(e.stdout, "%s (%s)\n", p.ID, p.File)
		}
		for _, f := range shown {
			terminal.Fprintf(e.stdout, "  %-6s  %s%s (%s)\n", f.Severity, where(f), f.Detail, f.Rule)
			if f.Evidence != "" {
				terminal.Fprintf(e.stdout, "          %s\n", f.Evidence)
			}
		}
	}
	more := ""
	if r.Low > 0 && !e.verbose {
		more = "; -v prints those of severity low"
	}
	_, err := terminal.Fprintf(e.stdout, "%s vetted; findings: %d high, %d medium, %d low%s\n",
		plural(read, "package"), r.High, r.Medium, r.Low, more)
	return err
}

func withoutLow(all []vet.Finding) (rest []vet.Finding) {
	for _, f := range all {
		if f.Severity > vet.Low {
			rest = append(rest, f)
		}
	}
	return rest
}

// where returns the file and the line of a finding, as compilers print them.
func where(f vet.Finding) string {
	switch {
	case f.File == "":
		return ""
	case f.Line == 0:
		return f.File + ": "
	}
	return fmt.Sprintf("%s:%d: ", f.File, f.Line)
}

// rulesOf returns the policy whose lists apply.
func (v *vetCmd) rulesOf() (all []*policy.Policy, err error) {
	if v.Policy != "" {
		p, err := loadPolicy(v.Policy)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	for _, list := range v.Deny {
		p, err := policy.Load(list, []byte(`{"denyLists": ["list"]}`), func(string) ([]byte, error) {
			return targets.ReadSmallFile(list, policy.MaxText)
		})
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// deniedBy returns the findings that a policy denies a package.
func deniedBy(all []*policy.Policy, x *vetting) (found []vet.Finding) {
	version := &catalog.Version{Publisher: x.publisher, Name: x.name, Version: x.version, Platform: x.platform, Package: catalog.File{Ref: x.ref, Size: x.size}}
	c := policy.Candidate{Key: x.key(), Extension: &catalog.Extension{Versions: []catalog.Version{*version}}, Version: version, Size: x.size}
	for _, p := range all {
		for _, out := range p.Evaluate([]policy.Candidate{c}, time.Now()).Excluded {
			if out.Rule == "deny" || out.Rule == "denyLists" {
				found = append(found, vet.Denied(out.Detail))
			}
		}
	}
	return found
}
