package gallery_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
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
)

var update = flag.Bool("update", false, "rewrite the golden answers")

func asset(kind, mediaType string) catalog.Asset {
	return catalog.Asset{Type: kind, File: catalog.File{Ref: blob.Sum([]byte(kind)), Size: 5, Type: mediaType}}
}

func version(number, platform string, preRelease bool, assets ...catalog.Asset) catalog.Version {
	return catalog.Version{
		Version: number, Platform: platform, PreRelease: preRelease,
		DisplayName: "Hello \"<World>\"", Description: "Says hello",
		Categories: []string{"Other"}, Tags: []string{"greeting", "__web_extension"},
		Properties: []catalog.Property{{Key: "Microsoft.VisualStudio.Code.Engine", Value: "^1.90.0"}},
		Updated:    time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC),
		Assets:     append([]catalog.Asset{asset("Microsoft.VisualStudio.Code.Manifest", "application/json")}, assets...),
	}
}

// sample has a pre-release on top, two platforms, a genuine signature, a platform
// that no editor knows, and an extension that has nothing else.
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
		t.Fatalf("%d documents, want 2: one extension has no build that an editor knows", len(docs))
	}
	return openIndex(t, docs, func(i int) index.Payloads { return payloads[i] })
}

func openIndex(t *testing.T, docs []index.Document, payloads func(int) index.Payloads) *index.Index {
	t.Helper()
	var file bytes.Buffer
	err := index.Write(&file, index.Content{
		Documents: docs, Payloads: payloads, Files: slices.Values([]index.File(nil)), Scratch: t.TempDir(),
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

// TestGolden answers each testdata/*.request.json as it stands beside it in
// *.answer.json. Both are real wire text; the answer is indented to be read.
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
		answer, hits := gallery.AppendAnswer(nil, nil, ix, q, gallery.NewAddress("https://gal.example/tools"))
		compare(t, strings.Replace(request, ".request.", ".answer.", 1), answer)
		packed, packedHits, ok := gallery.AppendPacked(nil, nil, ix, q, gallery.NewAddress("https://gal.example/tools"))
		if !ok || packedHits != hits || unzip(t, packed) != string(answer) {
			t.Errorf("%s: packed, the answer is another", request)
		}
	}
}

func unzip(t *testing.T, packed []byte) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestBaseURLs fills in addresses of all lengths; the longest leave no room to pack.
func TestBaseURLs(t *testing.T) {
	ix := open(t)
	q := query.Query{Filters: []query.Filter{{}}, Flags: query.IncludeVersions}
	for size := len("https://h"); size < 99; size++ {
		base := "https://h" + strings.Repeat("x", size-len("https://h"))
		answer, _ := gallery.AppendAnswer(nil, nil, ix, q, gallery.NewAddress(base))
		if got := gjson.GetBytes(answer, "results.0.extensions.0.versions.0.assetUri").String(); got != base+"/assets/acme/hello/2.0.0@linux-x64" {
			t.Fatalf("base of %d bytes: got assetUri %q", size, got)
		}
		packed, _, ok := gallery.AppendPacked([]byte("kept"), nil, ix, q, gallery.NewAddress(base))
		if ok != (size <= 64) {
			t.Fatalf("base of %d bytes: packed %t", size, ok)
		}
		if ok && unzip(t, packed[len("kept"):]) != string(answer) {
			t.Errorf("base of %d bytes: packed, the answer is another", size)
		}
	}
}

// TestFirstIndexes answers from an index without packed payloads, with holes that
// have no width.
func TestFirstIndexes(t *testing.T) {
	ix := openIndex(t, []index.Document{{ID: "a.b"}}, func(int) index.Payloads {
		p := index.Payload{JSON: []byte(`{"assetUri":"/x"}`), Holes: []uint32{13}}
		return index.Payloads{p, p}
	})
	q := query.Query{Filters: []query.Filter{{}}}
	answer, _ := gallery.AppendAnswer(nil, nil, ix, q, gallery.NewAddress("https://h"))
	if !strings.Contains(string(answer), `[{"assetUri":"https://h/x"}]`) {
		t.Errorf("got %s", answer)
	}
	if _, _, ok := gallery.AppendPacked(nil, nil, ix, q, gallery.NewAddress("https://h")); ok {
		t.Error("packed, without anything that is")
	}
}

// TestKnown takes over what is the same, and renders what is not.
func TestKnown(t *testing.T) {
	known := open(t)
	c := sample()
	c.Extensions[2].Versions[0].Description = "Something else"
	fresh, reusing := gallery.Renderer{}, gallery.Renderer{Known: known}
	for i, same := range map[int]bool{0: true, 2: false} {
		e := &c.Extensions[i]
		got, want := reusing.Payloads(e), fresh.Payloads(e)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", e.ID(), got, want)
		}
		hit, _ := known.Find(e.ID())
		before := known.Payload(hit, index.Latest).Packed
		if taken := &got[index.Latest].Packed[0] == &before[0]; taken != same {
			t.Errorf("%s: taken over: %t", e.ID(), taken)
		}
	}
}

