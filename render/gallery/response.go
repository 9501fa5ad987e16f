package gallery

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strconv"

	"github.com/tidwall/gjson"

	"galbuild/index"
	"galbuild/index/query"
	"galbuild/render/splice"
)

// Limits of one response in bytes. The limit for extensions that are requested by id or name is
// higher, because an update check must find everything that is installed. Of a list, an editor
// shows only a page.
const (
	MaxBytes      = 64 << 20  // of JSON; see Response
	MaxNamedBytes = 256 << 20 // of JSON, if extensions were requested by id or name
)

// valueBytes is roughly the largest number of bytes that the values of placeholders add to a
// compressed extension, and statisticsBytes how many its statistics add.
const (
	valueBytes      = 320
	statisticsBytes = 480
)

// A Response is the response to a query before it is written: the extensions it contains,
// one result set for each filter, and its length.
//
// A short query cannot request the whole gallery many times. A list ends where it would
// exceed query.MaxPageSize, query.MaxNames or MaxBytes. Extensions requested by id or name
// have all versions up to MaxBytes, and only their latest versions after that; the response
// ends at MaxNamedBytes or query.MaxNames. TotalCount also counts the extensions that do
// not fit.
type Response struct {
	ix      *index.Index
	results []index.Result
	first   [1]index.Result // results of a query with one filter
	full    int             // number of extensions, from the first, that have all versions
	hasGzip bool            // every extension has a compressed form
	hits    int             // number of extensions
	bytes   int             // rough size as JSON
	gzip    int             // rough size as gzip, in bytes
	missing []error         // an [*index.ChunkError] for each chunk that must be downloaded first

	scratch [statisticsBytes]byte // for what is written after an extension
}

// Respond searches for q. If work ended early, the response is incomplete and must not be
// written. The error is an [*index.ChunkError]. If chunks must be downloaded first, it wraps
// [index.ErrNotDownloaded], and joins the errors of all chunks that the response needs.
func Respond(work *index.Work, ix *index.Index, q query.Query) (*Response, error) {
	r := &Response{ix: ix, hasGzip: true}
	r.results = r.first[:0]
	all := q.Flags&query.IncludeVersions != 0 && q.Flags&(query.IncludeLatestOnly|query.IncludeLatestPreAndStable) == 0
	listed := 0
	for i := range q.Filters {
		f := &q.Filters[i]
		found := ix.Search(work, f)
		most := query.MaxNames - r.hits
		named := f.Named()
		if !named {
			most = min(most, query.MaxPageSize-listed)
		}
		var err error
		if found.Hits, err = r.admit(found.Hits[:min(len(found.Hits), most)], all, named); err != nil {
			return nil, err
		}
		if !named {
			listed += len(found.Hits)
		}
		r.results = append(r.results, found)
	}
	if len(r.missing) > 0 {
		return nil, errors.Join(r.missing...)
	}
	return r, nil
}

// admit sums the sizes of the hits, and returns those that fit in the response. It opens their
// chunks.
func (r *Response) admit(hits []index.Hit, all, named bool) ([]index.Hit, error) {
	for i, hit := range hits {
		variant := index.Latest
		if all && r.full == r.hits {
			variant = index.All
		}
		p, err := r.ix.Payload(hit, variant)
		if err == nil && variant == index.All && named && r.bytes+sizeOf(p) > MaxBytes {
			variant = index.Latest
			p, err = r.ix.Payload(hit, variant)
		}
		if err != nil && r.noteMissing(err) != nil {
			return nil, err
		}
		limit := MaxBytes
		if named {
			limit = MaxNamedBytes
		}
		if r.bytes+sizeOf(p) > limit {
			return hits[:i], nil
		}
		r.hits++
		r.bytes += sizeOf(p)
		if variant == index.All {
			r.full++
		}
		r.gzip += len(p.Deflated) + valueBytes + statisticsBytes
		r.hasGzip = r.hasGzip && len(p.Deflated) > 0
	}
	return hits, nil
}

// sizeOf returns roughly the number of bytes of an extension as JSON.
func sizeOf(p index.Payload) int { return len(p.JSON) + statisticsBytes }

// noteMissing notes the error of a chunk that must be downloaded first, and returns nil. It returns
// every other error.
func (r *Response) noteMissing(err error) error {
	failed, ok := errors.AsType[*index.ChunkError](err)
	if !ok || !errors.Is(err, index.ErrNotDownloaded) {
		return err
	}
	same := func(other error) bool { return other.(*index.ChunkError).Chunk.SHA256 == failed.Chunk.SHA256 }
	if !slices.ContainsFunc(r.missing, same) {
		r.missing = append(r.missing, failed)
	}
	return nil
}

