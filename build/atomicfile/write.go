package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"galbuild/build/regularfile"
)

// TempPrefix is the prefix of the names of temporary files. They remain if a process is killed.
const TempPrefix = ".galbuild-copy-"

// IsTemp reports whether name is that of a temporary file.
func IsTemp(name string) bool { return strings.HasPrefix(name, TempPrefix) }

// WriteFile makes or replaces the file at a slash-separated path below root in one step. It calls
// fill with a temporary file in the same folder, writes that to the disk, renames it, and writes
// the folder to the disk. If it fails, or the power does, the path has the old file or none. If the
// path is a link, the link is replaced, and not its target.
//
// Everything that writes one file uses this function, [WriteText] or [Replace]. Where another one
// is needed, its comment says why.
func WriteFile(root *os.Root, file string, mode fs.FileMode, fill func(*os.File) error) error {
	at, err := parent(root, file)
	if err != nil {
		return err
	}
	defer at.Close()
	return replace(at, path.Base(file), mode, fill, Commit)
}

// WriteText is [WriteFile] for a text in memory, with [FileMode].
func WriteText(root *os.Root, file string, text []byte) error {
	return WriteFile(root, file, FileMode, func(f *os.File) error {
		_, err := f.Write(text)
		return err
	})
}

// CopyFile is [WriteFile] for the bytes of r, but it does not wait for the disk. It is for one of
// many files, after which the caller writes the whole file system to the disk once.
func CopyFile(root *os.Root, file string, mode fs.FileMode, r io.Reader) error {
	at, err := parent(root, file)
	if err != nil {
		return err
	}
	defer at.Close()
	fill := func(f *os.File) error {
		_, err := io.Copy(f, r)
		return err
	}
	return replace(at, path.Base(file), mode, fill, rename)
}

// Link makes or replaces the file at a slash-separated path below root with a hard link to another
// file below root, or with a copy if the file system has no links. It does not wait for the disk.
func Link(root *os.Root, from, to string) error { return link(root, from, to, root.Link) }

// link is Link with the function that makes a hard link.
func link(root *os.Root, from, to string, hardLink func(from, to string) error) error {
	at, err := parent(root, to)
	if err != nil {
		return err
	}
	defer at.Close()
	temp, err := CreateTemp(at, path.Ext(to))
	if err != nil {
		return writeError(at, path.Base(to), err)
	}
	// A rename between two links to the same file has no effect, and leaves the temporary name.
	defer Discard(at, temp)
	name := path.Join(path.Dir(to), filepath.Base(temp.Name()))
	if err := root.Remove(name); err != nil {
		return err
	}
	if err := hardLink(from, name); err == nil {
		return root.Rename(name, to)
	}
	r, err := regularfile.OpenIn(root, from)
	if err != nil {
		return err
	}
	defer r.Close()
	return CopyFile(root, to, FileMode, r)
}

// Replace is [WriteFile] for a file in any folder. The folder must exist. Its path may contain
// links, because the user chose it.
func Replace(file string, mode fs.FileMode, fill func(*os.File) error) error {
	at, err := os.OpenRoot(filepath.Dir(file))
	if err != nil {
		return err
	}
	defer at.Close()
	return replace(at, filepath.Base(file), mode, fill, Commit)
}

// parent opens the folder of a file below root, and makes the folders that are missing.
func parent(root *os.Root, file string) (*os.Root, error) {
	if !fs.ValidPath(file) {
		return nil, fmt.Errorf("%.200q is not a path below %s", file, root.Name())
	}
	return Dir(root, path.Dir(file))
}

// replace fills a temporary file, and calls commit to give it its name in the folder at.
func replace(
	at *os.Root, name string, mode fs.FileMode, fill func(*os.File) error,
	commit func(at *os.Root, temp *os.File, name string, mode fs.FileMode) error,
) error {
	temp, err := CreateTemp(at, path.Ext(name))
	if err != nil {
		return writeError(at, name, err)
	}
	defer Discard(at, temp)
	if err := fill(temp); err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok && e.Path == temp.Name() {
			err = writeError(at, name, err)
		}
		return err
	}
	return commit(at, temp, name, mode)
}

// writeError returns an error of a temporary file with the path that the file was to have.
func writeError(at *os.Root, name string, err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return fmt.Errorf("write %s: %w", filepath.Join(at.Name(), name), err)
}

// CreateTemp makes a temporary file in a folder. Its name ends in ext, so that programs that ignore
// files of that kind ignore it too. The caller calls [Commit] when it is complete, and in any case
// [Discard].
func CreateTemp(at *os.Root, ext string) (*os.File, error) {
	for attempt := 0; ; attempt++ {
		name := fmt.Sprintf("%s%d-%d-%d%s", TempPrefix, os.Getpid(), time.Now().UnixNano(), attempt, ext)
		f, err := at.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, FileMode)
		if err == nil || !errors.Is(err, fs.ErrExist) || attempt == 100 {
			return f, err
		}
	}
}

// Commit writes a temporary file of the folder at to the disk, and closes it. It then gives it its
// name and mode, whatever the umask, and replaces an existing file.
func Commit(at *os.Root, temp *os.File, name string, mode fs.FileMode) error {
	if err := errors.Join(temp.Chmod(mode), temp.Sync()); err != nil {
		return writeError(at, name, err)
	}
	if err := rename(at, temp, name, mode); err != nil {
		return err
	}
	return syncFolder(at)
}

// rename is Commit without waiting for the disk.
func rename(at *os.Root, temp *os.File, name string, mode fs.FileMode) error {
	if err := errors.Join(temp.Chmod(mode), temp.Close()); err != nil {
		return writeError(at, name, err)
	}
	return at.Rename(filepath.Base(temp.Name()), name)
}

// Discard closes and removes a temporary file. It has no effect after [Commit].
func Discard(at *os.Root, temp *os.File) {
	temp.Close()
	at.Remove(filepath.Base(temp.Name()))
}

// syncFolder writes the names in a folder to the disk, where the system can do that.
func syncFolder(at *os.Root) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := at.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

// RemoveTemp removes the temporary files below root that were modified before a time, except those
// in the folder skip. It does not follow links.
func RemoveTemp(root *os.Root, skip string, before time.Time) error {
	return fs.WalkDir(root.FS(), ".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case file == skip:
			return fs.SkipDir
		case d.IsDir() || !IsTemp(d.Name()):
			return nil
		}
		if info, err := d.Info(); err != nil || !info.ModTime().Before(before) {
			return nil // in use by a running process, or gone
		}
		return root.Remove(file)
	})
}
