package galbuild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"galbuild/build"
	"galbuild/build/catalog"
	"galbuild/build/jsondoc"
	"galbuild/build/policy"
	"galbuild/build/retry"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/render"
)

type policyCmd struct {
	Check  policyCheckCmd `cmd:"" help:"Print what a policy would keep out, without building."`
	Show   policyShowCmd  `cmd:"" help:"Print the policy of a site or another target."`
	Schema schemaFlag     `env:"-" help:"Print the JSON Schema of policies, with which editors complete and check them, and exit."`
}

// schemaFlag prints the schema and ends the program.
type schemaFlag bool

// BeforeReset implements Kong's hook.
func (schemaFlag) BeforeReset(app *kong.Kong) error { return printSchema(app, policy.Schema()) }

// printSchema prints a JSON Schema and ends the program.
func printSchema(app *kong.Kong, schema []byte) error {
	_, err := app.Stdout.Write(schema)
	if err == nil {
		app.Exit(0)
	}
	return err
}

// policyOf returns the policy of a gallery. where names the gallery.
func policyOf(s catalog.Settings, where string) (*policy.Policy, error) {
	if s.Policy == "" {
		return nil, hint.Add(fmt.Errorf("%s has no policy", where), "name one with --policy FILE")
	}
	return policy.Parse("policy of "+where, []byte(s.Policy))
}

type policyCheckCmd struct {
	Sources []string `arg:"" name:"source" type:"source" help:"The folder of a site; or sources, as of build."`
	Policy  string   `type:"file" placeholder:"FILE" help:"The policy (default: that of the site)."`
	CA      string   `name:"ca" aliases:"ca-bundle,ca-cert" type:"existingfile" placeholder:"FILE" help:"File of certificates (PEM) to trust in addition to the system's, for https sources."`
	clockFlag
	limitFlags
}

// Validate implements Kong's hook.
func (p *policyCheckCmd) Validate() error {
	if _, err := p.time(); err != nil {
		return err
	}
	_, err := p.limits()
	return err
}

// policyCheck is the JSON document of policy check.
type policyCheck struct {
	Policy   string             `json:"policy"` // the file; "" if it is the policy of the site
	Offered  []string           `json:"offered"`
	Excluded []policy.Exclusion `json:"excluded"`
	Next     time.Time          `json:"next,omitzero"`
	Refused  []build.Problem    `json:"refused"`
	Warnings []build.Problem    `json:"warnings"`
}

// Run prints which versions the policy offers and which it keeps out, and why.
func (p *policyCheckCmd) Run(ctx context.Context, e *env) error {
	now, err := p.time()
	if err != nil {
		return err
	}
	rules, all, report, err := p.read(ctx, e, now)
	if err != nil {
		return err
	}
	if len(all) == 0 && len(report.Refused) > 0 {
		e.printRefused(report)
		return errors.New("no package could be read, so there is nothing to check")
	}
	result := newPolicyCheck(rules.Evaluate(all, now), all)
	result.Policy = p.Policy
	result.Refused = append(result.Refused, report.Refused...)
	result.Warnings = append(result.Warnings, report.Warnings...)
	e.printRefused(report)
	switch {
	case e.json:
		return e.printJSON(result)
	case e.quiet:
		return nil
	}
	e.printWarnings(report.Warnings)
	return result.print(e)
}

// read returns the policy and the versions that it decides about.
func (p *policyCheckCmd) read(ctx context.Context, e *env, now time.Time) (rules *policy.Policy, all []policy.Candidate, report build.Report, err error) {
	if p.Policy != "" {
		if rules, err = loadPolicy(p.Policy); err != nil {
			return nil, nil, report, err
		}
	}
	if len(p.Sources) > 1 || !isSite(p.Sources[0]) {
		if rules == nil {
			return nil, nil, report, errUsage{hint.Add(errors.New("--policy is missing"), "only the folder of a site can have a policy of its own")}
		}
		found, err := p.readSources(ctx, e, now, rules.Vets())
		if err != nil {
			return nil, nil, report, err
		}
		return rules, build.Candidates(found.Catalog, rules, false, false), found.Report, nil
	}
	_, c, err := site.Read(p.Sources[0])
	if err == nil && rules == nil {
		rules, err = policyOf(c.Settings, p.Sources[0])
	}
	if err != nil {
		return nil, nil, report, err
	}
	return rules, build.Candidates(c, rules, true, p.Policy == "" || string(rules.Text()) == c.Policy), report, nil
}

