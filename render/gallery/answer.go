package gallery

import (
	"strconv"

	"github.com/tidwall/gjson"

	"galbuild/index"
	"galbuild/index/query"
	"galbuild/render/splice"
)

// AppendAnswer appends the reply to q, with base (no slash at the end) filled in
// as the gallery's address, and returns how many extensions it holds. There is
// one result set per filter. All of them together hold query.MaxPageSize
// extensions at most, so that a short question cannot ask for the gallery many
// times over; what is cut off is still counted.
func AppendAnswer(dst []byte, ix *index.Index, q query.Query, base string) ([]byte, int) {
	p := plain{dst, escape(base)}
	hits := answer(&p, ix, q)
	return p.dst, hits
}

// AppendPacked appends the same reply as a gzip stream, joined from pieces that were
// compressed when the index was built. It returns false if the index has none, or
// base is too long to fit them: then the reply must be compressed as a whole.
func AppendPacked(dst []byte, ix *index.Index, q query.Query, base string) ([]byte, int, bool) {
	base = escape(base)
	if !fits(base) {
		return dst, 0, false
	}
	fillings := make([]splice.Filling, len(keys))
	for kind := range fillings {
		hole := appendBlank(nil, kind)
		fill(hole, len(keys[kind]), base)
		fillings[kind] = splice.NewFilling(hole)
	}
	p := packed{splice.Begin(dst, fillings)}
	hits := answer(&p, ix, q)
	whole, ok := p.End()
	return whole, hits, ok
}

// A form is what a reply is given in.
type form interface {
	Text(s string)
	payload(p index.Payload)
}

func answer(to form, ix *index.Index, q query.Query) (hits int) {
	variant := index.Latest
	if q.Flags&query.IncludeVersions != 0 && q.Flags&(query.IncludeLatestOnly|query.IncludeLatestPreAndStable) == 0 {
		variant = index.All
	}
	between := `{"results":[`
	for i := range q.Filters {
		r := ix.Search(&q.Filters[i])
		r.Hits = r.Hits[:min(len(r.Hits), query.MaxPageSize-hits)]
		to.Text(between)
		result(to, ix, r, variant)
		hits += len(r.Hits)
		between = `,`
	}
	to.Text(`]}`)
	return hits
}

func result(to form, ix *index.Index, r index.Result, v index.Variant) {
	to.Text(`{"extensions":[`)
	for i, hit := range r.Hits {
		if i > 0 {
			to.Text(`,`)
		}
		to.payload(ix.Payload(hit, v))
	}
	to.Text(`],"pagingToken":null,"resultMetadata":[{"metadataType":"ResultCount","metadataItems":[{"name":"TotalCount","count":`)
	to.Text(strconv.Itoa(r.Total))
	to.Text(`}]}]}`)
}

// plain is JSON as it is.
type plain struct {
	dst  []byte
	base string
}

func (p *plain) Text(s string) { p.dst = append(p.dst, s...) }

func (p *plain) payload(of index.Payload) { p.dst = appendPayload(p.dst, of, p.base) }

// packed is a gzip stream.
type packed struct{ splice.Stream }

func (p *packed) payload(of index.Payload) { p.Piece(of.Packed) }

// AppendLatest appends the reply to GET …/latest for publisher.name in any case
// of letters: the extension by itself. It returns false if there is none.
func AppendLatest(dst []byte, ix *index.Index, id, base string) ([]byte, bool) {
	hit, ok := ix.Find(id)
	if !ok {
		return dst, false
	}
	return appendPayload(dst, ix.Payload(hit, index.Latest), escape(base)), true
}

// appendPayload copies p and fills its holes.
func appendPayload(dst []byte, p index.Payload, base string) []byte {
	if len(p.Holes) == 0 || !fits(base) || keyOf(p.JSON[:p.Holes[0]]) == 0 {
		return insertBase(dst, p, base)
	}
	from := len(dst)
	dst = append(dst, p.JSON...)
	for _, hole := range p.Holes {
		text := dst[from : from+int(hole)]
		fill(text, keyOf(text), base)
	}
	return dst
}

// insertBase puts base into holes that are too narrow for it, or have no width at
// all, as in the first indexes.
func insertBase(dst []byte, p index.Payload, base string) []byte {
	at := uint32(0)
	for _, hole := range p.Holes {
		dst = append(dst, p.JSON[at:hole]...)
		dst = append(dst, base...)
		at = hole
	}
	return append(dst, p.JSON[at:]...)
}

// fits reports whether base can be filled in without making a hole wider.
func fits(base string) bool { return len(base) <= room }

// keyOf returns how long the key is of the hole that text ends in, 0 if it does not
// end in a hole.
func keyOf(text []byte) int {
	for _, key := range keys {
		if i := len(text) - len(key); i >= room && text[i-room] == ' ' && string(text[i:]) == key {
			return len(key)
		}
	}
	return 0
}

// fill puts base into the hole that text ends in, behind its key of n bytes.
func fill(text []byte, n int, base string) {
	key := text[len(text)-n:]
	text = text[len(text)-n-len(base):]
	copy(text[copy(text, key):], base)
}

// escape makes base fit into a JSON string.
func escape(base string) string {
	quoted := gjson.AppendJSONString(nil, base)
	return string(quoted[1 : len(quoted)-1])
}
