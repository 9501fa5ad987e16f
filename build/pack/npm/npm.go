// Package npm does what comes before an extension is packed: its own build,
// the script vscode:prepublish, and its next version. The script is for the package manager
// of the extension to run, the version is npm's to set; they run in the extension's folder,
// with the environment of this process.
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

// A Folder is that of an extension, on disk.
type Folder struct {
	Path   string
	Stdin  io.Reader // of what is run
	Output io.Writer // what it prints, results and complaints alike
	// Terminal says that Stdin is one: then what is run may ask, and is interrupted
	// from there. Elsewhere it ends, with all it has started, when the context is done.
	Terminal bool
	// Grace is how long it may take to end then, and to close Output when it is done:
	// something it has left running may have that still. Zero is 5 seconds.
	Grace time.Duration
}

// A Package is what package.json says to whoever packs. A field that is missing,
// or is not what it should be, is empty: package pack says what is wrong with it.
type Package struct {
	Name, Version string
	Engine        string                     // engines.vscode
	Prepublish    bool                       // there is a script for it
	Settings      map[string]json.RawMessage // "vsce"
}

// Read reads package.json. The error is one of reading the file.
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

// Tool returns the program that runs an extension's scripts: npm, yarn, pnpm or bun, as
// modules.Choose decides. If it is not installed and not required, npm replaces it, as in
// vsce.
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

// PrepublishCommand is what Prepublish runs.
func PrepublishCommand(tool string) string { return tool + " run " + prepublish }

// Prepublish runs the extension's own build. The error wraps exec.ErrNotFound if
// there is no such tool.
func (f *Folder) Prepublish(ctx context.Context, tool string) error {
	return f.run(ctx, tool, "run", prepublish)
}

// SetVersion lets npm write the version into package.json, commit that and tag the
// commit. The message is the commit's, "" for npm's own; without tag nothing is
// committed. The error wraps exec.ErrNotFound if there is no npm.
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
	killRest := func() {}
	if f.Terminal {
		cmd.Cancel = func() error { return nil } // it was interrupted as well
	} else {
		killRest = ownGroup(cmd)
	}
	err := cmd.Run()
	if ctx.Err() != nil {
		killRest()
		return ctx.Err()
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil // something it has left running has Output still
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() > 0 {
		return fmt.Errorf("%s %s failed with exit code %d", tool, args[0]+" "+args[1], exit.ExitCode())
	}
	if err != nil {
		return fmt.Errorf("run %s %s: %w", tool, args[0]+" "+args[1], err)
	}
	return nil
}
