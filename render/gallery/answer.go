package gallery

import (
	"strconv"

	"github.com/tidwall/gjson"

	"galbuild/index"
	"galbuild/index/query"
)

// AppendAnswer appends the reply to q, with base (no slash at the end) filled in
// as the gallery's address, and returns how many extensions it holds. There is
// one result set per filter. All of them together hold query.MaxPageSize
// extensions at most, so that a short question cannot ask for the gallery many
// times over; what is cut off is still counted.
func AppendAnswer(dst []byte, ix *index.Index, q query.Query, base string) ([]byte, int) {
	base = escape(base)
	variant := index.Latest
	if q.Flags&query.IncludeVersions != 0 && q.Flags&(query.IncludeLatestOnly|query.IncludeLatestPreAndStable) == 0 {
		variant = index.All
	}
	hits := 0
	dst = append(dst, `{"results":[`...)
	for i := range q.Filters {
		if i > 0 {
			dst = append(dst, ',')
		}
		r := ix.Search(&q.Filters[i])
		r.Hits = r.Hits[:min(len(r.Hits), query.MaxPageSize-hits)]
		dst = appendResult(dst, ix, r, variant, base)
		hits += len(r.Hits)
	}
	return append(dst, `]}`...), hits
}

func appendResult(dst []byte, ix *index.Index, r index.Result, v index.Variant, base string) []byte {
	dst = append(dst, `{"extensions":[`...)
	for i, hit := range r.Hits {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendPayload(dst, ix.Payload(hit, v), base)
	}
	dst = append(dst, `],"pagingToken":null,"resultMetadata":[{"metadataType":"ResultCount","metadataItems":[{"name":"TotalCount","count":`...)
	dst = strconv.AppendInt(dst, int64(r.Total), 10)
	return append(dst, `}]}]}`...)
}

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
	at := uint32(0)
	for _, hole := range p.Holes {
		dst = append(dst, p.JSON[at:hole]...)
		dst = append(dst, base...)
		at = hole
	}
	return append(dst, p.JSON[at:]...)
}

// Fill returns p's JSON with the base URL in its holes.
func Fill(p index.Payload, base string) []byte {
	return appendPayload(nil, p, escape(base))
}

// escape makes base fit into a JSON string.
func escape(base string) string {
	quoted := gjson.AppendJSONString(nil, base)
	return string(quoted[1 : len(quoted)-1])
}
