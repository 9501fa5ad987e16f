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

	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/build/vsix"
	"galbuild/cmd/internal/completion"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/cmd/internal/usage"
	"galbuild/cmd/internal/version"
	"galbuild/publish"
	"galbuild/publish/target"
	"galbuild/publish/target/all"
	"galbuild/render"
)

type commandLine struct {
	Build  buildCmd  `cmd:"" group:"Build:" default:"withargs" help:"Build a site from packages (the default command)."`
	Add    addCmd    `cmd:"" group:"Build:" help:"Add packages to a site or to another target."`
	Remove removeCmd `cmd:"" group:"Build:" aliases:"unpublish" help:"Remove versions of extensions from a site or another target."`
	Stats  statsCmd  `cmd:"" group:"Build:" help:"Count downloads and installs, add them to a site, or print them."`
	Config configCmd `cmd:"" group:"Build:" help:"Print or write configuration for servers, editors, buckets and monitoring."`

	Collect collectCmd `cmd:"" group:"Collect:" help:"Collect extensions and what they need from upstreams into a folder of packages with a lock."`
	Lock    lockCmd    `cmd:"" group:"Collect:" help:"Compare a lock with its upstreams, update it, or explain it."`

	Block     blockCmd     `cmd:"" group:"Decide:" help:"Keep extensions, versions or packages out of a gallery, now and in the future."`
	Unblock   unblockCmd   `cmd:"" group:"Decide:" help:"Let what was blocked be published again."`
	Restore   restoreCmd   `cmd:"" group:"Decide:" help:"Let removed versions be published again, or end a deprecation."`
	Deprecate deprecateCmd `cmd:"" group:"Decide:" help:"Mark an extension as deprecated, and offer another one instead."`
	Approve   approveCmd   `cmd:"" group:"Decide:" help:"Approve packages that a policy keeps out until somebody does."`
	Vet       vetCmd       `cmd:"" group:"Decide:" help:"Look for signs of malice in packages, without running them."`
	Policy    policyCmd    `cmd:"" group:"Decide:" help:"Check a policy, which says what may enter a gallery, or print it."`

	View     viewCmd     `cmd:"" group:"Publish:" help:"Make a view of a gallery, with a policy of its own and without files, such as for a team."`
	Publish  publishCmd  `cmd:"" group:"Publish:" help:"Publish a site, packages or an extension's folder to a target."`
	Inbox    inboxCmd    `cmd:"" group:"Publish:" help:"List the packages that authors have submitted, and what became of them."`
	Accept   acceptCmd   `cmd:"" group:"Publish:" help:"Accept the packages that authors have submitted, if the policy allows it."`
	Pull     pullCmd     `cmd:"" group:"Publish:" help:"Copy a published site, or only its index, to a folder."`
	History  historyCmd  `cmd:"" group:"Publish:" help:"List the generations that have been current, when, and why."`
	Rollback rollbackCmd `cmd:"" group:"Publish:" help:"Make an earlier generation current again, with the blocks of today."`
	Prune    pruneCmd    `cmd:"" group:"Publish:" help:"Remove objects that no generation of a published site needs."`
	Export   exportCmd   `cmd:"" group:"Publish:" help:"Write a site, or its changes, to a tarball that can be signed."`
	Import   importCmd   `cmd:"" group:"Publish:" help:"Verify a tarball and import it into a site."`
	Image    imageCmd    `cmd:"" group:"Publish:" help:"Write galshim, and optionally a site, to an OCI image for containers."`
	Sync     syncCmd     `cmd:"" group:"Publish:" help:"Collect, vet and build, and write what is new to a tarball for another side."`
	Token    tokenCmd    `cmd:"" group:"Publish:" help:"Make, list or revoke the tokens of the clients of a gallery that not everybody may read."`

	Package packageCmd `cmd:"" group:"Author:" aliases:"pack" help:"Package an extension's folder as a .vsix file, as vsce does."`
	Ls      lsCmd      `cmd:"" group:"Author:" help:"List the files of an extension's folder that would be packaged."`

	LsRemote listCmd    `cmd:"" group:"Inspect:" aliases:"list" help:"List the extensions of a site or another target."`
	Show     showCmd    `cmd:"" group:"Inspect:" help:"Show an extension: versions, dates, sizes, readme, change log."`
	Inspect  inspectCmd `cmd:"" group:"Inspect:" help:"Print the contents of a site's index."`
	Diff     diffCmd    `cmd:"" group:"Inspect:" help:"Compare two galleries: versions, settings and decisions."`
	Audit    auditCmd   `cmd:"" group:"Inspect:" help:"List every version that a gallery has ever served, with its source, and every decision."`
	Verify   verifyCmd  `cmd:"" group:"Inspect:" help:"Recompute every hash of a site, and derive its index again."`
	Doctor   doctorCmd  `cmd:"" group:"Inspect:" help:"Look at a served gallery as an editor does, and print what is wrong and which line mends it."`

	Help       helpCmd       `cmd:"" group:"Help:" help:"Print the help of galbuild or of a command."`
	Completion completionCmd `cmd:"" group:"Help:" help:"Print a script that completes command lines in a shell."`
	Man        manCmd        `cmd:"" group:"Help:" help:"Print the manual page."`
	Version    versionCmd    `cmd:"" group:"Help:" help:"Print the version."`

	JSON     bool   `help:"Print the result as JSON." name:"json"`
	Quiet    bool   `short:"q" help:"Print errors only."`
	Verbose  bool   `short:"v" help:"Print what is done with each package."`
	Progress string `enum:"auto,plain,none" default:"auto" help:"Show progress as a bar on a terminal and as lines elsewhere (auto), as lines (plain), or not at all (none)."`

	PrintVersion version.Flag `name:"version" short:"V" env:"-" help:"Print the version and exit."`
}

