package gallery_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/index"
	"galbuild/index/query"
	"galbuild/render/gallery"
	"galbuild/render/splice"
)

var update = flag.Bool("update", false, "rewrite the golden responses")

func asset(kind, mediaType string) catalog.Asset {
	return catalog.Asset{Type: kind, File: catalog.File{Ref: blob.Sum([]byte(kind)), Size: 5, Type: mediaType}}
}

func version(number, platform string, preRelease bool, assets ...catalog.Asset) catalog.Version {
	return catalog.Version{
		Version: number, Platform: platform, PreRelease: preRelease,
		DisplayName: "Hello \"<World>\"", Description: "Says hello",
		Categories: []string{"Other"}, Tags: []string{"greeting", "__web_extension"},
		Properties: []catalog.Property{{Key: catalog.PropertyEngine, Value: "^1.90.0"}},
		Updated:    time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC),
		Assets:     append([]catalog.Asset{asset("Microsoft.VisualStudio.Code.Manifest", "application/json")}, assets...),
	}
}

// sample returns a catalogue. One extension has a pre-release as its newest version, two platforms,
// a genuine signature, and a platform that editors do not support. Another one has only the latter.
func sample() *catalog.Catalog {
	signed := version("1.0.0", "", false, asset(catalog.SignatureAsset, "application/zip"))
	signed.Signed = true
	when := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
	return &catalog.Catalog{Extensions: []catalog.Extension{
		{
			Publisher: catalog.Publisher{ID: "5b1e0000-0000-5000-8000-000000000001", Name: "Acme", DisplayName: "Acme Inc", Domain: "https://acme.example", Verified: true},
			Name:      "Hello", UUID: "8e7b0000-0000-5000-8000-000000000002",
			Released: when, Published: when.AddDate(0, 0, 1), Updated: when.AddDate(1, 1, 1),
			Statistics: &catalog.Statistics{Install: 1234, AverageRating: 4.5, RatingCount: 7},
			Versions: []catalog.Version{
				version("2.0.0", "linux-x64", true), version("2.0.0", "", true),
				version("1.1.0", "linux-x64", false), version("1.1.0", "win32-ia32", false), signed,
			},
		},
		{
			Publisher: catalog.Publisher{ID: "p", Name: "old", DisplayName: "old"}, Name: "only-ia32", UUID: "u",
			Versions: []catalog.Version{version("1.0.0", "win32-ia32", false)},
		},
		{
			Publisher: catalog.Publisher{ID: "5b1e0000-0000-5000-8000-000000000003", Name: "zeta", DisplayName: "zeta"},
			Name:      "plain", UUID: "8e7b0000-0000-5000-8000-000000000004",
			Released: when, Published: when, Updated: when,
			Versions: []catalog.Version{version("1.0.0+build.5", "", false)},
		},
	}}
}

func open(t *testing.T) *index.Index {
	t.Helper()
	var docs []index.Document
	var payloads []index.Payloads
	var renderer gallery.Renderer
	c := sample()
	for i := range c.Extensions {
		if d, ok := gallery.Document(&c.Extensions[i], false); ok {
			docs, payloads = append(docs, d), append(payloads, renderer.Payloads(&c.Extensions[i]))
		}
	}
	if len(docs) != 2 {
		t.Fatalf("%d documents, want 2: one extension has only a platform that editors do not support", len(docs))
	}
	return openIndex(t, docs, func(i int) index.Payloads { return payloads[i] })
}

