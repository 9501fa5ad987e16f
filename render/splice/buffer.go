package splice

import "io"

// A Buffer collects what is written to it, and passes it on when it is full. A long
// response that is written through it needs no more memory than the buffer.
type Buffer struct {
	bytes []byte
	to    io.Writer
	err   error // the first error of the writer; nothing is passed on after it
	sent  bool
}

// NewBuffer returns an empty buffer that uses the capacity of b, and passes its content on
// to w.
func NewBuffer(b []byte, w io.Writer) *Buffer { return &Buffer{bytes: b[:0], to: w} }

// Reset empties the buffer, which then passes its content on to w.
func (b *Buffer) Reset(w io.Writer) { *b = Buffer{bytes: b.bytes[:0], to: w} }

// Cap returns how many bytes the buffer holds at most.
func (b *Buffer) Cap() int { return cap(b.bytes) }

// Write implements [io.Writer].
func (b *Buffer) Write(p []byte) (int, error) {
	if len(p) > cap(b.bytes)-len(b.bytes) {
		return b.writeChunks(p)
	}
	b.bytes = append(b.bytes, p...)
	return len(p), b.err
}

func (b *Buffer) writeChunks(p []byte) (int, error) {
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

// Reserve reports whether n bytes fit in the buffer. It passes on the content if that makes
// room.
func (b *Buffer) Reserve(n int) bool {
	return n <= cap(b.bytes)-len(b.bytes) || b.makeRoom(n)
}

func (b *Buffer) makeRoom(n int) bool {
	b.Flush()
	return n <= cap(b.bytes)
}

// Append appends p, for which there must be room. It returns the copy, which may be changed
// until the next write.
func (b *Buffer) Append(p []byte) []byte {
	from := len(b.bytes)
	b.bytes = append(b.bytes, p...)
	return b.bytes[from:]
}

// Bytes returns the content that has not been passed on.
func (b *Buffer) Bytes() []byte { return b.bytes }

// Sent reports whether anything was passed on.
func (b *Buffer) Sent() bool { return b.sent }

// Err returns the first error of the writer that the buffer passes on to.
func (b *Buffer) Err() error { return b.err }

// Flush passes on the content. After an error it drops it.
func (b *Buffer) Flush() error {
	if b.err == nil && len(b.bytes) > 0 {
		b.sent = true
		_, b.err = b.to.Write(b.bytes)
	}
	b.bytes = b.bytes[:0]
	return b.err
}