// readSources reads packages as build does, for a site that does not exist and is not written.
func (p *policyCheckCmd) readSources(ctx context.Context, e *env, now time.Time, vet bool) (*build.Result, error) {
	temp, err := os.MkdirTemp("", "galbuild-policy-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	dir, err := site.DryRun(filepath.Join(temp, "site"))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	cfg := build.Config{Sources: p.Sources, Stdin: e.stdin, Site: dir, Log: e.log, Now: now, Vet: vet, Settings: catalog.Settings{Render: render.Version}}
	if cfg.Client, err = retry.New(retry.Config{CA: p.CA}); err != nil {
		return nil, err
	}
	if cfg.Limits, err = p.limits(); err != nil {
		return nil, err
	}
	bar := newProgress(e)
	defer bar.close()
	cfg.Progress = bar.show
	return build.Run(ctx, cfg)
}

func newPolicyCheck(r policy.Result, all []policy.Candidate) policyCheck {
	out := make(map[string]bool)
	for _, x := range r.Excluded {
		out[x.Key] = true
	}
	check := policyCheck{
		Offered: []string{}, Excluded: append([]policy.Exclusion{}, r.Excluded...), Next: r.Next.UTC(),
		Refused: []build.Problem{}, Warnings: []build.Problem{},
	}
	for _, c := range all {
		if !out[c.Key] {
			check.Offered = append(check.Offered, c.Key)
		}
	}
	return check
}

func (c *policyCheck) print(e *env) error {
	e.printKeys("offered", c.Offered)
	for i, x := range c.Excluded {
		if i == someLines && !e.verbose {
			terminal.Fprintf(e.stdout, "… and %d more kept out; -v prints them all, --json lists them\n", len(c.Excluded)-i)
			break
		}
		at := fmt.Sprintf("%s:%d", c.Policy, x.Line)
		if c.Policy == "" {
			at = fmt.Sprintf("line %d", x.Line)
		}
		out := "out"
		if x.Quarantine {
			out = "held"
		}
		terminal.Fprintf(e.stdout, "%-7s  %s: %s (%s, %s)\n", out, x.Key, x.Detail, x.Rule, at)
	}
	next := ""
	if !c.Next.IsZero() {
		next = "; this changes on " + c.Next.Format(time.RFC3339)
	}
	_, err := terminal.Fprintf(e.stdout, "%s offered, %d kept out%s\n", plural(len(c.Offered), "version"), len(c.Excluded), next)
	return err
}

type policyShowCmd struct {
	Target string `arg:"" optional:"" complete:"path" help:"The target: ${readable}."`
	targets.Flags
}

// Validate implements Kong's hook.
func (p *policyShowCmd) Validate() error { return p.Check(p.Target) }

// shownPolicy is the JSON document of policy show.
type shownPolicy struct {
	Target string `json:"target"`
	Policy string `json:"policy"`
}

// Run prints the text of the policy.
func (p *policyShowCmd) Run(ctx context.Context, e *env) error {
	found, err := readTarget(ctx, e, &p.Flags)
	if err != nil {
		return err
	}
	text := found.catalog.Settings.Policy
	switch {
	case text == "":
		return hint.Add(fmt.Errorf("%s has no policy", found.at), "galbuild build --policy FILE gives a site one")
	case e.json:
		return e.printJSON(shownPolicy{found.at.String(), text})
	}
	return terminal.Document(e.stdout, strings.TrimRight(text, "\n")+"\n")
}

type vscodePolicyCmd struct {
	Policy string `required:"" type:"file" placeholder:"FILE|SITE" help:"The policy, or the folder of a site that has one."`
}

// Run prints the setting extensions.allowed of VS Code.
func (c *vscodePolicyCmd) Run(e *env) error {
	rules, err := c.read()
	if err != nil {
		return err
	}
	if left := rules.NotInAllowed(); len(left) > 0 && !e.quiet {
		e.log.Warn("only the gallery keeps these out, because the setting cannot express them: " + firstOf(left, someLines))
	}
	text, err := jsondoc.Indented(map[string]any{"extensions.allowed": rules.AllowedExtensions()})
	if err != nil {
		return err
	}
	_, err = e.stdout.Write(text)
	return err
}

func (c *vscodePolicyCmd) read() (*policy.Policy, error) {
	if !isFolder(c.Policy) {
		return loadPolicy(c.Policy)
	}
	_, found, err := site.Read(c.Policy)
	if err != nil {
		return nil, err
	}
	return policyOf(found.Settings, c.Policy)
}
