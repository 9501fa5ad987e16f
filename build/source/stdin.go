package source

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"galbuild/build/atomicfile"
)

const stdinName = "standard input"

// standardInput expands "-".
func (x *expansion) standardInput(s spec) {
	if err := x.readStdin(s); err != nil {
		x.problem(stdinName, s.withOrigin(withoutPath(err)))
	}
}

func (x *expansion) readStdin(s spec) error {
	switch {
	case s.from != "":
		return errors.New("a list cannot contain it; write ./- for a file with the name -")
	case x.stdinRead:
		return nil
	case x.Stdin == nil:
		return errors.New("it is not available")
	}
	x.stdinRead = true
	in := bufio.NewReader(x.Stdin)
	start, err := in.Peek(magicSize)
	switch {
	case err != nil && err != io.EOF:
		return err
	case isPackage(start):
		return x.storeStdin(in)
	}
	return x.lines(in, stdinName, "")
}

// storeStdin stores a package from standard input in the folder for downloads, under the hash of
// its bytes. If it is there already, the file stays, so that its stamp does not change.
func (x *expansion) storeStdin(in io.Reader) error {
	dir, err := x.downloadFolder()
	if err != nil {
		return err
	}
	at, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer at.Close()
	temp, err := atomicfile.CreateTemp(at, ".part")
	if err != nil {
		return err
	}
	defer atomicfile.Discard(at, temp)
	hash := sha256.New()
	if _, err := x.copy(io.MultiWriter(temp, hash), in, 0, func(int64) {}); err != nil {
		return err
	}
	name := "stdin-" + hex.EncodeToString(hash.Sum(nil)) + suffix
	if _, err := at.Stat(name); err != nil {
		if err := atomicfile.Commit(at, temp, name, 0o600); err != nil {
			return err
		}
	}
	return x.addDownloaded(stdinName, stdinOrigin, filepath.Join(dir, name))
}

// addDownloaded adds a file of the folder for downloads.
func (x *expansion) addDownloaded(name, origin, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	x.add(foundFile{
		Item: Item{Name: name, Path: path, Size: info.Size(), ModTime: info.ModTime(), Origin: origin},
		real: realPath(path),
	})
	return nil
}

// downloadFolder returns the absolute path of the folder for downloads, and creates it if missing.
func (x *expansion) downloadFolder() (string, error) {
	if x.Downloads == "" {
		return "", errors.New("no folder for downloads is set")
	}
	dir, err := filepath.Abs(x.Downloads)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("create the folder for downloads: %w", err)
	}
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
		return "", cmp.Or(err, fmt.Errorf("folder for downloads %s: %w", dir, atomicfile.ErrLink))
	}
	return dir, nil
}
