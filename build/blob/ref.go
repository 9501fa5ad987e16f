// Package blob stores files under the SHA-256 of their bytes, and each one only once.
//
// A blob of at most 1 MiB is written to blobs/sha256/ab/abcd… in one step, and a larger one to a
// temporary file of the site, which is then renamed. A complete blob never changes. A process that
// is killed may leave a part of a small blob under its name. No generation lists it, and whoever
// stores that blob again finds a file of another size, and replaces it.
//
// Other paths of a site are hard links to blobs, or copies if the file system has no links. Blobs
// have the mode 0444, other files 0644, and folders at least 0755, whatever the umask.
package blob

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"galbuild/build/regularfile"
)

// Ref is the SHA-256 of a file's bytes. It can be compared with ==. As text, it has 64 lower-case
// hexadecimal digits.
type Ref [sha256.Size]byte

// Sum returns the Ref of b.
func Sum(b []byte) Ref { return sha256.Sum256(b) }

// SumFile returns the Ref and the size in bytes of a regular file.
func SumFile(name string) (Ref, int64, error) {
	f, err := regularfile.Open(name)
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

// Parse parses the text of a Ref.
func Parse(s string) (Ref, error) {
	var r Ref
	if err := r.UnmarshalText([]byte(s)); err != nil {
		return Ref{}, err
	}
	return r, nil
}

// String returns 64 lower-case hexadecimal digits.
func (r Ref) String() string { return hex.EncodeToString(r[:]) }

// Path returns the path of the blob relative to the site: blobs/sha256/ab/abcd….
func (r Ref) Path() string { return r.shard() + "/" + r.String() }

// shard returns the folder of the blob: blobs/sha256/ab.
func (r Ref) shard() string { return shards[r[0]] }

var shards = func() (dirs [256]string) {
	for i := range dirs {
		dirs[i] = fmt.Sprintf("blobs/sha256/%02x", i)
	}
	return dirs
}()

// IsZero reports whether r is the zero Ref, which stands for no file.
func (r Ref) IsZero() bool { return r == Ref{} }

// MarshalText implements [encoding.TextMarshaler].
func (r Ref) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, r[:]), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]. It refuses upper-case digits, so that a
// blob has only one name.
func (r *Ref) UnmarshalText(text []byte) error {
	if len(text) != 2*len(r) {
		return fmt.Errorf("blob name %q: %d characters, want %d", text, len(text), 2*len(r))
	}
	var b Ref
	if _, err := hex.Decode(b[:], text); err != nil {
		return fmt.Errorf("blob name %q: %w", text, err)
	}
	if bytes.ContainsAny(text, "ABCDEF") {
		return fmt.Errorf("blob name %q: hex digits must be lower case", text)
	}
	*r = b
	return nil
}
