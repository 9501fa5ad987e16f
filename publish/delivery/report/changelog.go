package report

import (
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"

	"galbuild/build/visible"
)

// Limits of the part of a change log that is shown.
const (
	MaxChangelog = 1 << 20 // bytes of a change log that are read
	maxLines     = 60      // that are shown
	maxLineRunes = 300     // of a line that is shown
	firstLines   = 12      // that are shown if there is no section
)

// Changes is a part of a change log.
type Changes struct {
	Lines []string `json:"lines"`
	More  int      `json:"more,omitempty"` // lines of the part that are left out
	// Beginning means that the change log has no section for the versions in question, and
	// Lines are those with which it begins.
	Beginning bool `json:"beginning,omitempty"`
}

// changesBetween returns the sections of a change log of the versions after one, up to and
// including another. They are in the order of the text. A section begins with a heading that has a
// version, and ends at the next one, or at a heading without a version of the same or a higher
// level:
//
//	## [1.2.0] - 2026-11-29    ## 1.2.0    # v1.2    **1.2.0**    Version 1.2.0
//	                                                              -------------
func changesBetween(text, after, upTo string) Changes {
	text = text[:min(len(text), MaxChangelog)]
	from, last := parseVersion(after), parseVersion(upTo)
	var found []string
	level, inside := 0, false // of the version whose section it is
	for _, l := range readLines(text) {
		switch v := headingVersion(l.heading); {
		case v != nil:
			level, inside = l.level, last != nil && from != nil && v.GreaterThan(from) && !v.GreaterThan(last)
		case l.level > 0 && l.level <= level:
			inside = false
		}
		if inside {
			found = append(found, l.text)
		}
	}
	if found = trim(found); len(found) > 0 {
		return shorten(found, maxLines)
	}
	var all []string
	for line := range strings.Lines(text) {
		all = append(all, strings.TrimRight(line, " \t\r\n"))
	}
	c := shorten(trim(all), firstLines)
	c.Beginning = len(c.Lines) > 0
	return c
}

// shorten returns the first lines, without characters that are invisible.
func shorten(lines []string, most int) Changes {
	c := Changes{More: max(0, len(lines)-most)}
	for _, line := range lines[:len(lines)-c.More] {
		line = strings.ReplaceAll(line, "\t", "    ")
		c.Lines = append(c.Lines, visible.Escape(cut(line, maxLineRunes), ""))
	}
	return c
}

// trim removes empty lines at the beginning and at the end.
func trim(lines []string) []string {
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// A logLine is a line of a change log.
type logLine struct {
	text    string
	level   int    // of a heading; 0 for other lines
	heading string // its text
}

var (
	atxHeading  = regexp.MustCompile(`^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*$`)
	boldHeading = regexp.MustCompile(`^(?:\*\*|__)([^*_]+)(?:\*\*|__)[ \t]*:?$`)
	underline   = regexp.MustCompile(`^ {0,3}(=+|-{2,})[ \t]*$`)
	fence       = regexp.MustCompile("^ {0,3}(```+|~~~+)")
)

// boldLevel is the level of a line that is bold: below all headings.
const boldLevel = 7

// readLines returns the lines of a text. A line with an underline is a heading. Lines in fences are
// not headings.
func readLines(text string) (all []logLine) {
	open := "" // the fence that is open
	for line := range strings.Lines(text) {
		l := logLine{text: strings.TrimRight(line, " \t\r\n")}
		if open != "" {
			if strings.HasPrefix(strings.TrimLeft(l.text, " "), open) {
				open = ""
			}
			all = append(all, l)
			continue
		}
		if m := fence.FindStringSubmatch(l.text); m != nil {
			open = m[1]
		} else if m := atxHeading.FindStringSubmatch(l.text); m != nil {
			l.level, l.heading = len(m[1]), m[2]
		} else if m := boldHeading.FindStringSubmatch(l.text); m != nil {
			l.level, l.heading = boldLevel, m[1]
		} else if m := underline.FindStringSubmatch(l.text); m != nil && len(all) > 0 && all[len(all)-1].text != "" {
			before := &all[len(all)-1]
			before.level, before.heading = 1, before.text
			if m[1][0] == '-' {
				before.level = 2
			}
		}
		all = append(all, l)
	}
	return all
}

// versionInHeading matches a version that is a word of its own: 1.2.0, v1.2, [1.2.0-beta.1].
var versionInHeading = regexp.MustCompile(`(?:^|[^0-9A-Za-z.])v?([0-9]{1,9}\.[0-9]{1,9}(?:\.[0-9]{1,9}(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?)?)(?:$|[^0-9A-Za-z.]|\.(?:$|[^0-9]))`)

// headingVersion returns the version in a heading, or nil if it has none.
func headingVersion(heading string) *semver.Version {
	m := versionInHeading.FindStringSubmatch(heading)
	if m == nil {
		return nil
	}
	return parseVersion(m[1])
}

// parseVersion returns nil for what is not a version. 1.2 is 1.2.0.
func parseVersion(text string) *semver.Version {
	v, err := semver.NewVersion(text)
	if err != nil {
		return nil
	}
	return v
}

// cut returns the first runes of a text, with an ellipsis if that is not all of it.
func cut(text string, most int) string {
	for i := range text {
		if most == 0 {
			return text[:i] + "…"
		}
		most--
	}
	return text
}
