package dropboxtest

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"os"
	"path"
)

// hasher computes the content hash.
type hasher struct {
	all, block hash.Hash
	n          int
}

func newHasher() *hasher { return &hasher{all: sha256.New(), block: sha256.New()} }

func (h *hasher) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		n := min(len(rest), 4<<20-h.n)
		h.block.Write(rest[:n])
		if h.n += n; h.n == 4<<20 {
			h.flush()
		}
		rest = rest[n:]
	}
	return len(b), nil
}

func (h *hasher) flush() {
	h.all.Write(h.block.Sum(nil))
	h.block.Reset()
	h.n = 0
}

func (h *hasher) String() string {
	if h.n > 0 {
		h.flush()
	}
	return hex.EncodeToString(h.all.Sum(nil))
}

// receive appends the body of r to c. want is the content hash of the body, or "" if unknown.
func (s *Server) receive(r *http.Request, c *content, want string) (*apiError, error) {
	part, err := os.CreateTemp(s.dir, "body-")
	if err != nil {
		return nil, err
	}
	defer os.Remove(part.Name())
	defer part.Close()
	h := newHasher()
	s.mu.Unlock() // serve other requests while the body is received
	n, err := io.Copy(io.MultiWriter(part, h), r.Body)
	s.mu.Lock()
	switch {
	case err != nil:
		return nil, err
	case n > maxBody:
		return refuse("payload_too_large"), nil
	case want != "" && want != h.String():
		return refuse("content_hash_mismatch"), nil
	}
	return nil, s.join(c, part)
}

func (s *Server) join(c *content, part *os.File) error {
	if _, err := part.Seek(0, io.SeekStart); err != nil {
		return err
	}
	f, err := os.OpenFile(path.Join(s.dir, c.name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := io.Copy(f, part)
	c.size += n
	return err
}

func (s *Server) rehash(c *content) error {
	f, err := os.Open(path.Join(s.dir, c.name))
	if err != nil {
		return err
	}
	defer f.Close()
	h := newHasher()
	_, err = io.Copy(h, f)
	c.hash = h.String()
	return err
}
