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
	"galbuild/build/stats"
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
	signed := version("1.0.0", "", false, asset(catalog.SignatureAsset, "application/zip"),
		asset(catalog.PageAsset, "application/json"), asset(catalog.ReadmeAsset, "text/markdown; charset=utf-8"))
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
		if d, ok := gallery.Document(&c.Extensions[i], false, figures(&c.Extensions[i])); ok {
			docs, payloads = append(docs, d), append(payloads, renderer.Payloads(&c.Extensions[i]))
		}
	}
	if len(docs) != 2 {
		t.Fatalf("%d documents, want 2: one extension has only a platform that editors do not support", len(docs))
	}
	return openIndex(t, docs, func(i int) index.Payloads { return payloads[i] })
}

// openIndex returns an index of documents whose payloads are in one chunk.
func openIndex(t testing.TB, docs []index.Document, payloads func(int) index.Payloads) *index.Index {
	t.Helper()
	content := index.Content{Documents: docs, Files: slices.Values([]index.File(nil)), TempDir: t.TempDir()}
	var all index.ChunkContent
	for i := range docs {
		all.Payloads = append(all.Payloads, payloads(i))
		content.Places = append(content.Places, index.Place{Position: uint32(i)})
	}
	text, chunk, err := index.EncodeChunk(all)
	if err != nil {
		t.Fatal(err)
	}
	content.Chunks = []index.Chunk{chunk}
	var file bytes.Buffer
	if err := index.Write(&file, content); err != nil {
		t.Fatal(err)
	}
	ix, err := index.OpenBytes(file.Bytes(), func(index.Chunk) ([]byte, io.Closer, error) { return text, io.NopCloser(nil), nil })
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
	r, err := gallery.Respond(nil, ix, q)
	if err != nil {
		t.Fatal(err)
	}
	small, large := written(t, 500, func(to *splice.Buffer) error { return r.WriteJSON(to, at) }), written(t, 1<<20, func(to *splice.Buffer) error { return r.WriteJSON(to, at) })
	if !bytes.Equal(small, large) {
		t.Error("the response depends on the buffer it is written through")
	}
	return large, r.Hits()
}

