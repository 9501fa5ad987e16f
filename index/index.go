// Package index answers questions about extensions from one immutable file.
//
// It knows documents: keys to match, numbers to sort by, text to search, and
// payloads to return as they were given. [Write] makes the file, [Open] maps it,
// [Index.Search] answers a [query.Filter]. It knows nothing of packages and HTTP.
//
// # What matches
//
// Criteria of one type are alternatives, different types must all hold; ids and
// names are one type. All comparisons are as by strings.EqualFold, with space
// around values ignored. The category "Languages" is "Programming Languages". A
// target that begins with Microsoft.VisualStudio.Code fits every document, a
// platform those built for it or for "universal", any other none. Exclude drops
// documents with any of its flags, Include those that lack one.
//
// # Text
//
// A text is split into words: runs of letters and digits with the + and # behind
// them; accents, widths and case do not matter. A document matches if each word
// is one of its terms, or, for the last word, which is still being typed, the
// beginning of one. Its terms are the words of title, name, publisher, publisher's
// title, tags, categories, description and contributed texts, the humps of words in
// CamelCase, and two neighbouring words joined (not in the last three). Tags that editors
// hide, those that begin with an underscore, are not text, because packagers write them for
// programs: a language pack has thousands. Only of __ext_tsx, which names a type of file,
// "tsx" is text. As criteria, all tags are found as they are. Chinese,
// Japanese, Korean and Thai runs match by any part. A document also matches if the
// whole text, squeezed, begins its squeezed title, name or id: "liveserv" finds
// "Live Server". So do two words the other way round: "serv live". publisher:x and
// "phrases" restrict and are never relaxed: the words of a phrase must be terms of the
// document as they are, and stand side by side in one field. A text of nothing but
// quotation marks is no text yet. Package query makes criteria of the operators of editors,
// such as @tag:x. The words of any other one, such as @x or @x:y, add to the points of the
// documents that have them, but need not match if the text has anything else.
//
// A document that falls short is found by three concessions, each tried if those
// before found nothing; the first is also tried if they found fewer than five
// documents, none by its exact name of more than one word:
//
//  1. Words whose most frequent term has fewer than five documents may be
//     misspelt: one letter wrong in words of five letters or more, two from nine,
//     counting the longer of the word typed and the word meant. So may the whole.
//  2. Every word may be misspelt.
//  3. Not all words need match, but as many as in any document.
//
// The order is that of the id typed in full, then of a title or name typed word by
// word, then of one typed in full without the spaces between its words, then of points: for every word the best of its terms, weight of the field ×
// likeness to the word × rarity of the word; points for how much of a squeezed
// title, name or id the text is; all of it multiplied by 1 to 4.9 for popularity.
// Ties are broken by installs, then id. Everything is computed in whole numbers:
// machines agree.
//
// What a text was found to mean is remembered for the next who asks (see memo.go):
// the few letters everybody begins with match the most documents.
//
// # Work
//
// The cost of a request is limited, so that it cannot keep others waiting. Package query
// limits how much of it is read. A text is searched with at most 16 different words,
// phrases and publishers, and all texts of a filter together with 16 words; at most 1,000
// bytes of a text remain after accents, ligatures and widths are removed. [Work] then
// counts steps, which are entries of lists and of the dictionary, not time. So the same
// request with the same index always has the same results, whatever is cached and however
// busy the machine is.
//
// A search without enough steps for a part of its work leaves that part out. Its results
// are still correct for the part that was searched:
//
//   - Exact criteria whose lists are too long find nothing.
//   - A word with too many terms counts as unknown, and a term with too many documents as
//     not found. No more words are corrected. Other relaxations remain.
//   - Phrases of several words are searched for in the best documents, as many as the
//     steps allow; no others are found.
//   - If there are too many results to sort, a page is in the order of popularity.
//
// One search has 200,000 steps, or 20 for each document if that is more, and 500 for each
// byte of its texts and 100 for each id or name. All searches of a request together have
// 3,000,000, or as many as two searches of a large gallery. That takes 1 ms and 15 ms on
// one core of a 2020s server. Queries of editors take at most 80,000 steps in a gallery of
// 10,000 extensions. Searches also end, within some thousand steps, when the client has
// gone.
//
// # Order
//
// Documents are numbered by installs, descending, then by folded id. A list in
// the file is thereby in the order asked for most. The other orders are kept in
// the file, both ways; ties are by folded id, ascending. WeightedRating of r
// ratings that average a is (r·a + 20·c) / (r + 20), with c the mean average of
// the rated documents. Relevance without a text is popularity.
//
// # Sections
//
// The file is that of package segment. Its sections hold, for n documents, with
// u8, u32, u64 little-endian and i64 in two's complement:
//
//	doc.text  strings of each document: id, uuid, name, publisher, publisher's title,
//	          title, description, each behind its length; categories, tags, platforms,
//	          contributed texts, each list behind its count; lengths and counts are
//	          varints. The first files lack the last list
//	doc.ends  n u32: where each document ends in doc.text
//	doc.nums  6n u64: installs, rating (IEEE 754), ratings, updated, released
//	          (i64, Unix seconds), flags with featured as bit 32
//	doc.pop   n u8: binary logarithm of installs in eighths, plus 1; 0 for none
//	pay.json  the payloads: of each document the first variant, then the second if
//	          it differs
//	pay.hole  u32: offsets of holes, each within its payload
//	pay.rows  8n u64: for each document and variant, begin and end in pay.json, begin
//	          and end in pay.hole, the latter counted in holes
//	pay.pack  the payloads' packed forms, in the same order
//	pay.part  4n u64: for each document and variant, begin and end in pay.pack
//	order     14 rows of n u32: updated, title, publisher, installs, average rating,
//	          released, weighted rating, each ascending, then descending
//	file.rec  64 bytes per file, sorted: first 16 of the SHA-256 of its path, SHA-256 of
//	          its bytes, u64 size, u32 media type, u32 zero
//	file.typ  the media types, sorted, each behind its length, a varint
//
// and three dictionaries, key for exact criteria, trm for words, nam for whole
// names, each of four sections:
//
//	….text    the strings, sorted by bytes, one after the other
//	….ends    u32: where each ends
//	….list    u32: where the list of each ends in ….docs, counted in documents
//	….docs    u32: numbers of documents, ascending in each list
//
// and four sections more:
//
//	key.hash  u32: a hash table with linear probing, a power of two of slots; 1 + number
//	          of a key, or 0. The hash is FNV-1a 64, its halves XORed
//	trm.wght  u8 beside trm.docs: how much the term means to the document
//	trm.near  66 u32: where the terms of 0, 1, … 64 letters start among the u64 that
//	nam.near  follow, and their end. A u64 is the number of a term, or name, and below
//	          it, in 32 bits, its signature (see fuzzy.go); ascending for each length
//
// The last two were added after the first files were written; a reader makes up for
// them.
//
// A key is a letter for its kind (see key.go) and the folded value. The first files
// lack pay.pack and pay.part; what they hold is then nothing.
//
// An index of 18,600 extensions has, in bytes per document: payloads 6,000 and
// their rows and holes 131, doc 324, key 285, trm 145, nam 59, order 56. It opens
// in 12 ms (checksum included) on one core of a 2020s server.
//
// # Why not …
//
// An FST (vellum) takes 0.6 of the bytes of a sorted list of strings, in a file that
// is all but payloads, and 4 to 40 times as long to look something up. And it trusts
// its bytes: a damaged one panics or answers wrongly, and what is checked at opening
// here cannot be checked there. Compressed bitmaps (roaring) pay off for long lists;
// ours hold eight documents on average, carry weights, and are read where they lie.
package index

