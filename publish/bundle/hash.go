package bundle

import (
	"crypto/sha256"
	"hash"
	"io"
	"os"

	"galbuild/build/blob"
)

// A hashing writer passes on what it hashes, if there is somebody to pass it on to.
type hashing struct {
	hash hash.Hash
	to   io.Writer
}

func newHash(to *os.File) *hashing {
	h := &hashing{hash: sha256.New()}
	if to != nil {
		h.to = to
	}
	return h
}

func (h *hashing) Write(b []byte) (int, error) {
	h.hash.Write(b)
	if h.to == nil {
		return len(b), nil
	}
	return h.to.Write(b)
}

func (h *hashing) ref() blob.Ref { return blob.Ref(h.hash.Sum(nil)) }
