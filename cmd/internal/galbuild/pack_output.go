package galbuild

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"galbuild/build/atomicfile"
	"galbuild/build/pack"
	"galbuild/cmd/internal/hint"
)

// outputFile returns the absolute path of the file to write a package to. That is out, or, if out
// is a folder or ends in a slash, a file with the usual name in it.
func outputFile(out string, plan *pack.Plan) (string, error) {
	if out == "-" {
		return "", hint.Add(errors.New("-o -: a package cannot be written to stdout"), "name a file; a file named - is written ./-")
	}
	info, err := os.Stat(out)
	if out == "" || err == nil && info.IsDir() || os.IsPathSeparator(out[len(out)-1]) {
		out = filepath.Join(out, plan.FileName())
	}
	return filepath.Abs(out)
}

// checkOutput returns an error if a package must not be written to file, because the file exists
// and is not a package, or is a file of the extension.
func checkOutput(file, dir string, plan *pack.Plan) error {
	if err := needFolder(filepath.Dir(file)); err != nil {
		return err
	}
	old, err := os.Lstat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case old.Mode()&fs.ModeSymlink != 0: // /dev/stdout is one
		return hint.Add(fmt.Errorf("%s is a symbolic link", file), "name the file that it points to with -o, or remove the link")
	}
	for _, f := range plan.Files {
		if info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(f.Source))); err == nil && f.Source != "" && os.SameFile(info, old) {
			return hint.Add(fmt.Errorf("%s is a file of the extension, and would be part of the package", file), "name another file with -o, or list it in .vscodeignore")
		}
	}
	if !old.Mode().IsRegular() || !isArchive(file, old.Size()) {
		return hint.Add(fmt.Errorf("%s exists and is not a package", file), "remove it, or name another file with -o")
	}
	return nil
}

// isArchive reports whether a file is empty or begins like a zip archive.
func isArchive(file string, size int64) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	start := make([]byte, 2)
	_, err = io.ReadFull(f, start)
	return size == 0 || err == nil && bytes.Equal(start, []byte("PK"))
}

// writeVSIX writes a package to a file in one step. It returns the size in bytes. If the process
// is killed, it leaves a file whose name ends in .vsix, which later packages do not contain.
func writeVSIX(ctx context.Context, plan *pack.Plan, file string, show func(done, total int64)) (size int64, err error) {
	err = atomicfile.Replace(file, atomicfile.FileMode, func(f *os.File) error {
		buffered := bufio.NewWriterSize(f, 1<<16)
		if err := plan.Write(ctx, buffered, show); err != nil {
			return err
		}
		if err := buffered.Flush(); err != nil {
			return err
		}
		info, err := f.Stat()
		if err == nil {
			size = info.Size()
		}
		return err
	})
	return size, explainOutput(err)
}

// explainOutput adds a hint to an error of writing a package.
func explainOutput(err error) error {
	switch {
	case err == nil || hint.Has(err):
		return err
	case errors.Is(err, context.Canceled):
		return hint.Add(errors.New("interrupted"), "nothing was written")
	case errors.Is(err, fs.ErrPermission):
		return hint.Add(err, "name a folder with -o that you have permission to write to; nothing was written")
	case isFull(err):
		return hint.Add(err, "%s; nothing was written", makeRoom(err))
	}
	return hint.Add(err, "nothing was written")
}
