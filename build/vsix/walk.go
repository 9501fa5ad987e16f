package vsix

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zip"
)

// Entry is a file of a package.
type Entry struct {
	Name string      // slash-separated and clean; safe to join to a folder
	Size int64       // bytes of the content that Walk reads
	Mode fs.FileMode // 0755 if its owner may execute it, else 0644
}

// Walk calls f with the content of each file, in the order of the archive. Walk reads what f does
// not read, so that every byte is verified. If the content and the directory differ, reading
// fails, and Walk returns that error even if f ignores it. An error of f ends Walk and is returned
// as it is.
//
// extension/package.json is read as UTF-8 in which each invalid byte is replaced by U+FFFD. The
// checksum is that of the stored bytes.
func (p *Package) Walk(f func(e Entry, r io.Reader) error) (err error) {
	defer RecoverPanic(&err)
	for i := range p.archive.files {
		if err := p.visit(&p.archive.files[i], f); err != nil {
			return err
		}
	}
	return nil
}

// Read returns the content of the asset, which Walk then does not decompress again. It must not be
// changed.
func (p *Package) Read(a Asset) ([]byte, error) {
	if text, ok := p.texts[a.Entry]; ok {
		return text, nil
	}
	file := &p.archive.files[p.archive.exact[a.Entry]]
	text, err := file.content()
	if err == nil {
		p.texts[a.Entry] = text
	}
	return text, err
}

// Size returns the size of a file, and false if the package has none of exactly that name, or has a
// symbolic link in its place.
func (p *Package) Size(name string) (bytes int64, ok bool) {
	i, ok := p.archive.exact[name]
	if !ok || p.archive.files[i].isLink() {
		return 0, false
	}
	return p.archive.files[i].size(), true
}

// HasTop reports whether the top folder of the package has a file or a folder of this name, in any
// case of letters.
func (p *Package) HasTop(name string) bool {
	return slices.ContainsFunc(p.archive.files, func(f file) bool {
		top, _, _ := strings.Cut(f.name, "/")
		return strings.EqualFold(top, name)
	})
}

func (p *Package) visit(file *file, f func(e Entry, r io.Reader) error) error {
	e := Entry{Name: file.name, Size: file.size(), Mode: permissions(file.zip)}
	if text, ok := p.texts[file.name]; ok { // it is verified already
		e.Size = int64(len(text))
		return f(e, bytes.NewReader(text))
	}
	return file.read(func(r io.Reader) error { return f(e, r) })
}

// permissions returns the permissions of a file: 0755 if its owner may execute it, because
// extensions run programs of their own, and 0644 otherwise.
func permissions(f *zip.File) fs.FileMode {
	if f.Mode()&0o100 != 0 {
		return 0o755
	}
	return 0o644
}

// decoders are reused, because their memory is larger than most files.
var decoders = sync.Pool{New: func() any {
	return &decoder{large: bufio.NewReaderSize(nil, smallFile), inflate: flate.NewReader(nil)}
}}

// smallFile is the largest compressed size of a file that is read at once, which is faster.
const smallFile = 64 << 10

type decoder struct {
	packed  [smallFile]byte
	small   bytes.Reader  // of packed
	large   *bufio.Reader // of the archive
	inflate io.ReadCloser // also a flate.Resetter
}

func (d *decoder) open(file *file) (io.Reader, error) {
	compressed, err := d.openRaw(file)
	if err != nil || file.zip.Method == zip.Store {
		return compressed, err
	}
	return d.inflate, d.inflate.(flate.Resetter).Reset(compressed, nil)
}

func (d *decoder) openRaw(file *file) (io.Reader, error) {
	size := int64(file.zip.CompressedSize64)
	if size > smallFile {
		d.large.Reset(io.NewSectionReader(file.reader, file.data, size))
		return d.large, nil
	}
	packed := d.packed[:size]
	if n, err := file.reader.ReadAt(packed, file.data); n < len(packed) {
		return nil, err
	}
	d.small.Reset(packed)
	return &d.small, nil
}

// release returns the decoder to the pool, without its reference to the archive.
func (d *decoder) release() {
	d.large.Reset(nil)
	decoders.Put(d)
}

// read calls f with the content and verifies all of it.
func (file *file) read(f func(io.Reader) error) error {
	d := decoders.Get().(*decoder)
	defer d.release()
	content, err := d.open(file)
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

// verifier reads the content of a file, and computes its size and checksum. It reads no more than
// the size in the directory. At the end, it returns an error if the size or the checksum differs.
type verifier struct {
	file    *file
	content io.Reader
	count   int64
	sum     uint32
	end     error // returned by all further calls of Read
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

// finish checks the content at its end, or when as many bytes were read as the directory gives.
func (v *verifier) finish() error {
	if v.count < v.file.size() {
		return refuse(v.file.name, "has %d bytes, but the directory gives %d", v.count, v.file.size())
	}
	var more [1]byte
	switch _, err := io.ReadFull(v.content, more[:]); {
	case err == nil:
		return refuse(v.file.name, "has more than the %d bytes that the directory gives", v.file.size())
	case err != io.EOF:
		return v.failure(err)
	case v.sum != v.file.zip.CRC32:
		return refuse(v.file.name, "CRC-32 is %08x, but the directory gives %08x", v.sum, v.file.zip.CRC32)
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
