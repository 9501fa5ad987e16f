package source

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"io"
	"os"
	"path/filepath"

	"galbuild/build/atomicfile"
	"galbuild/build/download"
	"galbuild/build/vsix"
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
	start, err := in.Peek(download.MagicSize)
	switch {
	case err != nil && err != io.EOF:
		return err
	case download.IsPackage(start):
		return x.storeStdin(in)
	}
	return x.lines(in, stdinName, "")
}

// storeStdin stores a package from standard input in the folder for downloads, under the hash of
// its bytes. If it is there already, the file stays, so that its stamp does not change.
func (x *expansion) storeStdin(in io.Reader) error {
	folder, err := x.downloadFolder()
	if err != nil {
		return err
	}
	at, err := os.OpenRoot(folder.Dir)
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
	if err := x.copyStdin(io.MultiWriter(temp, hash), in); err != nil {
		return err
	}
	name := "stdin-" + hex.EncodeToString(hash.Sum(nil)) + suffix
	if _, err := at.Stat(name); err != nil {
		if err := atomicfile.Commit(at, temp, name, 0o600); err != nil {
			return err
		}
	}
	return x.addDownloaded(stdinName, stdinOrigin, filepath.Join(folder.Dir, name))
}

// copyStdin copies a package within the limit of its size.
func (x *expansion) copyStdin(to io.Writer, in io.Reader) error {
	if x.MaxBytes > 0 {
		in = io.LimitReader(in, x.MaxBytes+1)
	}
	size, err := io.Copy(to, in)
	if err != nil {
		return err
	}
	return download.Package(vsix.Limits{}).CheckSize(size, x.MaxBytes)
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
