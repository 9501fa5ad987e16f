package collect

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"galbuild/build/atomicfile"
	"galbuild/build/blob"
	"galbuild/build/jsondoc"
	"galbuild/build/regularfile"
	"galbuild/build/site"
)

// stampsFile has the stamps of the last run.
const stampsFile = site.WorkDir + "/stamps.json"

// A stamp says which content a file had, so that it is not read again while its size and time are
// the same. Stamps are written when all files are on the disk: a file that a power failure has
// damaged has none, or another size or time, and is read. Builds trust sources in the same way.
type stamp struct {
	Size    int64     `json:"size"`
	ModTime time.Time `json:"mtime"`
	SHA256  blob.Ref  `json:"sha256"`
}

func stampOf(info fs.FileInfo, sum blob.Ref) stamp {
	return stamp{info.Size(), info.ModTime().UTC(), sum}
}

// readStamps returns the stamps of the last run, by name. There are none if the file is damaged,
// because a run without it reads all files.
func (f *Folder) readStamps() map[string]stamp {
	text, err := regularfile.ReadFile(filepath.Join(f.Dir, filepath.FromSlash(stampsFile)), maxState)
	if err != nil {
		return nil
	}
	var all map[string]stamp
	if json.Unmarshal(text, &all) != nil {
		return nil
	}
	return all
}

// has reports whether the folder has a file with this content. A run with --locked reads the file
// even if its stamp has not changed, because it verifies the lock.
func (x *fetch) has(name string, sum blob.Ref) bool {
	path := filepath.Join(x.folder.Dir, filepath.FromSlash(name))
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	now := stampOf(info, sum)
	if x.locked || x.stamps[name] != now {
		if found, _, err := blob.SumFile(path); err != nil || found != sum {
			return false
		}
	}
	x.mutex.Lock()
	defer x.mutex.Unlock()
	x.found[name] = now
	return true
}

// placed notes that the folder has a file now, unless it had it before.
func (x *fetch) placed(name string, sum blob.Ref) error {
	if x.found[name].SHA256 == sum {
		return nil
	}
	info, err := x.folder.root.Lstat(filepath.FromSlash(name))
	if err != nil {
		return err
	}
	x.found[name] = stampOf(info, sum)
	return nil
}

// writeStamps writes the stamps of the files that this run has found or placed. If the lock was not
// replaced, it first waits until they are on the disk.
func (x *fetch) writeStamps(synced bool) error {
	if maps.Equal(x.found, x.stamps) {
		return nil
	}
	if !synced {
		if err := site.Sync(x.folder.Dir); err != nil {
			return err
		}
	}
	text, err := jsondoc.Line(x.found)
	if err != nil {
		return err
	}
	return atomicfile.CopyFile(x.folder.root, stampsFile, 0o600, bytes.NewReader(text))
}
