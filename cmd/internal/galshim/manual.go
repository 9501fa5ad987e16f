package galshim

import (
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"galbuild/build/similar"
	"galbuild/cmd/internal/completion"
	"galbuild/cmd/internal/help"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/version"
)

const description = `Responds to the queries of editors from the index of a site that galbuild made.

It also serves the files of the site, so that one process is a whole gallery. With --no-files, a web server in front of it serves them.`

// manual returns the parts of the help that are not in the tags of the flags.
func manual() help.Program {
	return help.Program{
		Summary: "respond to the queries of editors to a gallery of VS Code extensions",
		Footer:  "galshim completion SHELL prints a script that completes command lines in bash, zsh or fish; galshim man prints the manual page.",
		Exit:    []string{"0", "A signal ended galshim.", "1", "Something failed.", "80", "The command line is wrong."},
		SeeAlso: "galbuild(1)",
		Examples: map[string][]help.Example{"": {
			{Does: "Serve a site, with its files.", Line: "galshim --index site"},
			{Does: "Respond to queries to a published site whose host serves the files.", Line: "galshim --index https://files.example --no-files"},
		}},
	}
}

// wordText returns the text that galshim prints for the words help, version, man and completion,
// which are not commands of Kong's. For other arguments it returns "".
func wordText(model *kong.Application, args []string) (string, error) {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return "", nil
	}
	switch first, n := args[0], len(args); {
	case first == "help":
		return manual().Text(model.Name, model.Node), nil
	case first == "version" && n == 1:
		return model.Name + " " + version.String() + "\n", nil
	case first == "man" && n == 1:
		return manual().Manual(model, version.String()), nil
	case first == "completion" && n == 2:
		return script(args[1])
	case first == "completion":
		return "", hint.Add(errors.New("galshim completion needs one of bash, zsh, fish after it"), "galshim completion bash prints a script for bash")
	}
	if near := similar.Question(args[0], []string{"help", "version", "man", "completion"}); near != "" {
		return "", hint.Add(fmt.Errorf("galshim has no command %q%s", args[0], near), "galshim help prints the help")
	}
	return "", nil
}

// script returns the completion script for a shell.
func script(shell string) (string, error) {
	text := completion.Script(shell, "galshim")
	if text == "" {
		return "", fmt.Errorf("galshim completion %s: must be bash, zsh or fish%s", shell, similar.Question(shell, []string{"bash", "zsh", "fish"}))
	}
	return text, nil
}
