package usage

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// NewParser returns a parser of command lines that fills grammar, as [kong.New] does. In help
// texts, ${name} stands for the text with that name.
//
// Kong could fill in the texts too, as variables. But it searches all variables again for each flag
// of each command, with a regular expression. That would take half of the time in which a program
// starts.
func NewParser(grammar any, texts map[string]string, options ...kong.Option) (*kong.Kong, error) {
	helps := make(map[*string]string) // taken out, so that Kong does not search them either
	take := func(node kong.Visitable, next kong.Next) error {
		switch node := node.(type) {
		case *kong.Node:
			helps[&node.Help], node.Help = node.Help, ""
		case *kong.Value:
			helps[&node.Help], node.Help = node.Help, ""
		}
		return next(nil)
	}
	parser, err := kong.New(grammar, append(options, kong.PostBuild(func(k *kong.Kong) error { return kong.Visit(k.Model, take) }))...)
	if err != nil {
		return nil, err
	}
	var pairs []string
	for name, text := range texts {
		pairs = append(pairs, "${"+name+"}", text)
	}
	fill := strings.NewReplacer(pairs...)
	for help, text := range helps {
		if *help = fill.Replace(text); strings.Contains(*help, "${") {
			return nil, fmt.Errorf("help text %q: there is no text with that name", *help)
		}
	}
	return parser, nil
}
