package glob

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Braces are expanded before a pattern is split, so they may contain slashes:
//
//	a{b,c/d,}   ab, ac/d, a       {a,{b,c}}  a, b, c     {{a,b}}  {a}, {b}
//	a{1..3}     a1, a2, a3        {01..9..4} 01, 05, 09  {c..a}   c, b, a
//	a{b}, a{b   unchanged         ${a,b}     unchanged   \{a,b}   {a,b}
//
// As in Bash, {a},b} is expanded to "a}" and "b", but not if the pattern begins with {}. If a
// pattern has braces, a backslash before a backslash, brace, comma or full stop is removed.

// Limits of brace-expansion. Results beyond them are dropped, and further braces stay literal.
const (
	maxResults  = 100_000
	maxRunes    = 4_000_000 // of all results of one step
	maxSteps    = 20_000_000
	maxNesting  = 1_000
	maxRewrites = 1_000
)

// quoted is a flag of characters that are literal.
const quoted = 1 << 24

// braces matches a pattern that may have lists: a pair of braces on one line.
var braces = regexp.MustCompile(`\{[^{\n\r\x{2028}\x{2029}]*\}`)

// expandBraces returns the patterns to which a pattern expands. {,} expands to none.
func expandBraces(pattern string) []string {
	if !braces.MatchString(pattern) {
		return []string{pattern}
	}
	e := expander{steps: maxSteps}
	var out []string
	for _, r := range e.expand(quote(pattern), 0, true) {
		for i := range r {
			r[i] &^= quoted
		}
		out = append(out, string(r))
	}
	return out
}

// quote removes backslashes before special characters, and adds the flag quoted to those.
func quote(pattern string) []rune {
	in := []rune(pattern)
	out := make([]rune, 0, len(in))
	for i := 0; i < len(in); i++ {
		if in[i] == '\\' && i+1 < len(in) && strings.ContainsRune(`\{},.`, in[i+1]) {
			i++
			out = append(out, in[i]|quoted)
			continue
		}
		out = append(out, in[i])
	}
	if strings.HasPrefix(pattern, "{}") {
		out[0] |= quoted
		out[1] |= quoted
	}
	return out
}

// An expander expands braces. steps is the number of characters and results that it may still
// process.
type expander struct{ steps int }

// expand returns the expansions of s. Empty results are dropped only if top is true.
func (e *expander) expand(s []rune, depth int, top bool) [][]rune {
	results, first, dropEmpty := [][]rune{nil}, true, false
	if depth > maxNesting {
		return [][]rune{s}
	}
	for rewrites := 0; ; {
		open, end := e.find(s)
		if open < 0 {
			return e.combine(results, s, nil, dropEmpty)
		}
		before, body, after := s[:open], s[open+1:end], s[end+1:]
		if len(before) > 0 && before[len(before)-1] == '$' {
			results, s, first = e.combine(results, s[:end+1], nil, false), after, false
			continue
		}
		sequence := isSequence(body)
		if !sequence && !slices.Contains(body, ',') {
			if rewrites == maxRewrites || !e.listFollows(after) {
				return e.combine(results, s, nil, dropEmpty)
			}
			rewrites++
			s, top = slices.Clone(s), true
			s[end] |= quoted
			continue
		}
		if first {
			first, dropEmpty = false, top && !sequence
		}
		values := e.values(body, sequence, depth)
		if e.steps < 0 {
			return e.combine(results, s, nil, dropEmpty)
		}
		results, s = e.combine(results, before, values, dropEmpty && len(after) == 0), after
		if len(s) == 0 {
			return results
		}
	}
}

// find returns the indexes of the first pair of braces, or -1 if there is none.
func (e *expander) find(s []rune) (open, end int) {
	if e.steps < 0 {
		return -1, -1
	}
	e.steps -= len(s) + 16
	open, end = -1, -1
	var opened []int
	for i, c := range s {
		switch {
		case c == '{':
			opened = append(opened, i)
		case c == '}' && len(opened) > 0:
			last := len(opened) - 1
			if open < 0 || opened[last] < open {
				open, end = opened[last], i
			}
			if opened = opened[:last]; last == 0 {
				return open, end
			}
		}
	}
	return open, end
}

