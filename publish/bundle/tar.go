package bundle

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// header returns the header of an entry. link is the path of the blob if the entry is a hard link,
// or else "".
func header(path, link string, size int64, when time.Time) *tar.Header {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: path, Size: size, Mode: 0o644, ModTime: when}
	if link != "" {
		h.Typeflag, h.Linkname, h.Size = tar.TypeLink, link, 0
	}
	return h
}

const tarBlock = 512

func padding(size int64) int { return int(-size & (tarBlock - 1)) }

// An archive reads the entries of a tar archive. Entries must have the headers that [Export]
// writes.
type archive struct {
	recorder *recorder
	tar      *tar.Reader
	size     int64     // of the entry that was read last
	when     time.Time // of all entries
}

func newArchive(r io.Reader) *archive {
	t := &recorder{Reader: r}
	return &archive{recorder: t, tar: tar.NewReader(t)}
}

// A recorder records the bytes of headers.
type recorder struct {
	io.Reader
	open  bool // whether bytes are being recorded
	bytes bytes.Buffer
}

var errLongHeader = fmt.Errorf("its tar headers have more than %d bytes", maxHeader)

func (t *recorder) Read(b []byte) (int, error) {
	n, err := t.Reader.Read(b)
	if t.open {
		t.bytes.Write(b[:n])
		if t.bytes.Len() > maxHeader {
			return n, errLongHeader
		}
	}
	return n, err
}

// next returns the next header and its bytes in the archive, which begin at the end of the content
// of the previous entry. That content must have been read.
func (a *archive) next() (*tar.Header, []byte, error) {
	a.recorder.bytes.Reset()
	a.recorder.open = true
	h, err := a.tar.Next()
	a.recorder.open = false
	return h, a.recorder.bytes.Bytes(), err
}

// entry reads the header of the next entry, which must be that of path, and returns its size.
func (a *archive) entry(path, link string) (int64, error) {
	return a.entryWith(path, func(*tar.Header) string { return link })
}

// entryOf is entry for a file in a listing. It also returns whether the file is a hard link.
func (a *archive) entryOf(x line) (size int64, isLink bool, err error) {
	size, err = a.entryWith(x.path, func(h *tar.Header) string {
		if isLink = h.Typeflag == tar.TypeLink; !isLink {
			return ""
		}
		return x.ref.Path()
	})
	return size, isLink, err
}

// entryWith is entry with a function that returns the link that the entry must have, given its
// header.
func (a *archive) entryWith(path string, link func(*tar.Header) string) (int64, error) {
	h, got, err := a.next()
	truncated := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	switch {
	case a.when.IsZero() && (truncated || errors.Is(err, tar.ErrHeader)):
		return 0, refuse("beginning of the archive", "it is empty, or not a tarball that galbuild export wrote")
	case truncated:
		return 0, refuse(path, "it is listed, but the archive is truncated before it")
	case errors.Is(err, tar.ErrHeader), errors.Is(err, errLongHeader):
		return 0, refuse(path, "its tar header is damaged: %v", err)
	case err != nil:
		return 0, err
	case h.Name != path:
		return 0, a.unexpected(h.Name, path)
	case h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeLink:
		return 0, refuse(path, "it is neither a file nor a hard link")
	}
	if a.when.IsZero() {
		a.when = h.ModTime
	}
	var want bytes.Buffer
	want.Write(make([]byte, padding(a.size)))
	if err := tar.NewWriter(&want).WriteHeader(header(path, link(h), h.Size, a.when)); err != nil || !bytes.Equal(want.Bytes(), got) {
		return 0, refuse(path, "its tar header is not the one that galbuild writes for it")
	}
	a.size = h.Size
	return h.Size, nil
}

func (a *archive) unexpected(got, want string) error {
	if err := checkPath(line{path: got}); err != nil && !strings.HasPrefix(got, blobsDir) {
		return refuse(fmt.Sprintf("entry %.100q", got), "%v", err)
	}
	return refuse(fmt.Sprintf("entry %.100q", got), "found instead of %q: it is not listed, or duplicate, or the listed file is missing", want)
}

// content copies the content of the entry.
func (a *archive) content(path string, to io.Writer, buffer []byte) error {
	n, err := io.CopyBuffer(to, struct{ io.Reader }{a.tar}, buffer)
	if errors.Is(err, io.ErrUnexpectedEOF) || err == nil && n != a.size {
		return refuse(path, "the archive is truncated in its content")
	}
	return err
}

// end checks that there are no more entries and no other data.
func (a *archive) end() error {
	h, got, err := a.next()
	switch {
	case err == nil:
		return refuse(fmt.Sprintf("entry %.100q", h.Name), "it is not listed")
	case !errors.Is(err, io.EOF) && !isTarError(err):
		return err
	case err != io.EOF || !bytes.Equal(got, make([]byte, padding(a.size)+2*tarBlock)):
		return refuse("end of the archive", "it is truncated or damaged")
	}
	if n, err := io.ReadFull(a.recorder, make([]byte, 1)); n > 0 {
		return refuse("end of the archive", "more data follows it")
	} else if err != io.EOF {
		return err
	}
	return nil
}

func isTarError(err error) bool {
	return errors.Is(err, tar.ErrHeader) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errLongHeader)
}
