package tokens

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"galbuild/build/atomicfile"
	"galbuild/build/regularfile"
)

// newMode is the mode of a new file. Hashes are not secret, but the names of tokens may be.
const newMode fs.FileMode = 0o600

// ErrExists is the error for a name that the file already has.
var ErrExists = errors.New("is the name of another token")

// ErrUnknown is the error for a name that the file does not have.
var ErrUnknown = errors.New("is not the name of a token")

// Read reads a file.
func Read(file string) (*Set, error) {
	text, err := read(file)
	if err != nil {
		return nil, err
	}
	return parseFile(file, text)
}

// ReadOpened reads a file that is open.
func ReadOpened(f *os.File) (*Set, error) {
	text, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err != nil {
		return nil, err
	}
	return parseFile(f.Name(), text)
}

func read(file string) ([]byte, error) { return regularfile.ReadFile(file, MaxBytes) }

func parseFile(file string, text []byte) (*Set, error) {
	s, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

// Add makes a token and adds it to a file, which it makes if it is missing. t has the name of the
// token and its restrictions. The result is the text of the token.
func Add(ctx context.Context, file string, t Token) (string, error) {
	text := New()
	t.SHA256 = sha256.Sum256([]byte(text))
	err := edit(ctx, file, func(old []byte, s *Set) ([]byte, error) {
		if _, ok := s.Named(t.Name); ok {
			return nil, fmt.Errorf("%s: %s %w", file, t.Name, ErrExists)
		}
		if len(old) > 0 && !bytes.HasSuffix(old, []byte("\n")) {
			old = append(old, '\n')
		}
		return append(old, t.line()...), nil
	})
	if err != nil {
		return "", err
	}
	return text, nil
}

// Revoke removes the token with a name from a file. The other lines stay as they are.
func Revoke(ctx context.Context, file, name string) error {
	return edit(ctx, file, func(old []byte, s *Set) ([]byte, error) {
		if _, ok := s.Named(name); !ok {
			return nil, fmt.Errorf("%s: %s %w", file, name, ErrUnknown)
		}
		var kept []byte
		for line := range bytes.Lines(old) {
			if t, ok, _ := parseLine(string(line)); !ok || t.Name != name {
				kept = append(kept, line...)
			}
		}
		return kept, nil
	})
}

// edit replaces a file by what change makes of it, in one step. Concurrent edits wait for each
// other: they lock a file next to it, because the file itself is replaced.
func edit(ctx context.Context, file string, change func(old []byte, s *Set) ([]byte, error)) error {
	if target, err := filepath.EvalSymlinks(file); err == nil {
		file = target // otherwise the link would be replaced
	}
	lock := flock.New(file+".lock", flock.SetPermissions(newMode))
	if _, err := lock.TryLockContext(ctx, 10*time.Millisecond); err != nil {
		return fmt.Errorf("lock %s: %w", file, err)
	}
	defer lock.Close()
	old, err := read(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s, err := parseFile(file, old)
	if err != nil {
		return err
	}
	text, err := change(old, s)
	if err != nil {
		return err
	}
	if _, err := parseFile(file, text); err != nil { // it is too long, for instance
		return err
	}
	return replace(file, text)
}

// replace replaces a file and keeps its mode and owner, so that galshim can still read it.
func replace(file string, text []byte) error {
	mode := newMode
	info, err := os.Stat(file)
	if err == nil {
		mode = info.Mode().Perm()
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return atomicfile.Replace(file, mode, func(f *os.File) error {
		if info != nil {
			if err := keepOwner(f, info); err != nil {
				return fmt.Errorf("keep the owner of %s: %w", file, err)
			}
		}
		_, err := f.Write(text)
		return err
	})
}
