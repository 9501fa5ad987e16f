package index

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sort"
	"sync"
	"sync/atomic"

	"galbuild/index/internal/mmap"
	"galbuild/index/segment"
)

// A ChunkSource opens the file of a chunk, and returns its bytes. They are valid until the closer
// is closed. An index calls it from several goroutines at a time, but not for the same chunk. The
// error wraps [ErrNotDownloaded] if the user of the index can download the file and then try again.
type ChunkSource func(c Chunk) ([]byte, io.Closer, error)

// ErrNotDownloaded is wrapped by the errors of a [ChunkSource] whose files are downloaded when they
// are needed.
var ErrNotDownloaded = errors.New("not downloaded yet")

// ChunksIn returns a source of chunks in a folder.
func ChunksIn(folder string) ChunkSource {
	return ChunkFiles(func(c Chunk) (string, error) { return filepath.Join(folder, filepath.FromSlash(c.Name())), nil })
}

// ChunkFiles returns a source of chunks whose files locate returns.
func ChunkFiles(locate func(c Chunk) (file string, err error)) ChunkSource {
	return func(c Chunk) ([]byte, io.Closer, error) {
		file, err := locate(c)
		if err != nil {
			return nil, nil, err
		}
		f, err := mmap.Open(file)
		if err != nil {
			return nil, nil, err
		}
		return f.Bytes, f, nil
	}
}

// chunks are the chunks of an index. A chunk is opened when it is first needed, and stays open.
type chunks struct {
	all    []Chunk
	places []uint32 // number of the chunk and position of each document, see Place
	source ChunkSource
	slots  []chunkSlot // of all
}

type chunkSlot struct {
	open   atomic.Pointer[openChunk]
	mutex  sync.Mutex // held while the chunk is opened
	closer io.Closer
}

// A ChunkError is the error of a chunk that cannot be opened or is damaged.
type ChunkError struct {
	Chunk Chunk
	Err   error
}

// Error implements error.
func (e *ChunkError) Error() string { return fmt.Sprintf("chunk %s: %v", e.Chunk.Name(), e.Err) }

// Unwrap returns the reason.
func (e *ChunkError) Unwrap() error { return e.Err }

// get returns the chunk with this number, and opens it if it is not open. A chunk that could not be
// opened is tried again.
func (c *chunks) get(number int) (*openChunk, error) {
	if chunk := c.slots[number].open.Load(); chunk != nil {
		return chunk, nil
	}
	return c.open(number)
}

func (c *chunks) open(number int) (*openChunk, error) {
	slot := &c.slots[number]
	slot.mutex.Lock()
	defer slot.mutex.Unlock()
	if chunk := slot.open.Load(); chunk != nil { // another goroutine was faster
		return chunk, nil
	}
	chunk, closer, err := openChunkFile(&c.all[number], c.source)
	if err != nil {
		return nil, &ChunkError{c.all[number], err}
	}
	slot.closer = closer
	slot.open.Store(chunk)
	return chunk, nil
}

// openChunkFile opens a chunk. Its file may be truncated while it is being checked.
func openChunkFile(c *Chunk, source ChunkSource) (*openChunk, io.Closer, error) {
	b, closer, err := source(*c)
	if err != nil {
		return nil, nil, err
	}
	var chunk *openChunk
	err = withoutFault(func() (err error) {
		chunk, err = parseChunk(b, c)
		return err
	})
	if err != nil {
		_ = closer.Close() // the first error is the one to show
		return nil, nil, err
	}
	return chunk, closer, nil
}

// payload returns a payload of a document.
func (c *chunks) payload(document int, v Variant) (Payload, error) {
	chunk, err := c.get(int(c.places[2*document]))
	if err != nil {
		return Payload{}, err
	}
	return chunk.payloads.get(int(c.places[2*document+1]), v), nil
}

// of returns the number of the chunk that has the file with this path, if it is in a chunk.
func (c *chunks) of(path string) (number int, ok bool) {
	var buf [128]byte
	key, ok := appendPathKey(buf[:0], path)
	if !ok || len(c.all) == 0 {
		return 0, false
	}
	// The first chunk begins with "", so the result is not negative.
	return sort.Search(len(c.all), func(i int) bool { return c.all[i].First > string(key) }) - 1, true
}

// close closes all chunks that are open.
func (c *chunks) close() error {
	var errs []error
	for i := range c.slots {
		if slot := &c.slots[i]; slot.open.Swap(nil) != nil {
			errs = append(errs, slot.closer.Close())
		}
	}
	return errors.Join(errs...)
}

// Chunks returns the chunks of the index, in the order of their keys.
func (ix *Index) Chunks() []Chunk { return ix.chunks.all }

// ChunkOf returns the number of the chunk with the payloads of a document.
func (ix *Index) ChunkOf(h Hit) int { return int(ix.chunks.places[2*h]) }

// CheckChunk opens a chunk, by its number, unless it is open. The error is a [*ChunkError].
func (ix *Index) CheckChunk(number int) error {
	_, err := ix.chunks.get(number)
	return err
}

// chunkRecordSize is the size of a record of section chk.rec, in bytes.
const chunkRecordSize = sha256.Size + 16

