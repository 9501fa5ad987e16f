package index

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"galbuild/index/segment"
)

// Payload is the JSON of an extension without its statistics, with placeholders for the base URL of
// the gallery. Placeholders are ascending offsets into JSON, which may repeat. Deflated is the same
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

// payloads are the payloads of a chunk. For each document and variant there is a row of six
// numbers: the begin and end of its JSON, of its placeholders, and of its deflated form.
type payloads struct {
	json         []byte
	placeholders []uint32
	deflated     []byte
	rows         []uint64
}

const payloadRow = 6

func (p *payloads) get(position int, v Variant) Payload {
	row := p.row(position*int(numPayloads) + int(v))
	return Payload{
		JSON:         p.json[row[0]:row[1]:row[1]],
		Placeholders: p.placeholders[row[2]:row[3]:row[3]],
		Deflated:     p.deflated[row[4]:row[5]:row[5]],
	}
}

func (p *payloads) row(i int) []uint64 { return p.rows[payloadRow*i:][:payloadRow] }

// encodePayloads returns the sections of payloads. If the two variants of a document are equal, as
// for most extensions with few versions, they are stored once.
func encodePayloads(all []Payloads) ([]segment.Part, error) {
	p := newPayloads(all)
	for i := range all {
		if err := p.add(&all[i]); err != nil {
			return nil, fmt.Errorf("payload %d: %w", i, err)
		}
	}
	return []segment.Part{
		{Tag: "pay.json", Bytes: p.json},
		{Tag: "pay.hole", Bytes: segment.Bytes32(p.placeholders)},
		{Tag: "pay.pack", Bytes: p.deflated},
		{Tag: "pay.rows", Bytes: segment.Bytes64(p.rows)},
	}, nil
}

// newPayloads returns payloads with the capacity for all that are added.
func newPayloads(all []Payloads) *payloads {
	var json, placeholders, deflated int
	for i := range all {
		for _, p := range all[i] {
			json, placeholders, deflated = json+len(p.JSON), placeholders+len(p.Placeholders), deflated+len(p.Deflated)
		}
	}
	return &payloads{
		json: make([]byte, 0, json), placeholders: make([]uint32, 0, placeholders), deflated: make([]byte, 0, deflated),
		rows: make([]uint64, 0, len(all)*int(numPayloads)*payloadRow),
	}
}

func (p *payloads) add(all *Payloads) error {
	for v := range all {
		if v > 0 && sameJSON(all[v], all[0]) {
			p.rows = append(p.rows, p.rows[len(p.rows)-payloadRow:]...)
			continue
		}
		if !validPlaceholders(all[v]) {
			return errors.New("placeholders are out of order or outside the JSON")
		}
		begin := p.sizes()
		p.json = append(p.json, all[v].JSON...)
		p.placeholders = append(p.placeholders, all[v].Placeholders...)
		p.deflated = append(p.deflated, all[v].Deflated...)
		for i, end := range p.sizes() {
			p.rows = append(p.rows, begin[i], end)
		}
	}
	return nil
}

// sizes returns how long the three slices are to which the numbers of rows refer.
func (p *payloads) sizes() [payloadRow / 2]uint64 {
	return [...]uint64{uint64(len(p.json)), uint64(len(p.placeholders)), uint64(len(p.deflated))}
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
	var raw [4][]byte
	for i, name := range []string{"pay.json", "pay.hole", "pay.pack", "pay.rows"} {
		var err error
		if raw[i], err = s.Section(name); err != nil {
			return payloads{}, err
		}
	}
	p := payloads{json: raw[0], placeholders: segment.Uint32s(raw[1]), deflated: raw[2], rows: segment.Uint64s(raw[3])}
	n := int(numPayloads) * documents
	if len(p.rows) != payloadRow*n {
		return payloads{}, fmt.Errorf("%w: section %q has %d numbers for %d documents", segment.ErrCorrupt, "pay.rows", len(p.rows), documents)
	}
	for i := range n {
		if !p.inBounds(i) || !validPlaceholders(p.get(i/int(numPayloads), Variant(i%int(numPayloads)))) {
			return payloads{}, fmt.Errorf("%w: section %q: row %d is out of bounds", segment.ErrCorrupt, "pay.rows", i)
		}
	}
	return p, nil
}

// inBounds reports whether each begin and end in a row is a range of what it refers to.
func (p *payloads) inBounds(i int) bool {
	row := p.row(i)
	for j, size := range p.sizes() {
		if from, to := row[2*j], row[2*j+1]; from > to || to > size {
			return false
		}
	}
	return true
}
