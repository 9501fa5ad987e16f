package galbuild

import (
	"io"
	"strings"

	"galbuild/render/deploy"
)

// editorFlags are the flags of commands that print the settings of an editor.
type editorFlags struct {
	BaseURL    string `placeholder:"URL" default:"http://127.0.0.1:8080" help:"Address of the gallery."`
	ContentURL string `placeholder:"URL" help:"Address from which editors load assets and files, if it is another host."`
	tokenFileFlag
}

// Validate implements Kong's hook.
func (f *editorFlags) Validate() error { return checkAddresses(f.BaseURL, f.ContentURL) }

func (f *editorFlags) print(e *env, write func(io.Writer, deploy.Editor) error) error {
	token, err := f.read(e)
	if err != nil {
		return err
	}
	return write(e.stdout, deploy.Editor{BaseURL: strings.TrimRight(f.BaseURL, "/"), ContentURL: strings.TrimRight(f.ContentURL, "/"), Token: token})
}

type codeServerCmd struct{ editorFlags }

func (c *codeServerCmd) Run(e *env) error { return c.print(e, deploy.CodeServer) }

type vscodiumCmd struct{ editorFlags }

func (c *vscodiumCmd) Run(e *env) error { return c.print(e, deploy.VSCodium) }

type vscodeCmd struct {
	editorFlags
	Format string `enum:"product,patch,policy,registry,profile" default:"product" help:"What to print: the part of product.json (product), a script that changes that file (patch), or VS Code's policies for Linux (policy), Windows (registry) or macOS (profile)."`
}

func (c *vscodeCmd) Run(e *env) error {
	return c.print(e, map[string]func(io.Writer, deploy.Editor) error{
		"product": deploy.VSCode, "patch": deploy.VSCodePatch,
		"policy": deploy.VSCodePolicy, "registry": deploy.VSCodeRegistry, "profile": deploy.VSCodeProfile,
	}[c.Format])
}

type cursorCmd struct{ editorFlags }

func (c *cursorCmd) Run(e *env) error { return c.print(e, deploy.Cursor) }

type windsurfCmd struct{ editorFlags }

func (c *windsurfCmd) Run(e *env) error { return c.print(e, deploy.Windsurf) }

type antigravityCmd struct{ editorFlags }

func (c *antigravityCmd) Run(e *env) error { return c.print(e, deploy.Antigravity) }

type positronCmd struct{ editorFlags }

func (c *positronCmd) Run(e *env) error { return c.print(e, deploy.Positron) }

type gitLabCmd struct{ editorFlags }

func (c *gitLabCmd) Run(e *env) error { return c.print(e, deploy.GitLab) }
