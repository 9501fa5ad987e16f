package index

import (
	"bytes"
	"fmt"
	"slices"

	"galbuild/index/segment"
)

// Payload is JSON with holes: the reader fills in the gallery's base URL at
// each offset of Holes (ascending, into JSON, repeats allowed).
type Payload struct {
	JSON  []byte
	Holes []uint32
}

// Variant names a payload.
type Variant int

// The variants of a document's payload.
const (
	Latest Variant = iota // newest release and newest pre-release, every platform
	All                   // every version
	numPayloads
)

// payloads are every document's payloads: a row of four numbers for each
// document and variant says where its JSON begins and ends and where its holes
// begin and end.
type payloads struct {
	json  []byte
	holes []uint32
	rows  []uint64
}

const payloadRow = 4

func (p *payloads) get(document, variant int) Payload {
	row := p.rows[payloadRow*(document*int(numPayloads)+variant):]
	return Payload{
		JSON:  p.json[row[0]:row[1]:row[1]],
		Holes: p.holes[row[2]:row[3]:row[3]],
	}
}

// writePayloads lays the variants out one after the other, so that a page of
// popular documents is one stretch of the file. Two equal variants of a document
// are stored once: most extensions have one version.
func writePayloads(w *segment.Writer, all []ranked) error {
	rows := make([]uint64, payloadRow*int(numPayloads)*len(all))
	var json [][]byte
	var holes []uint32
	size := uint64(0)
	for v := range numPayloads {
		for i, d := range all {
			p := d.Payloads[v]
			if !fits(p) {
				return fmt.Errorf("write index: a payload of %q has holes out of order or outside of it", d.ID)
			}
			row := rows[payloadRow*(i*int(numPayloads)+int(v)):]
			if v > 0 && same(p, d.Payloads[0]) {
				copy(row, rows[payloadRow*i*int(numPayloads):][:payloadRow])
				continue
			}
			row[0], row[1] = size, size+uint64(len(p.JSON))
			row[2], row[3] = uint64(len(holes)), uint64(len(holes)+len(p.Holes))
			json, holes, size = append(json, p.JSON), append(holes, p.Holes...), row[1]
		}
	}
	w.Add("pay.json", json...)
	w.Add("pay.hole", segment.Bytes32(holes))
	w.Add("pay.rows", segment.Bytes64(rows))
	return nil
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
	p := payloads{json, segment.Uint32s(holes), segment.Uint64s(rows)}
	if len(p.rows) != payloadRow*int(numPayloads)*documents {
		return payloads{}, fmt.Errorf("%w: section %q has %d numbers for %d documents", segment.ErrCorrupt, "pay.rows", len(p.rows), documents)
	}
	for i := range documents * int(numPayloads) {
		row := p.rows[payloadRow*i:][:payloadRow]
		if row[0] > row[1] || row[1] > uint64(len(p.json)) || row[2] > row[3] || row[3] > uint64(len(p.holes)) ||
			!fits(p.get(i/int(numPayloads), i%int(numPayloads))) {
			return payloads{}, fmt.Errorf("%w: section %q: row %d leads outside", segment.ErrCorrupt, "pay.rows", i)
		}
	}
	return p, nil
}
