// Command packsamples packs every extension folder in FOLDER into OUT, for the
// demonstration of a gallery when one has no packages at hand.
//
//	packsamples FOLDER OUT
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"galbuild/build/pack"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: packsamples FOLDER OUT")
		os.Exit(2)
	}
	if err := packAll(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "packsamples:", err)
		os.Exit(1)
	}
}

func packAll(folder, out string) error {
	sources, err := filepath.Glob(filepath.Join(folder, "*", "package.json"))
	if err != nil {
		return err
	}
	if len(sources) == 0 {
		return fmt.Errorf("%s holds no extension", folder)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for _, source := range sources {
		dir := filepath.Dir(source)
		if err := packOne(dir, filepath.Join(out, filepath.Base(dir)+".vsix")); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	return nil
}

func packOne(dir, file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := pack.Write(f, os.DirFS(dir), pack.Options{}); err != nil {
		return err
	}
	return f.Close()
}
