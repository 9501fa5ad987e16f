// Package similar finds names that a mistyped name may stand for.
package similar

import (
	"slices"
	"strconv"
	"strings"
)

// maxName is the length in bytes of the longest name that is compared.
const maxName = 200

// To returns the candidates that are most similar to name, sorted and without duplicates: those
// with the smallest edit distance, which may be at most a third of the length of name. The distance
// is the number of letters to insert, delete, replace or swap with their neighbour; case is
// ignored. If no candidate is that similar, To returns those that begin with name. Candidates that
// are equal to name are left out.
func To(name string, candidates []string) (nearest []string) {
	typed := strings.ToLower(name)
	if len(typed) < 2 || len(typed) > maxName {
		return nil
	}
	least := (len(typed)+1)/3 + 1
	var longer []string
	for _, c := range candidates {
		lower := strings.ToLower(c)
		if c == name || len(lower) > maxName {
			continue
		}
		if strings.HasPrefix(lower, typed) {
			longer = append(longer, c)
		}
		if max(len(lower)-len(typed), len(typed)-len(lower)) > least {
			continue
		}
		switch d := distance(typed, lower); {
		case d < least:
			least, nearest = d, []string{c}
		case d == least && len(nearest) > 0:
			nearest = append(nearest, c)
		}
	}
	if len(nearest) == 0 {
		nearest = longer
	}
	slices.Sort(nearest)
	return slices.Compact(nearest)
}

// most is the largest number of names in a question.
const most = 3

// Question returns `; did you mean "a" or "b"?` with the candidates that are most similar
// to name, or "" if there are none or too many.
func Question(name string, candidates []string) string { return Ask(To(name, candidates)) }

// Ask returns `; did you mean "a" or "b"?`, or "" if there are no names or too many.
func Ask(names []string) string {
	if len(names) == 0 || len(names) > most {
		return ""
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = strconv.Quote(name)
	}
	return "; did you mean " + strings.Join(quoted, " or ") + "?"
}

// distance returns the number of letters to insert, delete, replace or swap with their
// neighbour that turns a into b: the optimal string alignment distance.
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, last, row := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range row {
		row[j] = j
	}
	for i := range s {
		before, last, row = last, row, before
		row[0] = i + 1
		for j := range t {
			replaced := last[j]
			if s[i] != t[j] {
				replaced++
			}
			row[j+1] = min(replaced, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(t)]
}
