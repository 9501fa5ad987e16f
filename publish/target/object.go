package target

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"

	"galbuild/build/blob"
	"galbuild/build/regular"
)

// Headers that say how long an object may be kept by those who have read it: what
// has a version in its path never changes, and CURRENT must always be asked for.
const (
	Immutable  = "public, max-age=31536000, immutable"
	Revalidate = "no-cache"
)

// Attachment is the Content-Disposition of files that a browser must save and not show.
const Attachment = "attachment"

// Bytes returns an object that is held in memory.
func Bytes(key, mediaType, cacheControl string, b []byte) Object {
	return Object{
		Key: key, Size: int64(len(b)), SHA256: blob.Sum(b), MediaType: mediaType, CacheControl: cacheControl,
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil },
	}
}

// File returns an object whose bytes are those of a file.
func File(key, mediaType, cacheControl, file string, ref blob.Ref, size int64) Object {
	return Object{
		Key: key, Size: size, SHA256: ref, MediaType: mediaType, CacheControl: cacheControl,
		Open: func() (io.ReadCloser, error) { return regular.Open(file) },
	}
}

// Reader opens o's bytes. Reading fails before the last of them if they are not what o
// says, so that whoever sends them breaks off.
func (o *Object) Reader() (io.ReadCloser, error) {
	from, err := o.Open()
	if err != nil {
		return nil, err
	}
	return &checked{ReadCloser: from, object: o, hash: sha256.New()}, nil
}

type checked struct {
	io.ReadCloser
	object *Object
	hash   hash.Hash
	size   int64
}

func (c *checked) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.hash.Write(b[:n])
	c.size += int64(n)
	if err != nil && err != io.EOF || c.size < c.object.Size && err == nil {
		return n, err
	}
	if wrong := c.check(); wrong != nil {
		return 0, wrong
	}
	return n, err
}

// check is called when all bytes have been read, or should have been.
func (c *checked) check() error {
	if more, _ := io.Copy(io.Discard, io.LimitReader(c.ReadCloser, 1)); more > 0 || c.size != c.object.Size {
		return fmt.Errorf("%s: it was %d bytes long, and is not any more", c.object.Key, c.object.Size)
	}
	if got := blob.Ref(c.hash.Sum(nil)); got != c.object.SHA256 {
		return fmt.Errorf("%s: its SHA-256 was %s, and is now %s", c.object.Key, c.object.SHA256, got)
	}
	return nil
}

// ReadAll returns all bytes of r and closes it; an error if there are more than most.
func ReadAll(r io.ReadCloser, most int64) ([]byte, error) {
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(b)) > most {
		err = io.ErrShortBuffer
	}
	return b, err
}
