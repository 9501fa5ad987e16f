package index

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"math/bits"

	"golang.org/x/sync/errgroup"

	"galbuild/index/segment"
)

// Content is the input of [Write]. The order of documents and files does not matter: the
// same content gives the same bytes.
type Content struct {
	Documents []Document
	// Places are where the payloads of Documents are, in the same order.
	Places []Place
	// Chunks are in the order of First.
	Chunks []Chunk
	// Files are those outside of chunks. It is iterated at most twice. It may yield a file more
	// than once, if its content is the same each time.
	Files iter.Seq[File]
	// Pins are the ids of the documents that come first in the results of a text, by text. Ids
	// of other extensions are left out.
	Pins map[string][]string
	// Synonyms are groups of words that are found for each other.
	Synonyms [][]string
	// TempDir is a directory for temporary files.
	TempDir string
}

// Write writes an index, but not its chunks. It returns an error and writes nothing if two
// documents have the same id, a document has no place in a chunk, the chunks are out of order, two
// files have the same path and different contents, a path is one of an extension, a synonym is not
// a single word, or the text of all documents exceeds 4 GiB.
func Write(w io.Writer, c Content) error {
	all, err := rank(c.Documents)
	if err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	synonyms, err := newSynonyms(c.Synonyms)
	if err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	s := segment.NewWriter(c.TempDir)
	defer s.Close()
	var group errgroup.Group
	group.SetLimit(2) // which limits how many sections are in memory at a time
	group.Go(func() error { return writeFiles(s, c.Files) })
	group.Go(func() error { return writeChunks(s, c.Chunks, all, c.Places) })
	group.Go(func() error { writeTerms(s, all, synonyms); return nil })
	group.Go(func() error { writePins(s, all, c.Pins); return nil })
	group.Go(func() error { writeKeys(s, all); return nil })
	group.Go(func() error { return writeDocuments(s, all) })
	group.Go(func() error { writeOrders(s, all); return nil })
	group.Go(func() error { writeUse(s, all); return nil })
	if err := group.Wait(); err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	if err := compress(w, s); err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	return nil
}

// compress writes the file with these sections, compressed.
func compress(w io.Writer, s *segment.Writer) error {
	c, err := newCompressor(w)
	if err != nil {
		return err
	}
	_, err = s.WriteTo(c)
	return errors.Join(err, c.Close())
}

func writeFiles(w *segment.Writer, all iter.Seq[File]) error {
	records, types, err := encodeFiles(all, false)
	if err != nil {
		return err
	}
	w.Add("file.rec", records)
	w.Add("file.typ", types)
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
			return errors.New("the text of the documents exceeds 4 GiB")
		}
		ends = append(ends, uint32(len(text)))
		numbers = d.appendNumbers(numbers)
		popularity[i] = logEighths(d.Installs)
	}
	w.Add("doc.text", text)
	w.Add("doc.ends", segment.Bytes32(differences(ends)))
	w.Add("doc.nums", segment.Bytes64(numbers))
	w.Add("doc.pop", popularity)
	return nil
}

// logEighths returns the binary logarithm of n in eighths, interpolated linearly between
// powers of two, plus 1; at most 251, and 0 if n is not positive. It uses integers only, so
// that the result is the same on every machine.
func logEighths(n int64) uint8 {
	if n <= 0 {
		return 0
	}
	length := bits.Len64(uint64(n))
	fraction := uint64(n) << 3 >> (length - 1) & 7
	return uint8(min(8*(length-1)+int(fraction), 250) + 1)
}