func openIndex(t *testing.T, docs []index.Document, payloads func(int) index.Payloads) *index.Index {
	t.Helper()
	var file bytes.Buffer
	err := index.Write(&file, index.Content{
		Documents: docs, Payloads: payloads, Files: slices.Values([]index.File(nil)), TempDir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	ix, err := index.OpenBytes(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ix.Close() })
	return ix
}

// TestGolden compares the response to each testdata/*.request.json with *.response.json. Both are
// what is sent, but the response is indented.
func TestGolden(t *testing.T) {
	requests, err := filepath.Glob("testdata/*.request.json")
	if err != nil || len(requests) < 5 {
		t.Fatalf("requests: %v, %v", requests, err)
	}
	ix := open(t)
	for _, request := range requests {
		body, err := os.ReadFile(request)
		if err != nil {
			t.Fatal(err)
		}
		q, err := query.Parse(body)
		if err != nil {
			t.Fatalf("%s: %v", request, err)
		}
		response, hits := respond(t, ix, q, gallery.NewAddress("https://gal.example/tools"))
		compare(t, strings.Replace(request, ".request.", ".response.", 1), response)
		compressed, compressedHits, ok := respondGzip(t, ix, q, gallery.NewAddress("https://gal.example/tools"))
		if !ok || compressedHits != hits || unzip(t, compressed) != string(response) {
			t.Errorf("%s: the compressed response differs", request)
		}
	}
}

// respond writes the response to q through a buffer that no extension fits, and through one
// that all fit, and returns it with the number of its extensions.
func respond(t *testing.T, ix *index.Index, q query.Query, at *gallery.Address) ([]byte, int) {
	t.Helper()
	r := gallery.Respond(nil, ix, q)
	small, large := written(t, 500, func(to *splice.Buffer) error { return r.WriteJSON(to, at) }), written(t, 1<<20, func(to *splice.Buffer) error { return r.WriteJSON(to, at) })
	if !bytes.Equal(small, large) {
		t.Error("the response depends on the buffer it is written through")
	}
	return large, r.Hits()
}

// respondGzip writes the response to q as gzip. ok is false if it cannot be written.
func respondGzip(t *testing.T, ix *index.Index, q query.Query, at *gallery.Address) (compressed []byte, hits int, ok bool) {
	t.Helper()
	r := gallery.Respond(nil, ix, q)
	if !r.HasGzip(at) {
		return nil, 0, false
	}
	return written(t, 100, func(to *splice.Buffer) error { return r.WriteGzip(to, at) }), r.Hits(), true
}

func written(t *testing.T, size int, write func(*splice.Buffer) error) []byte {
	t.Helper()
	var whole bytes.Buffer
	to := splice.NewBuffer(make([]byte, 0, size), &whole)
	if err := errors.Join(write(to), to.Flush()); err != nil {
		t.Fatal(err)
	}
	return whole.Bytes()
}

func unzip(t *testing.T, compressed []byte) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestBaseURLs fills in base URLs of all lengths. The longest do not fit in a placeholder.
func TestBaseURLs(t *testing.T) {
	ix := open(t)
	q := query.Query{Filters: []query.Filter{{}}, Flags: query.IncludeVersions}
	for size := len("https://h"); size < 99; size++ {
		base := "https://h" + strings.Repeat("x", size-len("https://h"))
		response, _ := respond(t, ix, q, gallery.NewAddress(base))
		if got := gjson.GetBytes(response, "results.0.extensions.0.versions.0.assetUri").String(); got != base+"/assets/acme/hello/2.0.0@linux-x64" {
			t.Fatalf("base of %d bytes: got assetUri %q", size, got)
		}
		compressed, _, ok := respondGzip(t, ix, q, gallery.NewAddress(base))
		if ok != (size <= 64) {
			t.Fatalf("base of %d bytes: compressed %t", size, ok)
		}
		if ok && unzip(t, compressed) != string(response) {
			t.Errorf("base of %d bytes: the compressed response differs", size)
		}
	}
}

// TestFirstIndexes fills in payloads as the first version of the index had them: without a
// compressed form, and with placeholders that have no width.
func TestFirstIndexes(t *testing.T) {
	ix := openIndex(t, []index.Document{{ID: "a.b"}}, func(int) index.Payloads {
		p := index.Payload{JSON: []byte(`{"assetUri":"/x"}`), Placeholders: []uint32{13}}
		return index.Payloads{p, p}
	})
	q := query.Query{Filters: []query.Filter{{}}}
	response, _ := respond(t, ix, q, gallery.NewAddress("https://h"))
	if !strings.Contains(string(response), `[{"assetUri":"https://h/x"}]`) {
		t.Errorf("got %s", response)
	}
	if _, _, ok := respondGzip(t, ix, q, gallery.NewAddress("https://h")); ok {
		t.Error("HasGzip is true without compressed payloads")
	}
}

// TestPrevious reuses payloads that have not changed, and renders the others.
func TestPrevious(t *testing.T) {
	previous := open(t)
	c := sample()
	c.Extensions[2].Versions[0].Description = "Something else"
	fresh, reusing := gallery.Renderer{}, gallery.Renderer{Previous: previous}
	for i, same := range map[int]bool{0: true, 2: false} {
		e := &c.Extensions[i]
		got, want := reusing.Payloads(e), fresh.Payloads(e)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", e.ID(), got, want)
		}
		hit, _ := previous.Find(e.ID())
		before := previous.Payload(hit, index.Latest).Deflated
		if reused := &got[index.Latest].Deflated[0] == &before[0]; reused != same {
			t.Errorf("%s: reused: %t", e.ID(), reused)
		}
	}
}

func TestGoldenLatest(t *testing.T) {
	ix := open(t)
	response, ok := gallery.AppendLatest(nil, ix, "ACME.hello", gallery.NewAddress("https://gal.example"))
	if !ok {
		t.Fatal("not found")
	}
	compare(t, "testdata/latest.json", response)
	if response, ok := gallery.AppendLatest([]byte("x"), ix, "acme.nothing", gallery.NewAddress("")); ok || string(response) != "x" {
		t.Errorf("an unknown id gives %q, %v", response, ok)
	}
}

func TestGoldenManifest(t *testing.T) {
	compare(t, "testdata/manifest.json", gallery.Manifest("https://gal.example", ""))
}

