package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"aead.dev/minisign"
)

// ErrUntrusted is returned, wrapped, by Import when trust is asked for and the archive
// does not deserve it.
var ErrUntrusted = errors.New("nobody who is trusted has signed it")

// ErrPassword is returned by ReadSignKey, wrapped, when the password is wrong.
var ErrPassword = errors.New("wrong password, or no minisign secret key")

// ReadSignKey reads a secret key as `minisign -G` writes it. Password is asked for the
// password if the key has one.
func ReadSignKey(file string, password func() (string, error)) (*minisign.PrivateKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var key minisign.PrivateKey
	if !minisign.IsEncrypted(text) {
		if err := key.UnmarshalText(text); err != nil {
			return nil, fmt.Errorf("%s: no minisign secret key", file)
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

// A signer is somebody who is trusted.
type signer struct {
	file string
	key  minisign.PublicKey
}

// readTrusted reads public keys: files, and folders of *.pub.
func readTrusted(paths []string) ([]signer, error) {
	var all []signer
	for _, path := range paths {
		files, read := []string{path}, readSmall
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			if files, err = filepath.Glob(filepath.Join(path, "*.pub")); err != nil {
				return nil, err
			}
			if len(files) == 0 {
				return nil, fmt.Errorf("%s: no *.pub in this folder", path)
			}
			read = readBeside
		}
		for _, file := range files {
			text, err := read(file)
			if err != nil {
				return nil, err
			}
			var key minisign.PublicKey
			if err := key.UnmarshalText(text); err != nil {
				return nil, fmt.Errorf("%s: no minisign public key", file)
			}
			all = append(all, signer{file, key})
		}
	}
	return all, nil
}

// checkSignature returns which of the trusted has signed sums; file holds the signature.
func checkSignature(sums []byte, file string, trusted []signer) (string, error) {
	text, err := readBeside(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s is not there: %w", file, ErrUntrusted)
	}
	if err != nil {
		return "", err
	}
	var signature minisign.Signature
	if err := signature.UnmarshalText(text); err != nil {
		return "", fmt.Errorf("%s is no minisign signature: %w", file, ErrUntrusted)
	}
	for _, s := range trusted {
		if minisign.Verify(s.key, sums, text) {
			return s.file, nil
		}
		if s.key.ID() == signature.KeyID {
			return "", fmt.Errorf("%s is of key %016X (%s), but not of this listing: %w", file, signature.KeyID, s.file, ErrUntrusted)
		}
	}
	return "", fmt.Errorf("%s is of key %016X: %w", file, signature.KeyID, ErrUntrusted)
}
