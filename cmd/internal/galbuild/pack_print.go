package galbuild

import (
	"slices"
	"strings"
	"time"

	"galbuild/build"
	"galbuild/build/pack"
	"galbuild/build/pack/finding"
	"galbuild/cmd/internal/terminal"
)

// packaged is the JSON document of package.
type packaged struct {
	Path      string            `json:"path"`  // of the package, or "" if none was made
	Bytes     int64             `json:"bytes"` // size of the package
	Publisher string            `json:"publisher"`
	Name      string            `json:"name"`
	Version   string            `json:"version"`
	Platform  string            `json:"platform"` // "" for a universal package
	Files     []packagedFile    `json:"files"`
	Findings  []finding.Finding `json:"findings"`
}

type packagedFile struct {
	Path   string `json:"path"`   // in the package
	Source string `json:"source"` // path from the extension's folder, may begin with ../; "" for a generated file
	Size   int64  `json:"size"`   // in bytes
}

// refusedFolder is the JSON document of publish for an extension's folder with errors.
type refusedFolder struct {
	Findings []finding.Finding `json:"findings"`
}

// newPackaged returns the JSON document for a plan, or for a folder that was refused before it had
// a plan, which is then nil.
func newPackaged(plan *pack.Plan, found []finding.Finding) packaged {
	r := packaged{Files: []packagedFile{}, Findings: append([]finding.Finding{}, found...)}
	if plan == nil {
		return r
	}
	r.Publisher, r.Name, r.Version, r.Platform = plan.Publisher, plan.Name, plan.Version, plan.Platform
	for _, f := range plan.Files {
		r.Files = append(r.Files, packagedFile{f.Entry, f.Source, f.Size})
	}
	return r
}

// printFindings prints errors, and then warnings. Findings with the same hint are printed
// together, with the hint after them.
func (e *env) printFindings(found []finding.Finding) {
	errs := slices.DeleteFunc(slices.Clone(found), isWarning)
	warnings := slices.DeleteFunc(slices.Clone(found), isError)
	shown := someLines
	if e.verbose {
		shown = len(warnings)
	}
	e.printKind("error", errs, len(errs))
	if !e.quiet {
		e.printKind("warning", warnings, shown)
	}
}

func isError(f finding.Finding) bool { return !f.Warning }

func isWarning(f finding.Finding) bool { return f.Warning }

// printKind prints the first findings, at most this number, grouped by their hints.
func (e *env) printKind(kind string, found []finding.Finding, most int) {
	shown := found[:min(most, len(found))]
	var hints []string
	for _, f := range shown {
		if !slices.Contains(hints, f.Hint) {
			hints = append(hints, f.Hint)
		}
	}
	for _, hint := range hints {
		for _, f := range shown {
			if f.Hint == hint {
				terminal.Fprintf(e.stderr, "galbuild: %s: %s\n", kind, f)
			}
		}
		if hint != "" {
			terminal.Fprintf(e.stderr, "galbuild: hint: %s\n", hint)
		}
	}
	if more := len(found) - len(shown); more > 0 {
		terminal.Fprintf(e.stderr, "galbuild: … and %d more; -v prints them all, --json lists them\n", more)
	}
}

// printScript prints the command of a script before it runs, as vsce does.
func (e *env) printScript(command string) {
	if !e.quiet {
		terminal.Fprintf(e.stderr, "Executing prepublish script '%s'...\n", command)
	}
}

// printTime prints the time of all entries of a package and its origin.
func (e *env) printTime(t time.Time, origin string) {
	if e.verbose {
		terminal.Fprintf(e.stderr, "galbuild: the time of all entries is %s, %s\n", t.Format(time.RFC3339), origin)
	}
}

// printFiles prints the files of a package, as vsce does.
func (e *env) printFiles(name string, plan *pack.Plan) {
	if e.json || e.quiet {
		return
	}
	var files []treeFile
	for _, f := range plan.Files {
		files = append(files, treeFile{f.Entry, shownSize(f)})
	}
	lines, closed := drawTree(name, files, treeLines)
	terminal.Fprintln(e.stdout, " INFO  Files included in the VSIX:")
	terminal.Lines(e.stdout, lines)
	if closed {
		terminal.Fprintf(e.stdout, "\n=> Run galbuild ls --tree to see all included files.\n")
	}
	terminal.Fprintln(e.stdout)
}

// shownSize returns the size to print, or 0 for a generated file that vsce renames, because vsce
// prints no size for it.
func shownSize(f pack.File) int64 {
	entry := strings.TrimPrefix(f.Entry, "extension/")
	if f.Source == "" || f.Source != entry && (entry == "readme.md" || entry == "changelog.md") {
		return 0
	}
	return f.Size
}

// printPackaged prints the outcome of package.
func (e *env) printPackaged(r packaged) error {
	if e.json {
		return e.printJSON(r)
	}
	if e.quiet {
		return nil
	}
	_, err := terminal.Fprintf(e.stdout, " DONE  Packaged: %s (%d files, %s)\n", r.Path, len(r.Files), kilobytes(r.Bytes))
	return err
}

// packProgress returns a function that shows how many bytes of a folder or a package are done,
// and a function to call at the end.
func (e *env) packProgress(stage, name string) (show func(done, total int64), end func()) {
	bar := newProgress(e)
	return func(done, total int64) {
		bar.show(build.Progress{Stage: stage, Done: done, Total: total, Name: name})
	}, bar.close
}
