package galbuild

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"galbuild/build/atomicfile"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/render/deploy"
)

type systemdCmd struct {
	Site    string `arg:"" default:"/srv/gallery" type:"path" help:"Folder of the site on the machine with the units."`
	Output  string `short:"o" required:"" type:"newfile" placeholder:"DIR" help:"Write the units to this folder, which must be new or empty."`
	Listen  string `default:"127.0.0.1:8080" placeholder:"ADDRESS" help:"Where systemd opens the socket of galshim: HOST:PORT, a port, or the path of a socket."`
	BaseURL string `placeholder:"URL" help:"Address at which editors reach the gallery, with an optional path."`
	Bin     string `default:"/usr/local/bin" placeholder:"DIR" help:"Folder of galbuild and galshim."`
	Sync    string `placeholder:"FILE" help:"Also write units that run galbuild sync with this file every night."`
	Pull    string `placeholder:"TARGET" help:"Also write a unit that keeps the site a copy of a target, such as s3://vsix/gallery."`
}

// Run writes the units.
func (c *systemdCmd) Run(e *env) error {
	files, err := deploy.Systemd{
		Site: c.Site, Bin: c.Bin, Listen: c.Listen, BaseURL: strings.TrimRight(c.BaseURL, "/"), Sync: c.Sync, Pull: c.Pull,
	}.Files()
	if err != nil {
		return err
	}
	return writeConfig(e, c.Output, files)
}

// writeConfig writes the files of a configuration to a new or empty folder, and prints their names.
func writeConfig(e *env, dir string, files []deploy.File) error {
	there, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(there) > 0 {
		return hint.Add(fmt.Errorf("--output=%s: is not empty", dir), "name a new or empty folder with -o")
	}
	if err := atomicfile.MkdirAll(dir); err != nil {
		return err
	}
	for _, f := range files {
		name := filepath.Join(dir, f.Name)
		err := atomicfile.Replace(name, atomicfile.FileMode, func(to *os.File) error {
			_, err := to.WriteString(f.Text)
			return err
		})
		if err != nil {
			return err
		}
		if !e.quiet {
			terminal.Fprintln(e.stdout, name)
		}
	}
	return nil
}
