package completion

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

type commandLine struct {
	Build struct {
		Sources []string      `arg:"" name:"source" type:"path" help:"A folder."`
		Output  string        `short:"o" type:"path" help:"The site."`
		Unpack  string        `enum:",web,all" default:"" help:"What to unpack."`
		Deps    *bool         `negatable:"" help:"Package dependencies."`
		Wait    time.Duration `help:"Wait."`
		Secret  string        `hidden:""`
		Style   string        `placeholder:"path|virtual" help:"How."`
		From    string        `complete:"path" placeholder:"SITE|URL" help:"What."`
	} `cmd:"" default:"withargs" help:"Build it."`
	Show struct {
		ID     string `arg:"" help:"The id."`
		Target string `arg:"" optional:"" complete:"path" help:"Where."`
		Kind   string `arg:"" optional:"" enum:"new,old," default:"" help:"Which."`
	} `cmd:"" aliases:"view" help:"Show it."`
	Config struct {
		Nginx  struct{} `cmd:"" help:"For nginx."`
		Editor struct{} `cmd:"" help:"For an editor."`
	} `cmd:"" help:"Configure it."`
	Ask struct {
		Command []string `arg:"" optional:"" complete:"command" help:"A command."`
	} `cmd:"" help:"Ask for help."`
	Gone  struct{} `cmd:"" hidden:""`
	Quiet bool     `short:"q" help:"Print errors only."`
}

func model(t *testing.T) *kong.Application {
	t.Helper()
	k, err := kong.New(new(commandLine), kong.Name("prog"))
	if err != nil {
		t.Fatal(err)
	}
	return k.Model
}

// TestHandle completes the last word of command lines; ” is an empty word.
func TestHandle(t *testing.T) {
	for line, want := range map[string]string{
		"":               "build show config ask :files",
		"”":              "build show config ask :files",
		"s":              "show :files",
		"gone":           ":files",
		"x ”":            ":files",
		"x show":         ":files",
		"--":             "--help --quiet --output --unpack --deps --no-deps --wait --style --from",
		"--no":           "--no-deps",
		"x --un":         "--unpack",
		"x --style ”":    "path virtual",
		"x --style=v":    "--style=virtual",
		"x --from ”":     ":files",
		"-- --un":        ":files",
		"show --":        "--help --quiet",
		"show ”":         "",
		"view a ”":       ":files",
		"view --":        "--help --quiet",
		"show a b ”":     "new old",
		"show a b o":     "old",
		"show a b old ”": "",
		"show -q a ”":    ":files",
		"--unpack ”":     "web all",
		"--unpack w":     "web",
		"--unpack=":      "--unpack=web --unpack=all",
		"--unpack=a":     "--unpack=all",
		"--unpack =":     "--unpack=web --unpack=all",
		"--unpack = a":   "--unpack=all",
		"--unpack = a ”": "build show config ask :files",
		"--unpack web ”": "build show config ask :files",
		"--nothing=":     "",
		"--wait ”":       "",
		"-o ”":           ":files",
		"--output=x":     ":files",
		"-o x ”":         "build show config ask :files",
		"config ”":       "nginx editor",
		"config n":       "nginx",
		"config nginx ”": "",
		"ask ”":          "build show config ask",
		"ask config ”":   "nginx editor",
		"ask config x ”": "",
		"-q config --":   "--help --quiet",
	} {
		args := append([]string{request}, strings.Split(strings.ReplaceAll(line, "”", ""), " ")...)
		if line == "" {
			args = args[:1]
		}
		var b bytes.Buffer
		if status, handled := Handle(&b, model(t), args); status != 0 || !handled {
			t.Errorf("%s: status %d, handled: %v", line, status, handled)
		}
		var words []string
		for line := range strings.Lines(b.String()) {
			word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			words = append(words, word)
		}
		if got := strings.Join(words, " "); got != want {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
	if _, handled := Handle(new(bytes.Buffer), model(t), []string{"build"}); handled {
		t.Error("a command line is taken for the request of a script")
	}
}

// TestBash completes words in bash, with a program that offers the same words each time.
func TestBash(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range map[string]string{
		"script.bash": Script("bash", "prog"),
		"in/a b.vsix": "",
		"bin/prog":    "#!/bin/sh\nprintf '%s ' \"$@\" >>../log\nprintf -- '--unpack=web\\tHelp.\\n--unpack=all\\t\\n'\n[ \"$2\" = only ] || echo :files\n",
		"complete.bash": "source script.bash\ncd in\ntry() { COMP_WORDS=(prog \"$@\"); COMP_CWORD=$#; _prog; printf '%s|' \"${COMPREPLY[@]}\"; echo; }\n" +
			"try only ''\ntry ''\ntry 'a '\ntry --unpack =\ntry --unpack = w\ncomplete -p prog\n",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", filepath.Join(dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	out, err := exec.Command("bash", "complete.bash").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	const want = `--unpack=web|--unpack=all|
--unpack=web|--unpack=all|a b.vsix|
--unpack=web|--unpack=all|a b.vsix|
web|all|a b.vsix|
web|all|
complete -F _prog prog
`
	if got := string(out); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	log, err := os.ReadFile("log")
	if want := "__complete only  __complete  __complete a  __complete --unpack = __complete --unpack = w "; err != nil || string(log) != want {
		t.Errorf("the program was called with %q, %v, want %q", log, err, want)
	}
}

func TestScript(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		script := Script(shell, "prog")
		if !strings.Contains(script, "prog "+request+" ") || !strings.Contains(script, files) || strings.Contains(script, "PROGRAM") {
			t.Errorf("%s: got\n%s", shell, script)
		}
	}
	if got := Script("tcsh", "prog"); got != "" {
		t.Errorf("got %q", got)
	}
}
