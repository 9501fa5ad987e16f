package bundle

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// compress packs what is written to it as the name of the archive says. Both libraries
// give the same bytes for the same bytes when they work on one goroutine.
func compress(w io.Writer, name string) (io.WriteCloser, error) {
	switch {
	case strings.HasSuffix(name, ".gz"), strings.HasSuffix(name, ".tgz"):
		return gzip.NewWriter(w), nil
	case strings.HasSuffix(name, ".zst"):
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
	}
	return nopCloser{w}, nil
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// decompress returns what was packed, if it was, whatever the name says now.
func decompress(from io.Reader) (unpacked io.ReadCloser, packed bool, err error) {
	in := &counter{Reader: from}
	buffered := bufio.NewReaderSize(in, 1<<20)
	magic, err := buffered.Peek(4)
	if err != nil && err != io.EOF {
		return nil, false, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, false, damaged(err)
		}
		z.Multistream(false)
		return &unpacker{Reader: z, packed: in, close: z.Close, rest: buffered}, true, nil
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20))
		if err != nil {
			return nil, false, err
		}
		return &unpacker{Reader: z, packed: in, close: func() error { z.Close(); return nil }, rest: buffered}, true, nil
	}
	return io.NopCloser(buffered), false, nil
}

// room returns what an archive of total bytes can unpack to; if total is 0, it is not
// known.
func room(total int64, packed bool) int64 {
	switch {
	case total == 0:
		return maxUnknown
	case packed:
		return ratioFrom + maxRatio*total
	}
	return total
}

type counter struct {
	io.Reader
	n   int64
	err error // if not io.EOF
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// An unpacker reads a compressed stream and makes sure that it does not grow beyond
// measure, and that nothing follows it.
type unpacker struct {
	io.Reader
	packed *counter
	close  func() error
	rest   *bufio.Reader
	n      int64
}

func (u *unpacker) Read(b []byte) (int, error) {
	n, err := u.Reader.Read(b)
	u.n += int64(n)
	switch {
	case u.n > ratioFrom && u.n/maxRatio > u.packed.n:
		return n, refuse("compressed archive", "%d bytes unpack to more than %d times as many, the limit", u.packed.n, maxRatio)
	case u.packed.err != nil:
		return n, u.packed.err
	case err == io.EOF:
		if _, err := u.rest.Peek(1); err == nil {
			return n, refuse("end of the archive", "other bytes follow it")
		} else if err != io.EOF {
			return n, err
		}
	case err != nil:
		return n, damaged(err)
	}
	return n, err
}

func (u *unpacker) Close() error { return u.close() }

func damaged(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return refuse("compressed archive", "it is cut off")
	}
	return refuse("compressed archive", "it is damaged: %v", err)
}
