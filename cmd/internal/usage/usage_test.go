package usage

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"galbuild/build/units"
	"galbuild/cmd/internal/hint"
)

type commandLine struct {
	Build struct {
		Sources []string      `arg:"" name:"source"`
		Output  string        `short:"o" default:"site" placeholder:"SITE"`
		Jobs    int           `placeholder:"N"`
		Rate    float64       `placeholder:"R"`
		Wait    time.Duration `placeholder:"30s"`
		Split   units.Size    `placeholder:"SIZE"`
		Strict  bool          `xor:"mode"`
		Loose   bool          `xor:"mode"`
		Unpack  string        `enum:"web,all" default:"web"`
		Limit   []string      `placeholder:"NAME=VALUE"`
		Control string        `type:"existingfile" placeholder:"FILE"`
	} `cmd:"" default:"withargs"`
	Show struct {
		ID      string `arg:"" name:"id"`
		Version string `arg:"" optional:""`
		Readme  bool
	} `cmd:"" aliases:"view"`
	Export struct {
		Output string `required:"" placeholder:"FILE"`
	} `cmd:""`
	Config struct {
		Nginx struct {
			Hosts checked `placeholder:"HOST"`
		} `cmd:""`
		Apache struct{} `cmd:""`
	} `cmd:""`
	Inspect struct{} `cmd:""`
	Quiet   bool
}

// checked is a value that Kong's hook Validate refuses.
type checked string

func (c checked) Validate() error { return errors.New("the host has no dot") }

func foreign() []Foreign {
	return []Foreign{
		{Program: "other", Words: []string{"--extensions-dir", "server"}, Use: "use this instead"},
		{Words: []string{"--s3"}, Use: "use that instead"},
	}
}

// parse returns the message and the hint for a command line, or "" if it has no mistake.
func parse(t *testing.T, args ...string) string {
	t.Helper()
	var cl commandLine
	parser, err := kong.New(&cl, kong.Name("prog"), kong.DefaultEnvars("PROG"), Durations(), kong.Exit(func(int) { t.Fatal("exits") }))
	if err != nil {
		t.Fatal(err)
	}
	program := Program{Model: parser.Model, Foreign: foreign()}
	command, err := parser.Parse(args)
	if err == nil {
		err = program.Empty(command)
	} else {
		err = program.Explain(err, args)
	}
	if err == nil {
		return ""
	}
	var b bytes.Buffer
	hint.Print(&b, "prog", err)
	return strings.ReplaceAll(b.String(), "prog: ", "")
}

