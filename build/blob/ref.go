// Package blob names files by the SHA-256 of their bytes and keeps each one once.
//
// A blob is written to a temporary file of the site, then renamed to
// blobs/sha256/ab/abcd…: under its own name it is always whole, and it never
// changes. Other paths of a site are hard links to blobs, or copies where the
// file system has no links. Blobs have the mode 0444, other files 0644, and folders
// at least 0755, whatever the umask.
package blob

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"galbuild/build/regular"
)

// Ref is the SHA-256 of a file's bytes. It is comparable; as text it is 64
// lower-case hex digits.
type Ref [sha256.Size]byte

// Sum returns the Ref of b.
func Sum(b []byte) Ref { return sha256.Sum256(b) }

// SumFile returns the Ref of a file's bytes, and how many there are.
func SumFile(name string) (Ref, int64, error) {
	f, err := regular.Open(name)
	if err != nil {
		return Ref{}, 0, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return Ref{}, 0, err
	}
	return Ref(h.Sum(nil)), n, nil
}

// Parse reads 64 lower-case hex digits.
func Parse(s string) (Ref, error) {
	var r Ref
	if err := r.UnmarshalText([]byte(s)); err != nil {
		return Ref{}, err
	}
	return r, nil
}

// String returns 64 lower-case hex digits.
func (r Ref) String() string { return hex.EncodeToString(r[:]) }

// Path returns where a site keeps the blob, relative to its root:
// blobs/sha256/ab/abcd….
func (r Ref) Path() string {
	s := r.String()
	return "blobs/sha256/" + s[:2] + "/" + s
}

// IsZero tells whether r names nothing.
func (r Ref) IsZero() bool { return r == Ref{} }

// MarshalText implements [encoding.TextMarshaler].
func (r Ref) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]. It refuses upper case:
// one blob has one name.
func (r *Ref) UnmarshalText(text []byte) error {
	if len(text) != 2*len(r) {
		return fmt.Errorf("blob name %q: %d characters, want %d", text, len(text), 2*len(r))
	}
	var b Ref
	if _, err := hex.Decode(b[:], text); err != nil {
		return fmt.Errorf("blob name %q: %w", text, err)
	}
	if b.String() != string(text) {
		return fmt.Errorf("blob name %q: hex digits must be lower case", text)
	}
	*r = b
	return nil
}
