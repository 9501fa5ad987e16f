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

// Payload is JSON with holes: the reader fills in the gallery's base URL at
// each offset of Holes (ascending, into JSON, repeats allowed). Packed is the same
// in another form, or nothing; what form is between those who give and take it.
type Payload struct {
	JSON   []byte
	Holes  []uint32
	Packed []byte
}

// Variant names a payload.
type Variant int

// The variants of a document's payload.
const (
	Latest Variant = iota // newest release and newest pre-release, every platform
	All                   // every version
	numPayloads
)

// Payloads are those of one document, by Variant.
type Payloads [numPayloads]Payload

// payloads are every document's payloads: a row of four numbers for each
// document and variant says where its JSON begins and ends and where its holes
// begin and end; one of two, where its packed form does.
type payloads struct {
	json   []byte
	holes  []uint32
	rows   []uint64
	packed []byte
	parts  []uint64 // nil if the file has no packed forms
}

const (
	payloadRow = 4
	packedRow  = 2
)

func (p *payloads) get(document int, v Variant) Payload {
	n := document*int(numPayloads) + int(v)
	row := p.rows[payloadRow*n:]
	found := Payload{
		JSON:  p.json[row[0]:row[1]:row[1]],
		Holes: p.holes[row[2]:row[3]:row[3]],
	}
	if p.parts != nil {
		part := p.parts[packedRow*n:]
		found.Packed = p.packed[part[0]:part[1]:part[1]]
	}
	return found
}

// batchSize is how many documents' payloads are held at a time.
const batchSize = 512

// A payloadWriter writes payloads in the order in which documents are numbered: a
// page of popular ones is one stretch of the file. Two equal variants of a document
// are stored once: most extensions have one version.
type payloadWriter struct {
	json, packed *segment.Stream
	holes        []uint32
	rows, parts  []uint64
}

func writePayloads(w *segment.Writer, all []ranked, of func(i int) Payloads) error {
	p := &payloadWriter{json: w.Stream("pay.json"), packed: w.Stream("pay.pack")}
	for batch := range slices.Chunk(all, batchSize) {
		for i, payloads := range askAll(batch, of) {
			if err := p.add(&payloads); err != nil {
				return fmt.Errorf("a payload of %q: %w", batch[i].ID, err)
			}
		}
	}
	w.Add("pay.hole", segment.Bytes32(p.holes))
	w.Add("pay.rows", segment.Bytes64(p.rows))
	w.Add("pay.part", segment.Bytes64(p.parts))
	return nil
}

// askAll asks for the payloads of some documents, by as many goroutines as there
// are processors.
func askAll(batch []ranked, of func(i int) Payloads) []Payloads {
	got := make([]Payloads, len(batch))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, d := range batch {
		group.Go(func() error {
			got[i] = of(d.given)
			return nil
		})
	}
	_ = group.Wait() // none fails
	return got
}

func (p *payloadWriter) add(all *Payloads) error {
	for v := range all {
		if v > 0 && same(all[v], all[0]) {
			p.rows = append(p.rows, p.rows[len(p.rows)-payloadRow:]...)
			p.parts = append(p.parts, p.parts[len(p.parts)-packedRow:]...)
			continue
		}
		if err := p.addVariant(&all[v]); err != nil {
			return err
		}
	}
	return nil
}

func (p *payloadWriter) addVariant(of *Payload) error {
	if !fits(*of) {
		return errors.New("holes are out of order or outside of it")
	}
	hole := uint64(len(p.holes))
	p.holes = append(p.holes, of.Holes...)
	p.rows = append(p.rows, p.json.Size(), p.json.Size()+uint64(len(of.JSON)), hole, hole+uint64(len(of.Holes)))
	p.parts = append(p.parts, p.packed.Size(), p.packed.Size()+uint64(len(of.Packed)))
	_, err := p.json.Write(of.JSON)
	if err == nil {
		_, err = p.packed.Write(of.Packed)
	}
	return err
}

func same(a, b Payload) bool {
	return bytes.Equal(a.JSON, b.JSON) && slices.Equal(a.Holes, b.Holes)
}

// fits reports whether the holes ascend and lie within the JSON.
func fits(p Payload) bool {
	last := uint32(0)
	for _, hole := range p.Holes {
		if hole < last {
			return false
		}
		last = hole
	}
	return uint64(last) <= uint64(len(p.JSON))
}

func openPayloads(s *segment.Segment, documents int) (payloads, error) {
	json, err := s.Section("pay.json")
	if err != nil {
		return payloads{}, err
	}
	holes, err := s.Section("pay.hole")
	if err != nil {
		return payloads{}, err
	}
	rows, err := s.Section("pay.rows")
	if err != nil {
		return payloads{}, err
	}
	p := payloads{json: json, holes: segment.Uint32s(holes), rows: segment.Uint64s(rows)}
	if err := p.openPacked(s, documents); err != nil {
		return payloads{}, err
	}
	if len(p.rows) != payloadRow*int(numPayloads)*documents {
		return payloads{}, fmt.Errorf("%w: section %q has %d numbers for %d documents", segment.ErrCorrupt, "pay.rows", len(p.rows), documents)
	}
	for i := range documents * int(numPayloads) {
		row := p.rows[payloadRow*i:][:payloadRow]
		if !within(row[0], row[1], len(p.json)) || !within(row[2], row[3], len(p.holes)) ||
			!fits(p.get(i/int(numPayloads), Variant(i%int(numPayloads)))) {
			return payloads{}, fmt.Errorf("%w: section %q: row %d leads outside", segment.ErrCorrupt, "pay.rows", i)
		}
	}
	return p, nil
}

// openPacked reads the sections that the first files of this version lack.
func (p *payloads) openPacked(s *segment.Segment, documents int) error {
	if !s.Has("pay.part") {
		return nil
	}
	parts, err := s.Section("pay.part")
	if err != nil {
		return err
	}
	if p.packed, err = s.Section("pay.pack"); err != nil {
		return err
	}
	p.parts = segment.Uint64s(parts)
	if len(p.parts) != packedRow*int(numPayloads)*documents {
		return fmt.Errorf("%w: section %q has %d numbers for %d documents", segment.ErrCorrupt, "pay.part", len(p.parts), documents)
	}
	for i := range documents * int(numPayloads) {
		if !within(p.parts[packedRow*i], p.parts[packedRow*i+1], len(p.packed)) {
			return fmt.Errorf("%w: section %q: row %d leads outside", segment.ErrCorrupt, "pay.part", i)
		}
	}
	return nil
}

// within reports whether from and to bound a stretch of size things.
func within(from, to uint64, size int) bool { return from <= to && to <= uint64(size) }
