package index

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"sync"

	"galbuild/index/internal/mmap"
	"galbuild/index/segment"
)

// Index is an open index. It is safe for concurrent use. Whatever its methods return may share
// memory with the Index and the mapped chunks, and is valid until Close.
type Index struct {
	memory  *mmap.File // of segment; nil after openSegment
	segment *segment.Segment
	text    []byte
	ends    []uint32
	numbers []uint64
	popular []uint8
	keys    keys
	terms   terms
	names   fuzzyDictionary
	pins    pins
	orders  orders
	files   files // outside of chunks
	chunks  chunks
	use     []uint64 // nil if no document has any

	meanRating float64 // of the averages of all rated documents

	// Most values of Exclude and Include need no lookup: no document has the flags, or all do.
	someFlags, allFlags uint32 // flags of at least one document, and of every document

	scratch sync.Pool // of *scratch
	cache   resultCache
}

// Hit is the number of a document, valid for the Index that returned it. Documents are
// numbered by installs: the smaller the number, the more often the extension is installed.
type Hit uint32

// Section is an entry of the section table of the decompressed file.
type Section = segment.Section

// Open decompresses the file at path into memory outside of the Go heap, and checks all of it: the
// checksum, and every offset and number by which its sections refer to each other. A file that Open
// accepts never causes a panic. The error wraps [segment.ErrVersion] or [segment.ErrCorrupt] if the
// file can be read but is not a usable index. The file is not needed any more when Open has
// returned.
//
// Open does not open the chunks. Each is opened with source and checked in the same way, and its
// SHA-256 too, when it is first needed.
func Open(path string, source ChunkSource) (*Index, error) {
	f, err := mmap.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	ix, err := openMapped(f, source)
	_ = f.Close() // it was only read
	if err != nil {
		return nil, fmt.Errorf("open index %s: %w", path, err)
	}
	return ix, nil
}

func openMapped(f *mmap.File, source ChunkSource) (ix *Index, err error) {
	err = withoutFault(func() (err error) {
		ix, err = OpenBytes(f.Bytes, source)
		return err
	})
	return ix, err
}

// OpenBytes is [Open] for the bytes of a file.
func OpenBytes(b []byte, source ChunkSource) (*Index, error) {
	memory, err := decompress(b)
	if err != nil {
		return nil, err
	}
	ix, err := openSegment(memory.Bytes, source)
	if err == nil {
		ix.memory = memory
		err = memory.Seal()
	}
	if err != nil {
		_ = memory.Close() // the first error is the one to show
		return nil, err
	}
	return ix, nil
}

// openSegment opens an index that was decompressed. It replaces the differences in its sections by
// numbers, and b must not be changed afterwards.
func openSegment(b []byte, source ChunkSource) (*Index, error) {
	s, err := segment.Parse(b)
	if err != nil {
		return nil, err
	}
	ix := &Index{segment: s}
	if err := ix.openDocuments(s); err != nil {
		return nil, err
	}
	if err := ix.openUse(s); err != nil {
		return nil, err
	}
	ix.setMeanRating()
	if ix.keys, err = openKeys(s, ix.Len()); err != nil {
		return nil, err
	}
	if ix.terms, err = openTerms(s, ix.Len()); err != nil {
		return nil, err
	}
	if ix.names, err = openFuzzyDictionary(s, "nam", ix.Len()); err != nil {
		return nil, err
	}
	if ix.pins, err = openPins(s, ix.Len()); err != nil {
		return nil, err
	}
	if ix.orders, err = openOrders(s, ix.Len()); err != nil {
		return nil, err
	}
	if ix.files, err = openFiles(s); err != nil {
		return nil, err
	}
	if ix.chunks, err = openChunks(s, ix.Len(), source); err != nil {
		return nil, err
	}
	ix.scratch.New = func() any { return new(scratch) }
	return ix, nil
}

