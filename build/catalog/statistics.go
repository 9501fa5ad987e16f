package catalog

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	json2 "github.com/go-json-experiment/json"

	"galbuild/build/jsondoc"
)

// Statistics are the statistics of a sidecar. Those of a file that a build imports, and what the
// gallery counts itself, are in [Usage].
//
// They change every night for nearly all extensions, while everything else stays as it is. So they
// are not among the lines of extensions, but in lines of their own in the main file of the
// catalogue. New statistics change no chunk.
type Statistics struct {
	Install       int64   `json:"install,omitempty"`
	AverageRating float64 `json:"averagerating,omitempty"`
	RatingCount   int64   `json:"ratingcount,omitempty"`
}

// statisticsLine is the line with the statistics of the versions of an extension, and its usage.
type statisticsLine struct {
	ID       string          `json:"id"`             // the Key of the extension
	Runs     []statisticsRun `json:"runs,omitempty"` // all its versions, newest first; empty if they have none
	Imported *Imported       `json:"imported,omitempty"`
	Counts   []Counts        `json:"counts,omitempty"`
}

// statisticsRun is a number of neighbouring versions with the same statistics. Galleries count for
// an extension, so most extensions have one run.
type statisticsRun struct {
	Versions   int         `json:"versions"`
	Statistics *Statistics `json:"statistics,omitempty"` // nil if the versions have none
}

// SetStatistics sets the statistics of the extension to those of its newest version that has any.
func (e *Extension) SetStatistics() {
	e.Statistics = nil
	for i := range e.Versions {
		if s := e.Versions[i].statistics(); s != nil {
			e.Statistics = s
			return
		}
	}
}

func (v *Version) statistics() *Statistics {
	if v.Sidecar == nil {
		return nil
	}
	return v.Sidecar.Statistics
}

// appendStatistics appends a line for each extension that has statistics or usage, and returns
// their number.
func appendStatistics(text []byte, extensions []Extension, usage []Usage) (_ []byte, n int, err error) {
	var lines []statisticsLine
	for i := range extensions {
		if line := statisticsOf(&extensions[i]); line != nil {
			lines = append(lines, *line)
		}
	}
	used := make([]statisticsLine, len(usage))
	for i, u := range usage {
		used[i] = statisticsLine{ID: u.ID, Imported: u.Imported, Counts: u.Counts}
	}
	byID := func(a, b statisticsLine) int { return strings.Compare(a.ID, b.ID) }
	lines = merge(lines, used, byID, func(a, b statisticsLine) statisticsLine {
		b.Runs = a.Runs
		return b
	})
	for i := range lines {
		if text, err = jsondoc.AppendLine(text, &lines[i]); err != nil {
			return nil, 0, fmt.Errorf("%s: %w", lines[i].ID, err)
		}
	}
	return text, len(lines), nil
}

// statisticsOf returns the line of an extension, or nil if none of its versions has statistics.
func statisticsOf(e *Extension) *statisticsLine {
	if !hasStatistics(e.Versions) {
		return nil
	}
	line := &statisticsLine{ID: e.Key()}
	for i := range e.Versions {
		s := e.Versions[i].statistics()
		if last := len(line.Runs) - 1; last >= 0 && equalStatistics(line.Runs[last].Statistics, s) {
			line.Runs[last].Versions++
			continue
		}
		line.Runs = append(line.Runs, statisticsRun{1, s})
	}
	return line
}

func hasStatistics(versions []Version) bool {
	for i := range versions {
		if versions[i].statistics() != nil {
			return true
		}
	}
	return false
}

func equalStatistics(a, b *Statistics) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// withoutStatistics returns a copy of an extension as its line has it. The copy shares memory with
// the extension.
func withoutStatistics(e *Extension) *Extension {
	rest := *e
	rest.Statistics = nil
	if !hasStatistics(e.Versions) {
		return &rest
	}
	rest.Versions = slices.Clone(e.Versions)
	for i := range rest.Versions {
		v := &rest.Versions[i]
		if v.statistics() == nil {
			continue
		}
		s := *v.Sidecar
		if s.Statistics = nil; s == (Sidecar{}) {
			v.Sidecar = nil
		} else {
			v.Sidecar = &s
		}
	}
	return &rest
}

