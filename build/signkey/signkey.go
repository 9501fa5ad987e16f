// Package signkey reads the minisign keys that sign bundles and the heads of histories.
package signkey

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"aead.dev/minisign"
	"golang.org/x/mod/sumdb/note"

	"galbuild/build/history"
	"galbuild/build/regularfile"
)

// ErrPassword is returned by ReadSecret, wrapped, when the password is wrong.
var ErrPassword = errors.New("wrong password, or not a minisign secret key")

// ReadSecret reads a secret key in the format of `minisign -G`. It calls password if the key is
// encrypted.
func ReadSecret(file string, password func() (string, error)) (*minisign.PrivateKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var key minisign.PrivateKey
	if !minisign.IsEncrypted(text) {
		if err := key.UnmarshalText(text); err != nil {
			return nil, fmt.Errorf("%s is not a minisign secret key", file)
		}
		return &key, nil
	}
	secret, err := password()
	if err != nil {
		return nil, err
	}
	if key, err = minisign.DecryptKey(secret, text); err != nil {
		return nil, fmt.Errorf("%s: %w", file, ErrPassword)
	}
	return &key, nil
}

// Public is a public key and the file that it was read from.
type Public struct {
	File string
	Key  minisign.PublicKey
}

// ReadPublic reads public keys. A path is a file, or a folder of *.pub files.
func ReadPublic(paths []string) ([]Public, error) {
	var all []Public
	for _, path := range paths {
		files, open := []string{path}, os.Open
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			if files, err = filepath.Glob(filepath.Join(path, "*.pub")); err != nil {
				return nil, err
			}
			if len(files) == 0 {
				return nil, fmt.Errorf("%s: no *.pub in this folder", path)
			}
			open = regularfile.Open // the user did not name these files
		}
		for _, file := range files {
			key, err := readPublic(open(file))
			if err != nil {
				return nil, err
			}
			all = append(all, Public{file, key})
		}
	}
	return all, nil
}

// ReadVerifiers is ReadPublic for the keys that verify heads.
func ReadVerifiers(paths []string) ([]note.Verifier, error) {
	public, err := ReadPublic(paths)
	if err != nil {
		return nil, err
	}
	var keys []note.Verifier
	for _, p := range public {
		key, err := history.NewVerifier(p.Key)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.File, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// readPublic reads a public key from a file that was opened with these results, and closes it.
func readPublic(f *os.File, err error) (key minisign.PublicKey, _ error) {
	if err != nil {
		return key, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return key, err
	}
	if err := key.UnmarshalText(text); err != nil {
		return key, fmt.Errorf("%s is not a minisign public key", f.Name())
	}
	return key, nil
}
