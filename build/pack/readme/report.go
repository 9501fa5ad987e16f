package readme

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"galbuild/build/pack/finding"
)

// A report collects the findings of a file.
type report struct {
	name     string
	findings []finding.Finding
	broken   map[string]bool // relative targets that have been reported
}

// addBroken records a broken relative target, so that it is not reported again as the source of
// an image. A title may follow the target.
func (r *report) addBroken(target string) {
	if r.broken == nil {
		r.broken = map[string]bool{}
	}
	target, _, _ = strings.Cut(target, " ")
	r.broken[target] = true
}

// add adds an error in a line. Lines are numbered from 1; 0 is the whole file.
func (r *report) add(line int, hint, format string, args ...any) {
	r.findings = append(r.findings, finding.Error(r.where(line), hint, format, args...))
}

// warn adds a warning in a line.
func (r *report) warn(line int, hint, format string, args ...any) {
	r.findings = append(r.findings, finding.Warning(r.where(line), hint, format, args...))
}

// where returns the name of the file with a line.
func (r *report) where(line int) string {
	if line == 0 {
		return r.name
	}
	return r.name + ":" + strconv.Itoa(line)
}

// lines has the offsets of the lines of a text, except the first. Lines end with LF, CR or CR LF.
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

// at returns the number, from 1, of the line that contains an offset.
func (l lines) at(offset int) int {
	n, found := slices.BinarySearch(l, offset)
	if found {
		n++
	}
	return n + 1
}

// short truncates a text that may be long, such as a data: URL.
func short(s string) string {
	const maxLen = 100 // bytes
	if len(s) <= maxLen {
		return s
	}
	end := maxLen
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
