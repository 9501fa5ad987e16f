package stats

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"galbuild/build/atomicfile"
	"galbuild/build/catalog"
	"galbuild/build/regularfile"
)

// Remembered is for how many days before the last one a catalogue notes which files were counted.
const Remembered = 400

// Limits of a folder.
const (
	maxFile    = 1 << 30 // bytes of a file
	maxFiles   = 100_000
	maxUnknown = 1000 // ids that a report lists
)

// Folded is what [Fold] has added to a catalogue.
type Folded struct {
	Files      int      `json:"files"` // of which something was added
	Downloads  int64    `json:"downloads"`
	Installs   int64    `json:"installs"`
	Uninstalls int64    `json:"uninstalls"`
	Days       []string `json:"days"`     // sorted
	Unknown    []string `json:"unknown"`  // ids that are not in the catalogue, sorted, at most 1000
	Warnings   []string `json:"warnings"` // about files and lines that were skipped, with their names
}

// Fold returns a copy of a catalogue to which what folders of statistics have in addition was
// added. A folder gets a file with the name of its counter, if it has none and this is no dry run.
// now is the present.
//
// Files that cannot be read, and lines that are not valid, are skipped with a warning. Of a file, a
// line without a newline at its end is left for the next time.
func Fold(c *catalog.Catalog, folders []string, now time.Time, dryRun bool) (*catalog.Catalog, Folded, error) {
	next := *c
	f := &folding{
		catalog: &next, now: DayOf(now.AddDate(0, 0, 1)), counted: make(map[string]catalog.CountedFile), usage: make(map[string]catalog.Usage),
		days: make(map[string]bool), unknown: make(map[string]bool), dryRun: dryRun,
	}
	for _, x := range c.Counted {
		f.counted[x.File] = x
		f.last = max(f.last, x.Day)
	}
	for _, u := range c.Usage {
		f.usage[u.ID] = u
	}
	for _, dir := range folders {
		if err := f.folder(dir); err != nil {
			return nil, Folded{}, err
		}
	}
	f.finish()
	return &next, f.report, nil
}

// A folding is a call of [Fold].
type folding struct {
	catalog *catalog.Catalog
	now     string // the last day that may have counts: tomorrow, because clocks differ
	last    string // the last day with a count that the catalogue had
	counted map[string]catalog.CountedFile
	usage   map[string]catalog.Usage
	days    map[string]bool
	unknown map[string]bool
	dryRun  bool
	report  Folded
}

func (f *folding) warn(format string, args ...any) {
	f.report.Warnings = append(f.report.Warnings, fmt.Sprintf(format, args...))
}

// folder adds the files of a folder.
func (f *folding) folder(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return notFolder(dir, err)
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, fileSuffix) && !atomicfile.IsTemp(name) {
			names = append(names, name)
		}
	}
	if len(names) > maxFiles {
		return fmt.Errorf("%s: %d files of statistics, more than the limit of %d: remove those that were folded", dir, len(names), maxFiles)
	}
	if len(names) == 0 {
		f.warn("%s: there is no file of statistics in this folder", dir)
		return nil
	}
	counter, err := counterOf(dir, f.dryRun)
	if err != nil {
		return err
	}
	sum := make(map[string]*counts)
	for _, name := range names {
		f.file(dir, name, sum)
	}
	for _, id := range slices.Sorted(maps.Keys(sum)) {
		u := f.usage[id]
		u.ID = id
		u.Add(counter, sum[id].downloads, sum[id].installs, sum[id].uninstalls)
		f.usage[id] = u
	}
	return nil
}

// counts are what was counted of an extension, by day.
type counts struct{ downloads, installs, uninstalls map[string]int64 }

// counterOf returns the name of a folder's counter. It makes one if there is none, and stores it
// unless this is a dry run.
func counterOf(dir string, dryRun bool) (string, error) {
	path := filepath.Join(dir, counterFile)
	text, err := regularfile.ReadFile(path, 100)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		random := make([]byte, 8)
		rand.Read(random)
		name := hex.EncodeToString(random)
		if dryRun {
			return name, nil
		}
		return name, atomicfile.Replace(path, atomicfile.FileMode, func(to *os.File) error {
			_, err := to.WriteString(name + "\n")
			return err
		})
	case err != nil:
		return "", err
	}
	name := strings.TrimSpace(string(text))
	if err := catalog.CheckCounter(name); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return name, nil
}

