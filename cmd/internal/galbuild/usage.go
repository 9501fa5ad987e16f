package galbuild

import (
	"errors"
	"io/fs"
	"os"
	"regexp"
	"slices"

	"github.com/alecthomas/kong"

	"galbuild/cmd/internal/usage"
	"galbuild/publish/target"
)

// explainUsage returns what is wrong with a command line, in plain words. Command is nil if
// parsing failed with err.
func (cl *commandLine) explainUsage(parser *kong.Kong, kinds []target.Kind, command *kong.Context, err error, args []string) error {
	program := usage.Program{Model: parser.Model, Foreign: foreign(kinds)}
	if dash := program.SingleDash(args); dash != nil {
		return dash
	}
	if word := cl.firstWord(parser.Model, command, args); isCommandLike(word) {
		if mistyped := program.Command(word); mistyped != nil {
			return mistyped
		}
	}
	if err == nil {
		return program.Empty(command)
	}
	return program.Explain(err, args)
}

// firstWord returns the word that stands where a command may stand, or "" if a command is
// there.
func (cl *commandLine) firstWord(model *kong.Application, command *kong.Context, args []string) string {
	words := usage.Words(args)
	switch {
	case len(words) > 0 && usage.Find(model.Node, words[0]) == nil:
		return words[0]
	case len(words) > 0, command == nil, command.Selected() != model.DefaultCmd, slices.Contains(args, model.DefaultCmd.Name):
		return ""
	}
	return cl.Build.Sources[0] // flags stand before it
}

var commandLike = regexp.MustCompile(`^[A-Za-z]+(-[A-Za-z]+)*$`)

// isCommandLike tells whether a word may be a mistyped command: it looks like one, and there
// is no file or folder of that name.
func isCommandLike(word string) bool {
	if !commandLike.MatchString(word) {
		return false
	}
	_, err := os.Lstat(word)
	return errors.Is(err, fs.ErrNotExist)
}

// An errUsage is a mistake in a command line that a command finds when it runs.
type errUsage struct{ error }

// Unwrap returns the mistake.
func (e errUsage) Unwrap() error { return e.error }

type helpCmd struct {
	Command []string `arg:"" optional:"" help:"A command, such as build or config nginx."`
}

// Run prints what --help prints.
func (h *helpCmd) Run(k *kong.Kong, kinds []target.Kind) error {
	node := k.Model.Node
	for _, word := range h.Command {
		child := usage.Find(node, word)
		if child == nil {
			return errUsage{usage.Program{Model: k.Model, Foreign: foreign(kinds)}.Unknown(node, word)}
		}
		node = child
	}
	command, err := kong.Trace(k, append(h.Command, "--help")) // without it, Kong takes the default command
	if err != nil {
		return err
	}
	return command.PrintUsage(false)
}
