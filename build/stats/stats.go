// Package stats counts how often extensions are downloaded, installed and uninstalled, and computes
// the numbers that a gallery shows.
//
//	galshim ─ NewEvent ─ Append ▶ folder of statistics ◀ AddLog ─ access logs of nginx
//	folder ─ Fold ▶ catalog.Usage ─ Totals ▶ catalog.Figures ▶ index, pages
//
// # What is counted
//
// A download is a complete response with a package: GET with status 200. An install is a request
// to count one (POST …/stats?statType=install), or a download that an editor marks with
// install=true. Newer editors send only the second, older ones the first. An update is a download
// and no install. An uninstall is a request to count one. Requests of ranges are not counted.
//
// Nothing else of a request is kept: no address, no user, no time of day. Who can send requests to
// a gallery can raise its counts.
//
// # The folder
//
// A folder of statistics has files in JSON lines, whose names end in .jsonl. A line has what was
// counted of an extension on one day (UTC) since the line before about the same day and extension:
//
//	{"day":"2026-11-29","id":"acme.hello","downloads":3,"installs":2,"uninstalls":1}
//
// So the numbers of a day are the sums over all lines of all files. Files of several folders can be
// moved into one, and every program that reads JSON can add them up. Lines are only appended. A
// last line without a newline was interrupted, and does not count.
//
// Every process of galshim writes its own file for each day, so processes can share a folder, and
// none continues a file whose last line may be incomplete:
//
//	2026-11-29.6f0c1a7be2d94835.jsonl
//
// [Folder.AddLog] writes a file for each part of a log that was not counted before. Its name has
// the length of the log up to the end of that part, and the SHA-256 of these bytes. A log is
// recognized by these, whatever its name is after it was rotated, and also when it is compressed:
//
//	log.<SHA-256>-<length>.jsonl
//
// The file counter has the name of the folder's [catalog.Counts], 16 hexadecimal digits that [Fold]
// chooses at random. A copy of a folder has the same name. If a file of a folder is removed, what
// Fold has counted of it stays.
//
// # Folding
//
// [Fold] adds the counts of a folder to a catalogue. The catalogue notes how much of each file it
// has, so that nothing is added twice: the file may grow and be folded again on the same day. It
// notes this for [Remembered] days; older files are refused. Only extensions of the catalogue
// count.
package stats

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	json2 "github.com/go-json-experiment/json"

	"galbuild/build/catalog"
	"galbuild/build/jsondoc"
)

// A Line is a line of a file of statistics.
type Line struct {
	Day        string `json:"day"` // such as 2026-11-29
	ID         string `json:"id"`  // of the extension, in lower case
	Downloads  int64  `json:"downloads,omitempty"`
	Installs   int64  `json:"installs,omitempty"`
	Uninstalls int64  `json:"uninstalls,omitempty"`
}

// Add adds what happened once.
func (l *Line) Add(e Event) {
	if e.Download {
		l.Downloads++
	}
	if e.Install {
		l.Installs++
	}
	if e.Uninstall {
		l.Uninstalls++
	}
}

// Append appends the line, with a newline, to a text.
func (l *Line) Append(text []byte) ([]byte, error) { return jsondoc.AppendLine(text, l) }

// DayOf returns the day of a time in UTC.
func DayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }

const (
	fileSuffix  = ".jsonl"
	counterFile = "counter"
)

// parseLine returns a line, which must be valid.
func parseLine(text []byte) (Line, error) {
	var l Line
	if err := json2.Unmarshal(text, &l); err != nil {
		return l, err
	}
	if err := catalog.CheckDay(l.Day); err != nil {
		return l, err
	}
	if err := checkID(l.ID); err != nil {
		return l, err
	}
	if n := max(l.Downloads, l.Installs, l.Uninstalls); min(l.Downloads, l.Installs, l.Uninstalls) < 0 || n > maxCount {
		return l, fmt.Errorf("want counts from 0 to %d", int64(maxCount))
	}
	return l, nil
}

// maxCount is the largest count of a line.
const maxCount = 1_000_000_000

// checkID refuses what is not a lower-case publisher.name.
func checkID(id string) error {
	publisher, name, ok := strings.Cut(id, ".")
	if !ok {
		return fmt.Errorf("want the id of an extension such as acme.hello, found %.200q", id)
	}
	if err := catalog.CheckID(publisher, name); err != nil {
		return err
	}
	if id != strings.ToLower(id) {
		return fmt.Errorf("id %.200q: want small letters", id)
	}
	return nil
}

// ErrNotFolder is wrapped by the errors for a path that is no folder of statistics.
var ErrNotFolder = errors.New("is not a folder of statistics")

// notFolder returns the error for a folder that cannot be read.
func notFolder(dir string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w: %w", dir, ErrNotFolder, fs.ErrNotExist)
	}
	return err
}