// newCommandLine returns a command line whose commands have the flags of kinds of targets. If args
// begin with one of these commands, only that one has them: making them for all commands takes
// longer than everything else that a short command does.
func newCommandLine(kinds []target.Kind, args []string) *commandLine {
	cl := new(commandLine)
	commands := map[string][]*targets.Remote{
		"add": {&cl.Add.Remote}, "remove": {&cl.Remove.Remote}, "ls-remote": {&cl.LsRemote.Remote}, "show": {&cl.Show.Remote},
		"publish": {&cl.Publish.Remote}, "pull": {&cl.Pull.Remote}, "rollback": {&cl.Rollback.Remote}, "prune": {&cl.Prune.Remote},
		"verify": {&cl.Verify.Remote}, "diff": {&cl.Diff.Remote}, "audit": {&cl.Audit.Remote}, "history": {&cl.History.Remote},
		"block": {&cl.Block.Remote}, "unblock": {&cl.Unblock.Remote}, "restore": {&cl.Restore.Remote}, "approve": {&cl.Approve.Remote},
		"deprecate": {&cl.Deprecate.Remote}, "view": {&cl.View.Remote}, "inbox": {&cl.Inbox.Remote}, "accept": {&cl.Accept.Remote},
		"sync": {&cl.Sync.Remote}, "policy": {&cl.Policy.Show.Remote}, "stats": {&cl.Stats.Fold.Remote, &cl.Stats.Show.Remote},
	}
	if words := usage.Words(args); len(words) > 0 && commands[words[0]] != nil {
		commands = map[string][]*targets.Remote{words[0]: commands[words[0]]}
	}
	for _, all := range commands {
		for _, r := range all {
			r.Declare(kinds)
		}
	}
	return cl
}

// helpTexts returns what names in help texts stand for: the forms of the addresses of targets, and
// the limits for packages.
func helpTexts(kinds []target.Kind) map[string]string {
	return map[string]string{"targets": targets.Forms(kinds, false), "readable": targets.Forms(kinds, true), "limits": vsix.LimitNames()}
}

// env is the environment of a command.
type env struct {
	stdin          io.Reader
	stdout, stderr *terminal.Writer
	command        string // its name
	json           bool
	document       []byte // the JSON document to print at the end; may be nil
	quiet          bool
	verbose        bool
	progress       string
	log            *slog.Logger
	target         target.Env
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
//
// A build of 10,000 extensions needs about half of the limit for what is in use. With a higher
// limit it takes no less processor time, because new pages of memory cost as much as collecting
// garbage.
func limitMemory() {
	const softLimit = 256 << 20
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softLimit)
	}
}

// exitUsage is the exit status for a command line that cannot be understood. Kong uses it too.
const exitUsage = 80

// program is galbuild with its kinds of targets and its access to the network.
type program struct {
	kinds     []target.Kind     // of targets; nil means all
	transport http.RoundTripper // to targets that speak HTTP; nil means each target's own
}

