package stats

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"galbuild/build/catalog"
)

var now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// gallery returns a catalogue with these extensions of acme.
func gallery(names ...string) *catalog.Catalog {
	c := new(catalog.Catalog)
	for _, name := range names {
		c.Extensions = append(c.Extensions, catalog.Extension{Publisher: catalog.Publisher{Name: "acme"}, Name: name, Versions: []catalog.Version{{Version: "1.0.0"}}})
	}
	return c
}

// write appends a text to a file of a folder.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.WriteString(text)
		f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// line returns a line of a file.
func line(day, name string, downloads, installs int64) string {
	text, _ := (&Line{Day: day, ID: "acme." + name, Downloads: downloads, Installs: installs}).Append(nil)
	return string(text)
}

func fold(t *testing.T, c *catalog.Catalog, folders ...string) (*catalog.Catalog, Folded) {
	t.Helper()
	next, report, err := Fold(c, folders, now, false)
	if err != nil {
		t.Fatal(err)
	}
	return next, report
}

// numbers returns the counted downloads and installs of each extension.
func numbers(c *catalog.Catalog) string {
	totals := NewTotals(c, nil)
	var all []string
	for i := range c.Extensions {
		f := totals.Of(&c.Extensions[i])
		all = append(all, fmt.Sprintf("%s %d %d", c.Extensions[i].Name, f.Downloads, f.Installs))
	}
	return strings.Join(all, ", ")
}

const (
	fileA = "2026-11-29.aaaaaaaaaaaaaaaa.jsonl"
	fileB = "2026-11-29.bbbbbbbbbbbbbbbb.jsonl"
)

// TestFold folds files that grow, from several processes and folders. Nothing is counted twice, and
// no incomplete line.
func TestFold(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	c := gallery("a", "b")
	write(t, one, fileA, line("2026-11-29", "a", 2, 1)+line("2026-11-29", "b", 1, 0)+line("2026-11-29", "a", 1, 1))
	write(t, two, fileB, line("2026-11-28", "a", 10, 10)+`{"day":"2026-11-29","id":"acme.a","downl`)
	first, report := fold(t, c, one, two)
	if got := numbers(first); got != "a 13 12, b 1 0" || report.Files != 2 || fmt.Sprint(report.Days) != "[2026-11-28 2026-11-29]" {
		t.Errorf("got %s, %+v", got, report)
	}
	if len(c.Usage)+len(c.Counted) > 0 {
		t.Error("the catalogue before has changed")
	}
	again, report := fold(t, first, one, two)
	if report.Files != 0 || !reflect.DeepEqual(again, first) {
		t.Errorf("folding again: got %+v, %+v, want %+v", again, report, first)
	}
	write(t, two, fileB, `oads":5}`+"\n"+line("2026-11-29", "b", 0, 3))
	second, report := fold(t, again, two)
	if got := numbers(second); got != "a 18 12, b 1 3" || report.Files != 1 || report.Downloads != 5 {
		t.Errorf("after the file has grown: got %s, %+v", got, report)
	}
	if other := catalog.MergeUsage(first.Usage, second.Usage); !reflect.DeepEqual(other, second.Usage) {
		t.Errorf("merging an earlier catalogue changes the counts: %+v, want %+v", other, second.Usage)
	}
}

// TestFoldApart folds two folders into two copies of a catalogue and merges them, which has the
// result of folding both into one. Their counters have different names.
func TestFoldApart(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	write(t, one, fileA, line("2026-11-29", "a", 2, 1))
	write(t, two, fileB, line("2026-11-29", "a", 3, 1))
	left, _ := fold(t, gallery("a"), one)
	right, _ := fold(t, gallery("a"), two)
	both, _ := fold(t, gallery("a"), one, two)
	merged := gallery("a")
	merged.Usage = catalog.MergeUsage(left.Usage, right.Usage)
	merged.Counted = catalog.MergeCounted(left.Counted, right.Counted)
	if !reflect.DeepEqual(merged, both) || numbers(merged) != "a 5 2" {
		t.Errorf("got %+v, want %+v", merged, both)
	}
}

// TestFoldWarnings has what is skipped: extensions that the gallery does not have, lines that are
// damaged, files of the future, of long ago, and files that have become shorter.
func TestFoldWarnings(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, fileA, line("2026-11-29", "a", 2, 1)+line("2026-11-29", "made-up", 2, 1)+"{\n"+`{"day":"2026-11-29","id":"acme.a","downloads":-1}`+"\n")
	write(t, dir, "2026-12-02.aaaaaaaaaaaaaaaa.jsonl", line("2026-12-02", "a", 1, 1))
	write(t, dir, "notes.txt", "not read")
	c, report := fold(t, gallery("a"), dir)
	if got := numbers(c); got != "a 2 1" || fmt.Sprint(report.Unknown) != "[acme.made-up]" || len(report.Warnings) != 2 ||
		!strings.Contains(report.Warnings[0], fileA+": 2 of its lines are skipped") || !strings.Contains(report.Warnings[1], "in the future, 2026-12-02") {
		t.Errorf("got %s, %+v", got, report)
	}

	other := t.TempDir()
	write(t, other, "2025-01-01.aaaaaaaaaaaaaaaa.jsonl", line("2025-01-01", "a", 1, 1))
	if next, report := fold(t, c, other); numbers(next) != "a 2 1" || len(report.Warnings) != 1 || !strings.Contains(report.Warnings[0], "may have been folded already") {
		t.Errorf("an old file was counted: %+v", report)
	}
	if next, _ := fold(t, gallery("a"), other); numbers(next) != "a 1 1" {
		t.Errorf("a gallery without counts takes old files: got %s", numbers(next))
	}

	if err := os.Truncate(filepath.Join(dir, fileA), 10); err != nil {
		t.Fatal(err)
	}
	next, report := fold(t, c, dir)
	if !reflect.DeepEqual(next.Usage, c.Usage) || !strings.Contains(strings.Join(report.Warnings, "\n"), "must only grow") {
		t.Errorf("a shorter file: %+v", report)
	}
	if _, _, err := Fold(c, []string{filepath.Join(dir, "missing")}, now, false); err == nil {
		t.Error("a missing folder is folded")
	}
}

