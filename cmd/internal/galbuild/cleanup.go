package galbuild

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish/target"
)

// A folderState is the state of the folder of a site or a repository before a command writes to it.
// If the command fails, cleanUp can remove its files.
type folderState struct {
	folder  string
	empty   bool     // the folder has no files, or does not exist
	missing []string // folders that the command makes: folder and its parents
}

// folderBefore returns the present state of a folder.
func folderBefore(folder string) folderState {
	f := folderState{folder: folder}
	entries, err := os.ReadDir(folder)
	f.empty = err == nil && len(entries) == 0 || errors.Is(err, fs.ErrNotExist)
	for dir := filepath.Clean(folder); ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) || filepath.Dir(dir) == dir {
			return f
		}
		f.missing = append(f.missing, dir)
	}
}

// targetBefore returns the present state of the folder that is the target. For another target it
// returns the zero state, with which cleanUp removes nothing.
func targetBefore(f *targets.Flags) folderState {
	folder, ok := f.Folder()
	if !ok {
		return folderState{}
	}
	return folderBefore(folder)
}

// isFull reports whether a disk or a quota is full, or a file has reached the limit of its size.
func isFull(err error) bool {
	if _, output := errors.AsType[*terminal.OutputError](err); output {
		return false
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// closeTarget releases the lock of a target, so that other processes and cleanUp can change it.
func closeTarget(at target.Target) {
	if c, ok := at.(io.Closer); ok {
		_ = c.Close() // everything has been written
	}
}

// cleanUp removes the files of a failed command from a folder that was empty before. If the disk is
// full, it removes all of them. After another error it removes only an empty work directory:
// downloads stay, because the next run continues them. Nothing is removed if a generation is
// current, or if another process has locked the folder. cleanUp returns err, with a hint if it has
// removed files. The command must have closed the folder.
func (f folderState) cleanUp(err error) error {
	if err == nil || !f.empty || !isFull(err) && !f.hasNoContent() {
		return err
	}
	if current, failed := site.ReadCurrent(f.folder); failed != nil || !current.IsZero() {
		return err
	}
	switch dir, failed := site.Lock(f.folder); {
	case failed == nil:
		err = errors.Join(err, dir.Discard())
	case errors.Is(failed, site.ErrLocked):
		return err
	case errors.Is(failed, site.ErrNotSite): // packages of a dbem repository
		return hint.Add(err, "free some space and run the command again; files that were copied are not copied again")
	default: // the lock could not be written, because the disk is full
		_ = os.Remove(filepath.Join(f.folder, site.WorkDir))
	}
	for _, made := range f.missing {
		_ = os.Remove(made) // has no effect if it is not empty
	}
	if !isFull(err) || hint.Has(err) {
		return err
	}
	return hint.Add(err, "%s and run the command again; the files of this run were removed", makeRoom(err))
}

// hasNoContent reports whether the folder contains only a work directory without downloads.
func (f folderState) hasNoContent() bool {
	entries, err := os.ReadDir(f.folder)
	if err != nil || len(entries) != 1 || entries[0].Name() != site.WorkDir {
		return false
	}
	downloads, err := os.ReadDir(filepath.Join(f.folder, site.WorkDir, "downloads"))
	return err != nil || len(downloads) == 0
}

// makeRoom returns the hint for an error for which isFull is true.
func makeRoom(err error) string {
	if errors.Is(err, syscall.EFBIG) {
		return "raise the limit for the size of files (ulimit -f)"
	}
	return "free some space"
}