// TestExplain checks the messages for all mistakes that Kong finds, and that none of them contains
// a term of the parser.
func TestExplain(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("control.json", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const help = "\nhint: prog --help lists commands and flags\n"
	for line, want := range map[string]string{
		"":                              "error: a command or a source is missing" + help,
		"x --strct":                     `error: unknown flag --strct; did you mean "--strict"?` + help,
		"x -x":                          "error: unknown flag -x" + help,
		"x --readme":                    "error: unknown flag --readme\nhint: --readme is a flag of prog show, not of prog build\n",
		"show a --output y":             "error: unknown flag --output\nhint: --output is a flag of prog build and prog export, not of prog show\n",
		"x --extensions-dir y":          "error: --extensions-dir is a flag of other, not of prog build\nhint: use this instead\n",
		"x --s3 y":                      "error: --s3 is not a flag of prog build\nhint: use that instead\n",
		"x --output":                    "error: --output needs a value: --output=SITE" + help,
		"x -o":                          "error: --output needs a value: --output=SITE" + help,
		"x --output --strict":           "error: --output needs a value: --output=SITE\nhint: --strict follows it; a value that begins with a dash is written --output=--strict\n",
		"x --jobs":                      "error: --jobs needs a value: --jobs=N" + help,
		"x --wait":                      "error: --wait needs a value: --wait=30s" + help,
		"x --unpack":                    "error: --unpack needs a value: --unpack=web|all" + help,
		"x --limit":                     "error: --limit needs a value: --limit=NAME=VALUE" + help,
		"x --jobs y":                    "error: --jobs=y: must be a whole number" + help,
		"x --jobs 99999999999999999999": "error: --jobs=99999999999999999999: must be a whole number" + help,
		"x --rate y":                    "error: --rate=y: must be a number" + help,
		"x --wait 1d":                   "",
		"x --wait 1y":                   "error: --wait=1y: must be a duration such as 30s, 5m, 24h or 7d" + help,
		"x --wait=":                     "error: --wait=: must be a duration such as 30s, 5m, 24h or 7d" + help,
		"x --wait 5":                    "error: --wait=5: must be a duration such as 30s, 5m, 24h or 7d" + help,
		"x --split 10MB":                "",
		"x --split 10M0":                "error: --split=10M0: must be a size such as 500000, 10MB or 4GiB" + help,
		"x --strict=y":                  "error: --strict=y: must be true or false" + help,
		"x --strict --loose":            "error: --strict and --loose exclude each other: give one of them" + help,
		"x --unpack wbe":                `error: --unpack=wbe: must be web or all; did you mean "web"?` + help,
		"x --control none":              "error: --control=none: no such file" + help,
		"x --control contrl.json":       `error: --control=contrl.json: no such file; did you mean "control.json"?` + help,
		"x --control .":                 "error: --control=.: is a folder, must be a file" + help,
		"x --control control.json/a":    "error: --control=control.json/a: not a directory" + help,
		"x --strict y":                  "error: \"y\": a flag separates it from the other arguments of prog build; write the arguments together" + help,
		"--strict show a":               "error: --strict before \"show\" is read as a flag of prog build\nhint: put flags after the command: prog show … --strict\n",
		"show":                          "error: prog show: missing argument <id>\nhint: usage: prog show <id> [<version>] [flags]\n",
		"show a b c":                    "error: \"c\": prog show takes at most 2 arguments, and no flags between them\nhint: prog show --help lists its arguments and flags\n",
		"inspect a":                     "error: \"a\": prog inspect takes flags only, no arguments\nhint: prog inspect --help lists its arguments and flags\n",
		"export":                        "error: prog export needs --output=FILE\nhint: prog export --help lists its arguments and flags\n",
		"config":                        "error: prog config needs one of nginx, apache after it\nhint: prog config --help lists its arguments and flags\n",
		"config ngnix":                  "error: prog config has no command \"ngnix\"; did you mean \"nginx\"?\nhint: its commands are nginx, apache\n",
		"config nginx --hosts x":        "error: --hosts: the host has no dot\nhint: prog config nginx --help lists its arguments and flags\n",
		"x --quiet=":                    "error: --quiet=: must be true or false" + help,
		"x --output=":                   "error: --output: the value is empty\nhint: leave the flag out for the default\n",
		"x --limit=":                    "error: --limit: the value is empty\nhint: leave the flag out for the default\n",
		"x --limit a,,b":                "error: --limit: the value is empty\nhint: leave the flag out for the default\n",
		"x --output y --limit a=b":      "",
	} {
		got := parse(t, strings.Fields(line)...)
		if got != want {
			t.Errorf("%s: got\n%swant\n%s", line, got, want)
		}
		for _, word := range []string{"EOL", "bit int", "got \"", "expected", "envar", "bool", "stat "} {
			if strings.Contains(got, word) {
				t.Errorf("%s: %q is a term of the parser: %s", line, word, got)
			}
		}
	}
	if got, want := parse(t, "show", "a", "b", "c\nprog: error: d"), "error: \"c\\nprog: error: d\": prog show takes"; !strings.HasPrefix(got, strings.ReplaceAll(want, "prog: ", "")) {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := parse(t, "x", "--split", "4 x"), "error: --split=4 x: must be a size such as"; !strings.HasPrefix(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := parse(t, "show", ""), "error: the argument <id> is empty\n"; !strings.HasPrefix(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestVariable checks that a message names the environment variable, and its value once.
func TestVariable(t *testing.T) {
	for name, want := range map[string]string{
		"PROG_JOBS":   "error: environment variable PROG_JOBS: --jobs=maybe: must be a whole number\n",
		"PROG_UNPACK": "error: environment variable PROG_UNPACK: --unpack=maybe: must be web or all\n",
		"PROG_STRICT": "error: environment variable PROG_STRICT: --strict=maybe: must be true or false\n",
		"PROG_WAIT":   "error: environment variable PROG_WAIT: --wait=maybe: must be a duration such as 30s, 5m, 24h or 7d\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "maybe")
			if got := parse(t, "x"); !strings.HasPrefix(got, want) {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestCommand(t *testing.T) {
	parser, err := kong.New(new(commandLine), kong.Name("prog"))
	if err != nil {
		t.Fatal(err)
	}
	program := Program{Model: parser.Model, Foreign: foreign()}
	for word, want := range map[string]string{
		"biuld":   `"biuld" is not a command, and there is no file or folder of that name; did you mean "build"?`,
		"vew":     `"vew" is not a command, and there is no file or folder of that name; did you mean "view"?`,
		"server":  "server is a command of other, not of prog",
		"website": "",
	} {
		got := ""
		if err := program.Command(word); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", word, got, want)
		}
	}
	if err := program.Unknown(Find(parser.Model.Node, "config"), "apach"); err == nil || !strings.Contains(err.Error(), `did you mean "apache"`) {
		t.Errorf("got %v", err)
	}
	if Find(parser.Model.Node, "view") == nil || Find(parser.Model.Node, "vew") != nil {
		t.Error("an alias is not found, or a command that does not exist is")
	}
}

func TestSingleDash(t *testing.T) {
	parser, err := kong.New(new(commandLine), kong.Name("prog"))
	if err != nil {
		t.Fatal(err)
	}
	program := Program{Model: parser.Model}
	for line, want := range map[string]string{
		"-output site x":   `unknown flag -output; did you mean "--output"?`,
		"x -strict":        `unknown flag -strict; did you mean "--strict"?`,
		"x -output=site":   `unknown flag -output; did you mean "--output"?`,
		"show -readme x":   `unknown flag -readme; did you mean "--readme"?`,
		"-osite x -o site": "",
		"x -- -output":     "",
		"x -":              "",
	} {
		got := ""
		if err := program.SingleDash(strings.Fields(line)); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", line, got, want)
		}
	}
}

// TestShorten shortens paths inside of the current folder, and no others.
func TestShorten(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(filepath.Dir(dir), "x")
	if got := shorten(filepath.Join(dir, "a", "b")) + " " + shorten(outside); got != filepath.Join("a", "b")+" "+outside {
		t.Errorf("got %s", got)
	}
}

// TestUnknown lists commands without their aliases.
func TestUnknown(t *testing.T) {
	parser, err := kong.New(new(commandLine), kong.Name("prog"))
	if err != nil {
		t.Fatal(err)
	}
	_, got := hint.Text(Program{Model: parser.Model}.Unknown(parser.Model.Node, "website"))
	if !strings.HasPrefix(got, "its commands are build, ") || strings.Contains(got, "view") {
		t.Errorf("got %s", got)
	}
}
