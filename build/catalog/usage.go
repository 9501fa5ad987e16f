package catalog

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	json2 "github.com/go-json-experiment/json"

	"galbuild/build/jsondoc"
)

// Usage says how an extension is used, apart from the statistics of its sidecars. It belongs to the
// catalogue and not to a version, so that it stays when packages are read again, replaced or
// removed. There are two kinds, which are never mixed:
//
//   - Imported is from a file that a build was given. The next file replaces all of it.
//   - Counts are what galleries have counted themselves. They only grow.
//
// Package stats adds them up.
type Usage struct {
	ID       string    // the Key of the extension, which need not be in the catalogue any more
	Imported *Imported // nil if there is none
	Counts   []Counts  // sorted by Counter
}

// Imported are statistics of another gallery. Those that it does not state are nil.
type Imported struct {
	Install       *int64   `json:"install,omitempty"`
	Downloads     *int64   `json:"downloadCount,omitempty"`
	AverageRating *float64 `json:"averagerating,omitempty"`
	RatingCount   *int64   `json:"ratingcount,omitempty"`
}

// Counts are the downloads, installs and uninstalls of an extension from one folder of statistics.
// These numbers never become smaller. So if two catalogues have different numbers of the same
// folder, the larger ones are newer.
type Counts struct {
	Counter    string `json:"counter"` // the name of the folder, 16 hexadecimal digits
	Downloads  int64  `json:"downloads,omitempty"`
	Installs   int64  `json:"installs,omitempty"`
	Uninstalls int64  `json:"uninstalls,omitempty"`
	// Days are the installs of Day, of the day before, and so on; at most RecentDays. Day is
	// the last day with an install, and "" if there is none.
	Day  string  `json:"day,omitempty"` // as 2026-11-29, in UTC
	Days []int64 `json:"days,omitempty"`
}

// RecentDays is for how many days the installs of each day are kept.
const RecentDays = 30

// A CountedFile is a file of statistics that has been added to Counts. It can grow, and then only
// what follows is added.
type CountedFile struct {
	File  string `json:"file"`  // its name
	Bytes int64  `json:"bytes"` // how much of it has been added
	Day   string `json:"day"`   // the last day with a count in it
}

// CompareUsage compares by ID, the order in a catalogue.
func CompareUsage(a, b Usage) int { return strings.Compare(a.ID, b.ID) }

// CompareCounted compares by name, the order in a catalogue.
func CompareCounted(a, b CountedFile) int { return strings.Compare(a.File, b.File) }

func compareCounts(a, b Counts) int { return strings.Compare(a.Counter, b.Counter) }

// MergeUsage returns the union of two sorted lists, sorted. Imported statistics are those of a, or
// of b if a has none for an extension. Counts are those of both, and of the same counter the larger
// ones.
func MergeUsage(a, b []Usage) []Usage {
	return merge(a, b, CompareUsage, func(x, y Usage) Usage {
		return Usage{ID: x.ID, Imported: cmp.Or(x.Imported, y.Imported), Counts: merge(x.Counts, y.Counts, compareCounts, largerCounts)}
	})
}

