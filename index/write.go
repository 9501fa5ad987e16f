package index

import (
	"fmt"
	"io"
	"math"
	"math/bits"

	"galbuild/index/segment"
)

// Write writes an index of docs and files. Their order does not matter: the
// same documents and files give the same bytes. Nothing is written if two
// documents have the same id, two files the same path and different contents, a
// payload has holes outside its JSON, or the text exceeds 4 GiB.
func Write(w io.Writer, docs []Document, files []File) error {
	all, err := rank(docs)
	if err != nil {
		return err
	}
	var s segment.Writer
	if err := writeDocuments(&s, all); err != nil {
		return err
	}
	if err := writePayloads(&s, all); err != nil {
		return err
	}
	if err := writeFiles(&s, files); err != nil {
		return err
	}
	writeKeys(&s, all)
	writeTerms(&s, all)
	writeOrders(&s, all)
	if _, err := s.WriteTo(w); err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	return nil
}

func writeDocuments(w *segment.Writer, all []ranked) error {
	var text []byte
	var ends []uint32
	var numbers []uint64
	popularity := make([]byte, len(all))
	for i, d := range all {
		text = d.appendText(text)
		if uint64(len(text)) > math.MaxUint32 {
			return fmt.Errorf("write index: the text of the documents exceeds 4 GiB")
		}
		ends = append(ends, uint32(len(text)))
		numbers = d.appendNumbers(numbers)
		popularity[i] = logEighths(d.Installs)
	}
	w.Add("doc.text", text)
	w.Add("doc.ends", segment.Bytes32(ends))
	w.Add("doc.nums", segment.Bytes64(numbers))
	w.Add("doc.pop", popularity)
	return nil
}

// logEighths returns the binary logarithm of n in eighths, between two powers
// linearly; 0 for nothing, at most 251. Whole numbers make every machine agree.
func logEighths(n int64) uint8 {
	if n <= 0 {
		return 0
	}
	length := bits.Len64(uint64(n))
	fraction := uint64(n) << 3 >> (length - 1) & 7
	return uint8(min(8*(length-1)+int(fraction), 250) + 1)
}

func writeKeys(w *segment.Writer, all []ranked) {
	l := newLister()
	var key []byte
	for i, d := range all {
		d.eachKey(func(kind byte, value string) {
			key = appendKey(key[:0], kind, value)
			l.add(string(key), uint32(i), 0)
		})
	}
	sorted := l.write(w, "key", false)
	w.Add("key.hash", segment.Bytes32(slotsFor(sorted)))
}

func writeTerms(w *segment.Writer, all []ranked) {
	terms, names := newLister(), newLister()
	var weigher weigher
	for i, d := range all {
		for term, weight := range weigher.weigh(d.Document) {
			terms.add(term, uint32(i), weight.weight())
		}
		d.wholeNames(func(name string) { names.add(name, uint32(i), 0) })
	}
	terms.write(w, "trm", true)
	names.write(w, "nam", false)
}