func compare(t *testing.T, golden string, response []byte) {
	t.Helper()
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, bytes.TrimSpace(response), "", " "); err != nil {
		t.Fatalf("%s: not JSON: %v\n%s", golden, err, response)
	}
	pretty.WriteByte('\n')
	if *update {
		if err := os.WriteFile(golden, pretty.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(pretty.Bytes(), want) {
		t.Errorf("%s differs (run with -update if that is intended):\n%s", golden, pretty.Bytes())
	}
}

// TestBaseIsEscaped checks that a base URL with quotation marks stays within its strings.
func TestBaseIsEscaped(t *testing.T) {
	base := "http://h/\"},{\"\\\u2028"
	response, _ := respond(t, open(t), query.Query{Filters: []query.Filter{{Page: 1, Size: 10}}}, gallery.NewAddress(base))
	var parsed struct {
		Results []struct {
			Extensions []struct{ Versions []struct{ AssetURI string } }
		}
	}
	if err := json.Unmarshal(response, &parsed); err != nil {
		t.Fatal(err)
	}
	if got := parsed.Results[0].Extensions[0].Versions[0].AssetURI; !strings.HasPrefix(got, base+"/assets/") {
		t.Errorf("assetUri %q does not begin with %q", got, base)
	}
}

// manyExtensions returns an index of n extensions. Their payloads have these numbers of bytes, for
// the latest and for all versions.
func manyExtensions(t *testing.T, n, latest, all int) *index.Index {
	t.Helper()
	var docs []index.Document
	for i := range n {
		docs = append(docs, index.Document{ID: fmt.Sprintf("a.b%d", i), Name: fmt.Sprintf("b%d", i), Publisher: "a", UUID: fmt.Sprint(i)})
	}
	text := func(size int) []byte { return []byte(`"` + strings.Repeat("x", size-2) + `"`) }
	payloads := index.Payloads{index.Latest: {JSON: text(latest)}, index.All: {JSON: text(all)}}
	return openIndex(t, docs, func(int) index.Payloads { return payloads })
}

// named returns a filter for the first n extensions of manyExtensions by name.
func named(n int) query.Filter {
	f := query.Filter{Size: n}
	for i := range n {
		f.Names = append(f.Names, fmt.Sprintf("a.b%d", i))
	}
	return f
}

// TestResponseIsBounded exceeds each limit of a response. Extensions that do not fit are still
// counted. More of them fit if they are requested by name.
func TestResponseIsBounded(t *testing.T) {
	many, big := manyExtensions(t, query.MaxNames+5, 2, 3), manyExtensions(t, 70, 100, 1<<20)
	list := query.Filter{Size: math.MaxInt32}
	for _, x := range []struct {
		name         string
		ix           *index.Index
		filters      []query.Filter
		hits, total  int
		least, bound int
	}{
		{"one list", many, []query.Filter{list}, query.MaxPageSize, many.Len(), 0, 1 << 20},
		{"many lists", many, slices.Repeat([]query.Filter{list}, 60), query.MaxPageSize, many.Len(), 0, 1 << 20},
		{"named", many, []query.Filter{named(query.MaxNames)}, query.MaxNames, query.MaxNames, 0, 1 << 20},
		{"named many times", many, append(slices.Repeat([]query.Filter{named(6000)}, 9), named(1)), query.MaxNames, 1, 0, 1 << 20},
		{"list of large ones", big, []query.Filter{list}, gallery.MaxBytes >> 20, 70, 60 << 20, gallery.MaxBytes + 1<<10},
		{"large ones, named", big, []query.Filter{named(70)}, 70, 70, 60 << 20, gallery.MaxBytes + 20<<10},
	} {
		q := query.Query{Filters: x.filters, Flags: query.IncludeVersions}
		response, hits := respond(t, x.ix, q, gallery.NewAddress(""))
		if hits != x.hits || !json.Valid(response) || len(response) < x.least || len(response) > x.bound {
			t.Errorf("%s: %d extensions, %d bytes, want %d extensions", x.name, hits, len(response), x.hits)
		}
		totals := gjson.GetBytes(response, "results.#.resultMetadata.0.metadataItems.0.count").Array()
		if last := totals[len(totals)-1].Int(); last != int64(x.total) {
			t.Errorf("%s: TotalCount %d, want %d", x.name, last, x.total)
		}
	}
}

// TestNamesExceedPage requests more extensions by name than its page size. All are returned.
func TestNamesExceedPage(t *testing.T) {
	q, err := query.Parse([]byte(`{"filters":[{"criteria":[{"filterType":7,"value":"acme.hello"},{"filterType":7,"value":"zeta.plain"}],"pageSize":1}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, hits := respond(t, open(t), q, gallery.NewAddress("")); hits != 2 {
		t.Errorf("%d extensions, want 2", hits)
	}
}
