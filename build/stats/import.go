package stats

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"galbuild/build/blob"
	"galbuild/build/catalog"
)

// MaxImport is the largest size of a file of imported statistics in bytes.
const MaxImport = 256 << 20

// An Import is a file of imported statistics.
type Import struct {
	File    string
	SHA256  blob.Ref
	Entries []Entry // in the order of the file; of an id that it has twice, only the last one
}

// An Entry is what a file states about an extension.
type Entry struct {
	ID       string // the Key of the extension
	Line     int    // in the file, counted from 1
	Imported catalog.Imported
}

// ParseImport parses a file of imported statistics. It has one of these formats:
//
//   - CSV with a header, whose first column is id. Other columns are install, downloadCount,
//     averagerating and ratingcount, or what [columns] has instead. Empty cells state nothing.
//   - JSON: an object whose keys are ids, or a list of objects that state an id. Its key is id, or
//     its parts have the keys of the Marketplace (publisher.publisherName, extensionName) or of
//     Open VSX (namespace, name). The statistics are keys as above, or a list "statistics" of
//     objects with statisticName and value. Whole responses to queries are accepted too.
//
// The error names the line of each mistake.
func ParseImport(name string, text []byte) (*Import, error) {
	p := &importer{result: &Import{File: name, SHA256: blob.Sum(text)}, at: make(map[string]int)}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') {
		p.json(text)
	} else {
		p.csv(text)
	}
	if err := errors.Join(p.mistakes...); err != nil {
		return nil, err
	}
	if len(p.result.Entries) == 0 {
		return nil, fmt.Errorf("%s: has no statistics of an extension", name)
	}
	return p.result, nil
}

// Mistake returns an error about an entry.
func (i *Import) Mistake(e Entry, reason string) error {
	return fmt.Errorf("%s:%d: %s: %s", i.File, e.Line, e.ID, reason)
}

// columns are the names of columns and keys, in lower case, by the statistic that they state.
var columns = map[string]string{
	"install": "install", "installs": "install",
	"downloadcount": "downloads", "downloads": "downloads",
	"averagerating": "average", "average": "average", "rating": "average",
	"ratingcount": "count", "count": "count", "ratings": "count", "reviewcount": "count",
}

// An importer reads a file of imported statistics.
type importer struct {
	result   *Import
	at       map[string]int // index of the entries by id
	mistakes []error
}

// maxMistakes is how many mistakes are reported.
const maxMistakes = 20

func (p *importer) mistake(line int, format string, args ...any) {
	switch n := len(p.mistakes); {
	case n < maxMistakes:
		p.mistakes = append(p.mistakes, fmt.Errorf("%s:%d: %s", p.result.File, line, fmt.Sprintf(format, args...)))
	case n == maxMistakes:
		p.mistakes = append(p.mistakes, fmt.Errorf("%s: and more mistakes", p.result.File))
	}
}

// entry adds the statistics of an extension.
func (p *importer) entry(id string, line int, stated map[string]string) {
	id = strings.ToLower(strings.TrimSpace(id))
	if err := checkID(id); err != nil {
		p.mistake(line, "%v", err)
		return
	}
	e := Entry{ID: id, Line: line}
	for _, f := range []struct {
		name string
		to   **int64
	}{{"install", &e.Imported.Install}, {"downloads", &e.Imported.Downloads}, {"count", &e.Imported.RatingCount}} {
		if text := strings.TrimSpace(stated[f.name]); text != "" {
			n, ok := parseCount(text)
			if !ok {
				p.mistake(line, "%s: %s: want a number of at least 0, found %.100q", id, f.name, text)
			}
			*f.to = &n
		}
	}
	if text := strings.TrimSpace(stated["average"]); text != "" {
		r, err := strconv.ParseFloat(text, 64)
		if err != nil || !(r >= 0 && r <= 5) {
			p.mistake(line, "%s: average: want a number from 0 to 5, found %.100q", id, text)
		}
		e.Imported.AverageRating = &r
	}
	if e.Imported == (catalog.Imported{}) {
		return
	}
	if i, again := p.at[id]; again {
		p.result.Entries[i] = e
		return
	}
	p.at[id] = len(p.result.Entries)
	p.result.Entries = append(p.result.Entries, e)
}

// parseCount parses a count. The Marketplace writes 12.0.
func parseCount(text string) (int64, bool) {
	n, err := strconv.ParseFloat(text, 64)
	return int64(n), err == nil && n >= 0 && n < 1<<52 && !math.IsNaN(n)
}

func (p *importer) csv(text []byte) {
	r := csv.NewReader(bytes.NewReader(text))
	r.Comment, r.TrimLeadingSpace, r.FieldsPerRecord = '#', true, -1
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		p.csvError(1, err)
		return
	}
	names := p.header(header)
	for names != nil {
		row, err := r.Read()
		if err == io.EOF {
			return
		}
		if err != nil {
			p.csvError(1, err)
			return
		}
		line, _ := r.FieldPos(0)
		if len(row) > len(names) {
			p.mistake(line, "want %d columns, found %d", len(names), len(row))
			continue
		}
		stated := make(map[string]string)
		for i, cell := range row[1:] {
			stated[names[i+1]] = cell
		}
		p.entry(row[0], line, stated)
	}
}