func (ix *Index) openDocuments(s *segment.Segment) error {
	var raw [4][]byte
	for i, name := range []string{"doc.text", "doc.ends", "doc.nums", "doc.pop"} {
		var err error
		if raw[i], err = s.Section(name); err != nil {
			return err
		}
	}
	ix.text, ix.ends, ix.numbers, ix.popular = raw[0], sums(segment.Uint32s(raw[1])), segment.Uint64s(raw[2]), raw[3]
	n := len(ix.ends)
	if !endsAt(ix.ends, len(ix.text)) || len(ix.numbers) != recordWords*n || len(ix.popular) != n {
		return fmt.Errorf("%w: sections %q have inconsistent sizes", segment.ErrCorrupt, "doc")
	}
	ix.allFlags = ^uint32(0)
	for i := range n {
		flags := uint32(ix.record(i)[recordWords-1])
		ix.someFlags |= flags
		ix.allFlags &= flags
	}
	return nil
}

// Close releases the memory of the index and unmaps the chunks. Nothing that the Index returned may
// be used afterwards.
func (ix *Index) Close() error {
	err := ix.chunks.close()
	if ix.memory != nil {
		err = errors.Join(err, ix.memory.Close())
	}
	return err
}

// Len returns the number of documents.
func (ix *Index) Len() int { return len(ix.ends) }

// Find returns the document with this id, publisher.name without regard to case.
func (ix *Index) Find(id string) (Hit, bool) {
	list := ix.keys.find(keyID, id)
	if len(list) == 0 {
		return 0, false
	}
	return Hit(list[0]), true
}

// Payload returns a payload of the document as it was written. It does not allocate, unless it
// opens the chunk. The error is a [*ChunkError].
func (ix *Index) Payload(h Hit, v Variant) (Payload, error) { return ix.chunks.payload(int(h), v) }

// Statistics returns the installs, the average rating and the number of ratings of the document. It
// does not allocate.
func (ix *Index) Statistics(h Hit) (installs int64, rating float64, ratings int64) {
	n := ix.record(int(h))
	return int64(n[0]), math.Float64frombits(n[1]), int64(n[2])
}

// Documents yields every document as it was written, the most installed first.
func (ix *Index) Documents() iter.Seq2[Hit, Document] {
	return func(yield func(Hit, Document) bool) {
		for i := range ix.Len() {
			d := ix.documentStrings(i)
			d.setNumbers(ix.record(i))
			d.Use = ix.Use(Hit(i))
			if !yield(Hit(i), d) {
				return
			}
		}
	}
}

// documentStrings returns document i with its strings and lists, but without its numbers.
func (ix *Index) documentStrings(i int) Document {
	var d Document
	d.setText(ix.textOf(i))
	return d
}

// textOf returns the encoded strings of document i, see appendText.
func (ix *Index) textOf(i int) []byte {
	from := uint32(0)
	if i > 0 {
		from = ix.ends[i-1]
	}
	return ix.text[from:ix.ends[i]]
}

// record returns the numbers of document i, see appendNumbers.
func (ix *Index) record(i int) []uint64 {
	return ix.numbers[recordWords*i:][:recordWords]
}

// Sections returns the section table of the decompressed file, sorted by name.
func (ix *Index) Sections() []Section { return ix.segment.Sections() }

// Stats are the sizes of an index.
type Stats struct {
	Documents int `json:"documents"`
	Keys      int `json:"keys"` // distinct values of exact criteria
	Terms     int `json:"terms"`
	Names     int `json:"names"`
	Postings  int `json:"postings"` // entries in the document lists of all terms
	Files     int `json:"files"`
	Chunks    int `json:"chunks"`
	// ChunkBytes is the size of all chunks. Indexes of the same site share most of them.
	ChunkBytes int64 `json:"chunkBytes"`
}

// Stats returns the sizes of the index. It opens no chunks.
func (ix *Index) Stats() Stats {
	s := Stats{
		Documents: ix.Len(), Keys: ix.keys.len(), Terms: ix.terms.len(), Names: ix.names.len(),
		Postings: len(ix.terms.docs), Files: ix.files.len(), Chunks: len(ix.chunks.all),
	}
	for _, c := range ix.chunks.all {
		s.Files += c.Files
		s.ChunkBytes += c.Size
	}
	return s
}
