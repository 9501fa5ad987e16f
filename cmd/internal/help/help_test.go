package help

import (
	"bytes"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

type commandLine struct {
	Make struct {
		Sources []string      `arg:"" name:"source" help:"A folder."`
		Output  string        `short:"o" default:"site" placeholder:"SITE" help:"The site's folder."`
		Wait    time.Duration `default:"24h" env:"-" help:"Wait. Then go on."`
		Unpack  string        `enum:",web,all" default:"" help:"What to unpack (default: nothing)."`
		Deps    bool          `negatable:"" help:"Package \\e, ~ and 'x' – too."`
		Key     string        `required:"" placeholder:"FILE" group:"Keys:" help:"The key."`
		Size    string        `group:"Sizes:" help:"The size."`
		Secret  string        `hidden:""`
	} `cmd:"" group:"Build:" aliases:"build" help:"Make it."`
	Show struct {
		ID                                string `arg:"" optional:"" help:"The id."`
		AVeryLongFlagNameThatLeavesNoRoom string `placeholder:"V" group:"Keys:" help:"A text that is so long that it does not fit on a single line of a page."`
	} `cmd:"" help:"Show it."`
	Gone  struct{} `cmd:"" hidden:""`
	Quiet bool     `short:"q" help:"Print errors only."`
}

var program = Program{
	Summary: "make things", Footer: "The end.", Exit: []string{"0", "Done.", "1", "Failed."}, SeeAlso: "other(1)", Last: "Keys",
	Examples: map[string][]Example{"make": {{"Make a site.", "prog make x -o site"}, {"Make all.", "prog make . --unpack all"}}},
}

func parser(t *testing.T, out *bytes.Buffer) *kong.Kong {
	t.Helper()
	k, err := kong.New(new(commandLine), kong.Name("prog"), kong.Description("Makes things.\n\n    prog make x\n    prog show"), kong.DefaultEnvars("PROG"),
		program.Option(), kong.Writers(out, out), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestText(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"", `Usage: prog <command> [flags]

Makes things.

    prog make x
    prog show

Build:
  make   Make it.

Commands:
  show   Show it.

Global flags:
  -h, --help    Print this help and exit.
  -q, --quiet   Print errors only ($PROG_QUIET).

The end.
`},
		{"make", `Usage: prog make --key=FILE <source> ... [flags]

Make it.

Other names: build

Arguments:
  <source> ...           A folder.

Flags:
  -o, --output=SITE      The site's folder (default: site) ($PROG_OUTPUT).
      --wait=DURATION    Wait. Then go on (default: 24h).
      --unpack=web|all   What to unpack (default: nothing) ($PROG_UNPACK).
      --[no-]deps        Package \e, ~ and 'x' – too ($PROG_DEPS).

Sizes:
      --size=SIZE        The size ($PROG_SIZE).

Keys:
      --key=FILE         The key ($PROG_KEY).

Global flags:
  -h, --help             Print this help and exit.
  -q, --quiet            Print errors only ($PROG_QUIET).

Examples:
  # Make a site.
  prog make x -o site

  # Make all.
  prog make . --unpack all
`},
		{"show", `Usage: prog show [<id>] [flags]

Show it.

Arguments:
  [<id>]        The id.

Keys:
      --a-very-long-flag-name-that-leaves-no-room=V
                A text that is so long that it does not fit on a single line of
                a page ($PROG_A_VERY_LONG_FLAG_NAME_THAT_LEAVES_NO_ROOM).

Global flags:
  -h, --help    Print this help and exit.
  -q, --quiet   Print errors only ($PROG_QUIET).
`},
	} {
		var out bytes.Buffer
		args := []string{"--help"}
		if test.args != "" {
			args = []string{test.args, "--help"}
		}
		_, _ = parser(t, &out).Parse(args) // it continues after the help, and may fail
		if out.String() != test.want {
			t.Errorf("%q: got\n%s\nwant\n%s", test.args, &out, test.want)
		}
	}
}

func TestManual(t *testing.T) {
	const want = `.TH "PROG" 1 "" "prog 1.0"
.nh
.ad l
.SH "NAME"
\&prog
\- make things
.SH "SYNOPSIS"
\&prog <command> [flags]
.SH "DESCRIPTION"
\&Makes things.
.PP
.nf
\&    prog make x
\&    prog show
.fi
.SH "COMMANDS"
.SS "prog make \-\-key=FILE <source> ... [flags]"
\&Make it.
\&Other names: build.
.TP
\fB<source> ...\fR
\&A folder.
.TP
\fB\-o, \-\-output=SITE\fR
\&The site\(aqs folder (default: site) ($PROG_OUTPUT).
.TP
\fB\-\-wait=DURATION\fR
\&Wait. Then go on (default: 24h).
.TP
\fB\-\-unpack=web|all\fR
\&What to unpack (default: nothing) ($PROG_UNPACK).
.TP
\fB\-\-[no\-]deps\fR
\&Package \ee, \(ti and \(aqx\(aq \[u2013] too ($PROG_DEPS).
.PP
\&Further flags: Sizes, Keys, Global flags.
.PP
\&Make a site.
.PP
.nf
\&    prog make x \-o site
.fi
.PP
\&Make all.
.PP
.nf
\&    prog make . \-\-unpack all
.fi
.SS "prog show [<id>] [flags]"
\&Show it.
.TP
\fB[<id>]\fR
\&The id.
.PP
\&Further flags: Keys, Global flags.
.SH "GLOBAL FLAGS"
.TP
\fB\-h, \-\-help\fR
\&Print this help and exit.
.TP
\fB\-q, \-\-quiet\fR
\&Print errors only ($PROG_QUIET).
.SH "SIZES"
.TP
\fB\-\-size=SIZE\fR
\&The size ($PROG_SIZE).
.SH "KEYS"
.TP
\fB\-\-key=FILE\fR
\&The key ($PROG_KEY).
.TP
\fB\-\-a\-very\-long\-flag\-name\-that\-leaves\-no\-room=V\fR
\&A text that is so long that it does not fit on a single line of a page ($PROG_A_VERY_LONG_FLAG_NAME_THAT_LEAVES_NO_ROOM).
.SH "EXIT STATUS"
.TP
\fB0\fR
\&Done.
.TP
\fB1\fR
\&Failed.
.SH "SEE ALSO"
\&other(1)
`
	if got := program.Manual(parser(t, new(bytes.Buffer)).Model, "1.0"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
