package help

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Manual returns the manual page of a program, in the macros of man(7). It has no date, so that
// the same version always prints the same page.
func (p Program) Manual(model *kong.Application, version string) string {
	r := &roff{program: model.Name}
	fmt.Fprintf(r, ".TH %s 1 \"\" %s\n", quote(strings.ToUpper(model.Name)), quote(model.Name+" "+version))
	r.macro(".nh\n.ad l") // names of flags and variables are not hyphenated
	r.section("Name")
	r.text(model.Name)
	r.macro(`\- ` + escape(p.Summary))
	r.section("Synopsis")
	r.text(Usage(model.Name, model.Node))
	r.section("Description")
	r.paragraphs(model.Help)
	r.commands(p, model.Node)
	r.flags(p, model.Node)
	if examples := p.Examples[""]; len(examples) > 0 {
		r.section("Examples")
		r.examples(examples)
	}
	r.section("Exit status")
	for status := range slices.Chunk(p.Exit, 2) {
		r.item(status[0], status[1])
	}
	r.section("See also")
	r.text(p.SeeAlso)
	return r.String()
}

// A roff is a manual page that is being written.
type roff struct {
	strings.Builder
	program string
}

func (r *roff) macro(s string)      { r.WriteString(s + "\n") }
func (r *roff) section(name string) { r.macro(".SH " + quote(strings.ToUpper(name))) }

// text writes words. A line that begins with a dot or an apostrophe would be a macro.
func (r *roff) text(s string) { r.macro(`\&` + escape(s)) }

// item writes a name in bold and, indented below it, a text about it.
func (r *roff) item(name, text string) {
	r.macro(".TP\n\\fB" + escape(name) + "\\fR")
	r.text(text)
}

// paragraphs writes the parts of s that empty lines separate. A part that begins with a space
// keeps its lines.
func (r *roff) paragraphs(s string) {
	for i, part := range strings.Split(s, "\n\n") {
		if part[0] == ' ' {
			r.literal(part)
			continue
		}
		if i > 0 {
			r.macro(".PP")
		}
		r.text(strings.Join(strings.Fields(part), " "))
	}
}

// literal writes lines as they are.
func (r *roff) literal(s string) {
	r.macro(".PP\n.nf")
	for line := range strings.SplitSeq(s, "\n") {
		r.text(line)
	}
	r.macro(".fi")
}

// commands writes all commands below a node, each with its arguments, its own flags and its
// examples.
func (r *roff) commands(p Program, node *kong.Node) {
	leaves := node.Leaves(true)
	if len(leaves) == 0 {
		return
	}
	r.section("Commands")
	for _, leaf := range leaves {
		r.macro(".SS " + quote(Usage(r.program, leaf)))
		r.text(leaf.Help)
		if len(leaf.Aliases) > 0 {
			r.text("Other names: " + strings.Join(leaf.Aliases, ", ") + ".")
		}
		r.rows(arguments(leaf))
		var more []string
		for _, s := range p.flags(leaf) {
			if s.title == ungrouped {
				r.rows(s.rows)
			} else {
				more = append(more, s.title)
			}
		}
		r.macro(".PP")
		r.text("Further flags: " + strings.Join(more, ", ") + ".")
		if examples := p.Examples[Path(leaf)]; len(examples) > 0 {
			r.macro(".PP")
			r.examples(examples)
		}
	}
}

// flags writes the groups of flags. Commands share flags, each of which is written once.
func (r *roff) flags(p Program, node *kong.Node) {
	var titles []string
	written := make(map[string][]row)
	for _, n := range append([]*kong.Node{node}, node.Leaves(true)...) {
		for _, s := range p.flags(n) {
			if s.title == ungrouped {
				continue
			}
			if _, exists := written[s.title]; !exists {
				titles = append(titles, s.title)
			}
			for _, flag := range s.rows {
				if !slices.ContainsFunc(written[s.title], func(w row) bool { return w.name == flag.name }) {
					written[s.title] = append(written[s.title], flag)
				}
			}
		}
	}
	for _, title := range titles {
		r.section(title)
		r.rows(written[title])
	}
}

func (r *roff) rows(rows []row) {
	for _, row := range rows {
		r.item(strings.TrimSpace(row.name), row.text)
	}
}

func (r *roff) examples(examples []Example) {
	for i, e := range examples {
		if i > 0 {
			r.macro(".PP")
		}
		r.text(e.Does)
		r.literal("    " + e.Line)
	}
}

// quote returns s as one argument of a macro.
func quote(s string) string { return `"` + strings.ReplaceAll(escape(s), `"`, `\(dq`) + `"` }

// special are characters that roff would change.
var special = strings.NewReplacer(`\`, `\e`, "-", `\-`, "~", `\(ti`, "^", `\(ha`, "`", `\(ga`, "'", `\(aq`)

// escape escapes characters that roff would change or that are not in ASCII.
func escape(s string) string {
	var b strings.Builder
	for _, c := range special.Replace(s) {
		if c < 0x80 {
			b.WriteRune(c)
		} else {
			fmt.Fprintf(&b, `\[u%04X]`, c)
		}
	}
	return b.String()
}