// checkNoStatistics refuses statistics in the line of an extension.
func (e *Extension) checkNoStatistics() error {
	if e.Statistics != nil || hasStatistics(e.Versions) {
		return fmt.Errorf("%s: statistics: want them in a line of their own", e.ID())
	}
	return nil
}

// readStatistics reads the lines of n extensions, the first of which has this number. It returns
// those with statistics of versions, and the usage of all.
func readStatistics(lines *bufio.Reader, n, number int) (all []statisticsLine, usage []Usage, err error) {
	before := ""
	for end := number + n; number < end; number++ {
		line, err := readLine(lines)
		if err != nil && err != io.EOF {
			return nil, nil, err
		}
		var s statisticsLine
		if err = checkLine(line); err == nil {
			err = json2.Unmarshal(line, &s)
		}
		if err == nil {
			err = s.check(before)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("catalogue line %d: statistics: %w", number, err)
		}
		if len(s.Runs) > 0 {
			all = append(all, s)
		}
		if u := (Usage{s.ID, s.Imported, s.Counts}); u.Imported != nil || len(u.Counts) > 0 {
			usage = append(usage, u)
		}
		before = s.ID
	}
	return all, usage, nil
}

// check refuses invalid values, and a line that does not follow the one with the id before.
func (l *statisticsLine) check(before string) error {
	switch {
	case len(l.ID) > maxID:
		return fmt.Errorf("want the id of an extension, found %.200q", l.ID)
	case l.ID <= before:
		return fmt.Errorf("%q follows %q: duplicate or out of order", l.ID, before)
	}
	for _, run := range l.Runs {
		if run.Versions < 1 {
			return fmt.Errorf("%s: want at least 1 version, found %d", l.ID, run.Versions)
		}
		if err := run.Statistics.check(); err != nil {
			return fmt.Errorf("%s: %w", l.ID, err)
		}
	}
	if err := (&Usage{l.ID, l.Imported, l.Counts}).check(); err != nil {
		return fmt.Errorf("%s: %w", l.ID, err)
	}
	if len(l.Runs) == 0 && l.Imported == nil && len(l.Counts) == 0 {
		return fmt.Errorf("%s: the line has nothing but the id", l.ID)
	}
	return nil
}

// fillStatistics adds the statistics that were read to the extensions, which have none.
func (c *Catalog) fillStatistics() error {
	rest := c.statistics
	c.statistics = nil
	for i := range c.Extensions {
		e := &c.Extensions[i]
		if len(rest) == 0 || rest[0].ID != e.Key() {
			continue
		}
		if err := e.fillStatistics(rest[0].Runs); err != nil {
			return fmt.Errorf("statistics: %s: %w", rest[0].ID, err)
		}
		rest = rest[1:]
	}
	if len(rest) > 0 {
		return fmt.Errorf("statistics: there is no extension %s", rest[0].ID)
	}
	return nil
}

// fillStatistics copies the versions first, because several catalogues can share them.
func (e *Extension) fillStatistics(runs []statisticsRun) error {
	e.Versions = slices.Clone(e.Versions)
	versions := e.Versions
	for _, run := range runs {
		if run.Versions > len(versions) {
			return errors.New("they are of more versions than the extension has")
		}
		for i := range versions[:run.Versions] {
			versions[i].setStatistics(run.Statistics)
		}
		versions = versions[run.Versions:]
	}
	if len(versions) > 0 {
		return errors.New("they are of fewer versions than the extension has")
	}
	e.SetStatistics()
	return nil
}

func (v *Version) setStatistics(s *Statistics) {
	if s == nil {
		return
	}
	var with Sidecar
	if v.Sidecar != nil {
		with = *v.Sidecar
	}
	with.Statistics = s
	v.Sidecar = &with
}