// header returns what each column states, or nil if there is a mistake.
func (p *importer) header(header []string) []string {
	if !strings.EqualFold(strings.TrimSpace(header[0]), "id") {
		p.mistake(1, "want a header whose first column is id, such as id,install,averagerating,ratingcount, found %.100q", strings.Join(header, ","))
		return nil
	}
	names := []string{"id"}
	for _, cell := range header[1:] {
		name := columns[strings.ToLower(strings.TrimSpace(cell))]
		if name == "" {
			p.mistake(1, "there is no column %.100q; want install, downloadCount, averagerating or ratingcount", cell)
			return nil
		}
		if slices.Contains(names, name) {
			p.mistake(1, "two columns state the same: %.100q is the second one", cell)
			return nil
		}
		names = append(names, name)
	}
	return names
}

func (p *importer) csvError(line int, err error) {
	if err == io.EOF {
		p.mistakes = append(p.mistakes, fmt.Errorf("%s: the file is empty", p.result.File))
		return
	}
	if parse, ok := errors.AsType[*csv.ParseError](err); ok {
		line, err = parse.Line, parse.Err
	}
	p.mistake(line, "is not CSV: %v", err)
}

func (p *importer) json(text []byte) {
	if !gjson.ValidBytes(text) {
		p.mistakes = append(p.mistakes, fmt.Errorf("%s: is not JSON", p.result.File))
		return
	}
	lines := &lineCounter{text: text}
	p.value(gjson.ParseBytes(text), "", lines)
}

// value reads a value, which may be the one with this key of an object whose keys are ids.
func (p *importer) value(v gjson.Result, key string, lines *lineCounter) {
	switch {
	case v.IsArray() && key == "":
		v.ForEach(func(_, x gjson.Result) bool { p.value(x, "", lines); return true })
	case v.IsObject() && v.Get("results").IsArray():
		v.Get("results").ForEach(func(_, x gjson.Result) bool { p.value(x.Get("extensions"), "", lines); return true })
	case v.IsObject() && v.Get("extensions").IsArray():
		p.value(v.Get("extensions"), "", lines)
	case v.IsObject() || v.IsArray():
		p.object(v, key, lines)
	case v.Exists():
		p.mistake(lines.at(v.Index), "want an object with statistics, found %.100s", v.Raw)
	}
}

// object reads the statistics of an extension, or an object whose keys are ids.
func (p *importer) object(v gjson.Result, key string, lines *lineCounter) {
	id := key
	if id == "" {
		id = idOf(v)
	}
	line := lines.at(v.Index)
	if id != "" {
		p.entry(id, line, statedBy(v))
		return
	}
	v.ForEach(func(k, x gjson.Result) bool {
		if !strings.Contains(k.String(), ".") || !x.IsObject() && !x.IsArray() {
			p.mistake(lines.at(k.Index), "want the id of an extension such as acme.hello with its statistics, found %.100q", k.String())
			return false
		}
		p.value(x, k.String(), lines)
		return true
	})
}

// idOf returns the id that an object states, or "".
func idOf(v gjson.Result) string {
	if id := v.Get("id"); id.Type == gjson.String {
		return id.Str
	}
	for _, names := range [][2]string{{"publisher.publisherName", "extensionName"}, {"publisher", "name"}, {"namespace", "name"}} {
		publisher, name := v.Get(names[0]), v.Get(names[1])
		if publisher.Type == gjson.String && name.Type == gjson.String {
			return publisher.Str + "." + name.Str
		}
	}
	return ""
}

// statedBy returns the statistics that a value states.
func statedBy(v gjson.Result) map[string]string {
	stated := make(map[string]string)
	set := func(name string, value gjson.Result) {
		if column := columns[strings.ToLower(name)]; column != "" && value.Type != gjson.Null {
			stated[column] = value.String()
		}
	}
	list := v
	if v.IsObject() {
		v.ForEach(func(k, x gjson.Result) bool { set(k.String(), x); return true })
		list = v.Get("statistics")
	}
	list.ForEach(func(k, x gjson.Result) bool {
		if name := x.Get("statisticName"); name.Exists() {
			set(name.String(), x.Get("value"))
		} else if k.Type == gjson.String {
			set(k.String(), x)
		}
		return true
	})
	if v.Get("namespace").Exists() && stated["install"] == "" { // Open VSX calls installs so
		stated["install"] = stated["downloads"]
		delete(stated, "downloads")
	}
	return stated
}

// A lineCounter returns the lines of offsets that grow.
type lineCounter struct {
	text      []byte
	offset, n int
}

// at returns the line of an offset. If the offset is before the last one, it returns the line of
// that.
func (c *lineCounter) at(offset int) int {
	if offset > c.offset && offset <= len(c.text) {
		c.n += bytes.Count(c.text[c.offset:offset], []byte("\n"))
		c.offset = offset
	}
	return c.n + 1
}
