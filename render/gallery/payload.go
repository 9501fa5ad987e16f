package gallery

import (
	"bytes"
	"slices"
	"sync"

	"galbuild/build/catalog"
	"galbuild/index"
	"galbuild/render/splice"
)

// A hole is where a member begins whose value is a URL: room in spaces, then its key
// and the quotation mark. Whoever fills in the base URL moves those to the left, and
// the hole is as wide as before; only a longer one makes it wider.
const room = 64

// keys are those of the members, by kind of hole.
var keys = [...]string{`"source":"`, `"assetUri":"`, `"fallbackAssetUri":"`}

const (
	sourceHole = iota
	assetHole
	fallbackHole
)

// appendBlank appends a hole that is not filled.
func appendBlank(dst []byte, kind int) []byte {
	for range room {
		dst = append(dst, ' ')
	}
	return append(dst, keys[kind]...)
}

// widths returns those of the holes, by kind.
func widths() []int {
	all := make([]int, len(keys))
	for kind, key := range keys {
		all[kind] = room + len(key)
	}
	return all
}

// A Renderer renders payloads, several at a time. The zero value is ready for use.
type Renderer struct {
	// Known is an index with payloads that were rendered likewise, nil for none:
	// those that are still the same are not packed again.
	Known   *index.Index
	packers sync.Pool // of *splice.Packer
}

// Payloads returns what the index gives back of e, which Document has accepted.
func (r *Renderer) Payloads(e *catalog.Extension) index.Payloads {
	versions := usable(e.Versions)
	newest := latest(versions)
	var all index.Payloads
	all[index.Latest] = r.pack(e, index.Latest, render(e, newest))
	all[index.All] = all[index.Latest]
	if len(newest) < len(versions) {
		all[index.All] = r.pack(e, index.All, render(e, versions))
	}
	return all
}

func (r *Renderer) pack(e *catalog.Extension, v index.Variant, p *piece) index.Payload {
	made := p.payload()
	if r.Known != nil {
		if hit, ok := r.Known.Find(e.ID()); ok {
			known := r.Known.Payload(hit, v)
			if bytes.Equal(known.JSON, made.JSON) && slices.Equal(known.Holes, made.Holes) {
				return known
			}
		}
	}
	packer, ok := r.packers.Get().(*splice.Packer)
	if !ok {
		packer = splice.NewPacker(widths()...)
	}
	defer r.packers.Put(packer)
	made.Packed = packer.Pack(p.json, p.holes)
	return made
}

// Latest returns the answer to GET …/latest for e.
func Latest(e *catalog.Extension, at *Address) []byte {
	return at.appendPayload(nil, render(e, latest(usable(e.Versions))).payload())
}
