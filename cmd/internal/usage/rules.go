package usage

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"galbuild/build/similar"
	"galbuild/cmd/internal/help"
	"galbuild/cmd/internal/hint"
)

// A rule explains the messages of Kong that match a pattern. The groups are those of the match.
type rule struct {
	pattern *regexp.Regexp
	explain func(m *mistake, groups []string) error
}

// compile compiles a pattern in which . is any character: arguments may have several lines.
func compile(text string) *regexp.Regexp { return regexp.MustCompile("(?s)" + text) }

// fromVariable is what Kong appends to an error in the value of an environment variable.
var fromVariable = compile(` \(from envar (\w+)=".*"\)$`)

// rules explain all messages of Kong 1.17 for mistakes in a command line.
// Sources: https://github.com/alecthomas/kong/blob/v1.17.0/context.go,
// https://github.com/alecthomas/kong/blob/v1.17.0/mapper.go and
// https://github.com/alecthomas/kong/blob/v1.17.0/scanner.go
var rules = []rule{
	{compile(`^unknown flag (\S+?)(, did you mean .*)?$`), func(m *mistake, g []string) error { return m.unknownFlag(g[1]) }},
	{compile(`^unexpected argument (.*?)(, did you mean .*)?$`), func(m *mistake, g []string) error { return m.unexpected(g[1]) }},
	{compile(`^expected (one of )?".*$`), func(m *mistake, _ []string) error { return m.missingArgument() }},
	{compile(`^missing positional arguments `), func(m *mistake, _ []string) error { return m.missingArgument() }},
	{compile(`^missing flags: (.*)$`), missingFlags},
	{compile(`^(\S+): expected \S+ value but got "EOL" \(<EOL>\)$`), noValue},
	{compile(`^(\S+): expected \S+ value but got "(.*)" \(.* flag\)(; perhaps try .*)?$`), noValue},
	{compile(`^(\S+): missing value, expecting ".*"$`), noValue},
	{compile(`^(\S+): expected a valid \d+ bit u?int but got "(.*)"$`), want("a whole number")},
	{compile(`^(\S+): expected a float but got "(.*)".*$`), want("a number")},
	{compile(`^(--\S+): (.*: must be .*)$`), func(_ *mistake, g []string) error { return fmt.Errorf("%s=%s", g[1], g[2]) }},
	{compile(`^(\S+): bool value must be true, 1, yes, false, 0 or no but got "(.*)"$`), want("true or false")},
	{compile(`^(\S+) must be one of (".*") but got "(.*)"$`), oneOf},
	{compile(`^(\S+): stat (.*): no such file or directory$`), noFile},
	{compile(`^(\S+): (?:stat|open|lstat) (.*): (.*)$`), func(_ *mistake, g []string) error { return fmt.Errorf("%s=%s: %s", g[1], shorten(g[2]), g[3]) }},
	{compile(`^(\S+): "(.*)" exists but is a directory$`), func(_ *mistake, g []string) error {
		return fmt.Errorf("%s=%s: is a folder, must be a file", g[1], shorten(g[2]))
	}},
	{compile(`^unexpected flag argument (".*")$`), func(_ *mistake, g []string) error { return fmt.Errorf("the value %s belongs to no flag", g[1]) }},
	{compile(`^flag (\S+) applies to the default command .*, not "(.*)"$`), misplaced},
	{compile(`^(\S+) and (\S+) can't be used together$`), func(_ *mistake, g []string) error {
		return fmt.Errorf("%s and %s exclude each other: give one of them", g[1], g[2])
	}},
}

// explain explains a message, or returns nil if no rule matches it.
func (m *mistake) explain(message string) error {
	variable := ""
	if found := fromVariable.FindStringSubmatch(message); found != nil {
		message, variable = strings.TrimSuffix(message, found[0]), found[1]
	}
	for _, r := range rules {
		groups := r.pattern.FindStringSubmatch(message)
		if groups == nil {
			continue
		}
		err := r.explain(m, groups)
		if variable != "" {
			err = fmt.Errorf("environment variable %s: %w", variable, err)
		}
		return err
	}
	return nil
}

// unexpected explains an argument too many, or a subcommand that does not exist.
func (m *mistake) unexpected(arg string) error {
	if len(m.node.Children) > 0 {
		return m.unknownCommand(arg)
	}
	if err := m.program.foreign(arg, m.program.Model.Name); err != nil && len(m.program.Model.Children) == 0 {
		return err
	}
	most := len(m.node.Positional)
	if most > 0 && m.node.Positional[most-1].IsCumulative() {
		return fmt.Errorf("%q: a flag separates it from the other arguments of %s; write the arguments together", arg, m.command())
	}
	switch most {
	case 0:
		return hint.Add(fmt.Errorf("%q: %s takes flags only, no arguments", arg, m.command()), "%s", cmp.Or(m.program.Argument, m.help()))
	case 1:
		return fmt.Errorf("%q: %s takes one argument, %s", arg, m.command(), m.node.Positional[0].Summary())
	default:
		return fmt.Errorf("%q: %s takes at most %d arguments, and no flags between them", arg, m.command(), most)
	}
}