// AppendKey appends a key of the response. Responses of one index that have the same key are
// the same for each address. No key is the beginning of another.
func (r *Response) AppendKey(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(r.results)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(r.full))
	for _, found := range r.results {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(found.Hits)))
		dst = binary.LittleEndian.AppendUint32(dst, uint32(found.Total))
		for _, hit := range found.Hits {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(hit))
		}
	}
	return dst
}

// Hits returns how many extensions the response contains.
func (r *Response) Hits() int { return r.hits }

// Bytes returns roughly how long the response is as JSON. It does not count what surrounds
// the extensions, nor the part of a base URL beyond its reserved width.
func (r *Response) Bytes() int { return r.bytes }

// GzipBytes returns roughly how long the response is as gzip.
func (r *Response) GzipBytes() int { return r.gzip }

// HasGzip reports whether WriteGzip can write the response for this address.
func (r *Response) HasGzip(at *Address) bool { return r.hasGzip && at.fits() }

// WriteJSON writes the response. The end of it may stay in the buffer.
func (r *Response) WriteJSON(to *splice.Buffer, at *Address) error {
	return errors.Join(r.write(&jsonForm{to, at}), to.Err())
}

// WriteGzip writes the response as a gzip stream, joined from fragments that were
// compressed when the index was built. HasGzip must be true.
func (r *Response) WriteGzip(to *splice.Buffer, at *Address) error {
	p := gzipForm{splice.Begin(to, at.values)}
	if err := r.write(&p); err != nil {
		return err
	}
	if !p.End() {
		return errors.New("a compressed extension in the index is damaged")
	}
	return to.Err()
}

// A form is the encoding of a response.
type form interface {
	Text(b []byte)
	payload(p index.Payload)
}

// The text around the extensions, one result set after the other.
var (
	beginResponse = []byte(`{"results":[`)
	beginResult   = []byte(`{"extensions":[`)
	endExtensions = []byte(`],"pagingToken":null,"resultMetadata":[{"metadataType":"ResultCount","metadataItems":[{"name":"TotalCount","count":`)
	endResult     = []byte(`}]}]}`)
	endResponse   = []byte(`]}`)
	comma         = []byte(`,`)
)

// write writes the response. Respond has opened all chunks that it needs, so an error is not
// expected.
func (r *Response) write(to form) error {
	written := 0
	to.Text(beginResponse)
	for i, found := range r.results {
		if i > 0 {
			to.Text(comma)
		}
		to.Text(beginResult)
		for j, hit := range found.Hits {
			v := index.Latest
			if written < r.full {
				v = index.All
			}
			p, err := r.ix.Payload(hit, v)
			if err != nil {
				return err
			}
			to.payload(p)
			end := appendStatistics(r.scratch[:0], r.ix, hit)
			if j < len(found.Hits)-1 {
				end = append(end, ',')
			}
			to.Text(end)
			written++
		}
		to.Text(endExtensions)
		to.Text(strconv.AppendInt(r.scratch[:0], int64(found.Total), 10))
		to.Text(endResult)
	}
	to.Text(endResponse)
	return nil
}

// appendStatistics appends what follows the payload of an extension: its statistics, and the brace
// that ends it. If all of them are zero, there are none.
func appendStatistics(dst []byte, ix *index.Index, hit index.Hit) []byte {
	installs, rating, ratings := ix.Statistics(hit)
	use := ix.Use(hit)
	if installs == 0 && rating == 0 && ratings == 0 && use == (index.Use{}) {
		return append(dst, `,"statistics":[]}`...)
	}
	dst = append(dst, `,"statistics":[{"statisticName":"install","value":`...)
	dst = strconv.AppendInt(dst, installs, 10)
	dst = append(dst, `},{"statisticName":"averagerating","value":`...)
	dst = appendRating(dst, rating)
	dst = append(dst, `},{"statisticName":"ratingcount","value":`...)
	dst = strconv.AppendInt(dst, ratings, 10)
	if ratings > 0 {
		dst = append(dst, `},{"statisticName":"weightedRating","value":`...)
		dst = appendHundredths(dst, int64(100*ix.WeightedRating(hit)+0.5))
	}
	return append(appendUse(dst, use), `}]}`...)
}

// appendUse appends the statistics that are counted and not zero, after another statistic.
func appendUse(dst []byte, use index.Use) []byte {
	if use.Downloads > 0 {
		dst = strconv.AppendInt(append(dst, `},{"statisticName":"downloadCount","value":`...), use.Downloads, 10)
	}
	if use.Monthly == 0 { // then there are none of a day or a week
		return dst
	}
	dst = strconv.AppendInt(append(dst, `},{"statisticName":"trendingdaily","value":`...), use.Daily, 10)
	dst = strconv.AppendInt(append(dst, `},{"statisticName":"trendingweekly","value":`...), use.Weekly, 10)
	return strconv.AppendInt(append(dst, `},{"statisticName":"trendingmonthly","value":`...), use.Monthly, 10)
}

