package target

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"

	"galbuild/build/blob"
	"galbuild/build/headers"
	"galbuild/build/regularfile"
)

// Values of Cache-Control. Objects with a version or a hash in their key never change. Caches
// must revalidate all other objects before each use.
const (
	Immutable  = headers.Immutable
	Revalidate = headers.Revalidate
)

// Attachment is the Content-Disposition of files that a browser must save and not display.
const Attachment = headers.Attachment

// Bytes returns an object whose content is b.
func Bytes(key, mediaType, cacheControl string, b []byte) Object {
	return Object{
		Key: key, Size: int64(len(b)), SHA256: blob.Sum(b), MediaType: mediaType, CacheControl: cacheControl,
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil },
	}
}

// File returns an object whose content is that of a regular file of the given hash and size.
func File(key, mediaType, cacheControl, file string, ref blob.Ref, size int64) Object {
	return Object{
		Key: key, Size: size, SHA256: ref, MediaType: mediaType, CacheControl: cacheControl,
		Open: func() (io.ReadCloser, error) { return regularfile.Open(file) },
	}
}

// Reader opens the content of o. If the content does not match o.Size and o.SHA256, reading
// fails before the last bytes are returned, so that an upload of them is never complete.
func (o *Object) Reader() (io.ReadCloser, error) {
	from, err := o.Open()
	if err != nil {
		return nil, err
	}
	return &checkedReader{ReadCloser: from, object: o, hash: sha256.New()}, nil
}

// A checkedReader compares what it has read with the size and hash of an object.
type checkedReader struct {
	io.ReadCloser
	object *Object
	hash   hash.Hash
	size   int64
}

func (c *checkedReader) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.hash.Write(b[:n])
	c.size += int64(n)
	if err != nil && err != io.EOF || c.size < c.object.Size && err == nil {
		return n, err
	}
	if mismatch := c.check(); mismatch != nil {
		return 0, mismatch
	}
	return n, err
}

// check returns an error unless the source ends here and has the expected size and hash.
func (c *checkedReader) check() error {
	if more, _ := io.Copy(io.Discard, io.LimitReader(c.ReadCloser, 1)); more > 0 || c.size != c.object.Size {
		return fmt.Errorf("%s: its size was %d bytes and has changed", c.object.Key, c.object.Size)
	}
	if got := blob.Ref(c.hash.Sum(nil)); got != c.object.SHA256 {
		return fmt.Errorf("%s: its SHA-256 was %s, and is now %s", c.object.Key, c.object.SHA256, got)
	}
	return nil
}

// A contextReader returns the context's error once the context is done.
type contextReader struct {
	io.Reader
	ctx context.Context
}

// ContextReader returns a reader of r that fails with the context's error once ctx is done. It
// does not interrupt a Read of r.
func ContextReader(ctx context.Context, r io.Reader) io.Reader { return &contextReader{r, ctx} }

// Read implements [io.Reader].
func (r *contextReader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(b)
}

// ReadAll reads r to its end and closes it. It returns [io.ErrShortBuffer] if there are more
// than limit bytes.
func ReadAll(r io.ReadCloser, limit int64) ([]byte, error) {
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = io.ErrShortBuffer
	}
	return b, err
}
