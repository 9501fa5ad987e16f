package cmd_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/render"
)

var million = flag.Bool("million", false, "BenchmarkVersions has 100,000 extensions with ten versions each, instead of 1,000: 6 GB of memory and of the temporary folder")

// BenchmarkVersions derives the index of a generated catalogue, in which every extension has ten
// versions, and starts galshim with it. It reports how long the index takes, how long galshim takes
// from the start of the process to the first response, its anonymous memory, and the times of
// searches for two words that a client makes one after the other: first while galshim verifies
// chunks that it uses for the first time, and then 2,000 other searches. Packages are not written:
// galshim does not open them for queries.
func BenchmarkVersions(b *testing.B) {
	extensions := 1000
	if *million {
		extensions = 100_000
	}
	program, dir := buildShim(b), b.TempDir()
	made := time.Now()
	writeVersions(b, dir, extensions)
	index := time.Since(made)
	for b.Loop() {
		shim := startSoaked(b, program, dir)
		client := newSoakClient(shim.base, false, false)
		search(b, client, "")
		started := time.Since(shim.started)
		random := rand.New(rand.NewPCG(3, 4))
		first, again := searchTimes(b, client, random), searchTimes(b, client, random)
		b.ReportMetric(index.Seconds(), "index-s")
		b.ReportMetric(float64(started.Microseconds())/1000, "first-ms")
		b.ReportMetric(float64(again[len(again)/2].Microseconds()), "p50-us")
		b.ReportMetric(float64(again[len(again)*99/100].Microseconds()), "p99-us")
		b.ReportMetric(float64(first[len(first)*99/100].Microseconds()), "p99-first-us")
		b.ReportMetric(float64(usageOf(b, shim.process.Process.Pid).anonymous)/(1<<20), "anonymous-MiB")
		client.http.CloseIdleConnections()
		shim.stop(b)
	}
}

// searchTimes returns the times of 2,000 searches for two words, sorted. It is an error if most of
// them find nothing.
func searchTimes(b *testing.B, client *soakClient, random *rand.Rand) (times []time.Duration) {
	b.Helper()
	found := 0
	for range 2000 {
		started := time.Now()
		found += min(1, search(b, client, fmt.Sprintf(`{"filterType":10,"value":%q},`, someWords(2, random))))
		times = append(times, time.Since(started))
	}
	if found < len(times)/2 {
		b.Errorf("%d of %d searches found something", found, len(times))
	}
	slices.Sort(times)
	return times
}

// search makes a query, and returns how many extensions the response has.
func search(b *testing.B, client *soakClient, criteria string) int {
	b.Helper()
	body, err := client.fetch("POST", "/api/extensionquery", `{"filters":[{"criteria":[`+criteria+
		`{"filterType":8,"value":"Microsoft.VisualStudio.Code"}],"pageNumber":1,"pageSize":50,"sortBy":0,"sortOrder":0}],"assetTypes":[],"flags":950}`)
	if err != nil {
		b.Fatal(err)
	}
	return bytes.Count(body, []byte(`"extensionName":`))
}

// writeVersions writes the index of a site whose extensions have ten versions each.
func writeVersions(b *testing.B, root string, extensions int) {
	b.Helper()
	dir, err := site.Lock(root)
	if err != nil {
		b.Fatal(err)
	}
	defer dir.Close()
	c := &catalog.Catalog{Settings: catalog.Settings{Render: render.Version}}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range extensions {
		c.Extensions = append(c.Extensions, versionsOf(i, random))
	}
	slices.SortFunc(c.Extensions, func(x, y catalog.Extension) int { return strings.Compare(x.Key(), y.Key()) })
	current, err := render.Site(context.Background(), dir, c, site.Generation{}, nil)
	if err == nil {
		head := site.Head{Number: 1, SHA256: blob.Sum([]byte("head"))} // galshim does not read it
		err = dir.WriteFile(site.CurrentPath, site.FormatCurrent(current, head))
	}
	if err != nil {
		b.Fatal(err)
	}
}

// someWords returns n words, of which some are frequent and most are rare, as in descriptions.
func someWords(n int, random *rand.Rand) string {
	text := make([]string, n)
	for i := range text {
		text[i] = word(int(float64(40_000) * random.Float64() * random.Float64() * random.Float64()))
	}
	return strings.Join(text, " ")
}

// word returns word i, which is pronounceable.
func word(i int) string {
	var text []byte
	for n := i + 200; n > 0; n /= 60 {
		text = append(text, "bcdfghklmnrt"[n%60/5], "aeiou"[n%5])
	}
	return string(text)
}

// versionsOf returns extension i, which has ten versions.
func versionsOf(i int, random *rand.Rand) catalog.Extension {
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	publisher := fmt.Sprintf("%s%d", word(i/3), i/3)
	e := catalog.Extension{
		Publisher: catalog.Publisher{ID: fmt.Sprintf("10000000-0000-4000-8000-%012d", i/3), Name: publisher, DisplayName: publisher},
		Name:      fmt.Sprintf("%s-%d", strings.ReplaceAll(someWords(2, random), " ", "-"), i),
		UUID:      fmt.Sprintf("20000000-0000-4000-8000-%012d", i),
		Released:  day, Published: day, Updated: day,
		Statistics: &catalog.Statistics{Install: int64(random.ExpFloat64() * 10_000), AverageRating: 4.5, RatingCount: 12},
	}
	name, description := someWords(3, random), someWords(12, random)
	for n := range 10 {
		v := catalog.Version{
			Version: fmt.Sprintf("1.%d.0", 9-n), DisplayName: name, Description: description, Updated: day,
			Categories: []string{"Linters"}, Tags: strings.Fields(someWords(5, random)),
			Properties: []catalog.Property{
				{Key: catalog.PropertyEngine, Value: "^1.80.0"},
				{Key: "Microsoft.VisualStudio.Code.ExtensionKind", Value: "workspace"},
				{Key: "Microsoft.VisualStudio.Services.Links.Source", Value: "https://git.example/" + publisher + "/" + e.Name},
				{Key: "Microsoft.VisualStudio.Services.Links.Support", Value: "https://git.example/" + publisher + "/" + e.Name + "/issues"},
			},
		}
		for _, kind := range []string{"Code.Manifest", "Services.Content.Changelog", "Services.Content.Details", "Services.Content.License", "Services.Icons.Default", "Services.VSIXPackage", "Services.VsixManifest"} {
			v.Assets = append(v.Assets, catalog.Asset{Type: "Microsoft.VisualStudio." + kind, File: catalog.File{
				Ref: blob.Sum(fmt.Appendf(nil, "%d %d %s", i, n, kind)), Size: 1000, Type: "application/octet-stream",
			}})
		}
		v.Package = v.Assets[5].File
		e.Versions = append(e.Versions, v)
	}
	return e
}