// missingArgument explains that a required argument or subcommand is missing.
func (m *mistake) missingArgument() error {
	if len(m.node.Children) > 0 {
		return fmt.Errorf("%s needs one of %s after it", m.command(), strings.Join(commands(m.node), ", "))
	}
	if m.isDefault() && len(m.args) == 0 {
		return errors.New("a command or a source is missing")
	}
	var missing []string
	for _, arg := range m.node.Positional {
		if arg.Required && !arg.Set {
			missing = append(missing, arg.Summary())
		}
	}
	return hint.Add(fmt.Errorf("%s: missing argument %s", m.command(), strings.Join(missing, " ")), "usage: %s", help.Usage(m.program.Model.Name, m.node))
}

// missingFlags explains that required flags are missing.
func missingFlags(m *mistake, g []string) error {
	return hint.Add(fmt.Errorf("%s needs %s", m.command(), g[1]), "%s", cmp.Or(m.program.Argument, m.help()))
}

// noValue explains a flag without its value. The second group is the flag that follows.
func noValue(m *mistake, g []string) error {
	name, example := g[1], g[1]
	if f := m.flag(name); f != nil {
		example = name + "=" + strings.TrimSuffix(help.Placeholder(f), ",...")
	}
	err := fmt.Errorf("%s needs a value: %s", name, example)
	if len(g) > 2 && g[2] != "" {
		return hint.Add(err, "%s follows it; a value that begins with a dash is written %s=%s", g[2], name, g[2])
	}
	return err
}

// want returns a function that explains a value of the wrong kind.
func want(kind string) func(*mistake, []string) error {
	return func(_ *mistake, g []string) error { return fmt.Errorf("%s=%s: must be %s", g[1], g[2], kind) }
}

// oneOf explains a value that is not one of those that a flag or an argument may have.
func oneOf(m *mistake, g []string) error {
	var values []string
	for _, quoted := range strings.Split(g[2], ",") {
		if value, err := strconv.Unquote(quoted); err == nil && value != "" {
			values = append(values, value)
		}
	}
	err := fmt.Errorf("%s=%s: must be %s%s", g[1], g[3], Or(values), similar.Question(g[3], values))
	if variable := m.variable(g[1], g[3]); variable != "" {
		return fmt.Errorf("environment variable %s: %w", variable, err)
	}
	return err
}

// variable returns the environment variable from which a flag has a value, or "" if the value is on
// the command line. Kong names the variable only if the value cannot be parsed.
func (m *mistake) variable(flag, value string) string {
	f := m.flag(flag)
	if f == nil || slices.ContainsFunc(m.args, func(arg string) bool { return arg == value || strings.HasSuffix(arg, "="+value) }) {
		return ""
	}
	for _, name := range f.Envs {
		if os.Getenv(name) == value {
			return name
		}
	}
	return ""
}

// Or returns "a, b or c".
func Or(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// misplaced explains a flag before a command that does not have it.
func misplaced(m *mistake, g []string) error {
	return hint.Add(fmt.Errorf("%s before %q is read as a flag of %s %s", g[1], g[2], m.program.Model.Name, m.program.Model.DefaultCmd.Name),
		"put flags after the command: %s %s … %s", m.program.Model.Name, g[2], g[1])
}

// noFile explains a file that does not exist.
func noFile(_ *mistake, g []string) error {
	return fmt.Errorf("%s=%s: no such file%s", g[1], shorten(g[2]), SimilarFiles(shorten(g[2])))
}

// SimilarFiles returns `; did you mean "site"?` with the files and folders next to a path
// whose names are most similar, or "" if there are none.
func SimilarFiles(path string) string {
	dir, name := filepath.Split(filepath.Clean(path))
	entries, _ := os.ReadDir(cmp.Or(dir, ".")) // without the folder there is nothing to suggest
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	near := similar.To(name, names)
	for i := range near {
		near[i] = dir + near[i]
	}
	return similar.Ask(near)
}

// shorten returns a path below the current folder as a relative one, as it was typed: Kong makes
// all paths absolute.
func shorten(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(here, path)
	if err != nil || !filepath.IsLocal(rel) {
		return path
	}
	return rel
}

// Words returns the arguments before the first flag. Those after it may be values of flags.
func Words(args []string) []string {
	end := slices.IndexFunc(args, func(s string) bool { return len(s) > 1 && s[0] == '-' })
	if end < 0 {
		return args
	}
	return args[:end]
}
