package readme

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"galbuild/build/pack/finding"
)

// A report collects what is wrong with one file.
type report struct {
	name     string
	findings []finding.Finding
	broken   map[string]bool // relative targets that were reported
}

// addBroken notes a relative target that leads nowhere, which need not be reported
// again as an image's source. A title may follow the target.
func (r *report) addBroken(target string) {
	if r.broken == nil {
		r.broken = map[string]bool{}
	}
	target, _, _ = strings.Cut(target, " ")
	r.broken[target] = true
}

// add adds an error in a line, counted from 1.
func (r *report) add(line int, way, format string, args ...any) {
	r.findings = append(r.findings, finding.Error(r.where(line), way, format, args...))
}

// warn adds a warning in a line.
func (r *report) warn(line int, way, format string, args ...any) {
	r.findings = append(r.findings, finding.Warning(r.where(line), way, format, args...))
}

// where names a line; 0 is the file as a whole.
func (r *report) where(line int) string {
	if line == 0 {
		return r.name
	}
	return r.name + ":" + strconv.Itoa(line)
}

// lines holds where the lines of a text begin, but for the first. They end with LF,
// CR or both.
type lines []int

func newLines(s string) lines {
	var l lines
	for i := 0; i < len(s); i++ {
		if s[i] == '\n' || s[i] == '\r' && !strings.HasPrefix(s[i+1:], "\n") {
			l = append(l, i+1)
		}
	}
	return l
}

// at returns the number, from 1, of the line that the byte at offset is in.
func (l lines) at(offset int) int {
	n, found := slices.BinarySearch(l, offset)
	if found {
		n++
	}
	return n + 1
}

// short cuts what may be long, such as a data: address.
func short(s string) string {
	const most = 100 // bytes
	if len(s) <= most {
		return s
	}
	end := most
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
