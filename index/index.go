package index

import (
	"fmt"
	"iter"
	"sync"

	"galbuild/index/internal/mmap"
	"galbuild/index/segment"
)

// Index is an open index. It is safe for concurrent use. Whatever its methods return may
// share memory with the mapped file and is valid until Close.
type Index struct {
	file     *mmap.File // nil after OpenBytes
	segment  *segment.Segment
	text     []byte
	ends     []uint32
	numbers  []uint64
	popular  []uint8
	keys     keys
	terms    terms
	names    fuzzyDictionary
	pins     pins
	orders   orders
	payloads payloads
	files    files

	// Most values of Exclude and Include need no lookup: no document has the flags, or all do.
	someFlags, allFlags uint32 // flags of at least one document, and of every document

	scratch sync.Pool // of *scratch
	cache   resultCache
}

// Hit is the number of a document, valid for the Index that returned it. Documents are
// numbered by installs: the smaller the number, the more often the extension is installed.
type Hit uint32

// Section is an entry of the file's section table.
type Section = segment.Section

// Open maps the file at path and checks all of it: the checksum, and every offset and
// number by which its sections refer to each other. A file that Open accepts never causes a
// panic. The error wraps [segment.ErrVersion] or [segment.ErrCorrupt] if the file can be
// read but is not a usable index.
func Open(path string) (*Index, error) {
	f, err := mmap.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	ix, err := openMapped(f)
	if err != nil {
		return nil, fmt.Errorf("open index %s: %w", path, closeOnError(f, err))
	}
	ix.file = f
	return ix, nil
}

func closeOnError(f *mmap.File, err error) error {
	_ = f.Close() // the first error is the one to show
	return err
}

// OpenBytes opens an index in memory, with the checks of [Open]. b must not change while
// the Index is in use.
func OpenBytes(b []byte) (*Index, error) { return openBytes(b, nil) }

// openBytes calls release, unless it is nil, with each range of b whose checksum has been
// computed. Most of those bytes are payloads and will not be read again soon, so the memory
// that they occupy can be given back.
func openBytes(b []byte, release func(from, to int)) (*Index, error) {
	s, err := segment.Parse(b, release)
	if err != nil {
		return nil, err
	}
	ix := &Index{segment: s}
	if err := ix.openDocuments(s); err != nil {
		return nil, err
	}
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
	if ix.payloads, err = openPayloads(s, ix.Len()); err != nil {
		return nil, err
	}
	if ix.files, err = openFiles(s); err != nil {
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
	ix.text, ix.ends, ix.numbers, ix.popular = raw[0], segment.Uint32s(raw[1]), segment.Uint64s(raw[2]), raw[3]
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

// Close unmaps the file. Nothing that the Index returned may be used afterwards.
func (ix *Index) Close() error {
	if ix.file == nil {
		return nil
	}
	return ix.file.Close()
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

// Payload returns a payload of the document as it was written. It does not allocate.
func (ix *Index) Payload(h Hit, v Variant) Payload {
	return ix.payloads.get(int(h), v)
}

// File returns the file served at path, which is compared byte by byte.
func (ix *Index) File(path string) (File, bool) { return ix.files.find(path) }

// Documents yields every document as it was written, the most installed first.
func (ix *Index) Documents() iter.Seq2[Hit, Document] {
	return func(yield func(Hit, Document) bool) {
		for i := range ix.Len() {
			d := ix.documentStrings(i)
			d.setNumbers(ix.record(i))
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

// Sections returns the file's section table, sorted by name.
func (ix *Index) Sections() []Section { return ix.segment.Sections() }

// Stats are the sizes of an index.
type Stats struct {
	Documents int `json:"documents"`
	Keys      int `json:"keys"` // distinct values of exact criteria
	Terms     int `json:"terms"`
	Names     int `json:"names"`
	Postings  int `json:"postings"` // entries in the document lists of all terms
	Files     int `json:"files"`
}

// Stats returns the sizes of the index.
func (ix *Index) Stats() Stats {
	return Stats{
		Documents: ix.Len(), Keys: ix.keys.len(), Terms: ix.terms.len(), Names: ix.names.len(),
		Postings: len(ix.terms.docs), Files: ix.files.len(),
	}
}
