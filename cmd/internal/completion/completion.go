// Package completion completes command lines in shells. The scripts that it prints for bash, zsh
// and fish call the program itself, which answers from the model of the command line parser Kong.
// So all shells offer the same words, which fit the installed version of the program. The libraries
// for Kong were tried: they offer the names of environment variables as values, do not quote help
// texts, or are no longer maintained.
package completion

import (
	"bufio"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

const (
	// request is the first argument with which a script calls the program. The other arguments
	// are the words after the program's name, up to the one that is typed, which may be empty.
	request = "__complete"

	// files is the line for which a script offers files as well.
	files = ":files"
)

// Handle writes completions to w if args are the request of a script. Otherwise handled is false.
func Handle(w io.Writer, model *kong.Application, args []string) (status int, handled bool) {
	if len(args) == 0 || args[0] != request {
		return 0, false
	}
	if err := write(w, model, args[1:]); err != nil {
		return 1, true
	}
	return 0, true
}

// write writes a line for each word that completes the last one: the word and, after a tab, its
// help. The last line may be [files].
func write(w io.Writer, model *kong.Application, words []string) error {
	if len(words) == 0 {
		words = []string{""}
	}
	words = join(words)
	last := len(words) - 1
	c := command{node: model.Node}
	for _, word := range words[:last] {
		c.read(word)
	}
	b := bufio.NewWriter(w)
	for _, candidate := range c.candidates(words[last]) {
		if candidate.word == files {
			b.WriteString(files + "\n")
		} else if strings.HasPrefix(candidate.word, words[last]) {
			b.WriteString(candidate.word + "\t" + candidate.help + "\n")
		}
	}
	return b.Flush()
}

// join joins the three words into which bash splits --flag=value.
func join(words []string) (joined []string) {
	for i, word := range words {
		last := len(joined) - 1
		switch {
		case word == "=" && last >= 0 && strings.HasPrefix(joined[last], "--") && !strings.Contains(joined[last], "="):
			joined[last] += word
		case i > 0 && words[i-1] == "=" && last >= 0 && strings.HasSuffix(joined[last], "="):
			joined[last] += word
		default:
			joined = append(joined, word)
		}
	}
	return joined
}

// A command is the state of a command line after some of its words.
type command struct {
	node      *kong.Node
	arguments []string   // those that are not flags
	flag      *kong.Flag // the flag whose value comes next, or nil
	noFlags   bool       // after --
}

// A candidate is a word that may come next, with its help.
type candidate struct{ word, help string }

// read processes a complete word.
func (c *command) read(word string) {
	name, _, hasValue := strings.Cut(word, "=")
	switch {
	case c.flag != nil:
		c.flag = nil
	case word == "--" && !c.noFlags:
		c.noFlags = true
	case !c.noFlags && len(word) > 1 && word[0] == '-':
		if f := c.find(name); f != nil && !f.IsBool() && !hasValue {
			c.flag = f
		}
	default:
		c.argument(word)
	}
}

// argument processes a word that is a command or an argument.
func (c *command) argument(word string) {
	if len(c.arguments) == 0 {
		if child := child(c.node, word); child != nil {
			c.node = child
			return
		}
		if c.node.DefaultCmd != nil {
			c.node = c.node.DefaultCmd
		}
	}
	c.arguments = append(c.arguments, word)
}

func child(node *kong.Node, name string) *kong.Node {
	for _, n := range node.Children {
		if n.Name == name || slices.Contains(n.Aliases, name) {
			return n
		}
	}
	return nil
}

// find returns the flag with a name such as --output or -o, or nil.
func (c *command) find(name string) *kong.Flag {
	for _, f := range c.flags() {
		if name == "--"+f.Name || f.Short != 0 && name == "-"+string(f.Short) {
			return f
		}
	}
	return nil
}

// flags returns the visible flags of the command, or of the one that may be left out.
func (c *command) flags() []*kong.Flag {
	node := c.node
	if node.DefaultCmd != nil {
		node = node.DefaultCmd
	}
	return slices.Concat(node.AllFlags(true)...)
}

// candidates returns what may stand in place of an incomplete word.
func (c *command) candidates(word string) []candidate {
	name, _, hasValue := strings.Cut(word, "=")
	switch {
	case c.flag != nil:
		return values(c.flag.Value, "")
	case hasValue && strings.HasPrefix(word, "--") && !c.noFlags:
		if f := c.find(name); f != nil {
			return values(f.Value, name+"=")
		}
		return nil
	case strings.HasPrefix(word, "-") && !c.noFlags:
		return c.flagNames()
	}
	return append(c.commandNames(), c.nextArgument()...)
}

func (c *command) flagNames() (list []candidate) {
	for _, f := range c.flags() {
		list = append(list, candidate{"--" + f.Name, f.Help})
		if f.Tag.Negatable != "" {
			list = append(list, candidate{"--no-" + f.Name, "The opposite of --" + f.Name + "."})
		}
	}
	return list
}

// commandNames returns the commands that may come next.
func (c *command) commandNames() (list []candidate) {
	if len(c.arguments) > 0 {
		return nil
	}
	for _, n := range c.node.Children {
		if !n.Hidden {
			list = append(list, candidate{n.Name, n.Help})
		}
	}
	return list
}

// nextArgument returns what the next argument may be. The last one may take many words.
func (c *command) nextArgument() []candidate {
	node := c.node
	if node.DefaultCmd != nil {
		node = node.DefaultCmd
	}
	if len(node.Positional) == 0 {
		return nil
	}
	next := node.Positional[min(len(c.arguments), len(node.Positional)-1)]
	if len(c.arguments) >= len(node.Positional) && !next.IsCumulative() {
		return nil
	}
	if next.Tag.Get("complete") == "command" {
		return c.helpTopics()
	}
	return values(next, "")
}

// helpTopics returns the commands below the one that the arguments name.
func (c *command) helpTopics() []candidate {
	root := c.node
	for root.Parent != nil {
		root = root.Parent
	}
	topic := command{node: root}
	for _, word := range c.arguments {
		if topic.node = child(topic.node, word); topic.node == nil {
			return nil
		}
	}
	return topic.commandNames()
}

// values returns what an argument or the value of a flag may be, after a prefix.
func values(v *kong.Value, prefix string) (list []candidate) {
	for _, value := range choices(v) {
		if value != "" {
			list = append(list, candidate{prefix + value, ""})
		}
	}
	if len(list) == 0 && isPath(v) {
		list = append(list, candidate{word: files})
	}
	return list
}

// choices returns the values that an argument or a flag may have, or nothing if any text may be
// one. The placeholder of a flag lists values, such as path|virtual, if it is not in capitals, such
// as SITE|URL.
func choices(v *kong.Value) []string {
	if v.Flag == nil || v.Enum != "" {
		return v.EnumSlice()
	}
	if listed := v.Flag.PlaceHolder; strings.Contains(listed, "|") && listed != strings.ToUpper(listed) {
		return strings.Split(listed, "|")
	}
	return nil
}

// isPath reports whether a value may be the path of a file or a folder. That is a text with a tag
// "type" other than that of ids, or with the tag complete:"path".
func isPath(v *kong.Value) bool {
	t := v.Target.Type()
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t.Kind() == reflect.String && (v.Tag.Type != "" && v.Tag.Type != "id" || v.Tag.Get("complete") == "path")
}
