// Package galbuild is the command line of galbuild, with a file for each command. Commands call
// the packages that do the work, and print what was done.
//
// Results are printed to stdout, everything else to stderr. The exit status is 0 if everything
// was done, 1 if something failed or a package was refused, and 80 for a command line that
// cannot be understood. With --json, a command prints one JSON document to stdout, also if it
// fails. cmd/README.md describes the documents.
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
	document       []byte // the JSON document to print at the end, if there is one
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

// limitMemory makes the garbage collector run half as often as by default while the process
// uses less than softLimit bytes, and as often as necessary from there on. GOGC and GOMEMLIMIT
// take precedence.
func limitMemory() {
	const softLimit = 400 << 20
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softLimit)
	}
}

// exitUsage is the exit status for a command line that cannot be understood. Kong uses it too.
const exitUsage = 80

// program is what tests replace.
type program struct {
	transport http.RoundTripper // to targets that speak HTTP; nil means the default of each
}

// run returns the exit status.
func (p program) run(ctx context.Context, args []string, stdin io.Reader, out, errs io.Writer) int {
	e := newEnv(stdin, out, errs)
	e.transport = p.transport
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
		return e.end(err)
	}
	e.json = wantsJSON(args)
	command, err := parser.Parse(args)
	if exit >= 0 { // --help and --version
		return exit
	}
	if err := cl.explainUsage(parser, command, err, args); err != nil {
		return e.end(errUsage{err})
	}
	e.set(&cl)
	return e.end(command.Run(e))
}

func newEnv(stdin io.Reader, out, errs io.Writer) *env {
	return &env{stdin: stdin, stdout: terminal.NewWriter(out), stderr: terminal.NewWriter(errs)}
}

// set takes the flags that all commands have.
func (e *env) set(cl *commandLine) {
	e.json, e.quiet, e.verbose, e.progress = cl.JSON, cl.Quiet, cl.Verbose, cl.Progress
	e.log = slog.New(messages{to: e.stderr, verbose: cl.Verbose})
}

// end prints the JSON document of a command and the error that it ended with, which may be
// nil. It returns the exit status.
func (e *env) end(err error) int {
	if err != nil {
		err = explain(err)
	}
	if failed := e.writeDocument(err); err == nil && failed != nil {
		err = explain(failed)
	}
	if err == nil {
		return 0
	}
	hint.Tell(e.stderr, "galbuild", err)
	if errors.As(err, new(errUsage)) {
		return exitUsage
	}
	return 1
}

// explain adds hints to errors that any command can have.
func explain(err error) error {
	_, output := errors.AsType[*terminal.OutputError](err)
	switch {
	case hint.Has(err):
		return err
	case output:
		return hint.Add(err, "only printing failed: what the command does to sites and files is done")
	case errors.Is(err, site.ErrLocked):
		return hint.Add(err, "wait for it to end; the lock of a process that was killed is ignored")
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

// readOrWrite returns what the missing permission is for, as far as the error says so.
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

// programVersion is the JSON document of version. galshim serves one like it.
type programVersion struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

func (versionCmd) Run(e *env) error {
	if e.json {
		return e.printJSON(programVersion{"galbuild", version.String()})
	}
	_, err := terminal.Fprintln(e.stdout, "galbuild", version.String())
	return err
}