// listFollows reports whether s has a comma, not followed by another one, and after it a
// closing brace on the same line.
func (e *expander) listFollows(s []rune) bool {
	e.steps -= len(s)
	closed := false
	for i, c := range slices.Backward(s) {
		switch c {
		case '}':
			closed = true
		case '\n', '\r', 0x2028, 0x2029:
			closed = false
		case ',':
			if closed && s[i+1] != ',' {
				return e.steps >= 0
			}
		}
	}
	return false
}

// combine appends text to each result, and then each of values unless values is nil.
func (e *expander) combine(results [][]rune, text []rune, values [][]rune, dropEmpty bool) [][]rune {
	if values == nil {
		values = [][]rune{nil}
	}
	var out [][]rune
	total := 0
	for _, r := range results {
		for _, v := range values {
			n := len(r) + len(text) + len(v)
			if n == 0 && dropEmpty {
				continue
			}
			total += n
			if len(out) == maxResults || total > maxRunes {
				return out
			}
			e.steps--
			out = append(out, slices.Concat(r, text, v))
		}
	}
	return out
}

// values returns the expansions of the text between braces. It is not nil.
func (e *expander) values(body []rune, sequence bool, depth int) [][]rune {
	if sequence {
		return e.sequence(string(body))
	}
	items := items(body)
	if len(items) == 1 { // {{a,b}}
		items = e.expand(items[0], depth+1, false)
		for i, item := range items {
			items[i] = slices.Concat([]rune{'{'}, item, []rune{'}'})
		}
		if len(items) == 1 {
			return items
		}
	}
	out, total := [][]rune{}, 0
	for _, item := range items {
		for _, v := range e.expand(item, depth+1, false) {
			if total += len(v); len(out) == maxResults || total > maxRunes || e.steps < 0 {
				return out
			}
			out = append(out, v)
		}
	}
	return out
}

// items splits the text between braces at commas that are not in inner braces.
func items(body []rune) [][]rune {
	var out [][]rune
	depth, from := 0, 0
	for i, c := range body {
		switch {
		case c == '{':
			depth++
		case c == '}':
			depth--
		case c == ',' && depth == 0:
			out = append(out, body[from:i])
			from = i + 1
		}
	}
	return append(out, body[from:])
}

var (
	numbers = regexp.MustCompile(`^-?[0-9]+\.\.-?[0-9]+(\.\.-?[0-9]+)?$`)
	letters = regexp.MustCompile(`^[a-zA-Z]\.\.[a-zA-Z](\.\.-?[0-9]+)?$`)
	padded  = regexp.MustCompile(`^-?0[0-9]`)
)

func isSequence(body []rune) bool {
	return numbers.MatchString(string(body)) || letters.MatchString(string(body))
}

// sequence returns the values of 1..9, a..e or 01..9..2. Numbers are those of JavaScript. A
// backslash among letters is replaced by an empty value.
func (e *expander) sequence(body string) [][]rune {
	ends := strings.Split(body, "..")
	first, last, step := number(ends[0]), number(ends[1]), 1.0
	if len(ends) == 3 {
		step = max(math.Abs(number(ends[2])), 1)
	}
	width := 0
	if slices.ContainsFunc(ends, padded.MatchString) {
		width = max(len(ends[0]), len(ends[1]))
	}
	text := func(x float64) []rune { return []rune(digits(x, width)) }
	if letters.MatchString(body) {
		text = func(x float64) []rune { return []rune(strings.Trim(string(rune(x)), `\`)) }
	}
	down := last < first
	if down {
		step = -step
	}
	out, total := [][]rune{}, 0
	for x := first; (x <= last) != down || x == last; x += step {
		v := text(x)
		e.steps -= max(width, 1)
		if total += len(v); len(out) == maxResults || total > maxRunes || e.steps < 0 {
			break
		}
		out = append(out, v)
	}
	return out
}

// number returns the value of digits, or the code point of a letter.
func number(s string) float64 {
	if c := s[0]; c >= 'A' {
		return float64(c)
	}
	x, _ := strconv.ParseFloat(s, 64) // a number that is too large is infinite, as in JavaScript
	return x + 0                      // -0 becomes 0
}

// digits formats a number as JavaScript does, with leading zeros up to width.
func digits(x float64, width int) string {
	format := byte('f')
	if math.Abs(x) >= 1e21 {
		format = 'e'
	}
	sign, s := "", strconv.FormatFloat(math.Abs(x), format, -1, 64)
	if x < 0 {
		sign = "-"
	}
	return sign + strings.Repeat("0", max(width-len(sign)-len(s), 0)) + s
}
