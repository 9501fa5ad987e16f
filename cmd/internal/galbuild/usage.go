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

// checkWords returns an error for a mistyped command, or for a long flag with a single dash. It
// does not parse the command line.
func checkWords(parser *kong.Kong, kinds []target.Kind, args []string) error {
	program := usage.Program{Model: parser.Model, Foreign: foreign(kinds)}
	if err := program.SingleDash(args); err != nil {
		return err
	}
	if words := usage.Words(args); len(words) > 0 && usage.Find(parser.Model.Node, words[0]) == nil && isCommandLike(words[0]) {
		return program.Command(words[0])
	}
	return nil
}

// explainUsage returns an error in plain words for a command line that is wrong, or nil. The error
// err is that of the parser; if it is not nil, command may be nil.
func (cl *commandLine) explainUsage(parser *kong.Kong, kinds []target.Kind, command *kong.Context, err error, args []string) error {
	program := usage.Program{Model: parser.Model, Foreign: foreign(kinds)}
	if word := cl.firstSource(parser.Model, command, args); isCommandLike(word) {
		if err := program.Command(word); err != nil {
			return err
		}
	}
	if err == nil {
		return program.Empty(command)
	}
	return program.Explain(err, args)
}

// firstSource returns the first source of build, which may be a mistyped command, if flags precede
// it and the command is left out. Otherwise it returns "".
func (cl *commandLine) firstSource(model *kong.Application, command *kong.Context, args []string) string {
	if len(usage.Words(args)) > 0 || command == nil || command.Selected() != model.DefaultCmd || slices.Contains(args, model.DefaultCmd.Name) {
		return ""
	}
	return cl.Build.Sources[0]
}

var commandLike = regexp.MustCompile(`^[A-Za-z]+([-_][A-Za-z]+)*$`)

// isCommandLike reports whether a word may be a mistyped command: it looks like one, and there
// is no file or folder of that name.
func isCommandLike(word string) bool {
	if !commandLike.MatchString(word) {
		return false
	}
	_, err := os.Lstat(word)
	return errors.Is(err, fs.ErrNotExist)
}

// An errUsage is an error in a command line, for which the exit status is exitUsage.
type errUsage struct{ error }

// Unwrap returns the mistake.
func (e errUsage) Unwrap() error { return e.error }

type helpCmd struct {
	Command []string `arg:"" optional:"" complete:"command" help:"A command, such as build or config nginx."`
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
	command, err := kong.Trace(k, append(h.Command, "--help")) // without --help, Kong would select the default command
	if err != nil {
		return err
	}
	return command.PrintUsage(false)
}