// TestRemembered folds a day after another for more than Remembered days. The catalogue forgets the
// files of days before, and does not count them again.
func TestRemembered(t *testing.T) {
	dir := t.TempDir()
	c := gallery("a")
	days := Remembered + 30
	for i := range days {
		day := DayOf(now.AddDate(0, 0, i-days+1))
		write(t, dir, day+".aaaaaaaaaaaaaaaa.jsonl", line(day, "a", 1, 1))
		if i%50 == 0 {
			c, _ = fold(t, c, dir)
		}
	}
	c, _ = fold(t, c, dir)
	if got, want := numbers(c), fmt.Sprintf("a %d %d", days, days); got != want || len(c.Counted) != Remembered+1 {
		t.Errorf("got %s, and %d files, want %s", got, len(c.Counted), want)
	}
	next, report := fold(t, c, dir)
	if numbers(next) != numbers(c) || len(report.Warnings) != days-len(c.Counted) {
		t.Errorf("forgotten files are counted again: %s, %d warnings", numbers(next), len(report.Warnings))
	}
	if trending := NewTotals(c, nil).Of(&c.Extensions[0]).Trending; trending != (catalog.Trending{Day: 1, Week: 7, Month: 30}) {
		t.Errorf("got %+v", trending)
	}
}

// TestDryRun checks that a dry run writes nothing to the folder.
func TestDryRun(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, fileA, line("2026-11-29", "a", 2, 1))
	if c, _, err := Fold(gallery("a"), []string{dir}, now, true); err != nil || numbers(c) != "a 2 1" {
		t.Errorf("got %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the folder has %v, %v", entries, err)
	}
	write(t, dir, "counter", "nonsense\n")
	if _, _, err := Fold(gallery("a"), []string{dir}, now, false); err == nil || !strings.Contains(err.Error(), "counter: want 16 hexadecimal digits") {
		t.Errorf("a damaged counter: %v", err)
	}
}

// TestFoldAtRandom folds random files, at random moments, into random ones of three copies of a
// catalogue that are merged at random. In the end, all have the sum of all lines.
func TestFoldAtRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		dirs := []string{t.TempDir(), t.TempDir()}
		copies := []*catalog.Catalog{gallery("a", "b"), gallery("a", "b"), gallery("a", "b")}
		var downloads, installs int64
		merge := func(to, from int) {
			merged := *copies[to]
			merged.Usage = catalog.MergeUsage(copies[to].Usage, copies[from].Usage)
			merged.Counted = catalog.MergeCounted(copies[to].Counted, copies[from].Counted)
			copies[to] = &merged
		}
		home := []int{0, 1} // the copy into which a folder is folded
		for range 40 {
			switch dir := r.IntN(2); r.IntN(4) {
			case 0, 1:
				n := r.Int64N(5)
				day := DayOf(now.AddDate(0, 0, -r.IntN(40)))
				write(t, dirs[dir], fmt.Sprintf("2026-11-29.%d.jsonl", r.IntN(3)+10*dir), line(day, "a", n, 1))
				downloads, installs = downloads+n, installs+1
			case 2:
				copies[home[dir]], _ = fold(t, copies[home[dir]], dirs[dir])
			case 3:
				merge(r.IntN(3), r.IntN(3))
			}
		}
		for i, dir := range dirs {
			copies[home[i]], _ = fold(t, copies[home[i]], dir)
		}
		for range 2 {
			for i := range copies {
				merge(i, (i+1)%3)
			}
		}
		for i, c := range copies {
			if got, want := numbers(c), fmt.Sprintf("a %d %d, b 0 0", downloads, installs); got != want {
				t.Fatalf("copy %d: got %s, want %s", i, got, want)
			}
		}
	}
}

// FuzzParseLine checks that a line that is accepted is written again with the same values.
func FuzzParseLine(f *testing.F) {
	f.Add([]byte(line("2026-11-29", "a", 2, 1)))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := parseLine(text)
		if err != nil {
			return
		}
		again, err := l.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parseLine(again); err != nil || got != l {
			t.Errorf("got %+v, %v, want %+v", got, err, l)
		}
	})
}
