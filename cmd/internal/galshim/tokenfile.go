package galshim

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"galbuild/build/regularfile"
	"galbuild/build/tokens"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/usage"
)

// A tokenFile has the tokens of a file, which it reads again when the file has changed.
type tokenFile struct {
	path string
	log  *slog.Logger
	now  func() time.Time

	set   atomic.Pointer[tokens.Set]
	next  atomic.Int64 // Unix time in nanoseconds at which the file is looked at again
	mutex sync.Mutex   // held while the file is read
	was   openedFile   // the file when it was read; nil if it could not be opened
	error string       // of the last attempt, which is logged only once; "" if it did not fail
}

// tokenPause is the time for which a revoked token still works, at most. The file is looked at when
// a request comes, and not more often than that.
const tokenPause = time.Second

// openTokens reads a file of tokens. Without a name of a file, it returns nil.
func openTokens(path string, log *slog.Logger) (*tokenFile, error) {
	if path == "" {
		return nil, nil
	}
	f := &tokenFile{path: path, log: log, now: time.Now}
	if err := f.read(); err != nil {
		return nil, f.explain(err)
	}
	if len(f.set.Load().All()) == 0 {
		log.Warn("the file of tokens has no token, so every request is refused", "file", path)
	}
	return f, nil
}

// explain adds what to do about a file that cannot be read.
func (f *tokenFile) explain(err error) error {
	err = fmt.Errorf("read tokens: %w", err)
	if errors.Is(err, fs.ErrNotExist) {
		return hint.Add(fmt.Errorf("%w%s", err, usage.SimilarFiles(f.path)), "make a token with: galbuild token new NAME --file %s", f.path)
	}
	if errors.Is(err, fs.ErrPermission) {
		return hint.Add(err, "let galshim's user read it, for instance by its group: chgrp GROUP %s && chmod 640 %s", f.path, f.path)
	}
	return hint.Add(err, "galbuild token list --file %s reads the file in the same way", f.path)
}

// find returns the token with this text, also if it has expired.
func (f *tokenFile) find(text string) (tokens.Token, bool) {
	f.refresh()
	return f.set.Load().Find(text)
}

// refresh reads the file again if it has changed. If that fails, it keeps the old tokens.
func (f *tokenFile) refresh() {
	now := f.now().UnixNano()
	next := f.next.Load()
	if now < next || !f.next.CompareAndSwap(next, now+int64(tokenPause)) {
		return
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	info, err := os.Stat(f.path)
	if err != nil {
		info = nil
	}
	if f.isAsBefore(info) {
		return
	}
	if err := f.read(); err != nil {
		if err.Error() != f.error {
			f.log.Error("keeping the old tokens; those that were revoked since then still work", "err", err)
		}
		f.error = err.Error()
		return
	}
	f.error = ""
	f.log.Info("the tokens have been read again", "file", f.path, "tokens", len(f.set.Load().All()))
}

// isAsBefore reports whether the file is the one that was read. info is nil if there is none.
func (f *tokenFile) isAsBefore(info fs.FileInfo) bool {
	if info == nil || f.was.FileInfo == nil {
		return info == nil && f.was.FileInfo == nil
	}
	return f.was.unchanged(info)
}

// read reads the file. What is known about it is that of the file that was read, even if it is
// replaced at the same time.
func (f *tokenFile) read() error {
	f.was = openedFile{}
	file, err := regularfile.Open(f.path) // a named pipe would never end
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	f.was = openedFile{info}
	set, err := tokens.ReadOpened(file)
	if err != nil {
		return err
	}
	f.set.Store(set)
	return nil
}