import (
	"fmt"
	"iter"
	"sync"

	"galbuild/index/internal/mmap"
	"galbuild/index/segment"
)

// Index is an open index. It is safe for concurrent use; everything it returns
// aliases the mapped file and is valid until Close.
type Index struct {
	file     *mmap.File // nil if the bytes are the caller's
	segment  *segment.Segment
	text     []byte
	ends     []uint32
	numbers  []uint64
	popular  []uint8
	keys     keys
	terms    terms
	names    lexicon
	orders   orders
	payloads payloads
	files    files

	// Exclude and Include are asked with every query and mostly decide nothing.
	someFlags, allFlags uint32 // flags that any document has, that all have

	scratch sync.Pool // of *scratch
	memo    memo
}

// Hit is the number of a document, valid for the Index that returned it. The
// more often an extension is installed, the smaller its number.
type Hit uint32

// Section is a part of the file, for those who look into it.
type Section = segment.Section

// Open maps the file at path and checks all of it: the checksum, and every
// offset and number by which the parts refer to each other. A file that Open
// accepted is never the cause of a panic. The error wraps segment.ErrVersion or
// segment.ErrCorrupt if the file is readable but not usable.
func Open(path string) (*Index, error) {
	f, err := mmap.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	ix, err := openMapped(f)
	if err != nil {
		return nil, fmt.Errorf("open index %s: %w", path, closing(f, err))
	}
	ix.file = f
	return ix, nil
}

