package index

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"galbuild/index/segment"
)

// A Chunk describes a chunk: a file with the payloads and the files of extensions whose keys are
// neighbours. The file is named by its content and never changes, so several indexes can share it.
type Chunk struct {
	First     string // the key from which on extensions are in this chunk; "" for the first chunk
	SHA256    [32]byte
	Size      int64 // in bytes
	Documents int
	Files     int
}

// Limits of the chunks of an index. Package build/catalog has the same. Each open chunk is a
// mapping, and a process on Linux may have 65,530 of them.
const (
	MaxChunks     = 20_000   // about 600,000 extensions have as many
	MaxChunkSize  = 1 << 30  // bytes
	MaxChunksSize = 64 << 30 // bytes of all chunks together
)

// Name returns the name of the chunk's file: its SHA-256 in hexadecimal digits, below a folder with
// the first two of them.
func (c *Chunk) Name() string {
	digits := hex.EncodeToString(c.SHA256[:])
	return digits[:2] + "/" + digits + ".idx"
}

// ChunkContent is the content of a chunk.
type ChunkContent struct {
	Payloads []Payloads // see Place
	Files    []File     // in any order; a file may be there more than once
}

// A Place is where the payloads of a document are: Payloads[Position] of the chunk with this
// number.
type Place struct{ Chunk, Position uint32 }

// EncodeChunk returns the file of a chunk, and its description without First. It returns an error
// if the placeholders of a payload are invalid, two files have the same path and different
// contents, or a path is not one of an extension, see "Chunks" in the package comment. The same
// content gives the same bytes.
func EncodeChunk(content ChunkContent) ([]byte, Chunk, error) {
	b, c, err := encodeChunk(content)
	if err != nil {
		return nil, Chunk{}, fmt.Errorf("write chunk: %w", err)
	}
	return b, c, nil
}

func encodeChunk(content ChunkContent) ([]byte, Chunk, error) {
	parts, err := encodePayloads(content.Payloads)
	if err != nil {
		return nil, Chunk{}, err
	}
	records, types, err := encodeFiles(slices.Values(content.Files), true)
	if err != nil {
		return nil, Chunk{}, err
	}
	b, err := segment.Encode(append(parts, segment.Part{Tag: "file.rec", Bytes: records}, segment.Part{Tag: "file.typ", Bytes: types})...)
	return b, Chunk{
		SHA256: sha256.Sum256(b), Size: int64(len(b)),
		Documents: len(content.Payloads), Files: len(records) / fileRecordSize,
	}, err
}

// An openChunk is the content of a chunk's file.
type openChunk struct {
	bytes    []byte
	payloads payloads
	files    files
}

// parseChunk checks the bytes of a chunk: its hash, and every offset and number by which its
// sections refer to each other.
func parseChunk(b []byte, want *Chunk) (*openChunk, error) {
	if int64(len(b)) != want.Size {
		return nil, fmt.Errorf("%w: %d bytes, want %d", segment.ErrCorrupt, len(b), want.Size)
	}
	if got := sha256.Sum256(b); got != want.SHA256 {
		return nil, fmt.Errorf("%w: SHA-256 is %x", segment.ErrCorrupt, got)
	}
	s, err := segment.Parse(b)
	if err != nil {
		return nil, err
	}
	c := &openChunk{bytes: b}
	if c.payloads, err = openPayloads(s, want.Documents); err != nil {
		return nil, err
	}
	if c.files, err = openFiles(s); err != nil {
		return nil, err
	}
	if n := c.files.len(); n != want.Files {
		return nil, fmt.Errorf("%w: section %q has %d records, want %d", segment.ErrCorrupt, "file.rec", n, want.Files)
	}
	return c, nil
}

// isChunkPath reports whether a file with this path is in a chunk.
func isChunkPath(path string) bool {
	var buf [128]byte
	_, ok := appendPathKey(buf[:0], path)
	return ok
}

// appendPathKey appends the key of the extension to which a path belongs. It returns false if the
// path is not one of an extension, see "Chunks" in the package comment.
func appendPathKey(dst []byte, path string) ([]byte, bool) {
	_, rest, _ := strings.Cut(path, "/")
	publisher, rest, _ := strings.Cut(rest, "/")
	name, _, ok := strings.Cut(rest, "/")
	if !ok {
		return dst, false
	}
	return append(append(append(dst, publisher...), '.'), name...), true
}
