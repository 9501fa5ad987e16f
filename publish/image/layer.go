package image

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"

	"galbuild/build/blob"
	"galbuild/build/regularfile"
)

// user is the user and the group that galshim runs as. It is the one that images without a
// distribution call nonroot.
const user = 65532

// A layer is a compressed layer in a temporary file. It implements [v1.Layer].
type layer struct {
	file         string
	what         string // for the history of the image
	digest, diff v1.Hash
	size         int64
}

func (l *layer) Digest() (v1.Hash, error) { return l.digest, nil }
func (l *layer) DiffID() (v1.Hash, error) { return l.diff, nil }
func (l *layer) Size() (int64, error)     { return l.size, nil }

func (l *layer) MediaType() (types.MediaType, error)  { return types.OCILayer, nil }
func (l *layer) Compressed() (io.ReadCloser, error)   { return os.Open(l.file) }
func (l *layer) Uncompressed() (io.ReadCloser, error) { return nil, errors.ErrUnsupported }

// A layerWriter writes a layer.
type layerWriter struct {
	file    *os.File
	out     *bufio.Writer
	digest  hash.Hash // of the compressed bytes
	diff    hash.Hash
	zip     *gzip.Writer
	tar     *tar.Writer
	folders map[string]bool // that have been written
	buffer  []byte
}

func (b *builder) newLayer() (*layerWriter, error) {
	f, err := os.CreateTemp(b.dir, "layer")
	if err != nil {
		return nil, err
	}
	w := &layerWriter{file: f, digest: sha256.New(), diff: sha256.New(), folders: make(map[string]bool), buffer: make([]byte, 256<<10)}
	w.out = bufio.NewWriter(io.MultiWriter(f, w.digest))
	w.zip = gzip.NewWriter(w.out)
	w.tar = tar.NewWriter(io.MultiWriter(w.zip, w.diff))
	return w, nil
}

// end completes the layer. The caller closes the file in any case.
func (w *layerWriter) end(what string) (*layer, error) {
	if err := errors.Join(w.tar.Close(), w.zip.Close(), w.out.Flush()); err != nil {
		return nil, err
	}
	info, err := w.file.Stat()
	if err != nil {
		return nil, err
	}
	return &layer{file: w.file.Name(), what: what, digest: hashOf(w.digest), diff: hashOf(w.diff), size: info.Size()}, nil
}

func hashOf(h hash.Hash) v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(h.Sum(nil))}
}

// never is the time of files that never change.
var never = time.Unix(0, 0)

// folder writes a folder and those that it is in, unless the layer has them. Only their owner can
// write to them.
func (w *layerWriter) folder(name string, owner int) error {
	if name == "." || w.folders[name] {
		return nil
	}
	if err := w.folder(path.Dir(name), 0); err != nil {
		return err
	}
	w.folders[name] = true
	mode := int64(0o555)
	if owner != 0 {
		mode = 0o755
	}
	return w.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode, Uid: owner, Gid: owner, ModTime: never})
}

// link writes a hard link to a file of the same layer.
func (w *layerWriter) link(name, to string, when time.Time) error {
	if err := w.folder(path.Dir(name), 0); err != nil {
		return err
	}
	return w.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: to, Mode: 0o444, ModTime: when})
}

// text writes a small file.
func (w *layerWriter) text(name string, text []byte) error {
	if err := w.header(name, 0o444, int64(len(text)), never); err != nil {
		return err
	}
	_, err := w.tar.Write(text)
	return err
}

func (w *layerWriter) header(name string, mode, size int64, when time.Time) error {
	if err := w.folder(path.Dir(name), 0); err != nil {
		return err
	}
	return w.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: size, ModTime: when})
}

// copy writes a file of the disk, and returns the hash of its content, which has that size.
func (w *layerWriter) copy(name, from string, mode, size int64, when time.Time) (blob.Ref, error) {
	if err := w.header(name, mode, size, when); err != nil {
		return blob.Ref{}, err
	}
	f, err := regularfile.Open(from)
	if err != nil {
		return blob.Ref{}, err
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.CopyBuffer(io.MultiWriter(w.tar, sum), struct{ io.Reader }{f}, w.buffer)
	if errors.Is(err, tar.ErrWriteTooLong) || err == nil && n != size {
		err = fmt.Errorf("%s: is not %d bytes long any more", from, size)
	}
	return blob.Ref(sum.Sum(nil)), err
}
