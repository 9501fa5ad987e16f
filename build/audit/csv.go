package audit

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"galbuild/build/catalog"
)

// columns are the first row of a CSV file. The columns from kind on are those of decisions.
var columns = []string{
	"row", "id", "sha256", "served", "first", "first time", "last", "last time", "until", "bytes", "licence", "signed", "sources", "decisions",
	"kind", "when", "by", "reason", "use", "in force",
}

// WriteCSV writes a row for each version, and then one for each decision. A cell that a spreadsheet
// would take for a formula begins with an apostrophe.
func (r *Report) WriteCSV(to io.Writer) error {
	w := csv.NewWriter(to)
	rows := [][]string{columns}
	for i := range r.Versions {
		rows = append(rows, r.Versions[i].row())
	}
	for i := range r.Decisions {
		rows = append(rows, r.Decisions[i].row())
	}
	for _, row := range rows {
		for i := range row {
			row[i] = withoutFormula(row[i])
		}
	}
	return w.WriteAll(rows)
}

func (v *Version) row() []string {
	var decisions []string
	for _, id := range v.Decisions {
		decisions = append(decisions, id.String())
	}
	row := []string{"version", v.ID, v.SHA256.String(), strconv.FormatBool(v.Served)}
	row = append(row, v.First.cells()...)
	row = append(row, v.Last.cells()...)
	row = append(row, date(v.Until), size(v.Bytes), v.Licence, strconv.FormatBool(v.Signed), Sources(v.Sources), strings.Join(decisions, " "))
	return append(row, make([]string, len(columns)-len(row))...)
}

func (d *Decision) row() []string {
	row := make([]string, len(columns))
	row[0], row[1] = "decision", d.Subject
	copy(row[13:], []string{d.ID.String(), d.Kind, date(d.When), d.By, d.Reason, d.Use, strconv.FormatBool(d.InForce)})
	return row
}

// cells returns the number and time of a generation, each empty if they are not known.
func (m *Moment) cells() []string {
	if m == nil {
		return []string{"", ""}
	}
	return []string{strconv.FormatInt(m.Number, 10), date(m.When)}
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func size(bytes int64) string {
	if bytes == 0 {
		return ""
	}
	return strconv.FormatInt(bytes, 10)
}

// Sources returns sources as text, with the upstream of a package that was collected.
func Sources(all []catalog.Source) string {
	var texts []string
	for _, s := range all {
		text := s.Path + s.URL
		if s.Upstream != "" {
			text += " (collected from " + s.Upstream + ")"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

// withoutFormula returns the text of a cell so that no spreadsheet runs it as a formula.
//
// Source: https://owasp.org/www-community/attacks/CSV_Injection
func withoutFormula(s string) string {
	if strings.ContainsAny(firstRune(s), "=+-@\t\r\n＝＋－＠") {
		return "'" + s
	}
	return s
}

// firstRune returns the first character of s that is not a space.
func firstRune(s string) string {
	for _, r := range strings.TrimLeft(s, " \u00a0") {
		return string(r)
	}
	return ""
}
