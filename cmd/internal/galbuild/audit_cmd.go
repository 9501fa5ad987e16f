package galbuild

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"

	"galbuild/build/audit"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/cmd/internal/version"
	"galbuild/publish"
)

type auditCmd struct {
	Target string `arg:"" optional:"" complete:"path" help:"The target: ${readable}."`
	Format string `enum:"table,csv,json,cyclonedx" default:"table" help:"The form of the result: a table, a CSV file, a JSON document as of --json, or a CycloneDX bill of materials in JSON."`
	targets.Flags
}

// Validate implements Kong's hook.
func (a *auditCmd) Validate() error { return a.Check(a.Target) }

// Run lists every version that a target has ever served, and every decision.
func (a *auditCmd) Run(ctx context.Context, e *env) error {
	e.json = e.json || a.Format == "json"
	at, err := a.OpenToRead(e.target)
	if err != nil {
		return err
	}
	report, err := publish.Audit(ctx, at)
	switch {
	case errors.Is(err, publish.ErrNothing):
		return nothingAt(at)
	case err != nil:
		return explainHistory(err)
	}
	if !report.Complete && !e.quiet {
		terminal.Fprintf(e.stderr, "galbuild: warning: %s does not serve what only auditors need: sources, reasons and names are missing\n", at)
	}
	switch a.Format {
	case "csv":
		return report.WriteCSV(e.stdout)
	case "cyclonedx":
		return report.WriteSBOM(e.stdout, version.String())
	}
	if e.json {
		return e.printJSON(report)
	}
	return printAudit(e.stdout, report)
}

func printAudit(w io.Writer, r *audit.Report) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	terminal.Fprintf(table, "version\tserved\tfirst\tlast\tlicence\tsigned\tsha256\tsource\n")
	for i := range r.Versions {
		v := &r.Versions[i]
		terminal.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%.12s\t%s\n", v.ID, yes(v.Served), moment(v.First), moment(v.Last),
			v.Licence, yes(v.Signed), v.SHA256.String(), audit.Sources(v.Sources))
	}
	printDecisions(table, r.Decisions)
	printAttestations(table, r)
	return table.Flush()
}

func printDecisions(table io.Writer, all []audit.Decision) {
	all = slices.DeleteFunc(slices.Clone(all), func(d audit.Decision) bool { return d.Attestation })
	if len(all) > 0 {
		terminal.Fprintf(table, "\ndecision\tabout\tin force\twhen\tby\treason\n")
	}
	for i := range all {
		d := &all[i]
		terminal.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", d.Kind, d.Subject, yes(d.InForce), day(d.When), d.By, d.Reason)
	}
}

// printAttestations prints the approvals and verdicts.
func printAttestations(table io.Writer, r *audit.Report) {
	names := make(map[string]string) // of packages, by subject
	for _, v := range r.Versions {
		names[catalog.Subject{SHA256: v.SHA256}.String()] = v.ID
	}
	all := slices.DeleteFunc(slices.Clone(r.Decisions), func(d audit.Decision) bool { return !d.Attestation })
	if len(all) > 0 {
		terminal.Fprintf(table, "\nrecord\tabout\tcounts\twhen\tby\tsignature\treason\n")
	}
	for i := range all {
		d := &all[i]
		kind, signature := d.Kind, string(d.Signature)
		if d.Kind == decision.Verdict {
			kind = d.Scanner + ": " + d.Result
		}
		if d.SignedBy != "" {
			signature = d.SignedBy
		}
		terminal.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", kind, cmp.Or(names[d.Subject], d.Subject), yes(d.InForce), day(d.When), d.By, signature, d.Reason+d.Output)
	}
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

// moment returns the number and the date of a generation, or "" if it is not known.
func moment(m *audit.Moment) string {
	if m == nil {
		return ""
	}
	return strconv.FormatInt(m.Number, 10) + ", " + day(m.When)
}