func closing(f *mmap.File, err error) error {
	_ = f.Close() // the first error is the one to show
	return err
}

// OpenBytes opens an index in memory. b must not change as long as the Index is
// used.
func OpenBytes(b []byte) (*Index, error) { return openBytes(b, nil) }

// openBytes tells rest of what will hardly be looked at again soon: of all the payloads
// the checksum goes over, few will be asked for.
func openBytes(b []byte, rest func(from, to int)) (*Index, error) {
	s, err := segment.Parse(b, rest)
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
	if ix.names, err = openLexicon(s, "nam", ix.Len()); err != nil {
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
	if !reaches(ix.ends, len(ix.text)) || len(ix.numbers) != recordWords*n || len(ix.popular) != n {
		return fmt.Errorf("%w: sections %q do not fit each other", segment.ErrCorrupt, "doc")
	}
	ix.allFlags = ^uint32(0)
	for i := range n {
		flags := uint32(ix.record(i)[recordWords-1])
		ix.someFlags |= flags
		ix.allFlags &= flags
	}
	return nil
}

// Close unmaps the file. Nothing that the Index returned may be used after it.
func (ix *Index) Close() error {
	if ix.file == nil {
		return nil
	}
	return ix.file.Close()
}

// Len returns the number of documents.
func (ix *Index) Len() int { return len(ix.ends) }

// Find returns the document with this id, publisher.name in any case.
func (ix *Index) Find(id string) (Hit, bool) {
	list := ix.keys.find(keyID, id)
	if len(list) == 0 {
		return 0, false
	}
	return Hit(list[0]), true
}

// Payload returns what was given for the document. It does not allocate.
func (ix *Index) Payload(h Hit, v Variant) Payload {
	return ix.payloads.get(int(h), v)
}

// File returns the file served at path, which is compared exactly.
func (ix *Index) File(path string) (File, bool) { return ix.files.find(path) }

// Documents yields every document, the most popular first, as they were given.
func (ix *Index) Documents() iter.Seq2[Hit, Document] {
	return func(yield func(Hit, Document) bool) {
		for i := range ix.Len() {
			d := ix.described(i)
			d.setNumbers(ix.record(i))
			if !yield(Hit(i), d) {
				return
			}
		}
	}
}

// described returns document i with its strings only.
func (ix *Index) described(i int) Document {
	var d Document
	d.setText(ix.textOf(i))
	return d
}

func (ix *Index) textOf(i int) []byte {
	from := uint32(0)
	if i > 0 {
		from = ix.ends[i-1]
	}
	return ix.text[from:ix.ends[i]]
}

func (ix *Index) record(i int) []uint64 {
	return ix.numbers[recordWords*i:][:recordWords]
}

// Sections returns the file's table of sections.
func (ix *Index) Sections() []Section { return ix.segment.Sections() }

// Stats counts what an index holds.
type Stats struct {
	Documents int `json:"documents"`
	Keys      int `json:"keys"` // values of exact criteria
	Terms     int `json:"terms"`
	Names     int `json:"names"`
	Postings  int `json:"postings"` // documents in the lists of all terms
	Files     int `json:"files"`
}

// Stats returns the counts.
func (ix *Index) Stats() Stats {
	return Stats{
		Documents: ix.Len(), Keys: ix.keys.len(), Terms: ix.terms.len(), Names: ix.names.len(),
		Postings: len(ix.terms.docs), Files: ix.files.len(),
	}
}
