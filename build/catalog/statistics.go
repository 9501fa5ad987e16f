package catalog

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"

	json2 "github.com/go-json-experiment/json"

	"galbuild/build/jsondoc"
)

// Statistics are the statistics of a sidecar.
//
// They change every night for nearly all extensions, while everything else stays as it is. So they
// are not among the lines of extensions, but in lines of their own in the main file of the
// catalogue. New statistics change no chunk.
type Statistics struct {
	Install       int64   `json:"install,omitempty"`
	AverageRating float64 `json:"averagerating,omitempty"`
	RatingCount   int64   `json:"ratingcount,omitempty"`
}

// statisticsLine is the line with the statistics of the versions of an extension.
type statisticsLine struct {
	ID   string          `json:"id"`   // the Key of the extension
	Runs []statisticsRun `json:"runs"` // all its versions, newest first
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

// appendStatistics appends a line for each extension that has statistics, and returns their number.
func appendStatistics(text []byte, extensions []Extension) (_ []byte, n int, err error) {
	for i := range extensions {
		line := statisticsOf(&extensions[i])
		if line == nil {
			continue
		}
		if text, err = jsondoc.AppendLine(text, line); err != nil {
			return nil, 0, fmt.Errorf("%s: %w", line.ID, err)
		}
		n++
	}
	return text, n, nil
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

// readStatistics reads the lines of n extensions, the first of which has this number.
func readStatistics(lines *bufio.Reader, n, number int) (all []statisticsLine, err error) {
	before := ""
	for end := number + n; number < end; number++ {
		line, err := readLine(lines)
		if err != nil && err != io.EOF {
			return nil, err
		}
		var s statisticsLine
		if err = checkLine(line); err == nil {
			err = json2.Unmarshal(line, &s)
		}
		if err == nil {
			err = s.check(before)
		}
		if err != nil {
			return nil, fmt.Errorf("catalogue line %d: statistics: %w", number, err)
		}
		all, before = append(all, s), s.ID
	}
	return all, nil
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
