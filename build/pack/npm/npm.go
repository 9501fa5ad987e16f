// Package npm runs the tools that prepare an extension for packing: its package manager runs
// the script vscode:prepublish, and npm sets the next version. The tools run in the extension's
// folder with the environment of this process.
//
// Source: src/package.ts and src/npm.ts of
// https://github.com/microsoft/vscode-vsce at 4.1.
package npm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"galbuild/build/pack/npm/modules"
)

// A Folder is an extension's folder on disk, and the streams of tools that run in it.
type Folder struct {
	Path   string
	Stdin  io.Reader
	Output io.Writer // standard output and standard error
	// Terminal is true if Stdin is a terminal. Then tools can prompt, and Ctrl-C interrupts
	// them. Otherwise a tool and its child processes are ended when the context is done.
	Terminal bool
	// Grace is the time that a tool has to end after the context is done, and that child
	// processes have to close Output after the tool has ended. Zero is 5 seconds.
	Grace time.Duration
}

// A Package has the fields of package.json that are used before packing. Fields that are
// missing or have the wrong type are empty; package pack reports them.
type Package struct {
	Name, Version string
	Engine        string                     // engines.vscode
	Prepublish    bool                       // whether there is a script vscode:prepublish
	Settings      map[string]json.RawMessage // the fields of "vsce"
}

// Read reads package.json. It returns an error if the file cannot be read, but not if the content
// is invalid.
func (f *Folder) Read() (*Package, error) {
	text, err := os.ReadFile(filepath.Join(f.Path, "package.json"))
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(text, &fields)
	var p Package
	_ = json.Unmarshal(fields["name"], &p.Name)
	_ = json.Unmarshal(fields["version"], &p.Version)
	_ = json.Unmarshal(fields["vsce"], &p.Settings)
	var engines struct {
		Editor string `json:"vscode"`
	}
	_ = json.Unmarshal(fields["engines"], &engines)
	p.Engine = engines.Editor
	var scripts map[string]any
	_ = json.Unmarshal(fields["scripts"], &scripts)
	p.Prepublish = scripts[prepublish] != nil && scripts[prepublish] != ""
	return &p, nil
}

const prepublish = "vscode:prepublish"

// Tool returns the program that runs the extension's scripts: npm, yarn, pnpm or bun, as
// [modules.Choose] decides. As in vsce, npm replaces a program that is neither installed nor
// required.
func (f *Folder) Tool(yarn *bool) (string, error) {
	dir, err := modules.OnDisk(f.Path)
	if err != nil {
		return "", err
	}
	choice := modules.Choose(dir, yarn)
	if _, err := exec.LookPath(string(choice.Manager)); err != nil && !choice.Required {
		return string(modules.NPM), nil
	}
	return string(choice.Manager), nil
}

// PrepublishCommand returns the command that Prepublish runs.
func PrepublishCommand(tool string) string { return tool + " run " + prepublish }

// Prepublish runs the script vscode:prepublish. The error wraps exec.ErrNotFound if the tool is
// not installed.
func (f *Folder) Prepublish(ctx context.Context, tool string) error {
	return f.run(ctx, tool, "run", prepublish)
}

// SetVersion runs npm version, which writes the version into package.json and, if tag is true,
// commits that and tags the commit. message is the message of the commit; "" is npm's default.
// The error wraps exec.ErrNotFound if npm is not installed.
func (f *Folder) SetVersion(ctx context.Context, version, message string, tag bool) error {
	args := []string{"version", version}
	if message != "" {
		args = append(args, "-m", message)
	}
	if !tag {
		args = append(args, "--no-git-tag-version")
	}
	return f.run(ctx, "npm", args...)
}

func (f *Folder) run(ctx context.Context, tool string, args ...string) error {
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = f.Path, f.Stdin, f.Output, f.Output
	cmd.WaitDelay = cmp.Or(f.Grace, 5*time.Second)
	kill := func() {}
	if f.Terminal {
		cmd.Cancel = func() error { return nil } // Ctrl-C has interrupted it too
	} else {
		kill = useProcessGroup(cmd)
	}
	err := cmd.Run()
	if ctx.Err() != nil {
		kill()
		return ctx.Err()
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil // a child process that is still running has Output open
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() > 0 {
		return fmt.Errorf("%s %s failed with exit code %d", tool, args[0]+" "+args[1], exit.ExitCode())
	}
	if err != nil {
		return fmt.Errorf("run %s %s: %w", tool, args[0]+" "+args[1], err)
	}
	return nil
}