// appendRating appends a rating as strconv does. Most ratings have at most two decimals, which can
// be written in a fifth of the time.
func appendRating(dst []byte, rating float64) []byte {
	hundredths := math.Round(100 * rating)
	if !(0 < hundredths && hundredths < 1e6 && hundredths/100 == rating) {
		return strconv.AppendFloat(dst, rating, 'f', -1, 64)
	}
	return appendHundredths(dst, int64(hundredths))
}

// appendHundredths appends n/100 as strconv does.
func appendHundredths(dst []byte, n int64) []byte {
	dst = strconv.AppendInt(dst, n/100, 10)
	if n %= 100; n == 0 {
		return dst
	}
	dst = append(dst, '.', '0'+byte(n/10))
	if n %= 10; n > 0 {
		dst = append(dst, '0'+byte(n))
	}
	return dst
}

// jsonForm writes JSON without compression.
type jsonForm struct {
	to *splice.Buffer
	at *Address
}

func (p *jsonForm) Text(b []byte) { p.to.Write(b) }

func (p *jsonForm) payload(of index.Payload) {
	switch {
	case !p.at.fits():
		p.at.insert(p.to, of)
	case p.to.Reserve(len(of.JSON)):
		p.at.fill(p.to.Append(of.JSON), of.Placeholders)
	default:
		p.at.fillFragments(p.to, of)
	}
}

// gzipForm writes a gzip stream.
type gzipForm struct{ splice.Stream }

func (p *gzipForm) payload(of index.Payload) { p.Fragment(of.Deflated) }

// AppendLatest appends the response to GET …/latest for an id, publisher.name in any case. The
// response is the extension by itself. AppendLatest returns false if there is none. The error is
// an [*index.ChunkError].
func AppendLatest(dst []byte, ix *index.Index, id string, at *Address) ([]byte, bool, error) {
	hit, ok := ix.Find(id)
	if !ok {
		return dst, false, nil
	}
	p, err := ix.Payload(hit, index.Latest)
	if err != nil {
		return dst, false, err
	}
	return appendStatistics(at.appendPayload(dst, p), ix, hit), true, nil
}

// An Address is the base URL of a gallery, prepared for filling in many responses.
type Address struct {
	URL     string            // no slash at the end
	escaped string            // the URL in a JSON string
	begin   [len(keys)]string // by kind of placeholder: the key, the quotation mark and the address
	values  []splice.Value    // by kind of placeholder; none if the URL is too long
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
			placeholder := appendPlaceholder(nil, kind)
			copy(placeholder[len(placeholder)-len(a.begin[kind]):], a.begin[kind])
			a.values = append(a.values, splice.NewValue(placeholder))
		}
	}
	return a
}

// fits reports whether the base URL fits in a placeholder.
func (a *Address) fits() bool { return len(a.escaped) <= reservedWidth }

// appendPayload appends p with the address in its placeholders.
func (a *Address) appendPayload(dst []byte, p index.Payload) []byte {
	var whole bytes.Buffer
	whole.Grow(len(p.JSON) + len(p.Placeholders)*len(a.escaped))
	to := jsonForm{splice.NewBuffer(make([]byte, 0, 4<<10), &whole), a}
	to.payload(p)
	to.to.Flush()
	return append(dst, whole.Bytes()...)
}

// fill writes the address into the placeholders of a copy.
func (a *Address) fill(json []byte, placeholders []uint32) {
	for _, placeholder := range placeholders {
		text := json[:placeholder]
		begin := a.begin[kindOf(text)]
		copy(text[len(text)-len(begin):], begin)
	}
}

// fillFragments writes the result of fill, fragment by fragment.
func (a *Address) fillFragments(to *splice.Buffer, p index.Payload) {
	from := 0
	for _, placeholder := range p.Placeholders {
		begin := a.begin[kindOf(p.JSON[:placeholder])]
		to.Write(p.JSON[from : int(placeholder)-len(begin)])
		to.WriteString(begin)
		from = int(placeholder)
	}
	to.Write(p.JSON[from:])
}

// insert writes p with a base URL that is too long for its placeholders.
func (a *Address) insert(to *splice.Buffer, p index.Payload) {
	from := uint32(0)
	for _, placeholder := range p.Placeholders {
		to.Write(p.JSON[from:placeholder])
		to.WriteString(a.escaped)
		from = placeholder
	}
	to.Write(p.JSON[from:])
}

// kindOf returns the kind of the placeholder that text ends in.
func kindOf(text []byte) int {
	for kind, key := range keys {
		if i := len(text) - len(key); i >= 0 && text[i] == '"' {
			return kind
		}
	}
	return 0
}
