package bundle

import (
	"errors"
	"fmt"
	"io/fs"

	"aead.dev/minisign"

	"galbuild/build/signkey"
)

// ErrUntrusted is returned, wrapped, by [Import] if none of the keys in ImportConfig.Trust has
// signed the archive.
var ErrUntrusted = errors.New("it is not signed by a trusted key")

// checkSignature verifies the signature of sums in a file. It returns the file of the trusted key
// that made the signature.
func checkSignature(sums []byte, file string, trusted []signkey.Public) (string, error) {
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
		if minisign.Verify(s.Key, sums, text) {
			return s.File, nil
		}
		if s.Key.ID() == signature.KeyID {
			return "", fmt.Errorf("%s is of key %016X (%s), but not of this listing: %w", file, signature.KeyID, s.File, ErrUntrusted)
		}
	}
	return "", fmt.Errorf("%s is of key %016X: %w", file, signature.KeyID, ErrUntrusted)
}
