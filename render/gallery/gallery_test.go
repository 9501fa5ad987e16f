package gallery_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
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
	c := sample()
	for i := range c.Extensions {
		if d, ok := gallery.Document(&c.Extensions[i], false); ok {
			docs = append(docs, d)
		}
	}
	if len(docs) != 2 {
		t.Fatalf("%d documents, want 2: one extension has no build that an editor knows", len(docs))
	}
	var file bytes.Buffer
	if err := index.Write(&file, docs, nil); err != nil {
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
		answer, _ := gallery.AppendAnswer(nil, ix, q, "https://gal.example/tools")
		compare(t, strings.Replace(request, ".request.", ".answer.", 1), answer)
	}
}

func TestGoldenLatest(t *testing.T) {
	ix := open(t)
	answer, ok := gallery.AppendLatest(nil, ix, "ACME.hello", "https://gal.example")
	if !ok {
		t.Fatal("not found")
	}
	compare(t, "testdata/latest.json", answer)
	if answer, ok := gallery.AppendLatest([]byte("x"), ix, "acme.nothing", ""); ok || string(answer) != "x" {
		t.Errorf("an unknown id gives %q, %v", answer, ok)
	}
}

func TestGoldenManifest(t *testing.T) {
	compare(t, "testdata/manifest.json", gallery.Manifest("https://gal.example"))
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
	answer, _ := gallery.AppendAnswer(nil, open(t), query.Query{Filters: []query.Filter{{Page: 1, Size: 10}}}, base)
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
		d.Payloads[index.Latest] = index.Payload{JSON: []byte("{}")}
		docs = append(docs, d)
	}
	var file bytes.Buffer
	if err := index.Write(&file, docs, nil); err != nil {
		t.Fatal(err)
	}
	ix, err := index.OpenBytes(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	body := `{"filters":[` + strings.Repeat(`{"pageSize":10000},`, 200) + `{}]}`
	q, err := query.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, hits := gallery.AppendAnswer(nil, ix, q, "")
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
	if _, hits := gallery.AppendAnswer(nil, open(t), q, ""); hits != 2 {
		t.Errorf("%d extensions, want 2", hits)
	}
}
