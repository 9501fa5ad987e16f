// Package help makes the help of a program and of its commands, for a terminal and as a manual
// page, from the model of the command line parser Kong.
//
// Kong's own help has no examples, and has the flags of the program before those of the command.
package help

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// A Program has the parts of a program's help that are not in the tags of its flags and arguments.
type Program struct {
	Summary  string               // the line after the name in a manual page
	Footer   string               // the last paragraph of the program's own help
	Exit     []string             // exit statuses and their meanings, in turn: "0", "Everything was done.", "1", …
	SeeAlso  string               // other manual pages, such as "galshim(1)"
	Last     string               // title of the group of flags that is printed after a command's other groups
	Examples map[string][]Example // by command, such as "config nginx"; "" is the program itself
}

// An Example is a command line and what it does.
type Example struct {
	Does string // a sentence
	Line string
}

// A section is a part of the help: a title and rows of two columns.
type section struct {
	title string
	rows  []row
}

type row struct{ name, text string }

// Path returns the words that name a command, without the program and without aliases.
func Path(node *kong.Node) string {
	if node.Parent == nil {
		return ""
	}
	return strings.TrimSpace(Path(node.Parent) + " " + node.Name)
}

// Usage returns the command line of a node in short.
func Usage(program string, node *kong.Node) string {
	words := []string{program}
	if path := Path(node); path != "" {
		words = append(words, path)
	}
	for _, flag := range slices.Concat(node.AllFlags(true)...) {
		if flag.Required {
			words = append(words, "--"+flag.Name+"="+Placeholder(flag))
		}
	}
	for _, arg := range node.Positional {
		words = append(words, arg.Summary())
	}
	if len(node.Children) > 0 {
		words = append(words, "<command>")
	}
	return strings.Join(append(words, "[flags]"), " ")
}

// arguments returns a row for each argument.
func arguments(node *kong.Node) (rows []row) {
	for _, arg := range node.Positional {
		rows = append(rows, row{arg.Summary(), describe(arg)})
	}
	return rows
}

// flags returns the flags of a node in sections: first its own flags without a group, then its
// groups, and last the flags that every command has.
func (p Program) flags(node *kong.Node) []section {
	var own, global []*kong.Flag
	for n := node; n != nil; n = n.Parent {
		for _, f := range n.Flags {
			switch {
			case f.Hidden:
			case n.Parent == nil && f.Group == nil:
				global = append(global, f)
			default:
				own = append(own, f)
			}
		}
	}
	sections := grouped(own)
	slices.SortStableFunc(sections, func(a, b section) int { return compareLast(a.title == p.Last, b.title == p.Last) })
	return append(sections, globalFlags(node, global))
}

// compareLast compares two values, of which either or both come last, for sorting.
func compareLast(aLast, bLast bool) int {
	switch {
	case aLast == bLast:
		return 0
	case aLast:
		return 1
	}
	return -1
}

// globalFlags returns the section of the flags that every command has. In a program without
// commands, these are only --help and --version, since its own flags have groups.
func globalFlags(node *kong.Node, global []*kong.Flag) section {
	title := "Global flags"
	if node.Parent == nil && len(node.Children) == 0 {
		title = "Other flags"
	}
	return section{title, rowsOf(global)}
}

// grouped returns a section for each group of flags, in order of appearance.
func grouped(flags []*kong.Flag) (sections []section) {
	var titles []string
	members := make(map[string][]*kong.Flag)
	for _, f := range flags {
		title := groupOf(f)
		if _, exists := members[title]; !exists && f.Group != nil {
			titles = append(titles, title)
		}
		members[title] = append(members[title], f)
	}
	for _, title := range append([]string{ungrouped}, titles...) {
		if len(members[title]) > 0 {
			sections = append(sections, section{title, rowsOf(members[title])})
		}
	}
	return sections
}

// ungrouped is the title of a command's flags without a group.
const ungrouped = "Flags"

func groupOf(f *kong.Flag) string {
	if f.Group == nil {
		return ungrouped
	}
	return strings.TrimSuffix(f.Group.Title, ":")
}

func rowsOf(flags []*kong.Flag) (rows []row) {
	for _, f := range flags {
		rows = append(rows, row{flagName(f), describe(f.Value)})
	}
	return rows
}

// flagName returns a flag as it is typed, with its short form and what stands for its value.
func flagName(f *kong.Flag) string {
	name := "    --"
	if f.Short != 0 {
		name = "-" + string(f.Short) + ", --"
	}
	if f.Tag.Negatable != "" {
		name += "[no-]"
	}
	name += f.Name
	if !f.IsBool() && !f.IsCounter() {
		name += "=" + Placeholder(f)
	}
	return name
}

// Placeholder returns what stands for the value of a flag.
func Placeholder(f *kong.Flag) string {
	switch {
	case f.PlaceHolder != "" || f.IsCumulative():
		return f.FormatPlaceHolder()
	case f.Enum != "":
		return strings.ReplaceAll(strings.Trim(f.Enum, ","), ",", "|")
	case f.Target.Type() == reflect.TypeFor[time.Duration]():
		return "DURATION"
	}
	return strings.ToUpper(f.Name)
}

// describe returns the help of an argument or flag, with its default and its environment
// variable before the last full stop.
func describe(v *kong.Value) string {
	text, stop := strings.CutSuffix(v.Help, ".")
	if v.Default != "" && !v.IsBool() {
		text += " (default: " + v.Default + ")"
	}
	if v.Flag != nil && len(v.Flag.Envs) > 0 {
		text += " ($" + strings.Join(v.Flag.Envs, ", $") + ")"
	}
	if stop {
		text += "."
	}
	return text
}

// commands returns the visible commands of a node in sections, one for each group, in order of
// appearance.
func commands(node *kong.Node) (sections []section) {
	for _, child := range node.Children {
		if child.Hidden {
			continue
		}
		title := "Commands"
		if child.Group != nil {
			title = strings.TrimSuffix(child.Group.Title, ":")
		}
		i := slices.IndexFunc(sections, func(s section) bool { return s.title == title })
		if i < 0 {
			i, sections = len(sections), append(sections, section{title: title})
		}
		sections[i].rows = append(sections[i].rows, row{child.Name, child.Help})
	}
	return sections
}
