// Package galbuild is the command line of galbuild: one file a command. Commands
// call the packages that do the work, and say in plain words how it went.
//
// Results go to stdout, everything else to stderr. The exit status is 0 when all
// is done, 1 when something failed or a package was refused, 80 for a command line
// that makes no sense.
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
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/cmd/internal/usage"
	"galbuild/cmd/internal/version"
	"galbuild/render"
)

type commandLine struct {
	Build    buildCmd    `cmd:"" default:"withargs" help:"Build a gallery from .vsix files (the default command)."`
	Add      addCmd      `cmd:"" help:"Add packages to a gallery on any target."`
	Remove   removeCmd   `cmd:"" aliases:"unpublish" help:"Remove versions from a gallery."`
	LsRemote listCmd     `cmd:"" aliases:"list" help:"List the extensions of a gallery."`
	Show     showCmd     `cmd:"" help:"Show an extension: versions, dates, sizes, readme, changelog."`
	Publish  publishCmd  `cmd:"" help:"Publish a site, packages or an extension's folder to a target."`
	Pull     pullCmd     `cmd:"" help:"Copy a published site, or its index, to a folder, and keep the copy current."`
	Rollback rollbackCmd `cmd:"" help:"Switch back to the previous generation."`
	Prune    pruneCmd    `cmd:"" help:"Remove files that no generation of a published site needs."`

	Package packageCmd `cmd:"" aliases:"pack" help:"Make a .vsix of an extension's folder, as vsce does."`
	Ls      lsCmd      `cmd:"" help:"List the files of an extension's folder that would be packed."`

	Verify  verifyCmd  `cmd:"" help:"Verify a site: recompute every hash, and derive its index again."`
	Inspect inspectCmd `cmd:"" help:"Print the contents of a site's index."`
	Config  configCmd  `cmd:"" help:"Print ready-made configuration for a web server or an editor."`
	Export  exportCmd  `cmd:"" help:"Write a site, or its changes, to a tarball with checksums and a signature."`
	Import  importCmd  `cmd:"" help:"Verify a tarball and import it into a site."`
	Help    helpCmd    `cmd:"" help:"Print the help of galbuild, or of a command."`
	Version versionCmd `cmd:"" help:"Print the version."`

	JSON     bool   `help:"Print the result as JSON." name:"json"`
	Quiet    bool   `short:"q" help:"Print errors only."`
	Verbose  bool   `short:"v" help:"Print what is done with each package."`
	Progress string `enum:"auto,plain,none" default:"auto" help:"Show progress: ${enum}."`

	PrintVersion kong.VersionFlag `name:"version" short:"V" env:"-" help:"Print the version and exit."`
}

// env is what every command works with.
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
	context.AfterFunc(ctx, stop) // the second one ends the process, whatever it waits for
	limitMemory()
	os.Exit(program{}.run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// limitMemory lets memory be used where there is little to hold, and keeps it small
// where there is much: the collector runs half as often as it would by itself until
// the process has softLimit bytes, and from there on as often as it takes. GOGC and
// GOMEMLIMIT outrank it.
func limitMemory() {
	const softLimit = 400 << 20
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softLimit)
	}
}

// exitUsage is Kong's status for a command line that makes no sense.
const exitUsage = 80

// program is galbuild as it is run.
type program struct {
	transport http.RoundTripper // to places that speak HTTP; nil is each one's own
}

// run returns the exit status.
func (p program) run(ctx context.Context, args []string, stdin io.Reader, out, errs io.Writer) int {
	stdout, stderr := terminal.NewWriter(out), terminal.NewWriter(errs)
	var cl commandLine
	exit := -1
	parser, err := kong.New(&cl, append(pathMappers(),
		kong.Name("galbuild"),
		kong.Description("Turns .vsix files into a gallery of VS Code extensions made of plain files.\n\n"+
			"    galbuild ./vsixs -o site       build\n"+
			"    galshim --index site           serve it\n"+
			"    galbuild config code-server    point an editor to it"),
		kong.DefaultEnvars("GALBUILD"),
		kong.Vars{"limits": vsix.LimitNames(), "version": "galbuild " + version.String()},
		kong.Writers(out, errs), // help is as wide as the terminal
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(status int) { exit = status }),
	)...)
	if err != nil {
		panic(err) // a mistake in the structs above
	}
	if err := (usage.Program{Model: parser.Model}).UnsetEmpty(); err != nil {
		hint.Tell(stderr, "galbuild", err)
		return 1
	}
	command, err := parser.Parse(args)
	if exit >= 0 { // --help and --version
		return exit
	}
	if err := cl.explainUsage(parser, command, err, args); err != nil {
		hint.Tell(stderr, "galbuild", err)
		return exitUsage
	}
	e := newEnv(&cl, stdin, stdout, stderr)
	e.transport = p.transport
	if err := command.Run(e); err != nil {
		hint.Tell(stderr, "galbuild", explain(err))
		if errors.As(err, new(errUsage)) {
			return exitUsage
		}
		return 1
	}
	return 0
}

func newEnv(cl *commandLine, stdin io.Reader, stdout, stderr *terminal.Writer) *env {
	e := &env{stdin: stdin, stdout: stdout, stderr: stderr, json: cl.JSON, quiet: cl.Quiet, verbose: cl.Verbose, progress: cl.Progress}
	e.log = slog.New(messages{to: stderr, verbose: cl.Verbose})
	return e
}

// explain adds hints to errors that any command can have.
func explain(err error) error {
	_, output := errors.AsType[*terminal.OutputError](err)
	switch {
	case hint.Has(err):
		return err
	case output:
		return hint.Add(err, "only printing failed: what the command does to sites and files is done")
	case errors.Is(err, render.ErrSwitched): // before the cases whose hints say that nothing has changed
		return hint.Add(err, "the new generation is complete; once the cause is fixed, run it again")
	case errors.Is(err, site.ErrLocked):
		return hint.Add(err, "wait for it to end; a killed process has no lock")
	case errors.Is(err, site.ErrNoGeneration):
		return hint.Add(err, "galbuild SOURCE… -o SITE builds one")
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

// readOrWrite returns what the permission is needed for, as far as it can be seen from the error.
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
