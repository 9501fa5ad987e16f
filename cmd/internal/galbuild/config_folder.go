package galbuild

import (
	"os"
	"path/filepath"

	"galbuild/build/atomicfile"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/render/deploy"
)

// writeFolder writes the files of a configuration to a new or empty folder, and prints their names.
func writeFolder(e *env, dir string, files []deploy.File) error {
	if err := atomicfile.MkdirEmpty(dir); err != nil {
		return explainFolder(err)
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

// explainFolder adds a hint to the error for a folder to which a configuration cannot be written.
func explainFolder(err error) error { return hint.Add(err, "name a new or empty folder with -o") }
