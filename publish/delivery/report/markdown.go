package report

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"galbuild/build"
	"galbuild/build/audit"
	"galbuild/build/catalog"
	"galbuild/build/jsonc"
	"galbuild/build/jsondoc"
	"galbuild/build/visible"
)

// maxEntries is how many entries of a list the Markdown has. The JSON has all.
const maxEntries = 500

// JSON returns the report as a JSON document.
func (r *Report) JSON() ([]byte, error) {
	text, err := jsondoc.Indented(r)
	return []byte(visible.Escape(string(text), "\n")), err
}

// Markdown returns the report as a Markdown document.
func (r *Report) Markdown() []byte {
	w := new(writer)
	w.line("# %s", title(r))
	w.line("")
	w.line("Generation %s with %s, %s and %s of packages. %s", code(r.Generation), count(r.Gallery.Extensions, "extension"),
		count(r.Gallery.Versions, "version"), size(r.Gallery.Bytes), since(r))
	w.summary(r)
	list(w, "New extensions", r.New, w.extension)
	list(w, "Updated extensions", r.Updated, w.extension)
	list(w, "Quarantined until somebody approves them", r.Quarantined, w.held)
	list(w, "Held back", r.Held, w.held)
	list(w, "Kept out", r.KeptOut, w.held)
	list(w, "Refused", r.Refused, func(p build.Problem) { w.line("- %s: %s", code(p.File), text(p.Reason)) })
	list(w, "Missing", r.Missing, w.missing)
	list(w, "Removed from the gallery", r.Removed, func(x Removed) { w.line("- %s: %s", code(x.ID), text(x.Reason)) })
	list(w, "Not offered by its upstream any more", r.Withdrawn, w.withdrawn)
	list(w, "Settings that have changed", r.Settings, w.setting)
	list(w, "New decisions", r.AddedDecisions, w.decision)
	list(w, "Decisions that only the other side has", r.RemovedDecisions, w.decision)
	return []byte(w.String())
}

func title(r *Report) string {
	if r.Tarball == "" {
		return "Delivery"
	}
	return "Delivery " + text(r.Tarball)
}

func since(r *Report) string {
	switch {
	case r.Tarball == "":
		return "There is no tarball."
	case len(r.Since) == 0:
		return "The tarball has the whole gallery."
	}
	names := make([]string, len(r.Since))
	for i, name := range r.Since {
		names[i] = code(name)
	}
	return "The tarball has what is new, for a site at generation " + jsonc.OneOf(names) + "."
}

// A writer writes Markdown.
type writer struct{ strings.Builder }

func (w *writer) line(format string, args ...any) {
	fmt.Fprintf(&w.Builder, format, args...)
	w.WriteByte('\n')
}

// blank writes an empty line, unless there is one already.
func (w *writer) blank() {
	if !strings.HasSuffix(w.String(), "\n\n") {
		w.WriteByte('\n')
	}
}

// list writes a section, unless it would be empty.
func list[T any](w *writer, heading string, all []T, entry func(T)) {
	if len(all) == 0 {
		return
	}
	w.blank()
	w.line("## %s", heading)
	w.blank()
	for i, x := range all {
		if i == maxEntries {
			w.line("- … and %d more, which are in the JSON report", len(all)-i)
			return
		}
		entry(x)
	}
}

// summary writes how many of what there are.
func (w *writer) summary(r *Report) {
	var parts []string
	for _, c := range r.Counts() {
		if c.N > 0 {
			parts = append(parts, c.String())
		}
	}
	if len(parts) > 0 {
		w.line("\n%s.", strings.Join(parts, ", "))
	}
}

// String returns the number and the noun.
func (c Count) String() string { return count(c.N, c.What) }

func (w *writer) extension(x Extension) {
	w.blank()
	w.line("### %s %s", code(x.ID), text(x.Name))
	w.blank()
	w.line("%s.", publisher(x))
	if x.From != "" {
		w.line("The other side has %s.", code(x.From))
	}
	w.line("")
	for _, v := range x.Versions {
		w.version(v)
	}
	if len(x.Changes.Lines) > 0 {
		w.changes(x.Changes)
	}
}

func publisher(x Extension) string {
	s := "By " + text(x.Publisher)
	switch {
	case x.Verified:
		s += ", verified (" + code(x.Domain) + ")"
	default:
		s += ", not verified"
	}
	if x.Access != "" {
		s += ", namespace " + text(x.Access)
	}
	return s
}

func (w *writer) version(v Version) {
	facts := []string{size(v.Bytes), "licence not known", "not signed"}
	if v.Licence != "" {
		facts[1] = text(v.Licence)
	}
	if v.Signed {
		facts[2] = "signed"
	}
	if v.PreRelease {
		facts = append(facts, "pre-release")
	}
	if !v.Updated.IsZero() {
		facts = append(facts, "of "+day(v.Updated))
	}
	if v.Upstream != "" {
		facts = append(facts, "from "+code(v.Upstream))
	}
	if len(v.WantedBy) > 0 {
		facts = append(facts, "wanted by "+codes(v.WantedBy, ", "))
	}
	if v.Replaces {
		facts = append(facts, "**with other content than on the other side**")
	}
	w.line("- %s: %s", code(v.ID), strings.Join(facts, ", "))
	w.findings(v.Findings)
}