// file adds what a file has in addition to what was counted of it.
func (f *folding) file(dir, name string, sum map[string]*counts) {
	path := filepath.Join(dir, name)
	was, known := f.counted[name]
	text, err := readFrom(path, was.Bytes)
	if err != nil {
		f.warn("%v", err)
		return
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	if len(text) == 0 {
		return
	}
	lines := f.lines(path, text)
	next := catalog.CountedFile{File: name, Bytes: was.Bytes + int64(len(text)), Day: was.Day}
	for _, l := range lines {
		next.Day = max(next.Day, l.Day)
	}
	switch {
	case next.Day == "":
		return // without a valid line
	case next.Day > f.now:
		f.warn("%s: is left out, because it has counts of a day in the future, %s: check the clock of the machine that wrote it", path, next.Day)
		return
	case !known && f.last != "" && next.Day < before(f.last, Remembered):
		f.warn("%s: was counted more than %d days before %s, and may have been folded already", path, Remembered, f.last)
		return
	}
	if err := next.Check(); err != nil {
		f.warn("%s: %v", path, err)
		return
	}
	f.counted[name] = next
	f.report.Files++
	for _, l := range lines {
		f.line(l, sum)
	}
}

// before returns the day that is this many days before another one.
func before(day string, days int) string {
	t, _ := time.Parse(time.DateOnly, day) // parseLine has refused other texts
	return DayOf(t.AddDate(0, 0, -days))
}

// readFrom reads a file from an offset on.
func readFrom(path string, offset int64) ([]byte, error) {
	file, err := regularfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case info.Size() < offset:
		return nil, fmt.Errorf("%s: has %d bytes, although %d were folded: files of statistics must only grow", path, info.Size(), offset)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%s: has %d bytes, more than the limit of %d", path, info.Size(), int64(maxFile))
	}
	text := make([]byte, info.Size()-offset)
	n, err := file.ReadAt(text, offset)
	if err == io.EOF {
		err = nil
	}
	return text[:n], err
}

// lines returns the valid lines of a text.
func (f *folding) lines(path string, text []byte) (all []Line) {
	bad, reason := 0, error(nil)
	for text := range bytes.Lines(text) {
		l, err := parseLine(text)
		if err != nil {
			bad, reason = bad+1, cmp.Or(reason, err)
			continue
		}
		all = append(all, l)
	}
	if bad > 0 {
		f.warn("%s: %d of its lines are skipped: %v", path, bad, reason)
	}
	return all
}

// line adds the counts of a line to those of its extension.
func (f *folding) line(l Line, sum map[string]*counts) {
	if l.Downloads+l.Installs+l.Uninstalls == 0 {
		return
	}
	if f.catalog.Find(l.ID) == nil {
		if len(f.unknown) < maxUnknown {
			f.unknown[l.ID] = true
		}
		return
	}
	to := sum[l.ID]
	if to == nil {
		to = &counts{make(map[string]int64), make(map[string]int64), make(map[string]int64)}
		sum[l.ID] = to
	}
	to.downloads[l.Day] += l.Downloads
	to.installs[l.Day] += l.Installs
	to.uninstalls[l.Day] += l.Uninstalls
	f.report.Downloads += l.Downloads
	f.report.Installs += l.Installs
	f.report.Uninstalls += l.Uninstalls
	f.days[l.Day] = true
}

// finish sets the lists of the catalogue and of the report.
func (f *folding) finish() {
	for _, x := range f.counted {
		f.last = max(f.last, x.Day)
	}
	f.catalog.Counted = nil
	for _, name := range slices.Sorted(maps.Keys(f.counted)) {
		if x := f.counted[name]; x.Day >= before(f.last, Remembered) {
			f.catalog.Counted = append(f.catalog.Counted, x)
		}
	}
	f.catalog.Usage = nil
	for _, id := range slices.Sorted(maps.Keys(f.usage)) {
		f.catalog.Usage = append(f.catalog.Usage, f.usage[id])
	}
	f.report.Days = append([]string{}, slices.Sorted(maps.Keys(f.days))...)
	f.report.Unknown = append([]string{}, slices.Sorted(maps.Keys(f.unknown))...)
	f.report.Warnings = append([]string{}, f.report.Warnings...)
}
