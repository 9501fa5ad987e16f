package bundle

import (
	"crypto/sha256"
	"hash"
	"io"
	"os"

	"galbuild/build/blob"
)

// A hashWriter hashes what is written to it, and writes it to a file if there is one.
type hashWriter struct {
	hash hash.Hash
	to   io.Writer
}

func newHash(to *os.File) *hashWriter {
	h := &hashWriter{hash: sha256.New()}
	if to != nil {
		h.to = to
	}
	return h
}

func (h *hashWriter) Write(b []byte) (int, error) {
	h.hash.Write(b)
	if h.to == nil {
		return len(b), nil
	}
	return h.to.Write(b)
}

func (h *hashWriter) ref() blob.Ref { return blob.Ref(h.hash.Sum(nil)) }
