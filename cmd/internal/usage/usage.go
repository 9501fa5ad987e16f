// Package usage explains mistakes in a command line. A message has the argument as it was typed,
// what was expected, what was found, and similar names.
//
// Kong parses the command line. Its messages contain terms of the parser, so [Program.Explain]
// replaces them. A test compares the rules for that with Kong's messages.
package usage

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"galbuild/build/similar"
	"galbuild/cmd/internal/hint"
)

// A Program is a program whose command line Kong parses.
type Program struct {
	Model    *kong.Application
	Foreign  []Foreign
	Argument string // the hint for an argument of a program that takes flags only
}

// Foreign are flags and commands of another program that users may try with this one.
type Foreign struct {
	Program string   // such as "vsce", "" for none in particular
	Words   []string // as typed, such as "--pat", "-p" or "login"
	Use     string   // the hint: what to use instead
}

// Explain returns an error of Kong's parser in plain words, with a hint. Args are the
// arguments that were parsed.
func (p Program) Explain(err error, args []string) error {
	m := &mistake{program: p, node: p.Model.Node, args: args}
	if parse, ok := errors.AsType[*kong.ParseError](err); ok {
		err = errors.Unwrap(parse)
		m.locate(parse.Context)
	}
	if inner := errors.Unwrap(err); inner != nil && m.isPath(strings.TrimSuffix(err.Error(), ": "+inner.Error())) {
		err = inner // without the command's name, which Kong puts before errors of Validate
	}
	err = m.plainArgument(err)
	if hint.Has(err) {
		return err
	}
	if explained := m.explain(err.Error()); explained != nil {
		err = explained
	}
	if !hint.Has(err) {
		err = hint.Add(err, "%s", m.help())
	}
	return err
}

// UnsetEmpty unsets the environment variables of flags whose value is empty, so that they have no
// effect. Compose files and CI systems set variables to nothing.
func (p Program) UnsetEmpty() error {
	for _, node := range append(p.Model.Leaves(false), p.Model.Node) {
		for _, f := range slices.Concat(node.AllFlags(false)...) {
			for _, name := range f.Envs {
				if value, set := os.LookupEnv(name); !set || value != "" {
					continue
				}
				if err := os.Unsetenv(name); err != nil {
					return fmt.Errorf("environment variable %s: %w", name, err)
				}
			}
		}
	}
	return nil
}

// A mistake is an error in a command line, and the part of the command line that was parsed.
type mistake struct {
	program Program
	path    []*kong.Node // from the program to the command
	node    *kong.Node   // the command, or the program
	args    []string
}

func (m *mistake) locate(c *kong.Context) {
	if c == nil {
		return
	}
	for _, step := range c.Path {
		if node := step.Node(); node != nil {
			m.path, m.node = append(m.path, node), node
		}
	}
	if m.node.DefaultCmd != nil {
		m.node = m.node.DefaultCmd
	}
}

// plainArgument replaces what Kong puts before errors in an argument, such as "[<site>]" or
// "<source> ...", by the name of the argument.
func (m *mistake) plainArgument(err error) error {
	inner := errors.Unwrap(err)
	if inner == nil {
		return err
	}
	for _, arg := range m.node.Positional {
		if err.Error() == arg.Summary()+": "+inner.Error() {
			return fmt.Errorf("<%s>: %w", arg.Name, inner)
		}
	}
	return err
}

// isPath reports whether a text is Kong's name for the program or the command.
func (m *mistake) isPath(text string) bool {
	return slices.ContainsFunc(m.path, func(n *kong.Node) bool { return n.Path() == text })
}

// command returns the words that name the command, such as "galbuild config nginx".
func (m *mistake) command() string {
	words := m.node.Name
	for n := m.node.Parent; n != nil; n = n.Parent {
		words = n.Name + " " + words
	}
	return words
}

// isDefault reports whether the command is one that may be left out.
func (m *mistake) isDefault() bool { return m.node == m.program.Model.DefaultCmd }

func (m *mistake) help() string {
	name := m.program.Model.Name
	switch {
	case len(m.program.Model.Children) == 0:
		return name + " --help lists the flags"
	case m.isDefault(), m.node == m.program.Model.Node:
		return name + " --help lists commands and flags"
	}
	return m.command() + " --help lists its arguments and flags"
}

// flags returns the visible flags of a command.
func flags(node *kong.Node) []*kong.Flag { return slices.Concat(node.AllFlags(true)...) }

// names returns the long names of a flag, with dashes.
func names(f *kong.Flag) []string {
	list := []string{"--" + f.Name}
	for _, alias := range f.Aliases {
		list = append(list, "--"+alias)
	}
	if f.Tag.Negatable != "" {
		list = append(list, "--no-"+f.Name)
	}
	return list
}

// flag returns the flag of the command with a name as it is typed, or nil.
func (m *mistake) flag(name string) *kong.Flag {
	for _, f := range slices.Concat(m.node.AllFlags(false)...) {
		if slices.Contains(names(f), name) || f.Short != 0 && name == "-"+string(f.Short) {
			return f
		}
	}
	return nil
}

// unknownFlag explains a flag that the command does not have.
func (m *mistake) unknownFlag(name string) error {
	if err := m.program.foreign(name, m.command()); err != nil {
		return err
	}
	var candidates []string
	for _, f := range flags(m.node) {
		for _, candidate := range names(f) {
			candidates = append(candidates, bare(candidate))
		}
	}
	near := similar.To(bare(name), candidates)
	for i := range near {
		near[i] = "--" + near[i]
	}
	err := fmt.Errorf("unknown flag %s%s", name, similar.Ask(near))
	if owners := m.owners(name); len(owners) > 0 {
		return hint.Add(err, "%s is a flag of %s, not of %s", name, joined(owners), m.command())
	}
	return err
}

