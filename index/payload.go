package index

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"galbuild/index/segment"
)

// Payload is the JSON of an extension with placeholders for the base URL of the gallery.
// Placeholders are ascending offsets into JSON, which may repeat. Deflated is the same
// content compressed, or empty. The index stores both as they are; their encoding is
// defined by the caller.
type Payload struct {
	JSON         []byte
	Placeholders []uint32
	Deflated     []byte
}

// Variant selects a payload of a document.
type Variant int

// The variants of a document's payload.
const (
	Latest Variant = iota // newest release and newest pre-release, for every platform
	All                   // every version
	numPayloads
)

// Payloads are the payloads of one document, by Variant.
type Payloads [numPayloads]Payload

// payloads are the payloads of all documents. For each document and variant there is a row
// of four numbers, the begin and end of its JSON and of its placeholders, and a row of two
// numbers, the begin and end of its deflated form.
type payloads struct {
	json         []byte
	placeholders []uint32
	rows         []uint64
	deflated     []byte
	deflatedRows []uint64 // nil if the file has no deflated forms
}

const (
	payloadRow  = 4
	deflatedRow = 2
)

func (p *payloads) get(document int, v Variant) Payload {
	n := document*int(numPayloads) + int(v)
	row := p.rows[payloadRow*n:]
	found := Payload{
		JSON:         p.json[row[0]:row[1]:row[1]],
		Placeholders: p.placeholders[row[2]:row[3]:row[3]],
	}
	if p.deflatedRows != nil {
		part := p.deflatedRows[deflatedRow*n:]
		found.Deflated = p.deflated[part[0]:part[1]:part[1]]
	}
	return found
}

// batchSize is the number of documents whose payloads are in memory at a time.
const batchSize = 512

// A payloadWriter writes payloads in the order of the documents' numbers, so that those of popular
// extensions are next to each other in the file. If the two variants of a document are equal, as
// for most extensions with few versions, they are stored once.
type payloadWriter struct {
	json, deflated     *segment.Stream
	placeholders       []uint32
	rows, deflatedRows []uint64
}

func writePayloads(w *segment.Writer, all []ranked, payloadsOf func(i int) Payloads) error {
	p := &payloadWriter{json: w.Stream("pay.json"), deflated: w.Stream("pay.pack")}
	for batch := range slices.Chunk(all, batchSize) {
		for i, payloads := range callPayloads(batch, payloadsOf) {
			if err := p.add(&payloads); err != nil {
				return fmt.Errorf("a payload of %q: %w", batch[i].ID, err)
			}
		}
	}
	w.Add("pay.hole", segment.Bytes32(p.placeholders))
	w.Add("pay.rows", segment.Bytes64(p.rows))
	w.Add("pay.part", segment.Bytes64(p.deflatedRows))
	return nil
}

// callPayloads calls payloadsOf for each document, in as many goroutines as there are
// processors.
func callPayloads(batch []ranked, payloadsOf func(i int) Payloads) []Payloads {
	results := make([]Payloads, len(batch))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, d := range batch {
		group.Go(func() error {
			results[i] = payloadsOf(d.inputIndex)
			return nil
		})
	}
	_ = group.Wait() // no goroutine returns an error
	return results
}

func (p *payloadWriter) add(all *Payloads) error {
	for v := range all {
		if v > 0 && sameJSON(all[v], all[0]) {
			p.rows = append(p.rows, p.rows[len(p.rows)-payloadRow:]...)
			p.deflatedRows = append(p.deflatedRows, p.deflatedRows[len(p.deflatedRows)-deflatedRow:]...)
			continue
		}
		if err := p.addVariant(&all[v]); err != nil {
			return err
		}
	}
	return nil
}

func (p *payloadWriter) addVariant(of *Payload) error {
	if !validPlaceholders(*of) {
		return errors.New("placeholders are out of order or outside the JSON")
	}
	first := uint64(len(p.placeholders))
	p.placeholders = append(p.placeholders, of.Placeholders...)
	p.rows = append(p.rows, p.json.Size(), p.json.Size()+uint64(len(of.JSON)), first, first+uint64(len(of.Placeholders)))
	p.deflatedRows = append(p.deflatedRows, p.deflated.Size(), p.deflated.Size()+uint64(len(of.Deflated)))
	_, err := p.json.Write(of.JSON)
	if err == nil {
		_, err = p.deflated.Write(of.Deflated)
	}
	return err
}

// sameJSON reports whether two payloads have the same JSON and placeholders.
func sameJSON(a, b Payload) bool {
	return bytes.Equal(a.JSON, b.JSON) && slices.Equal(a.Placeholders, b.Placeholders)
}

// validPlaceholders reports whether the placeholders are ascending and within the JSON.
func validPlaceholders(p Payload) bool {
	last := uint32(0)
	for _, placeholder := range p.Placeholders {
		if placeholder < last {
			return false
		}
		last = placeholder
	}
	return uint64(last) <= uint64(len(p.JSON))
}

func openPayloads(s *segment.Segment, documents int) (payloads, error) {
	json, err := s.Section("pay.json")
	if err != nil {
		return payloads{}, err
	}
	placeholders, err := s.Section("pay.hole")
	if err != nil {
		return payloads{}, err
	}
	rows, err := s.Section("pay.rows")
	if err != nil {
		return payloads{}, err
	}
	p := payloads{json: json, placeholders: segment.Uint32s(placeholders), rows: segment.Uint64s(rows)}
	if err := p.openDeflated(s, documents); err != nil {
		return payloads{}, err
	}
	if len(p.rows) != payloadRow*int(numPayloads)*documents {
		return payloads{}, fmt.Errorf("%w: section %q has %d numbers for %d documents", segment.ErrCorrupt, "pay.rows", len(p.rows), documents)
	}
	for i := range documents * int(numPayloads) {
		row := p.rows[payloadRow*i:][:payloadRow]
		if !inBounds(row[0], row[1], len(p.json)) || !inBounds(row[2], row[3], len(p.placeholders)) ||
			!validPlaceholders(p.get(i/int(numPayloads), Variant(i%int(numPayloads)))) {
			return payloads{}, fmt.Errorf("%w: section %q: row %d is out of bounds", segment.ErrCorrupt, "pay.rows", i)
		}
	}
	return p, nil
}

// openDeflated opens the sections pay.pack and pay.part. The first files of this version do
// not have them.
func (p *payloads) openDeflated(s *segment.Segment, documents int) error {
	if !s.Has("pay.part") {
		return nil
	}
	raw, err := s.Section("pay.part")
	if err != nil {
		return err
	}
	if p.deflated, err = s.Section("pay.pack"); err != nil {
		return err
	}
	p.deflatedRows = segment.Uint64s(raw)
	if len(p.deflatedRows) != deflatedRow*int(numPayloads)*documents {
		return fmt.Errorf("%w: section %q has %d numbers for %d documents", segment.ErrCorrupt, "pay.part", len(p.deflatedRows), documents)
	}
	for i := range documents * int(numPayloads) {
		if !inBounds(p.deflatedRows[deflatedRow*i], p.deflatedRows[deflatedRow*i+1], len(p.deflated)) {
			return fmt.Errorf("%w: section %q: row %d is out of bounds", segment.ErrCorrupt, "pay.part", i)
		}
	}
	return nil
}

// inBounds reports whether from and to are a range of a slice of this size.
func inBounds(from, to uint64, size int) bool { return from <= to && to <= uint64(size) }
