package gallery

import (
	"strconv"

	"github.com/tidwall/gjson"

	"galbuild/index"
	"galbuild/index/query"
	"galbuild/render/splice"
)

// AppendAnswer appends the reply to q, and returns how many extensions it holds. There
// is one result set per filter. All of them together hold Filter.Limit
// extensions at most, so that a short question cannot ask for the gallery many
// times over; what is cut off is still counted.
func AppendAnswer(dst []byte, work *index.Work, ix *index.Index, q query.Query, at *Address) ([]byte, int) {
	p := plain{dst, at}
	hits := answer(&p, work, ix, q)
	return p.dst, hits
}

// AppendPacked appends the same reply as a gzip stream, joined from pieces that were
// compressed when the index was built. It returns false if the index has none, or
// the address is too long to fit them: then the reply must be compressed as a whole.
func AppendPacked(dst []byte, work *index.Work, ix *index.Index, q query.Query, at *Address) ([]byte, int, bool) {
	if !at.fits() {
		return dst, 0, false
	}
	p := packed{splice.Begin(dst, at.fillings)}
	hits := answer(&p, work, ix, q)
	whole, ok := p.End()
	return whole, hits, ok
}

// A form is what a reply is given in.
type form interface {
	Text(s string)
	payload(p index.Payload)
}

func answer(to form, work *index.Work, ix *index.Index, q query.Query) (hits int) {
	variant := index.Latest
	if q.Flags&query.IncludeVersions != 0 && q.Flags&(query.IncludeLatestOnly|query.IncludeLatestPreAndStable) == 0 {
		variant = index.All
	}
	between := `{"results":[`
	for i := range q.Filters {
		r := ix.Search(work, &q.Filters[i])
		r.Hits = r.Hits[:max(0, min(len(r.Hits), q.Filters[i].Limit()-hits))]
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
	dst []byte
	*Address
}

func (p *plain) Text(s string) { p.dst = append(p.dst, s...) }

func (p *plain) payload(of index.Payload) { p.dst = p.appendPayload(p.dst, of) }

// packed is a gzip stream.
type packed struct{ splice.Stream }

func (p *packed) payload(of index.Payload) { p.Piece(of.Packed) }

// AppendLatest appends the reply to GET …/latest for publisher.name in any case
// of letters: the extension by itself. It returns false if there is none.
func AppendLatest(dst []byte, ix *index.Index, id string, at *Address) ([]byte, bool) {
	hit, ok := ix.Find(id)
	if !ok {
		return dst, false
	}
	return at.appendPayload(dst, ix.Payload(hit, index.Latest)), true
}

// An Address is that of the gallery, as answers are filled with it: one for many.
type Address struct {
	URL      string            // no slash at the end
	escaped  string            // as it stands in a JSON string
	begin    [len(keys)]string // by kind of hole: the key, the quotation mark and the address
	fillings []splice.Filling  // by kind of hole, if it fits them
}

// NewAddress returns the address for a URL without a slash at the end.
func NewAddress(url string) *Address {
	quoted := gjson.AppendJSONString(nil, url)
	a := &Address{URL: url, escaped: string(quoted[1 : len(quoted)-1])}
	for kind, key := range keys {
		a.begin[kind] = key + a.escaped
	}
	for kind := range keys {
		if a.fits() {
			hole := appendBlank(nil, kind)
			copy(hole[len(hole)-len(a.begin[kind]):], a.begin[kind])
			a.fillings = append(a.fillings, splice.NewFilling(hole))
		}
	}
	return a
}

// fits reports whether a can be filled in without making a hole wider.
func (a *Address) fits() bool { return len(a.escaped) <= room }

// appendPayload copies p and fills its holes.
func (a *Address) appendPayload(dst []byte, p index.Payload) []byte {
	if len(p.Holes) == 0 || !a.fits() || !isBlank(p.JSON[:p.Holes[0]]) {
		return a.insert(dst, p)
	}
	from := len(dst)
	dst = append(dst, p.JSON...)
	for _, hole := range p.Holes {
		text := dst[from : from+int(hole)]
		begin := a.begin[kindOf(text)]
		copy(text[len(text)-len(begin):], begin)
	}
	return dst
}

// insert puts the base URL into holes that are too narrow for it, or have no width
// at all, as in the first indexes.
func (a *Address) insert(dst []byte, p index.Payload) []byte {
	at := uint32(0)
	for _, hole := range p.Holes {
		dst = append(dst, p.JSON[at:hole]...)
		dst = append(dst, a.escaped...)
		at = hole
	}
	return append(dst, p.JSON[at:]...)
}

// isBlank reports whether text ends in a hole as they are made now; then all of the
// payload are.
func isBlank(text []byte) bool {
	key := keys[kindOf(text)]
	i := len(text) - len(key)
	return i >= room && text[i-room] == ' ' && string(text[i:]) == key
}

// kindOf tells the hole that text ends in by where its key begins.
func kindOf(text []byte) int {
	for kind, key := range keys {
		if i := len(text) - len(key); i >= 0 && text[i] == '"' {
			return kind
		}
	}
	return 0
}
