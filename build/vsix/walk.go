package vsix

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zip"

	"galbuild/build/vsix/manifest"
)

// Entry is a file of a package.
type Entry struct {
	Name string      // slash-separated, clean; safe to join to a folder
	Size int64       // of what is handed out
	Mode fs.FileMode // 0755 if its owner may execute it, else 0644
}

// Walk calls f for each file in archive order, with its content. f may read
// none, some or all of it; the rest is read by Walk, so that every byte
// is verified. If content and directory disagree, reading fails, and so does
// Walk, whatever f makes of it. An error of f ends Walk and is returned as it is.
//
// extension/package.json comes as UTF-8 without a byte order mark, though it is
// the stored bytes that were verified.
func (p *Package) Walk(f func(e Entry, r io.Reader) error) (err error) {
	defer Contain(&err)
	for i := range p.archive.files {
		if err := p.visit(&p.archive.files[i], f); err != nil {
			return err
		}
	}
	return nil
}

func (p *Package) visit(file *file, f func(e Entry, r io.Reader) error) error {
	e := Entry{Name: file.name, Size: file.size(), Mode: permissions(file.zip)}
	if file.name == manifest.PackagePath { // verified when the package was opened
		e.Size = int64(len(p.packageJSON))
		return f(e, bytes.NewReader(p.packageJSON))
	}
	return file.read(func(r io.Reader) error { return f(e, r) })
}

// permissions keeps what an installed extension depends on: a program of its
// own can be run.
func permissions(f *zip.File) fs.FileMode {
	if f.Mode()&0o100 != 0 {
		return 0o755
	}
	return 0o644
}

// decoders are reused, for their windows are larger than most files.
var decoders = sync.Pool{New: func() any {
	in := bufio.NewReaderSize(nil, 64<<10)
	return &decoder{in: in, inflate: flate.NewReader(in)}
}}

type decoder struct {
	in      *bufio.Reader
	inflate io.ReadCloser // also a flate.Resetter
}

func (d *decoder) open(method uint16, packed io.Reader) (io.Reader, error) {
	d.in.Reset(packed)
	if method == zip.Store {
		return d.in, nil
	}
	return d.inflate, d.inflate.(flate.Resetter).Reset(d.in, nil)
}

// release lets go of the archive, which may be gone before the decoder.
func (d *decoder) release() {
	d.in.Reset(nil)
	decoders.Put(d)
}

// read calls f with the content and verifies all of it.
func (file *file) read(f func(io.Reader) error) error {
	packed, err := file.zip.OpenRaw()
	if errors.Is(err, zip.ErrFormat) || errors.Is(err, io.EOF) {
		return refuse(file.name, "not where the directory says: the archive is damaged")
	} else if err != nil {
		return fmt.Errorf("read entry %q: %w", file.name, err)
	}
	d := decoders.Get().(*decoder)
	defer d.release()
	content, err := d.open(file.zip.Method, packed)
	if err != nil {
		return fmt.Errorf("read entry %q: %w", file.name, err)
	}
	v := &verifier{file: file, content: content}
	if err := f(v); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, v)
	return err
}

// verifier counts and sums what it passes on. It passes on no more than the
// directory announced, and ends with an error unless all was as announced.
type verifier struct {
	file    *file
	content io.Reader
	count   int64
	sum     uint32
	end     error // sticky
}

// Read implements [io.Reader].
func (v *verifier) Read(b []byte) (int, error) {
	if v.end != nil || len(b) == 0 {
		return 0, v.end
	}
	left := v.file.size() - v.count
	if left == 0 {
		v.end = v.finish()
		return 0, v.end
	}
	n, err := v.content.Read(b[:min(int64(len(b)), left)])
	v.count += int64(n)
	v.sum = crc32.Update(v.sum, crc32.IEEETable, b[:n])
	if err == io.EOF {
		v.end = v.finish()
	} else if err != nil {
		v.end = v.failure(err)
	}
	return n, v.end
}

// finish is reached when the content ended, or all of it that was announced was
// read.
func (v *verifier) finish() error {
	if v.count < v.file.size() {
		return refuse(v.file.name, "has %d bytes, the archive says %d", v.count, v.file.size())
	}
	var more [1]byte
	switch _, err := io.ReadFull(v.content, more[:]); {
	case err == nil:
		return refuse(v.file.name, "has more than the %d bytes the archive says", v.file.size())
	case err != io.EOF:
		return v.failure(err)
	case v.sum != v.file.zip.CRC32:
		return refuse(v.file.name, "CRC-32 is %08x, the archive says %08x", v.sum, v.file.zip.CRC32)
	}
	return io.EOF
}

func (v *verifier) failure(err error) error {
	if _, corrupt := errors.AsType[flate.CorruptInputError](err); corrupt {
		return refuse(v.file.name, "compressed data is damaged: %v", err)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return refuse(v.file.name, "compressed data ends too early, after %d of %d bytes", v.count, v.file.size())
	}
	return fmt.Errorf("read entry %q: %w", v.file.name, err)
}
