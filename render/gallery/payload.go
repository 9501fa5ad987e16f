package gallery

import (
	"bytes"
	"slices"
	"sync"

	"galbuild/build/catalog"
	"galbuild/index"
	"galbuild/render/splice"
)

// reservedWidth is the number of bytes that a placeholder reserves for the base URL. A placeholder
// is the beginning of a member whose value is a URL: reservedWidth spaces, the key, and the
// quotation mark that begins the value. To fill in a base URL, the key is moved to the left and the
// URL takes its place, so the placeholder keeps its width. Only a longer base URL makes the JSON
// longer.
const reservedWidth = 64

// keys are the keys of the members that begin with a placeholder, by kind of placeholder.
var keys = [...]string{`"source":"`, `"assetUri":"`, `"fallbackAssetUri":"`}

const (
	sourcePlaceholder = iota
	assetPlaceholder
	fallbackPlaceholder
)

// appendPlaceholder appends an empty placeholder.
func appendPlaceholder(dst []byte, kind int) []byte {
	for range reservedWidth {
		dst = append(dst, ' ')
	}
	return append(dst, keys[kind]...)
}

// widths returns the widths of placeholders, by kind.
func widths() []int {
	all := make([]int, len(keys))
	for kind, key := range keys {
		all[kind] = reservedWidth + len(key)
	}
	return all
}

// A Renderer renders the payloads of extensions. It may be used by several goroutines at a
// time. The zero value is ready for use.
type Renderer struct {
	// Previous is an index that the same version of this package rendered, or nil. A payload
	// that has not changed since then is not compressed again.
	Previous  *index.Index
	deflaters sync.Pool // of *splice.Deflater
}

// Payloads returns the JSON of e that the index contains, which does not depend on its statistics.
// Document must have accepted e.
func (r *Renderer) Payloads(e *catalog.Extension) index.Payloads {
	versions := usable(e.Versions)
	newest := latest(versions)
	var all index.Payloads
	all[index.Latest] = r.deflate(e, index.Latest, render(e, newest))
	all[index.All] = all[index.Latest]
	if len(newest) < len(versions) {
		all[index.All] = r.deflate(e, index.All, render(e, versions))
	}
	return all
}

func (r *Renderer) deflate(e *catalog.Extension, v index.Variant, p *fragment) index.Payload {
	payload := p.payload()
	if r.Previous != nil {
		if hit, ok := r.Previous.Find(e.ID()); ok {
			previous, err := r.Previous.Payload(hit, v)
			if err == nil && bytes.Equal(previous.JSON, payload.JSON) && slices.Equal(previous.Placeholders, payload.Placeholders) {
				return previous
			}
		}
	}
	deflater, ok := r.deflaters.Get().(*splice.Deflater)
	if !ok {
		deflater = splice.NewDeflater(widths()...)
	}
	defer r.deflaters.Put(deflater)
	payload.Deflated = deflater.Deflate(p.json, p.placeholders)
	return payload
}

// Latest returns the static response to GET …/latest for e. It has no statistics, because they
// change every night.
func Latest(e *catalog.Extension, at *Address) []byte {
	return append(at.appendPayload(nil, render(e, latest(usable(e.Versions))).payload()), '}')
}
