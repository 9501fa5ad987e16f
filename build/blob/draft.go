package blob

import (
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"os"
	"slices"
)

// smallFile is the largest size in bytes of a draft that is held in memory. If the store has its
// blob already, nothing is written to the disk.
const smallFile = 1 << 20

// Draft is a blob while it is written, before its name is known. It is not safe for concurrent
// use.
type Draft struct {
	store *Store
	*buffer
	size int64
	file *os.File // nil while all of it is in buffer
	name string   // of file
}

// A buffer has the memory of a draft, for reuse by another one.
type buffer struct {
	small []byte
	hash  hash.Hash
}

// Draft returns a new, empty draft. The caller must call its Discard, also after Commit.
func (s *Store) Draft() *Draft {
	b, ok := s.buffers.Get().(*buffer)
	if !ok {
		b = &buffer{small: make([]byte, 0, 64<<10), hash: sha256.New()}
	}
	b.small = b.small[:0]
	b.hash.Reset()
	return &Draft{store: s, buffer: b}
}

// Write implements [io.Writer].
func (d *Draft) Write(b []byte) (n int, err error) {
	if d.file == nil && len(d.small)+len(b) > smallFile {
		if err := d.spill(); err != nil {
			return 0, err
		}
	}
	n = len(b)
	if d.file == nil {
		d.small = append(d.small, b...)
	} else {
		n, err = d.file.Write(b)
	}
	d.hash.Write(b[:n])
	d.size += int64(n)
	return n, err
}

// ReadFrom implements [io.ReaderFrom]. It reads a small blob without copying it.
func (d *Draft) ReadFrom(r io.Reader) (int64, error) {
	start := d.size
	for d.file == nil && len(d.small) < smallFile {
		d.small = slices.Grow(d.small, 1)
		free := d.small[len(d.small):min(cap(d.small), smallFile)]
		n, err := r.Read(free)
		d.small = d.small[:len(d.small)+n]
		d.hash.Write(free[:n])
		d.size += int64(n)
		if err == io.EOF {
			return d.size - start, nil
		}
		if err != nil {
			return d.size - start, err
		}
	}
	_, err := io.Copy(struct{ io.Writer }{d}, r)
	return d.size - start, err
}

// spill writes the buffer to a temporary file. The draft continues in that file.
func (d *Draft) spill() error {
	d.name = d.store.tempName()
	file, err := d.store.temp.OpenFile(d.name, os.O_RDWR|os.O_CREATE|os.O_EXCL, blobMode)
	if err != nil {
		return err
	}
	d.file = file
	_, err = file.Write(d.small)
	return errors.Join(err, file.Chmod(blobMode)) // undo the umask
}

// ReadAt implements [io.ReaderAt] for the bytes written so far, so that a package can be checked
// before it is stored.
func (d *Draft) ReadAt(b []byte, off int64) (int, error) {
	if d.file != nil {
		return d.file.ReadAt(b, off)
	}
	if off > d.size {
		return 0, io.EOF
	}
	n := copy(b, d.small[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// Size returns the number of bytes written so far.
func (d *Draft) Size() int64 { return d.size }

// Ref returns the SHA-256 of the bytes written so far.
func (d *Draft) Ref() Ref { return Ref(d.hash.Sum(nil)) }

// Commit stores the blob under its name, and returns its name and size in bytes.
func (d *Draft) Commit() (Ref, int64, error) {
	ref := d.Ref()
	if d.file == nil {
		return ref, d.size, d.store.put(ref, d.small)
	}
	if d.store.dry || d.store.Has(ref, d.size) {
		return ref, d.size, nil
	}
	return ref, d.size, d.CommitAs(ref.Path())
}

// CommitAs stores the draft at a path relative to the site instead of under the name of a blob. It
// replaces an existing file.
func (d *Draft) CommitAs(path string) error {
	if d.store.dry {
		return nil
	}
	if d.file == nil {
		if err := d.spill(); err != nil {
			return err
		}
	}
	if err := d.file.Close(); err != nil {
		return err
	}
	d.file = nil
	return d.store.move(d.name, path)
}

// Discard removes the draft's temporary file if it was not committed.
func (d *Draft) Discard() {
	if d.file != nil {
		d.file.Close()
		d.store.temp.Remove(d.name)
	}
	d.store.buffers.Put(d.buffer)
	d.buffer = nil
}
