package galshim

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"galbuild/build/stats"
)

// openCounting serves the sample with a counter that writes only when the test says so. The clock
// and the log are those of the test.
func openCounting(t *testing.T, dir string, now *time.Time, log *bytes.Buffer) (*testGallery, *counter) {
	t.Helper()
	c := newCounter(dir, slog.New(slog.NewTextHandler(log, nil)))
	c.now = func() time.Time { return *now }
	t.Cleanup(c.closeFile)
	return openSample(t, func(cfg *config) { cfg.counter = c }), c
}

// install sends a report that an extension was installed.
func (g *testGallery) install(t *testing.T, name string) {
	t.Helper()
	if r := g.request("POST", "/api/publishers/acme/extensions/"+name+"/1.2.3/stats?statType=install", ""); r.StatusCode != http.StatusNoContent {
		t.Errorf("the status is %d", r.StatusCode)
	}
}

// countFiles returns the texts of the files of a folder, in the order of their names without the
// random part.
func countFiles(t *testing.T, dir string) (texts []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		day, _, _ := strings.Cut(filepath.Base(file), ".")
		texts = append(texts, day+" "+string(text))
	}
	return texts
}

const installed = `{"day":"%s","id":"acme.hello","installs":%d}` + "\n"

// TestCounter counts on two days, for two of which it writes after midnight. There is a file for
// each day, which the lines are appended to. Ids that the index does not have are not kept.
func TestCounter(t *testing.T) {
	dir, now := filepath.Join(t.TempDir(), "counts"), time.Date(2026, 11, 29, 23, 59, 59, 0, time.UTC)
	var log bytes.Buffer
	g, c := openCounting(t, dir, &now, &log)
	g.install(t, "hello")
	g.install(t, "HELLO")
	for i := range 1000 {
		g.install(t, fmt.Sprintf("made-up%d", i))
	}
	if len(c.pending) != 1 {
		t.Errorf("%d ids are kept, want 1", len(c.pending))
	}
	c.write(false)
	g.install(t, "hello")
	now = now.Add(time.Hour)
	g.install(t, "hello")
	if n := c.unwritten(); n != 2 {
		t.Errorf("%d counts are not written, want 2", n)
	}
	c.write(false)
	c.write(false)
	if got, want := fmt.Sprintf("%q", countFiles(t, dir)), fmt.Sprintf("%q", []string{
		"2026-11-29 " + fmt.Sprintf(installed, "2026-11-29", 2) + fmt.Sprintf(installed, "2026-11-29", 1),
		"2026-11-30 " + fmt.Sprintf(installed, "2026-11-30", 1),
	}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if log.Len() > 0 {
		t.Errorf("the log is %s", &log)
	}
}

// TestCounterFails makes a folder that cannot be written, and one that can be again. Requests are
// served, the failure is logged once, and nothing is lost.
func TestCounterFails(t *testing.T) {
	parent, now := t.TempDir(), time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	dir := filepath.Join(parent, "counts")
	if err := os.WriteFile(dir, nil, 0o644); err != nil { // not a folder
		t.Fatal(err)
	}
	var log bytes.Buffer
	g, c := openCounting(t, dir, &now, &log)
	if c.write(false); strings.Contains(log.String(), "are written again") {
		t.Errorf("nothing was to be written: %s", &log)
	}
	for range 5 {
		g.install(t, "hello")
		if c.write(false) {
			t.Error("the counts are written to a file that is no folder")
		}
	}
	if n := strings.Count(log.String(), "cannot be written"); n != 1 {
		t.Errorf("the failure is logged %d times: %s", n, &log)
	}
	if health := text(t, g.request("GET", "/healthz", "")); !strings.Contains(health, `"unwrittenCounts":5`) {
		t.Errorf("the health is %s", health)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if !c.write(false) || c.unwritten() != 0 || !strings.Contains(log.String(), "are written again") {
		t.Errorf("%d counts are not written: %s", c.unwritten(), &log)
	}
	if got, want := countFiles(t, dir), "2026-11-29 "+fmt.Sprintf(installed, "2026-11-29", 5); len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestCounterShortWrite has a write that fails in the middle of a line. The line is removed from
// the file. If it cannot be removed, no other line follows it.
func TestCounterShortWrite(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	var log bytes.Buffer
	g, c := openCounting(t, dir, &now, &log)
	g.install(t, "hello")
	c.write(false)
	fmt.Fprint(c.file, `{"day":"2026-`)
	c.discardRest()
	g.install(t, "hello")
	c.write(false)
	one := fmt.Sprintf(installed, "2026-11-29", 1)
	if got := countFiles(t, dir); len(got) != 1 || got[0] != "2026-11-29 "+one+one {
		t.Errorf("got %q", got)
	}

	damaged := c.file.Name()
	fmt.Fprint(c.file, `{"day":"2026-`)
	c.file.Close()
	var err error
	if c.file, err = os.Open(damaged); err != nil { // which can neither be written nor truncated
		t.Fatal(err)
	}
	g.install(t, "hello")
	if c.write(false) || c.unwritten() != 1 {
		t.Error("a file that is open for reading was written")
	}
	if !c.write(false) || len(countFiles(t, dir)) != 2 {
		t.Errorf("got %q", countFiles(t, dir))
	}
	for _, text := range countFiles(t, dir) {
		if text != "2026-11-29 "+one && text != "2026-11-29 "+one+one+`{"day":"2026-` {
			t.Errorf("got %q", text)
		}
	}
}

// TestCounterFileRemoved removes the file of the day. The next counts are in a new one.
func TestCounterFileRemoved(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	var log bytes.Buffer
	g, c := openCounting(t, dir, &now, &log)
	g.install(t, "hello")
	c.write(false)
	if err := os.Remove(c.file.Name()); err != nil {
		t.Fatal(err)
	}
	g.install(t, "hello")
	c.write(false)
	if got := countFiles(t, dir); len(got) != 1 || got[0] != "2026-11-29 "+fmt.Sprintf(installed, "2026-11-29", 1) {
		t.Errorf("got %q", got)
	}
}

// TestCounterIsBounded fills a file up to its limit. More is written only as time passes, and at
// the end, and nothing is lost.
func TestCounterIsBounded(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	var log bytes.Buffer
	g, c := openCounting(t, dir, &now, &log)
	g.install(t, "hello")
	c.write(false)
	c.size = countBurst
	g.install(t, "hello")
	if c.write(false) || c.unwritten() != 1 {
		t.Error("more than the limit was written")
	}
	now = now.Add(time.Second)
	if !c.write(false) || c.size <= countBurst || c.size > countBurst+countRate {
		t.Errorf("the size is %d a second later", c.size)
	}
	g.install(t, "hello")
	c.size = countBurst + 10*countRate
	if c.write(false) || !c.write(true) {
		t.Error("the last counts are not written at the end")
	}
	for i := range maxCounted + 5 {
		c.keep([]*stats.Line{{Day: "2026-11-29", ID: fmt.Sprintf("acme.n%d", i), Installs: 2}})
	}
	if len(c.pending) != maxCounted || c.lost != 10 {
		t.Errorf("%d extensions are in memory, and %d counts lost", len(c.pending), c.lost)
	}
}

// TestCounterAtOnce counts from many goroutines while another one writes, and stops.
func TestCounterAtOnce(t *testing.T) {
	dir := t.TempDir()
	c := newCounter(dir, slog.New(slog.DiscardHandler))
	c.start()
	g := openSample(t, func(cfg *config) { cfg.counter = c })
	const clients, each = 8, 200
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for i := range each {
				g.install(t, "hello")
				if i%50 == 0 {
					c.again()
				}
			}
		})
	}
	all.Wait()
	c.close()
	sum := 0
	for _, text := range countFiles(t, dir) {
		for line := range strings.Lines(text) {
			n := 0
			fmt.Sscanf(line[strings.Index(line, `"installs":`):], `"installs":%d`, &n)
			sum += n
		}
	}
	if sum != clients*each {
		t.Errorf("%d installs were counted, want %d", sum, clients*each)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) == 0 {
		t.Errorf("no file: %v", err)
	}
}

// TestCountingDoesNotAllocate checks that a query costs no more if requests are counted.
func TestCountingDoesNotAllocate(t *testing.T) {
	counting := openSample(t, func(cfg *config) { cfg.counter = newCounter(t.TempDir(), slog.New(slog.DiscardHandler)) })
	without := openSample(t)
	measure := func(g *testGallery) float64 {
		return testing.AllocsPerRun(200, func() {
			g.request("POST", "/api/extensionquery", `{"filters":[{"criteria":[{"filterType":7,"value":"acme.hello"}]}],"flags":950}`)
		})
	}
	if with, before := measure(counting), measure(without); with > before {
		t.Errorf("a query allocates %v times, and without counting %v times", with, before)
	}
}