// respondGzip writes the response to q as gzip. ok is false if it cannot be written.
func respondGzip(t *testing.T, ix *index.Index, q query.Query, at *gallery.Address) (compressed []byte, hits int, ok bool) {
	t.Helper()
	r, err := gallery.Respond(nil, ix, q)
	if err != nil {
		t.Fatal(err)
	}
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

// TestWithoutCompressedForm responds with an extension that has no compressed form.
func TestWithoutCompressedForm(t *testing.T) {
	const begin = `{                                                                "assetUri":"`
	ix := openIndex(t, []index.Document{{ID: "a.b"}}, func(int) index.Payloads {
		p := index.Payload{JSON: []byte(begin + `/x"`), Placeholders: []uint32{uint32(len(begin))}}
		return index.Payloads{p, p}
	})
	q := query.Query{Filters: []query.Filter{{}}}
	response, _ := respond(t, ix, q, gallery.NewAddress("https://h"))
	if got := gjson.GetBytes(response, "results.0.extensions.0.assetUri").String(); got != "https://h/x" {
		t.Errorf("got %s", response)
	}
	if _, _, ok := respondGzip(t, ix, q, gallery.NewAddress("https://h")); ok {
		t.Error("HasGzip is true without compressed payloads")
	}
}

// TestMissingChunk responds from an index whose chunks cannot be opened. The error says so, before
// anything is written.
func TestMissingChunk(t *testing.T) {
	var file bytes.Buffer
	err := index.Write(&file, index.Content{
		Documents: []index.Document{{ID: "a.b", Name: "b", Publisher: "a"}}, Places: []index.Place{{}}, Chunks: []index.Chunk{{Size: 1 << 10, Documents: 1}},
		Files: slices.Values([]index.File(nil)), TempDir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	ix, err := index.OpenBytes(file.Bytes(), index.ChunksIn(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	var missing *index.ChunkError
	if _, err := gallery.Respond(nil, ix, query.Query{Filters: []query.Filter{{}}}); !errors.As(err, &missing) {
		t.Errorf("a query: got %v", err)
	}
	if r, err := gallery.Respond(nil, ix, query.Query{Filters: []query.Filter{{Names: []string{"a.c"}}}}); err != nil || r.Hits() > 0 {
		t.Errorf("a query without results: got %v, %v", r, err)
	}
	if _, _, err := gallery.AppendLatest(nil, ix, "a.b", gallery.NewAddress("")); !errors.As(err, &missing) {
		t.Errorf("latest: got %v", err)
	}
	e := sample().Extensions[0]
	e.Publisher.Name, e.Name = "a", "b"
	var fresh gallery.Renderer
	if got, want := (&gallery.Renderer{Previous: ix}).Payloads(&e), fresh.Payloads(&e); !reflect.DeepEqual(got, want) {
		t.Errorf("payloads: got %v, want %v", got, want)
	}
}

// TestNotDownloaded responds from an index whose chunks have not been downloaded. The error has
// each chunk that the response needs, once.
func TestNotDownloaded(t *testing.T) {
	content := index.Content{Files: slices.Values([]index.File(nil)), TempDir: t.TempDir()}
	for i := range 6 {
		content.Documents = append(content.Documents, index.Document{ID: fmt.Sprintf("a.b%d", i)})
		content.Places = append(content.Places, index.Place{Chunk: uint32(i / 2), Position: uint32(i % 2)})
	}
	for i, first := range []string{"", "a.b2", "a.b4"} {
		content.Chunks = append(content.Chunks, index.Chunk{First: first, Size: 1 << 10, SHA256: [32]byte{byte(i)}, Documents: 2})
	}
	var file bytes.Buffer
	if err := index.Write(&file, content); err != nil {
		t.Fatal(err)
	}
	ix, err := index.OpenBytes(file.Bytes(), func(index.Chunk) ([]byte, io.Closer, error) {
		return nil, nil, fmt.Errorf("the file: %w", index.ErrNotDownloaded)
	})
	if err != nil {
		t.Fatal(err)
	}
	f := query.Filter{Names: []string{"a.b0", "a.b1", "a.b5"}}
	_, err = gallery.Respond(nil, ix, query.Query{Filters: []query.Filter{f, f}})
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("got %v, want joined errors", err)
	}
	var missing []byte
	for _, err := range joined.Unwrap() {
		if failed := new(index.ChunkError); errors.As(err, &failed) {
			missing = append(missing, failed.Chunk.SHA256[0])
		}
	}
	if !bytes.Equal(missing, []byte{0, 2}) {
		t.Errorf("got the chunks %v, want 0 and 2: %v", missing, err)
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
		before, err := previous.Payload(hit, index.Latest)
		if err != nil {
			t.Fatal(err)
		}
		if reused := &got[index.Latest].Deflated[0] == &before.Deflated[0]; reused != same {
			t.Errorf("%s: reused: %t", e.ID(), reused)
		}
	}
}

func TestGoldenLatest(t *testing.T) {
	ix := open(t)
	response, ok, err := gallery.AppendLatest(nil, ix, "ACME.hello", gallery.NewAddress("https://gal.example"))
	if err != nil || !ok {
		t.Fatalf("found %t, %v", ok, err)
	}
	compare(t, "testdata/latest.json", response)
	if response, ok, err := gallery.AppendLatest([]byte("x"), ix, "acme.nothing", gallery.NewAddress("")); err != nil || ok || string(response) != "x" {
		t.Errorf("an unknown id gives %q, %t, %v", response, ok, err)
	}
}

// figures returns the numbers of an extension of a gallery that counts nothing itself.
func figures(e *catalog.Extension) catalog.Figures {
	return stats.NewTotals(new(catalog.Catalog), nil).Of(e)
}

// TestUse has extensions with counted statistics, and the orders by them.
func TestUse(t *testing.T) {
	var docs []index.Document
	var payloads []index.Payloads
	var renderer gallery.Renderer
	for i, f := range []catalog.Figures{
		{Installs: 100},
		{Installs: 7, Downloads: 9, Trending: catalog.Trending{Day: 1, Week: 2, Month: 7}},
		{Installs: 6, Trending: catalog.Trending{Week: 3, Month: 4}, Rating: 4, Ratings: 80},
		{Downloads: 5, Rating: 3, Ratings: 20},
	} {
		e := sample().Extensions[0]
		e.Name = fmt.Sprintf("n%d", i)
		d, _ := gallery.Document(&e, false, f)
		docs, payloads = append(docs, d), append(payloads, renderer.Payloads(&e))
	}
	ix := openIndex(t, docs, func(i int) index.Payloads { return payloads[i] })
	for i, want := range []string{
		`[["install",100],["averagerating",0],["ratingcount",0]]`,
		`[["install",7],["averagerating",0],["ratingcount",0],["downloadCount",9],["trendingdaily",1],["trendingweekly",2],["trendingmonthly",7]]`,
		`[["install",6],["averagerating",4],["ratingcount",80],["weightedRating",3.9],["trendingdaily",0],["trendingweekly",3],["trendingmonthly",4]]`, // (80·4 + 20·3.5) / 100
		`[["install",0],["averagerating",3],["ratingcount",20],["weightedRating",3.25],["downloadCount",5]]`,
	} {
		latest, _, err := gallery.AppendLatest(nil, ix, fmt.Sprintf("Acme.n%d", i), gallery.NewAddress("https://host"))
		if err != nil {
			t.Fatal(err)
		}
		var pairs []string
		for _, s := range gjson.GetBytes(latest, "statistics").Array() {
			pairs = append(pairs, "["+s.Get("statisticName").Raw+","+s.Get("value").Raw+"]")
		}
		if got := "[" + strings.Join(pairs, ",") + "]"; got != want {
			t.Errorf("n%d: got %s, want %s", i, got, want)
		}
	}
	for by, want := range map[query.Sort]string{
		query.InstallCount: "n0 n1 n2 n3", query.TrendingDaily: "n1 n0 n2 n3", query.TrendingWeekly: "n2 n1 n0 n3",
		query.TrendingMonthly: "n1 n2 n0 n3", query.AverageRating: "n2 n3 n0 n1", query.WeightedRating: "n2 n0 n1 n3",
	} {
		q := query.Query{Filters: []query.Filter{{Page: 1, Size: 50, Sort: by}}, Flags: 950}
		response, _ := respond(t, ix, q, gallery.NewAddress("https://host"))
		var names []string
		for _, e := range gjson.GetBytes(response, "results.0.extensions.#.extensionName").Array() {
			names = append(names, e.Str)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: got %s, want %s", by, got, want)
		}
	}
}

// TestStatistics has extensions with other statistics than those of the index. The payloads are the
// same, and responses have the statistics of the index. The static response has none.
func TestStatistics(t *testing.T) {
	for _, tt := range []struct {
		of   *catalog.Statistics
		want string
	}{
		{nil, `[]`},
		{&catalog.Statistics{}, `[]`},
		{&catalog.Statistics{Install: 1}, `[{"statisticName":"install","value":1},{"statisticName":"averagerating","value":0},{"statisticName":"ratingcount","value":0}]`},
		{&catalog.Statistics{RatingCount: 3}, `[{"statisticName":"install","value":0},{"statisticName":"averagerating","value":0},{"statisticName":"ratingcount","value":3},{"statisticName":"weightedRating","value":0}]`},
		{&catalog.Statistics{Install: math.MaxInt64, AverageRating: math.SmallestNonzeroFloat64, RatingCount: math.MaxInt64},
			`[{"statisticName":"install","value":9223372036854775807},{"statisticName":"averagerating","value":0.` + strings.Repeat("0", 323) + `5},{"statisticName":"ratingcount","value":9223372036854775807},{"statisticName":"weightedRating","value":0}]`},
	} {
		e := sample().Extensions[0]
		e.Statistics = tt.of
		d, _ := gallery.Document(&e, false, figures(&e))
		var renderer gallery.Renderer
		without := sample().Extensions[0]
		without.Statistics = nil
		payloads := renderer.Payloads(&e)
		if !reflect.DeepEqual(payloads, renderer.Payloads(&without)) {
			t.Errorf("the payloads of an extension with %+v differ from those without", tt.of)
		}
		other := index.Document{ID: "a.b"}
		ix := openIndex(t, []index.Document{d, other}, func(int) index.Payloads { return payloads })
		at := gallery.NewAddress("https://gal.example")
		q := query.Query{Filters: []query.Filter{{}}, Flags: query.IncludeVersions}
		response, _ := respond(t, ix, q, at)
		compressed, _, ok := respondGzip(t, ix, q, at)
		if !ok || unzip(t, compressed) != string(response) {
			t.Errorf("%+v: the compressed response differs", tt.of)
		}
		latest, _, err := gallery.AppendLatest(nil, ix, e.ID(), at)
		if err != nil || !json.Valid(response) || !json.Valid(latest) {
			t.Fatalf("%+v: not JSON: %s, %s, %v", tt.of, response, latest, err)
		}
		hit, _ := ix.Find(e.ID())
		inList := gjson.GetBytes(response, fmt.Sprintf("results.0.extensions.%d.statistics", hit)).Raw
		if got := gjson.GetBytes(latest, "statistics").Raw; got != tt.want || inList != tt.want {
			t.Errorf("got %s and %s, want %s", inList, got, tt.want)
		}
		static, end := gallery.Latest(&e, at), `,"statistics":`+tt.want+`}`
		if want := strings.TrimSuffix(string(latest), end) + "}"; !json.Valid(static) || string(static) != want {
			t.Errorf("the static response is %s, want %s", static, want)
		}
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
	text := func(size int) []byte { return []byte(`{"x":"` + strings.Repeat("x", size-len(`{"x":""`)) + `"`) }
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
	many, big := manyExtensions(t, query.MaxNames+5, 7, 8), manyExtensions(t, 70, 100, 1<<20)
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
		{"list of large ones", big, []query.Filter{list}, gallery.MaxBytes>>20 - 1, 70, 60 << 20, gallery.MaxBytes + 1<<10},
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
