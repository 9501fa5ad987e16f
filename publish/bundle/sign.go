package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"aead.dev/minisign"
)

// ErrUntrusted is returned, wrapped, by [Import] if none of the keys in ImportConfig.Trust has
// signed the archive.
var ErrUntrusted = errors.New("it is not signed by a trusted key")

// ErrPassword is returned by ReadSignKey, wrapped, when the password is wrong.
var ErrPassword = errors.New("wrong password, or not a minisign secret key")

// ReadSignKey reads a secret key in the format of `minisign -G`. It calls password if the key is
// encrypted.
func ReadSignKey(file string, password func() (string, error)) (*minisign.PrivateKey, error) {
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

// A signer is a trusted public key.
type signer struct {
	file string
	key  minisign.PublicKey
}

// readTrusted reads public keys. A path is a file, or a folder of *.pub files.
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
			read = readRegular
		}
		for _, file := range files {
			text, err := read(file)
			if err != nil {
				return nil, err
			}
			var key minisign.PublicKey
			if err := key.UnmarshalText(text); err != nil {
				return nil, fmt.Errorf("%s is not a minisign public key", file)
			}
			all = append(all, signer{file, key})
		}
	}
	return all, nil
}

// checkSignature verifies the signature of sums in a file. It returns the file of the trusted key
// that made the signature.
func checkSignature(sums []byte, file string, trusted []signer) (string, error) {
	text, err := readRegular(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s is missing: %w", file, ErrUntrusted)
	}
	if err != nil {
		return "", err
	}
	var signature minisign.Signature
	if err := signature.UnmarshalText(text); err != nil {
		return "", fmt.Errorf("%s is not a minisign signature: %w", file, ErrUntrusted)
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