// run returns the exit status.
func (p program) run(ctx context.Context, args []string, stdin io.Reader, out, errs io.Writer) int {
	e := newEnv(stdin, out, errs)
	e.target.Transport = p.transport
	if p.kinds == nil {
		p.kinds = all.Kinds()
	}
	cl := newCommandLine(p.kinds, args)
	exit := -1
	parser := newParser(cl, p.kinds, kong.BindTo(ctx, (*context.Context)(nil)), kong.Writers(e.stdout, errs), kong.Exit(func(status int) { exit = status }))
	if err := (usage.Program{Model: parser.Model}).UnsetEmpty(); err != nil {
		return e.end(err)
	}
	if status, handled := completion.Handle(out, parser.Model, args); handled {
		return status
	}
	e.json = wantsJSON(args)
	if err := checkWords(parser, p.kinds, args); err != nil { // before Parse, which prints the help of build for "biuld --help"
		return e.end(errUsage{err})
	}
	command, err := parser.Parse(args)
	if exit >= 0 { // --help and --version
		return exit
	}
	if failed, ok := errors.AsType[*terminal.OutputError](err); ok {
		return e.end(failed)
	}
	if err := cl.explainUsage(parser, p.kinds, command, err, args); err != nil {
		return e.end(errUsage{err})
	}
	e.set(cl)
	e.command = command.Selected().Name
	return e.end(command.Run(e, p.kinds))
}

// newParser returns a parser of command lines that fills cl.
func newParser(cl *commandLine, kinds []target.Kind, options ...kong.Option) *kong.Kong {
	options = append(options, pathMappers(kinds)...)
	parser, err := usage.NewParser(cl, helpTexts(kinds), append(options,
		kong.Name("galbuild"), kong.Description(description), manual().Option(),
		kong.DefaultEnvars("GALBUILD"), usage.Durations(),
	)...)
	if err != nil {
		panic(err) // the structs of the commands are wrong
	}
	return parser
}

func newEnv(stdin io.Reader, out, errs io.Writer) *env {
	return &env{stdin: stdin, stdout: terminal.NewWriter(out), stderr: terminal.NewWriter(errs)}
}

// set copies the flags of all commands into the environment.
func (e *env) set(cl *commandLine) {
	e.json, e.quiet, e.verbose, e.progress = cl.JSON, cl.Quiet, cl.Verbose, cl.Progress
	e.log = slog.New(messages{to: e.stderr, verbose: cl.Verbose})
	e.target.Warn = func(message string) { e.log.Warn(message) }
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
	hint.Print(e.stderr, "galbuild", err)
	if errors.As(err, new(errUsage)) || errors.As(err, new(*targets.FlagError)) {
		return exitUsage
	}
	return 1
}

// explain adds a hint to errors that any command can return.
func explain(err error) error {
	_, output := errors.AsType[*terminal.OutputError](err)
	switch {
	case hint.Has(err):
		return err
	case output:
		return hint.Add(err, "only printing failed; all changes of sites and files are done")
	case errors.Is(err, render.ErrSwitched): // before the errors after which nothing has changed
		return hint.Add(err, "the new generation is complete; once the cause is fixed, run the command again")
	case errors.Is(err, site.ErrHistory):
		return hint.Add(err, "%s", restoreHint)
	case errors.Is(err, publish.ErrView):
		return explainView(err)
	case errors.Is(err, site.ErrLocked):
		return hint.Add(err, "wait until it ends; a killed process leaves no lock behind")
	case errors.Is(err, catalog.ErrFormat):
		return hint.Add(err, "build it again from its packages into an empty folder, with galbuild SOURCE… -o FOLDER")
	case errors.Is(err, site.ErrNoGeneration):
		return hint.Add(err, "galbuild SOURCE… -o SITE builds one")
	case errors.Is(err, site.ErrNotSite):
		return hint.Add(err, "name a new or empty folder with -o, or an earlier site")
	case isFull(err):
		return hint.Add(err, "%s and run the command again; what the site serves has not changed", makeRoom(err))
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return hint.Add(err, "the user running galbuild must be able to %s; what the site serves has not changed", readOrWrite(err))
	case errors.Is(err, context.Canceled):
		return hint.Add(errors.New("interrupted"), "what the site serves has not changed; run the command again to continue")
	}
	return err
}

// readOrWrite returns what the permission is needed for, as far as the error shows.
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
