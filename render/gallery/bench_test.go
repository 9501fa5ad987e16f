package gallery_test

import (
	"fmt"
	"io"
	"testing"

	"galbuild/build/catalog"
	"galbuild/index"
	"galbuild/index/query"
	"galbuild/render/gallery"
	"galbuild/render/splice"
)

// BenchmarkResponse joins a response of fifty extensions, with and without statistics.
func BenchmarkResponse(b *testing.B) {
	at := gallery.NewAddress("http://gallery.test")
	for _, statistics := range []bool{false, true} {
		ix := fifty(b, statistics)
		found, err := gallery.Respond(nil, ix, query.Query{Filters: []query.Filter{{Page: 1, Size: 50}}})
		if err != nil {
			b.Fatal(err)
		}
		to := splice.NewBuffer(make([]byte, 0, 512<<10), io.Discard)
		for coding, write := range map[string]func(*splice.Buffer, *gallery.Address) error{"plain": found.WriteJSON, "gzip": found.WriteGzip} {
			b.Run(fmt.Sprintf("coding=%s/statistics=%t", coding, statistics), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := write(to, at); err != nil {
						b.Fatal(err)
					}
					to.Flush()
				}
			})
		}
	}
}

// fifty returns an index of fifty extensions.
func fifty(b *testing.B, statistics bool) *index.Index {
	var renderer gallery.Renderer
	var docs []index.Document
	var payloads []index.Payloads
	for i := range 50 {
		e := sample().Extensions[0]
		e.Name, e.Statistics = fmt.Sprintf("hello%d", i), nil
		if statistics {
			e.Statistics = &catalog.Statistics{Install: int64(1_000_000 - 7919*i), AverageRating: float64(50-i/2) / 10, RatingCount: int64(100 + i)}
		}
		d, _ := gallery.Document(&e, false, figures(&e))
		docs, payloads = append(docs, d), append(payloads, renderer.Payloads(&e))
	}
	return openIndex(b, docs, func(i int) index.Payloads { return payloads[i] })
}
