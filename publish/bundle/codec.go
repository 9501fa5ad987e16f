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

// compress returns a writer that compresses according to the suffix of name. The output of both
// libraries is deterministic on one goroutine.
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

// decompress returns the uncompressed archive, and whether it was compressed. It detects the
// compression from the first bytes and not from the name.
func decompress(from io.Reader) (unpacked io.ReadCloser, compressed bool, err error) {
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
		return &decompressor{Reader: z, in: in, close: z.Close, rest: buffered}, true, nil
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20))
		if err != nil {
			return nil, false, err
		}
		return &decompressor{Reader: z, in: in, close: func() error { z.Close(); return nil }, rest: buffered}, true, nil
	}
	return io.NopCloser(buffered), false, nil
}

// maxUnpacked returns the maximum uncompressed size of an archive of total bytes. A total of 0
// means that the size is not known.
func maxUnpacked(total int64, compressed bool) int64 {
	switch {
	case total == 0:
		return maxUnknown
	case compressed:
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

// A decompressor reads a compressed stream. Reading fails if the compression ratio is too high, or
// if data follows the stream.
type decompressor struct {
	io.Reader
	in    *counter // the compressed bytes
	close func() error
	rest  *bufio.Reader
	n     int64 // uncompressed bytes
}

func (u *decompressor) Read(b []byte) (int, error) {
	n, err := u.Reader.Read(b)
	u.n += int64(n)
	switch {
	case u.n > ratioFrom && u.n/maxRatio > u.in.n:
		return n, refuse("compressed archive", "%d bytes unpack to more than %d times as many, the limit", u.in.n, maxRatio)
	case u.in.err != nil:
		return n, u.in.err
	case err == io.EOF:
		if _, err := u.rest.Peek(1); err == nil {
			return n, refuse("end of the archive", "more data follows it")
		} else if err != io.EOF {
			return n, err
		}
	case err != nil:
		return n, damaged(err)
	}
	return n, err
}

func (u *decompressor) Close() error { return u.close() }

// damaged returns the error of a stream that cannot be decompressed.
func damaged(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return refuse("compressed archive", "it is truncated")
	}
	return refuse("compressed archive", "it is damaged: %v", err)
}
