package galbuild

import (
	"fmt"

	"github.com/dustin/go-humanize"

	"galbuild/build"
	"galbuild/cmd/internal/terminal"
)

// someLines is the largest number of warnings of a kind that is printed without -v.
const someLines = 20

// printReport prints refused packages and warnings to stderr, and the result to stdout.
func (e *env) printReport(r build.Report) error {
	e.printRefused(r)
	if !e.quiet {
		e.printWarnings(r.Warnings)
		e.printMissing(r.Missing)
		e.printExcluded(r.Excluded)
	}
	switch {
	case e.json:
		return e.printJSON(r)
	case e.quiet:
		return nil
	}
	return e.printSummary(r)
}

func (e *env) printWarnings(warnings []build.Problem) {
	e.printSome(len(warnings), func(i int) string {
		return fmt.Sprintf("warning: %s: %s", warnings[i].File, warnings[i].Reason)
	})
}

func (e *env) printMissing(missing []build.Missing) {
	e.printSome(len(missing), func(i int) string {
		m := missing[i]
		return fmt.Sprintf("warning: %s %s needs %s (%s), which is not in the gallery", m.Extension, m.Version, m.Needs, m.Kind)
	})
}

// printSome prints n lines to stderr, without -v only the first of them.
func (e *env) printSome(n int, line func(int) string) {
	for i := range n {
		if i == someLines && !e.verbose {
			terminal.Fprintf(e.stderr, "galbuild: … and %d more; -v prints them all, --json lists them\n", n-i)
			return
		}
		terminal.Fprintf(e.stderr, "galbuild: %s\n", line(i))
	}
}

func (e *env) printSummary(r build.Report) error {
	would := ""
	if r.DryRun {
		would = "would be "
	}
	e.printKeys(would+"added", r.Added)
	e.printKeys(would+"removed", r.Removed)
	e.printKeys(would+"dropped", r.Dropped)
	terminal.Fprintf(e.stdout, "%s: %s%s, %s, %s of packages\n", r.Site, would, plural(r.Extensions, "extension"), plural(r.Versions, "version"), humanize.Bytes(uint64(r.Bytes)))
	terminal.Fprintf(e.stdout, "%s read, %d unchanged; %s%d added, %d removed, %d refused\n", plural(r.Read, "package"), r.Unchanged, would, len(r.Added), len(r.Removed), len(r.Refused))
	if len(r.Kept) > 0 {
		terminal.Fprintf(e.stdout, "%s kept, because packages were refused\n", plural(len(r.Kept), "version"))
	}
	var err error
	switch {
	case r.DryRun:
	case r.Previous != "":
		_, err = terminal.Fprintf(e.stdout, "generation %s (before: %s)\n", r.Generation, r.Previous)
	case r.Generation != "":
		_, err = terminal.Fprintf(e.stdout, "generation %s\n", r.Generation)
	}
	return err
}

// printKeys prints versions and what was done with them.
func (e *env) printKeys(done string, keys []string) {
	for i, key := range keys {
		if i == someLines && !e.verbose {
			terminal.Fprintf(e.stdout, "… and %d more %s; -v prints them all, --json lists them\n", len(keys)-i, done)
			return
		}
		terminal.Fprintf(e.stdout, "%-7s  %s\n", done, key)
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return humanize.Comma(int64(n)) + " " + noun + "s"
}