// WithImported returns usage with these imported statistics, by Key, instead of those that it has.
func WithImported(usage []Usage, imported map[string]*Imported) []Usage {
	var counts, with []Usage
	for _, u := range usage {
		if len(u.Counts) > 0 {
			counts = append(counts, Usage{ID: u.ID, Counts: u.Counts})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(imported)) {
		with = append(with, Usage{ID: id, Imported: imported[id]})
	}
	return MergeUsage(with, counts)
}

// MergeCounted returns the union of two sorted lists, sorted. Of a file that is in both, it returns
// the one of which more was counted.
func MergeCounted(a, b []CountedFile) []CountedFile {
	return merge(a, b, CompareCounted, func(x, y CountedFile) CountedFile {
		return CountedFile{File: x.File, Bytes: max(x.Bytes, y.Bytes), Day: max(x.Day, y.Day)}
	})
}

// largerCounts returns the larger of each two numbers from the same folder.
func largerCounts(a, b Counts) Counts {
	larger := Counts{Counter: a.Counter, Downloads: max(a.Downloads, b.Downloads), Installs: max(a.Installs, b.Installs), Uninstalls: max(a.Uninstalls, b.Uninstalls)}
	days := make(map[string]int64)
	for _, c := range []*Counts{&a, &b} {
		c.eachDay(func(day string, installs int64) { days[day] = max(days[day], installs) })
	}
	larger.setDays(days)
	return larger
}

// IncludesUsage reports whether all has the folders of from, with numbers that are not smaller.
func IncludesUsage(all, from []Usage) bool {
	for _, want := range from {
		i, ok := slices.BinarySearchFunc(all, want, CompareUsage)
		if len(want.Counts) > 0 && (!ok || !includesCounts(all[i].Counts, want.Counts)) {
			return false
		}
	}
	return true
}

func includesCounts(all, from []Counts) bool {
	for _, want := range from {
		i, ok := slices.BinarySearchFunc(all, want, compareCounts)
		if !ok || all[i].Downloads < want.Downloads || all[i].Installs < want.Installs || all[i].Uninstalls < want.Uninstalls {
			return false
		}
	}
	return true
}

// IncludesCounted reports whether all has the files of from, each with at least as many bytes.
func IncludesCounted(all, from []CountedFile) bool {
	return !slices.ContainsFunc(from, func(want CountedFile) bool {
		i, ok := slices.BinarySearchFunc(all, want, CompareCounted)
		return !ok || all[i].Bytes < want.Bytes
	})
}

// Add adds the numbers of some days to those of a folder. Days are as in [Counts].
func (u *Usage) Add(counter string, downloads, installs, uninstalls map[string]int64) {
	i, ok := slices.BinarySearchFunc(u.Counts, Counts{Counter: counter}, compareCounts)
	u.Counts = slices.Clone(u.Counts) // another catalogue may share them
	if !ok {
		u.Counts = slices.Insert(u.Counts, i, Counts{Counter: counter})
	}
	c := &u.Counts[i]
	for to, counts := range map[*int64]map[string]int64{&c.Downloads: downloads, &c.Installs: installs, &c.Uninstalls: uninstalls} {
		for _, n := range counts {
			*to = min(*to+n, maxUsage)
		}
	}
	days := make(map[string]int64)
	c.eachDay(func(day string, n int64) { days[day] = n })
	for day, n := range installs {
		days[day] = min(days[day]+n, maxUsage)
	}
	c.setDays(days)
}

// InstallsSince returns the installs of the days from a day on.
func (c *Counts) InstallsSince(day string) (sum int64) {
	c.eachDay(func(d string, n int64) {
		if d >= day {
			sum += n
		}
	})
	return sum
}

// eachDay calls f with each of the recent days.
func (c *Counts) eachDay(f func(day string, installs int64)) {
	if c.Day == "" {
		return
	}
	last, _ := time.Parse(time.DateOnly, c.Day) // check has refused other texts
	for i, n := range c.Days {
		f(last.AddDate(0, 0, -i).Format(time.DateOnly), n)
	}
}

// setDays sets the recent days, of these.
func (c *Counts) setDays(installs map[string]int64) {
	c.Day, c.Days = "", nil
	for day, n := range installs {
		if n > 0 {
			c.Day = max(c.Day, day)
		}
	}
	if c.Day == "" {
		return
	}
	last, _ := time.Parse(time.DateOnly, c.Day)
	for i := range RecentDays {
		c.Days = append(c.Days, installs[last.AddDate(0, 0, -i).Format(time.DateOnly)])
	}
	for c.Days[len(c.Days)-1] == 0 {
		c.Days = c.Days[:len(c.Days)-1]
	}
}

// Limits of usage.
const (
	maxUsage    = 1 << 52 // the largest count; JSON has larger whole numbers, but not exactly
	maxCounters = 1000    // of an extension
)

// counterName is the form of the name of a counter.
var counterName = regexp.MustCompile(`^[0-9a-f]{16}$`)

// countedName is the form of the name of a file that was counted.
var countedName = regexp.MustCompile(`^[0-9a-z][0-9a-z.-]{0,149}$`)

// CheckCounter refuses what is not the name of a counter.
func CheckCounter(name string) error {
	if !counterName.MatchString(name) {
		return fmt.Errorf("counter: want 16 hexadecimal digits, found %.100q", name)
	}
	return nil
}

// CheckDay refuses what is not a day such as 2026-11-29.
func CheckDay(day string) error {
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return fmt.Errorf("day: want one such as 2026-11-29, found %.100q", day)
	}
	return nil
}