func writeChunks(w *segment.Writer, all []Chunk, sorted []ranked, places []Place) error {
	if err := checkChunks(all); err != nil {
		return err
	}
	if len(places) != len(sorted) {
		return fmt.Errorf("%d documents have %d places in chunks", len(sorted), len(places))
	}
	var text, records []byte
	var ends []uint32
	for _, c := range all {
		text = append(text, c.First...)
		ends = append(ends, uint32(len(text)))
		records = append(records, c.SHA256[:]...)
		records = binary.LittleEndian.AppendUint64(records, uint64(c.Size))
		records = binary.LittleEndian.AppendUint32(records, uint32(c.Documents))
		records = binary.LittleEndian.AppendUint32(records, uint32(c.Files))
	}
	var rows []uint32
	for _, d := range sorted {
		p := places[d.inputIndex]
		if !inChunk(all, p.Chunk, p.Position) {
			return fmt.Errorf("%q has no place in a chunk", d.ID)
		}
		rows = append(rows, p.Chunk, p.Position)
	}
	w.Add("chk.text", text)
	w.Add("chk.ends", segment.Bytes32(differences(ends)))
	w.Add("chk.rec", records)
	w.Add("doc.chk", segment.Bytes32(rows))
	return nil
}

// checkOrder returns an error unless the chunks are in the order of their first keys, and the first
// one begins with "".
func checkOrder(all []Chunk) error {
	for i, c := range all {
		if i == 0 && c.First != "" {
			return fmt.Errorf("the first chunk begins at %q, want %q", c.First, "")
		}
		if i > 0 && c.First <= all[i-1].First {
			return fmt.Errorf("chunk %d begins at %q, not after %q", i, c.First, all[i-1].First)
		}
	}
	return nil
}

// checkChunks is checkOrder, and returns an error for chunks that exceed a limit, or that cannot
// have what their descriptions state.
func checkChunks(all []Chunk) error {
	if err := checkCount(len(all)); err != nil {
		return err
	}
	total := int64(0)
	for i, c := range all {
		if c.Size < 0 || c.Size > MaxChunkSize {
			return fmt.Errorf("chunk %d has %d bytes, want 0 to %d", i, c.Size, int64(MaxChunkSize))
		}
		if min(c.Documents, c.Files) < 0 || int64(c.Documents) > c.Size/documentSize || int64(c.Files) > c.Size/fileRecordSize {
			return fmt.Errorf("chunk %d has %d documents and %d files in %d bytes", i, c.Documents, c.Files, c.Size)
		}
		if total += c.Size; total > MaxChunksSize {
			return fmt.Errorf("the chunks have more than %d bytes, the limit", int64(MaxChunksSize))
		}
	}
	return checkOrder(all)
}

// documentSize is how many bytes a document has in a chunk, beside its payloads.
const documentSize = int64(numPayloads) * payloadRow * 8

func checkCount(chunks int) error {
	if chunks > MaxChunks {
		return fmt.Errorf("%d chunks, more than the limit of %d", chunks, MaxChunks)
	}
	return nil
}

// inChunk reports whether there is a chunk with this number, and a document at this position.
func inChunk(all []Chunk, number, position uint32) bool {
	return uint64(number) < uint64(len(all)) && int64(position) < int64(all[number].Documents)
}

func openChunks(s *segment.Segment, documents int, source ChunkSource) (chunks, error) {
	var raw [4][]byte
	for i, name := range []string{"chk.text", "chk.ends", "chk.rec", "doc.chk"} {
		var err error
		if raw[i], err = s.Section(name); err != nil {
			return chunks{}, err
		}
	}
	text, ends, records, places := raw[0], sums(segment.Uint32s(raw[1])), raw[2], segment.Uint32s(raw[3])
	if !endsAt(ends, len(text)) || len(records) != chunkRecordSize*len(ends) || len(places) != 2*documents {
		return chunks{}, fmt.Errorf("%w: sections %q have inconsistent sizes", segment.ErrCorrupt, "chk")
	}
	if err := checkCount(len(ends)); err != nil {
		return chunks{}, fmt.Errorf("%w: section %q: %w", segment.ErrCorrupt, "chk.ends", err)
	}
	all := make([]Chunk, len(ends))
	from := uint32(0)
	for i, end := range ends {
		all[i] = decodeChunk(records[chunkRecordSize*i:])
		all[i].First = string(text[from:end])
		from = end
	}
	if err := checkChunks(all); err != nil {
		return chunks{}, fmt.Errorf("%w: sections %q: %w", segment.ErrCorrupt, "chk", err)
	}
	for i := range documents {
		if !inChunk(all, places[2*i], places[2*i+1]) {
			return chunks{}, fmt.Errorf("%w: section %q: document %d is not in a chunk", segment.ErrCorrupt, "doc.chk", i)
		}
	}
	return chunks{all: all, places: places, source: source, slots: make([]chunkSlot, len(all))}, nil
}

// decodeChunk decodes a record of section chk.rec.
func decodeChunk(record []byte) (c Chunk) {
	rest := record[copy(c.SHA256[:], record):]
	c.Size = int64(binary.LittleEndian.Uint64(rest))
	c.Documents = int(binary.LittleEndian.Uint32(rest[8:]))
	c.Files = int(binary.LittleEndian.Uint32(rest[12:]))
	return c
}