func (w *writer) findings(all []catalog.Finding) {
	for _, f := range all {
		at := ""
		if f.File != "" {
			at = " in " + code(f.File)
		}
		if f.Line > 0 {
			at += fmt.Sprintf(", line %d", f.Line)
		}
		w.line("  - %s, %s%s: %s", text(f.Severity), code(f.Rule), at, text(f.Detail))
		if f.Evidence != "" {
			w.line("    %s", code(f.Evidence))
		}
	}
}

// changes writes a part of a change log in a fence that is longer than all in the text.
func (w *writer) changes(c Changes) {
	what := "Its change log since then:"
	if c.Beginning {
		what = "Its change log has no section for these versions. It begins:"
	}
	mark := fenceFor(c.Lines)
	w.line("\n%s\n\n%s", what, mark)
	for _, line := range c.Lines {
		w.line("%s", line)
	}
	w.line("%s", mark)
	if c.More > 0 {
		w.line("\n… and %s of it.", count(c.More, "more line"))
	}
}

var backticks = regexp.MustCompile("`+")

// fenceFor returns a fence of backticks that is longer than those in the lines.
func fenceFor(lines []string) string {
	longest := 2
	for _, line := range lines {
		for _, found := range backticks.FindAllString(line, -1) {
			longest = max(longest, len(found))
		}
	}
	return strings.Repeat("`", longest+1)
}

func (w *writer) held(h Held) {
	until := ""
	if !h.Until.IsZero() {
		until = " until " + h.Until.UTC().Format(time.RFC3339)
	}
	w.line("- %s%s: %s (%s)", code(h.ID), until, text(h.Reason), text(h.Rule))
	if !h.SHA256.IsZero() {
		w.line("  - its package is %s", code("sha256:"+h.SHA256.String()))
	}
	w.findings(h.Findings)
}

func (w *writer) missing(m Missing) {
	what := ""
	if m.Kind != "" {
		what = ", a " + m.Kind + " of "
	} else if len(m.Chain) > 0 {
		what = ", wanted by "
	}
	what += codes(reversed(m.Chain), ", which is wanted by ")
	if m.Reason != "" {
		what += ": " + text(m.Reason)
	}
	w.line("- %s%s", code(m.ID), what)
}

func (w *writer) withdrawn(x Withdrawn) {
	facts := ""
	if !x.When.IsZero() {
		facts = " since " + day(x.When)
	}
	if x.Still {
		facts += "; the gallery still has it"
	}
	w.line("- %s%s", code(x.ID), facts)
}

func (w *writer) setting(s audit.Setting) { w.line("- %s", text(s.Text())) }

func (w *writer) decision(d audit.Decision) { w.line("- %s", text(d.Text())) }

// reversed returns a list with its last element first.
func reversed(all []string) []string {
	all = slices.Clone(all)
	slices.Reverse(all)
	return all
}

func codes(all []string, separator string) string {
	texts := make([]string, len(all))
	for i, s := range all {
		texts[i] = code(s)
	}
	return strings.Join(texts, separator)
}

// code returns a code span. It has more backticks than the text, and no characters that are
// invisible.
func code(s string) string {
	s = visible.Escape(strings.Join(strings.Fields(cut(s, maxText)), " "), "")
	switch {
	case s == "":
		return "(empty)"
	case !strings.Contains(s, "`"):
		return "`" + s + "`"
	}
	mark := fenceFor([]string{s})
	return mark + " " + s + " " + mark
}

// special matches what Markdown could take for anything but text. An address begins with https: and
// a slash, or with www and a period, and GitHub makes it a link.
var special = regexp.MustCompile("[\\\\`*_{}\\[\\]<>()#+!|~&@$]|:(?:/)|\\bwww\\.")

// text returns a text that Markdown takes for nothing else, on one line.
func text(s string) string {
	s = visible.Escape(strings.Join(strings.Fields(cut(s, maxText)), " "), "")
	return special.ReplaceAllStringFunc(s, func(found string) string {
		if found == ":/" {
			return `\:/`
		}
		return found[:len(found)-1] + `\` + found[len(found)-1:]
	})
}

func size(n int64) string { return humanize.Bytes(uint64(n)) }

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// count returns a number of things.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return humanize.Comma(int64(n)) + " " + pluralOf(what)
}

var noun = regexp.MustCompile(`\b(extension|version|package|line)\b`)

func pluralOf(what string) string { return noun.ReplaceAllString(what, "${1}s") }