// owners returns the commands that have a flag, if they are few.
func (m *mistake) owners(name string) (owners []string) {
	for _, node := range m.program.Model.Leaves(true) {
		for _, f := range flags(node) {
			if slices.Contains(names(f), name) && node != m.node {
				owners = append(owners, (&mistake{node: node}).command())
			}
		}
	}
	const few = 4
	if len(owners) > few {
		owners = append(owners[:few], "others")
	}
	return owners
}

// joined returns names as a list in a sentence.
func joined(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// bare returns the name of a flag without its dashes, which would make all flags more similar.
func bare(name string) string { return strings.TrimLeft(name, "-") }

// foreign explains a word of another program that was typed after a command. For other words it
// returns nil.
func (p Program) foreign(word, command string) error {
	for _, f := range p.Foreign {
		if !slices.Contains(f.Words, word) {
			continue
		}
		what := "command"
		if strings.HasPrefix(word, "-") {
			what = "flag"
		}
		err := fmt.Errorf("%s is not a %s of %s", word, what, command)
		if f.Program != "" {
			err = fmt.Errorf("%s is a %s of %s, not of %s", word, what, f.Program, command)
		}
		return hint.Add(err, "%s", f.Use)
	}
	return nil
}

// Command explains a word in the place of a command that is neither a command nor a file. It
// returns nil if the word is not similar to a command's name and is not a command of another
// program.
func (p Program) Command(word string) error {
	if err := p.foreign(word, p.Model.Name); err != nil {
		return err
	}
	near := similar.Question(word, commands(p.Model.Node))
	if near == "" {
		return nil
	}
	return hint.Add(fmt.Errorf("%q is not a command, and there is no file or folder of that name%s", word, near), "%s --help lists the commands; a source of that name is written ./%s", p.Model.Name, word)
}

// SingleDash returns an error for a long flag that is typed with one dash, such as -output,
// which would be read as -o with the value "utput".
func (p Program) SingleDash(args []string) error {
	for _, arg := range args {
		if arg == "--" {
			return nil
		}
		name, _, _ := strings.Cut(arg, "=")
		if len(name) < 4 || name[0] != '-' || name[1] == '-' {
			continue
		}
		for _, node := range append(p.Model.Leaves(false), p.Model.Node) {
			if (&mistake{node: node}).flag("-"+name) != nil {
				return hint.Add(fmt.Errorf("unknown flag %s%s", name, similar.Ask([]string{"-" + name})), "long flags begin with two dashes")
			}
		}
	}
	return nil
}

// Unknown returns an error for a word that is not a subcommand of node.
func (p Program) Unknown(node *kong.Node, word string) error {
	return (&mistake{program: p, node: node}).unknownCommand(word)
}

func (m *mistake) unknownCommand(word string) error {
	if len(m.node.Children) == 0 {
		return hint.Add(fmt.Errorf("%s has no command %q", m.command(), word), "%s", m.help())
	}
	names := commands(m.node)
	return hint.Add(fmt.Errorf("%s has no command %q%s", m.command(), word, similar.Question(word, names)), "its commands are %s", strings.Join(visible(m.node), ", "))
}

// commands returns the names of a node's subcommands and their aliases.
func commands(node *kong.Node) (names []string) {
	for _, child := range node.Children {
		if !child.Hidden {
			names = append(append(names, child.Name), child.Aliases...)
		}
	}
	return names
}

// visible returns the names of a node's subcommands, without their aliases.
func visible(node *kong.Node) (names []string) {
	for _, child := range node.Children {
		if !child.Hidden {
			names = append(names, child.Name)
		}
	}
	return names
}

// Find returns the subcommand of a name or alias, or nil.
func Find(node *kong.Node, name string) *kong.Node {
	for _, child := range node.Children {
		if child.Name == name || slices.Contains(child.Aliases, name) {
			return child
		}
	}
	return nil
}

// Empty returns an error for an argument or the value of a flag that is empty. Most likely a
// variable of a script is not set, so the default would be wrong.
func (p Program) Empty(command *kong.Context) error {
	if !slices.ContainsFunc(command.Args, hasEmpty) { // Validate may have emptied other values
		return nil
	}
	for _, step := range command.Path {
		switch {
		case step.Flag != nil && step.Flag.Enum == "" && isEmpty(step.Flag.Value):
			return hint.Add(fmt.Errorf("--%s: the value is empty", step.Flag.Name), "leave the flag out for the default")
		case step.Positional != nil && isEmpty(step.Positional):
			return hint.Add(fmt.Errorf("the argument <%s> is empty", step.Positional.Name), "%s", "check whether a variable of a script is not set")
		}
	}
	return nil
}

// hasEmpty reports whether an argument as it was typed is empty, or has an empty value or an
// empty item of a list.
func hasEmpty(argument string) bool {
	_, value, _ := strings.Cut(argument, "=")
	return argument == "" || strings.HasSuffix(argument, "=") || strings.HasSuffix(argument, ",") ||
		strings.HasPrefix(argument, ",") || strings.HasPrefix(value, ",") || strings.Contains(argument, ",,")
}

// isEmpty reports whether a value is an empty text, or a list with one.
func isEmpty(v *kong.Value) bool {
	switch value := v.Target; value.Kind() {
	case reflect.String:
		return value.String() == ""
	case reflect.Slice:
		for i := range value.Len() {
			if item := value.Index(i); item.Kind() == reflect.String && item.String() == "" {
				return true
			}
		}
		return value.Len() == 0 // Kong reads an empty text as a list without items
	}
	return false
}
