package splice

import "io"

// A Buffer passes what is written to it on whenever it is full: whoever writes a long
// response through it holds no more than the buffer.
type Buffer struct {
	bytes []byte
	to    io.Writer
	err   error // the first of the writer, after which nothing is passed on
	sent  bool
}

// NewBuffer returns an empty buffer as large as the capacity of b, which it keeps. It
// passes on to w.
func NewBuffer(b []byte, w io.Writer) *Buffer { return &Buffer{bytes: b[:0], to: w} }

// Write implements [io.Writer].
func (b *Buffer) Write(p []byte) (int, error) {
	if len(p) > cap(b.bytes)-len(b.bytes) {
		return b.writePieces(p)
	}
	b.bytes = append(b.bytes, p...)
	return len(p), b.err
}

func (b *Buffer) writePieces(p []byte) (int, error) {
	all := len(p)
	for {
		n := copy(b.bytes[len(b.bytes):cap(b.bytes)], p)
		b.bytes = b.bytes[:len(b.bytes)+n]
		if p = p[n:]; len(p) == 0 {
			return all, b.err
		}
		if b.Flush(); b.err != nil {
			return all - len(p), b.err
		}
	}
}

// WriteString implements [io.StringWriter].
func (b *Buffer) WriteString(s string) (int, error) {
	if b.Reserve(len(s)) {
		b.bytes = append(b.bytes, s...)
		return len(s), b.err
	}
	return b.Write([]byte(s))
}

// Reserve reports whether n bytes can be appended in one piece, and passes on what is
// there to make it so.
func (b *Buffer) Reserve(n int) bool {
	return n <= cap(b.bytes)-len(b.bytes) || b.makeRoom(n)
}

func (b *Buffer) makeRoom(n int) bool {
	b.Flush()
	return n <= cap(b.bytes)
}

// Append appends p, for which there is room, and returns the copy, to be changed before
// anything else is written.
func (b *Buffer) Append(p []byte) []byte {
	from := len(b.bytes)
	b.bytes = append(b.bytes, p...)
	return b.bytes[from:]
}

// Bytes returns what has not been passed on.
func (b *Buffer) Bytes() []byte { return b.bytes }

// Sent reports whether anything has been passed on.
func (b *Buffer) Sent() bool { return b.sent }

// Err returns the first error of the writer that the buffer passes on to.
func (b *Buffer) Err() error { return b.err }

// Flush passes on what is there. After an error it drops it.
func (b *Buffer) Flush() error {
	if b.err == nil && len(b.bytes) > 0 {
		b.sent = true
		_, b.err = b.to.Write(b.bytes)
	}
	b.bytes = b.bytes[:0]
	return b.err
}
