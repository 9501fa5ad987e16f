// Package download downloads files to a folder, each only once.
//
// A download that was interrupted is resumed, also by a later run. A file whose hash is known is
// stored by its hash: if the folder has it, no request is sent, whatever its address is. It is
// accepted only if it has that hash. Any other file is stored by its address, and if it has not
// changed, the server sends a response without a body. These are the files in the folder, where
// <key> is the SHA-256 of the address in hexadecimal, or sha256- and the hash of the file:
//
//	<key>.vsix, <key>.json       the file; the validators of HTTP, if it has no known hash
//	<key>.part, <key>.part.json  the same for an incomplete download
//
// The ending of the file is that of its [Kind].
//
// Credentials are sent only to the host that they are for, and never appear in messages or files.
package download

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"galbuild/build/atomicfile"
	"galbuild/build/blob"
	"galbuild/build/errmsg"
	"galbuild/build/retry"
	"galbuild/build/vsix"
)

// Config has the settings of a [Folder]. Only Dir is required.
type Config struct {
	Dir      string        // created if missing
	Client   *retry.Client // nil: one of the zero retry.Config
	MaxBytes int64         // limit of a file; 0 is none
	MaxRatio int64         // limit of the ratio of decompressed to compressed bytes; 0 is that of vsix.Limits

	// Progress is called with the number of bytes of a download that have arrived, and with
	// their total, or -1 if that is unknown. Several goroutines call it, one for each download.
	Progress func(name string, done, total int64)
	Log      *slog.Logger // nil: nothing is logged
}

// Folder is a folder with downloads. Its methods may be called by several goroutines at once.
type Folder struct {
	Config
	busy sync.Map // a *sync.Mutex for each file, by its path
}

// Open returns the folder, with an absolute path, and creates it if it is missing.
func Open(c Config) (*Folder, error) {
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create the folder for downloads: %w", err)
	}
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
		return nil, cmp.Or(err, fmt.Errorf("folder for downloads %s: %w", dir, atomicfile.ErrLink))
	}
	c.Dir = dir
	return &Folder{Config: c.withDefaults()}, nil
}

func (c Config) withDefaults() Config {
	if c.Client == nil {
		c.Client, _ = retry.New(retry.Config{}) // cannot fail without a file
	}
	if c.Progress == nil {
		c.Progress = func(string, int64, int64) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Path returns the path at which the folder has a file after its download.
func (f *Folder) Path(x File) string { return f.base(x) + x.Kind.Suffix }

func (f *Folder) base(x File) string {
	if !x.SHA256.IsZero() {
		return filepath.Join(f.Dir, "sha256-"+x.SHA256.String())
	}
	return filepath.Join(f.Dir, blob.Sum([]byte(x.URL.String())).String())
}

// Get downloads a file unless the folder has it, and returns its path. If the file has another hash
// or size than expected, the error is a [*MismatchError], and the folder does not keep the file.
func (f *Folder) Get(ctx context.Context, x File) (path string, err error) {
	defer vsix.RecoverPanic(&err) // other downloads continue
	j := &job{Folder: f, File: x, name: x.Name(), base: f.base(x)}
	mutex, _ := f.busy.LoadOrStore(j.base, new(sync.Mutex))
	mutex.(*sync.Mutex).Lock()
	defer mutex.(*sync.Mutex).Unlock()
	if j.has() {
		return f.Path(x), nil
	}
	return f.Path(x), j.run(ctx)
}

// Remove removes a file and what is left of an incomplete download of it.
func (f *Folder) Remove(x File) {
	j := &job{Folder: f, File: x, base: f.base(x)}
	(&part{base: j.base + ".part"}).discard()
	os.Remove(j.base + x.Kind.Suffix)
	os.Remove(j.base + ".json")
}

// A MismatchError says that a file that was downloaded is not the one that was expected.
type MismatchError struct {
	Name                 string // address
	What                 string // "SHA-256" or "size"
	Expected, Downloaded string
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("the downloaded file has the %s %s, expected is %s", e.What, e.Downloaded, e.Expected)
}

// A job is the download of one file.
type job struct {
	*Folder
	File
	name string // address for messages, without secrets
	base string // path of its files without their suffixes
}

// has reports whether the folder has the file, so that no request is necessary.
func (j *job) has() bool {
	if j.SHA256.IsZero() && (!j.Fixed || j.cached() == nil) {
		return false
	}
	return j.check(j.base+j.Kind.Suffix) == nil
}

// check compares a file with what is expected of it.
func (j *job) check(path string) error {
	if j.SHA256.IsZero() && j.Size < 0 {
		return nil
	}
	sum, size, err := blob.SumFile(path)
	switch {
	case err != nil:
		return err
	case !j.SHA256.IsZero() && sum != j.SHA256:
		return &MismatchError{j.name, "SHA-256", j.SHA256.String(), sum.String()}
	case j.Size >= 0 && size != j.Size:
		return &MismatchError{j.name, "size", fmt.Sprintf("%d bytes", j.Size), fmt.Sprintf("%d bytes", size)}
	}
	return nil
}

// run repeats attempts, by the rules of package retry, until the file is in the folder. Retries are
// counted anew when an attempt receives more of the file than all earlier ones. If a download
// cannot be resumed because its part is damaged, it starts from the beginning, once and without a
// pause, even if no retries are left, because a damaged folder must not make a run fail.
func (j *job) run(ctx context.Context) error {
	farthest, restarted := int64(0), false
	for retries := 0; ; retries++ {
		err := j.try(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if _, damaged := errors.AsType[damagedPart](err); damaged && !restarted {
			j.Log.Warn("download starts from the beginning", "source", j.name, "err", err)
			restarted, farthest, retries = true, 0, -1
			continue
		}
		if size := j.part().done; size > farthest {
			farthest, retries = size, 0
		}
		pause, final := retry.Pause(retries, err)
		if final != nil {
			return final
		}
		j.Log.Warn("download is tried again", "source", j.name, "wait", pause, "error", errmsg.Text(err))
		if err := j.Client.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}
