// Package galbuild is the command line of galbuild, with one file for each command. Commands call
// the packages that do the work, and report the result.
//
// Results go to stdout, everything else to stderr. The exit status is 0 if everything was done, 1
// if something failed or a package was refused, and 80 if the command line is wrong.
package galbuild

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"galbuild/build/site"
	"galbuild/build/vsix"
	"galbuild/cmd/internal/completion"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/cmd/internal/usage"
	"galbuild/cmd/internal/version"
)

type commandLine struct {
	Build  buildCmd  `cmd:"" group:"Build:" default:"withargs" help:"Build a site from packages (the default command)."`
	Add    addCmd    `cmd:"" group:"Build:" help:"Add packages to a site or to another target."`
	Remove removeCmd `cmd:"" group:"Build:" aliases:"unpublish" help:"Remove versions of extensions from a site or another target."`
	Config configCmd `cmd:"" group:"Build:" help:"Print configuration for a web server, an editor or a bucket."`

	Publish  publishCmd  `cmd:"" group:"Publish:" help:"Publish a site, packages or an extension's folder to a target."`
	Pull     pullCmd     `cmd:"" group:"Publish:" help:"Copy a published site, or only its index, to a folder."`
	Rollback rollbackCmd `cmd:"" group:"Publish:" help:"Switch back to the previous generation."`
	Prune    pruneCmd    `cmd:"" group:"Publish:" help:"Remove objects that no generation of a published site needs."`
	Export   exportCmd   `cmd:"" group:"Publish:" help:"Write a site, or its changes, to a tarball that can be signed."`
	Import   importCmd   `cmd:"" group:"Publish:" help:"Verify a tarball and import it into a site."`

	Package packageCmd `cmd:"" group:"Author:" aliases:"pack" help:"Package an extension's folder as a .vsix file, as vsce does."`
	Ls      lsCmd      `cmd:"" group:"Author:" help:"List the files of an extension's folder that would be packaged."`

	LsRemote listCmd    `cmd:"" group:"Inspect:" aliases:"list" help:"List the extensions of a site or another target."`
	Show     showCmd    `cmd:"" group:"Inspect:" help:"Show an extension: versions, dates, sizes, readme, change log."`
	Inspect  inspectCmd `cmd:"" group:"Inspect:" help:"Print the contents of a site's index."`
	Verify   verifyCmd  `cmd:"" group:"Inspect:" help:"Recompute every hash of a site, and derive its index again."`

	Help       helpCmd       `cmd:"" group:"Help:" help:"Print the help of galbuild or of a command."`
	Completion completionCmd `cmd:"" group:"Help:" help:"Print a script that completes command lines in a shell."`
	Man        manCmd        `cmd:"" group:"Help:" help:"Print the manual page."`
	Version    versionCmd    `cmd:"" group:"Help:" help:"Print the version."`

	JSON     bool   `help:"Print the result as JSON." name:"json"`
	Quiet    bool   `short:"q" help:"Print errors only."`
	Verbose  bool   `short:"v" help:"Print what is done with each package."`
	Progress string `enum:"auto,plain,none" default:"auto" help:"Show progress as a bar on a terminal and as lines elsewhere (auto), as lines (plain), or not at all (none)."`

	PrintVersion kong.VersionFlag `name:"version" short:"V" env:"-" help:"Print the version and exit."`
}

// env is the environment of a command.
type env struct {
	stdin          io.Reader
	stdout, stderr *terminal.Writer
	json           bool
	quiet          bool
	verbose        bool
	progress       string
	log            *slog.Logger
	transport      http.RoundTripper
}

// Main runs the program and ends the process.
func Main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	limitMemory()
	os.Exit(program{}.run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// limitMemory lets the garbage collector run less often than by default while the process has
// less than softLimit bytes, and as often as necessary above that. The variables GOGC and
// GOMEMLIMIT override it.
func limitMemory() {
	const softLimit = 400 << 20
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softLimit)
	}
}

// exitUsage is Kong's exit status for a wrong command line.
const exitUsage = 80

