package cmd_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"path/filepath"
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
// versions, and starts galshim with it. It reports how long the index takes, its size, how long
// galshim takes from the start of the process to the first response, its anonymous memory, and the
// times of searches for two words that a client makes one after the other: first while many of the
// chunks are used for the first time and verified, and then again. Packages are not written:
// galshim does not open them for queries.
func BenchmarkVersions(b *testing.B) {
	extensions := 1000
	if *million {
		extensions = 100_000
	}
	program := filepath.Join(b.TempDir(), "galshim")
	if out, err := exec.Command("go", "build", "-o", program, "galbuild/cmd/galshim").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	dir := b.TempDir()
	made := time.Now()
	writeVersions(b, dir, extensions)
	index := time.Since(made)
	for b.Loop() {
		shim := startShim(b, program, dir)
		random := rand.New(rand.NewPCG(3, 4))
		first := shim.search(b, 2000, random)
		times := shim.search(b, 2000, random)
		b.ReportMetric(index.Seconds(), "index-s")
		b.ReportMetric(float64(shim.first.Microseconds())/1000, "first-ms")
		b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-us")
		b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-us")
		b.ReportMetric(float64(first[len(first)*99/100].Microseconds()), "p99-first-us")
		b.ReportMetric(float64(usageOf(b, shim.process.Process.Pid).anonymous)/(1<<20), "anonymous-MiB")
		shim.process.Process.Kill()
		shim.process.Wait()
	}
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
	current, err := render.Site(context.Background(), dir, c, site.Generation{})
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

// A timedShim is a process of galshim.
type timedShim struct {
	process *exec.Cmd
	base    string
	first   time.Duration // from the start of the process to the first response
}

func startShim(b *testing.B, program, dir string) *timedShim {
	b.Helper()
	s := &timedShim{process: exec.Command(program, "--index", dir, "--listen", "127.0.0.1:0", "--log-format", "json")}
	stderr, err := s.process.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	started := time.Now()
	if err := s.process.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.process.Process.Kill() })
	for log := json.NewDecoder(stderr); s.base == ""; {
		var line struct{ Msg, Addr string }
		if err := log.Decode(&line); err != nil {
			b.Fatal(err)
		}
		if line.Msg == "listening" {
			s.base = line.Addr
		}
	}
	go io.Copy(io.Discard, stderr)
	s.query(b, "")
	s.first = time.Since(started)
	return s
}

// search returns the times of searches for two words, sorted.
func (s *timedShim) search(b *testing.B, n int, random *rand.Rand) (times []time.Duration) {
	for range n {
		started := time.Now()
		s.query(b, fmt.Sprintf(`{"filterType":10,"value":%q},`, someWords(2, random)))
		times = append(times, time.Since(started))
	}
	slices.Sort(times)
	return times
}

func (s *timedShim) query(b *testing.B, criteria string) {
	b.Helper()
	body := `{"filters":[{"criteria":[` + criteria + `{"filterType":8,"value":"Microsoft.VisualStudio.Code"}],"pageNumber":1,"pageSize":50,"sortBy":0,"sortOrder":0}],"assetTypes":[],"flags":950}`
	response, err := http.Post(s.base+"/api/extensionquery", "application/json", strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
		b.Fatalf("%s, %v", response.Status, err)
	}
}