func TestGoldenLatest(t *testing.T) {
	ix := open(t)
	answer, ok := gallery.AppendLatest(nil, ix, "ACME.hello", gallery.NewAddress("https://gal.example"))
	if !ok {
		t.Fatal("not found")
	}
	compare(t, "testdata/latest.json", answer)
	if answer, ok := gallery.AppendLatest([]byte("x"), ix, "acme.nothing", gallery.NewAddress("")); ok || string(answer) != "x" {
		t.Errorf("an unknown id gives %q, %v", answer, ok)
	}
}

func TestGoldenManifest(t *testing.T) {
	compare(t, "testdata/manifest.json", gallery.Manifest("https://gal.example", ""))
}

func compare(t *testing.T, golden string, answer []byte) {
	t.Helper()
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, bytes.TrimSpace(answer), "", " "); err != nil {
		t.Fatalf("%s: not JSON: %v\n%s", golden, err, answer)
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
		t.Errorf("%s differs (run with -update if that is meant):\n%s", golden, pretty.Bytes())
	}
}

// TestBaseIsEscaped proves that no base URL breaks out of its strings.
func TestBaseIsEscaped(t *testing.T) {
	base := "http://h/\"},{\"\\\u2028"
	answer, _ := gallery.AppendAnswer(nil, nil, open(t), query.Query{Filters: []query.Filter{{Page: 1, Size: 10}}}, gallery.NewAddress(base))
	var parsed struct {
		Results []struct {
			Extensions []struct{ Versions []struct{ AssetURI string } }
		}
	}
	if err := json.Unmarshal(answer, &parsed); err != nil {
		t.Fatal(err)
	}
	if got := parsed.Results[0].Extensions[0].Versions[0].AssetURI; !strings.HasPrefix(got, base+"/assets/") {
		t.Errorf("assetUri %q does not begin with %q", got, base)
	}
}

// TestAnswerIsBounded asks for the whole gallery many times over.
func TestAnswerIsBounded(t *testing.T) {
	one := index.Document{ID: "a.b", Name: "b", Publisher: "a", UUID: "u"}
	var docs []index.Document
	for i := range query.MaxPageSize - 1 {
		d := one
		d.ID, d.Name, d.UUID = fmt.Sprintf("a.b%d", i), fmt.Sprintf("b%d", i), fmt.Sprint(i)
		docs = append(docs, d)
	}
	ix := openIndex(t, docs, func(int) index.Payloads {
		return index.Payloads{index.Latest: {JSON: []byte("{}")}}
	})
	body := `{"filters":[` + strings.Repeat(`{"pageSize":10000},`, 200) + `{}]}`
	q, err := query.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, hits := gallery.AppendAnswer(nil, nil, ix, q, gallery.NewAddress(""))
	if hits != query.MaxPageSize || !json.Valid(answer) {
		t.Errorf("%d extensions in an answer of %d bytes", hits, len(answer))
	}
	totals := gjson.GetBytes(answer, "results.#.resultMetadata.0.metadataItems.0.count").Array()
	if len(totals) != query.MaxFilters || totals[len(totals)-1].Int() != int64(len(docs)) {
		t.Errorf("totals %v", totals)
	}
}

// TestNamesAreNotPagedAway asks for more extensions than fit the page.
func TestNamesAreNotPagedAway(t *testing.T) {
	q, err := query.Parse([]byte(`{"filters":[{"criteria":[{"filterType":7,"value":"acme.hello"},{"filterType":7,"value":"zeta.plain"}],"pageSize":1}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, hits := gallery.AppendAnswer(nil, nil, open(t), q, gallery.NewAddress("")); hits != 2 {
		t.Errorf("%d extensions, want 2", hits)
	}
}