// program is galbuild with its connections to the network.
type program struct {
	transport http.RoundTripper // to targets that speak HTTP; nil means each target's own
}

// run returns the exit status.
func (p program) run(ctx context.Context, args []string, stdin io.Reader, out, errs io.Writer) int {
	stdout, stderr := terminal.NewWriter(out), terminal.NewWriter(errs)
	var cl commandLine
	exit := -1
	parser := newParser(&cl, kong.BindTo(ctx, (*context.Context)(nil)), kong.Writers(out, errs), kong.Exit(func(status int) { exit = status }))
	if err := (usage.Program{Model: parser.Model}).UnsetEmpty(); err != nil {
		hint.Print(stderr, "galbuild", err)
		return 1
	}
	if status, answered := completion.Answer(out, parser.Model, args); answered {
		return status
	}
	if err := mistyped(parser, args); err != nil { // before --help prints the help of build
		hint.Print(stderr, "galbuild", err)
		return exitUsage
	}
	command, err := parser.Parse(args)
	if exit >= 0 { // --help and --version
		return exit
	}
	if err := cl.explainUsage(parser, command, err, args); err != nil {
		hint.Print(stderr, "galbuild", err)
		return exitUsage
	}
	e := newEnv(&cl, stdin, stdout, stderr)
	e.transport = p.transport
	if err := command.Run(e); err != nil {
		hint.Print(stderr, "galbuild", explain(err))
		if errors.As(err, new(errUsage)) {
			return exitUsage
		}
		return 1
	}
	return 0
}

// newParser returns a parser of command lines that fills cl.
func newParser(cl *commandLine, options ...kong.Option) *kong.Kong {
	options = append(options, pathMappers()...)
	parser, err := kong.New(cl, append(options,
		kong.Name("galbuild"), kong.Description(description), manual().Option(),
		kong.DefaultEnvars("GALBUILD"), usage.Durations(),
		kong.Vars{"limits": vsix.LimitNames(), "version": "galbuild " + version.String()},
	)...)
	if err != nil {
		panic(err) // a mistake in the structs of the commands
	}
	return parser
}

func newEnv(cl *commandLine, stdin io.Reader, stdout, stderr *terminal.Writer) *env {
	e := &env{stdin: stdin, stdout: stdout, stderr: stderr, json: cl.JSON, quiet: cl.Quiet, verbose: cl.Verbose, progress: cl.Progress}
	e.log = slog.New(messages{to: stderr, verbose: cl.Verbose})
	return e
}

// explain adds a hint to errors that any command can return.
func explain(err error) error {
	_, output := errors.AsType[*terminal.OutputError](err)
	switch {
	case hint.Has(err):
		return err
	case output:
		return hint.Add(err, "only printing failed; all changes of sites and files are done")
	case errors.Is(err, site.ErrLocked):
		return hint.Add(err, "wait until it ends; a killed process leaves no lock behind")
	case errors.Is(err, site.ErrNotSite):
		return hint.Add(err, "name a new or empty folder with -o, or an earlier site")
	case isFull(err):
		return hint.Add(err, "%s and run it again; what the site serves has not changed", makeRoom(err))
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return hint.Add(err, "the user running galbuild must be able to %s; what the site serves has not changed", readOrWrite(err))
	case errors.Is(err, context.Canceled):
		return hint.Add(errors.New("interrupted"), "what the site serves has not changed; run it again to go on")
	}
	return err
}

// readOrWrite returns what the permission is needed for, as far as the error says.
func readOrWrite(err error) string {
	file, ok := errors.AsType[*fs.PathError](err)
	switch {
	case errors.Is(err, syscall.EROFS), ok && strings.HasPrefix(file.Op, "mkdir"):
		return "write there"
	case ok && strings.HasPrefix(file.Op, "open"):
		return "read it, or to write there"
	case ok && (strings.HasPrefix(file.Op, "read") || strings.HasSuffix(file.Op, "stat")):
		return "read it"
	}
	return "write there"
}

type versionCmd struct{}

func (versionCmd) Run(e *env) error {
	_, err := terminal.Fprintln(e.stdout, "galbuild", version.String())
	return err
}