func (u *Usage) check() error {
	if err := u.Imported.check(); err != nil {
		return fmt.Errorf("imported: %w", err)
	}
	if len(u.Counts) > maxCounters {
		return fmt.Errorf("counts: %d counters, more than the limit of %d", len(u.Counts), maxCounters)
	}
	for i := range u.Counts {
		if err := u.Counts[i].check(); err != nil {
			return fmt.Errorf("counts: %w", err)
		}
		if i > 0 && u.Counts[i-1].Counter >= u.Counts[i].Counter {
			return fmt.Errorf("counts: %s follows %s: duplicate or out of order", u.Counts[i].Counter, u.Counts[i-1].Counter)
		}
	}
	return nil
}

func (i *Imported) check() error {
	if i == nil {
		return nil
	}
	for _, n := range []*int64{i.Install, i.Downloads, i.RatingCount} {
		if n != nil {
			if err := checkUsage(*n); err != nil {
				return err
			}
		}
	}
	if r := i.AverageRating; r != nil && !(*r >= 0 && *r <= 5) {
		return fmt.Errorf("want an average rating of 0 to 5, found %g", *r)
	}
	return nil
}

func (c *Counts) check() error {
	if err := CheckCounter(c.Counter); err != nil {
		return err
	}
	for _, n := range append([]int64{c.Downloads, c.Installs, c.Uninstalls}, c.Days...) {
		if err := checkUsage(n); err != nil {
			return err
		}
	}
	switch n := len(c.Days); {
	case n > RecentDays:
		return fmt.Errorf("%d days, more than the limit of %d", n, RecentDays)
	case (n == 0) != (c.Day == ""):
		return errors.New("day and days: want both or neither")
	case n == 0:
		return nil
	case c.Days[0] == 0 || c.Days[n-1] == 0:
		return errors.New("days: the first and the last one need an install")
	}
	return CheckDay(c.Day)
}

func checkUsage(n int64) error {
	if n < 0 || n > maxUsage {
		return fmt.Errorf("want a number from 0 to %d, found %d", int64(maxUsage), n)
	}
	return nil
}

// Check refuses an invalid name, length or day.
func (f *CountedFile) Check() error {
	switch {
	case !countedName.MatchString(f.File):
		return fmt.Errorf("file: want a name of small letters, digits, dots and hyphens, found %.200q", f.File)
	case f.Bytes < 0:
		return fmt.Errorf("bytes: want a number of at least 0, found %d", f.Bytes)
	}
	return CheckDay(f.Day)
}

// appendCounted appends a line for each file that was counted.
func appendCounted(text []byte, files []CountedFile) (_ []byte, err error) {
	for i := range files {
		if text, err = jsondoc.AppendLine(text, &files[i]); err != nil {
			return nil, err
		}
	}
	return text, nil
}

// readCounted reads the lines of n files that were counted, the first of which has this number.
func readCounted(lines *bufio.Reader, n, number int) (all []CountedFile, err error) {
	before := ""
	for end := number + n; number < end; number++ {
		line, err := readLine(lines)
		if err != nil && err != io.EOF {
			return nil, err
		}
		var f CountedFile
		if err = json2.Unmarshal(line, &f); err == nil {
			err = f.Check()
		}
		if err == nil && f.File <= before {
			err = fmt.Errorf("%s follows %s: duplicate or out of order", f.File, before)
		}
		if err != nil {
			return nil, fmt.Errorf("catalogue line %d: counted: %w", number, err)
		}
		all, before = append(all, f), f.File
	}
	return all, nil
}

// Figures are the numbers that a gallery shows of an extension. Package stats computes them.
type Figures struct {
	Installs  int64
	Downloads int64
	Rating    float64 // average, 0 to 5
	Ratings   int64   // number of ratings
	Trending  Trending
}

// Trending are the installs of the last day, of the last 7 days, and of the last 30 days.
type Trending struct{ Day, Week, Month int64 }

// A Rating is a rating of an extension that the operator of a gallery gives.
type Rating struct {
	Average float64 // 0 to 5
	Count   int64
	Line    int // in the operator's file, counted from 1
}
