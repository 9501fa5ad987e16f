package index

import (
	"slices"
	"strings"
	"unicode/utf8"

	"galbuild/index/query"
)

// text is a parsed SearchText criterion.
type text struct {
	wordsLeft     int    // number of words that may still be added
	words         []word // distinct words
	quoted        uint16 // set of words that are part of a phrase, one bit for each
	required      uint16 // set of words that are not optional
	phrases       []phrase
	nonASCII      bool     // a phrase has characters that are not ASCII
	publishers    []string // names or titles, one of which must match
	typed         []string // words outside of quotation marks, in order; if none, those of the phrases
	compact       string   // compact form of the words; empty if there is a phrase
	compactPhrase string   // compact form of the phrases; empty if there are other words
	swapped       string   // compact form of the two words swapped; empty unless there are two
	compactID     string   // compact form as an id or the beginning of one; empty if it cannot be one
	id            string   // the whole text without a leading @, which may be an id
}

type word struct {
	text     string
	prefix   bool // may be a prefix of a term
	quoted   bool // is part of a phrase
	optional bool // adds to the score, but need not match
}

// Costs of parsing a text for each byte, in steps. One character may become eighteen
// letters.
const (
	asciiCost = 5
	runeCost  = 300
)

// textCost returns the cost of parsing the texts.
func textCost(all []string) int {
	n := 0
	for _, s := range all {
		for i := range len(s) {
			if s[i] < utf8.RuneSelf {
				n += asciiCost
			} else {
				n += runeCost
			}
		}
	}
	return n
}

// parseTexts parses texts. Together they have at most maxQueryWords words.
func parseTexts(all []string) []text {
	var texts []text
	wordsLeft := maxQueryWords
	for _, s := range all {
		if !isSearchable(s) || len(texts) == query.MaxTexts {
			continue
		}
		t := parseText(strings.TrimSpace(s), wordsLeft)
		if full := wordsLeft == 0 && len(t.publishers) == 0; full {
			continue
		}
		wordsLeft = t.wordsLeft
		texts = append(texts, t)
	}
	return texts
}

// isSearchable reports whether the text contains anything to search for. Quotation marks
// alone are a phrase that is still being typed.
func isSearchable(s string) bool { return strings.Trim(s, "\" \t\r\n") != "" }

// parseText parses publisher:x, publisher:"x y", "quoted phrases" and words. A quotation
// mark without a closing one is still being typed, and only separates words. The words of
// an unknown operator such as @x are optional, unless the text has nothing else. The text
// gets at most wordsLeft words.
func parseText(s string, wordsLeft int) text {
	t := text{id: strings.TrimPrefix(s, "@"), wordsLeft: wordsLeft}
	var rest, unknown strings.Builder
	var phrases []string // words of all phrases
	for s != "" {
		if value, after, ok := cutOperator(strings.TrimPrefix(s, "@"), "publisher:"); ok {
			t.addPublisher(value)
			s = after
		} else if end := unknownOperatorLength(s); end > 0 {
			unknown.WriteString(s[:end] + " ")
			s = s[end:]
		} else if value, after, ok := cutQuoted(s); ok {
			words := wordsOfQuery(value)
			t.addPhrase(words)
			phrases = append(phrases, words...)
			s = after
			rest.WriteByte(' ')
		} else {
			end := nextBoundary(s)
			rest.WriteString(s[:end])
			s = s[end:]
		}
	}
	words, extra := wordsOfQuery(rest.String()), wordsOfQuery(unknown.String())
	if len(words)+len(phrases)+len(t.publishers) == 0 {
		words, extra = extra, nil
	}
	if len(words) == 0 {
		t.typed, t.compactPhrase = phrases, truncate(strings.Join(phrases, ""))
	}
	t.addWords(words)
	t.addOptional(extra)
	return t
}

// unknownOperatorLength returns the length of an operator such as @x or @x:y at the
// beginning of s, or 0 if there is none. Other texts that begin with @, such as
// @types/node, are ordinary words.
func unknownOperatorLength(s string) int {
	if s[0] != '@' {
		return 0
	}
	end := strings.IndexAny(s, " \t\"")
	if end < 0 {
		end = len(s)
	}
	name, _, _ := strings.Cut(s[1:end], ":")
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r != '-' && r != '_' && kindOf(r) == separator }) {
		return 0
	}
	if _, after, ok := cutQuoted(s[end:]); ok && s[end-1] == ':' {
		return len(s) - len(after)
	}
	return end
}

// cutOperator splits s after the operator name and its value. ok is false if s does not
// begin with name.
func cutOperator(s, name string) (value, rest string, ok bool) {
	if len(s) < len(name) || !strings.EqualFold(s[:len(name)], name) {
		return "", s, false
	}
	s = s[len(name):]
	if value, rest, ok := cutQuoted(s); ok {
		return strings.TrimSpace(value), rest, true
	}
	end := strings.IndexAny(s, " \t\"")
	if end < 0 {
		end = len(s)
	}
	return s[:end], s[end:], end > 0
}

// cutQuoted splits s after a quotation at its beginning. ok is false if there is none.
func cutQuoted(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		return "", s, false
	}
	return strings.Cut(s[1:], `"`)
}

// nextBoundary returns the next position in s, at least 1, at which an operator or
// quotation may begin.
func nextBoundary(s string) int {
	if s[0] == ' ' || s[0] == '\t' {
		return 1
	}
	if i := strings.IndexAny(s[1:], " \t\""); i >= 0 {
		if s[1+i] == '"' {
			return 1 + i
		}
		return 2 + i
	}
	return len(s)
}

// addPublisher adds a publisher, unless it has been added already.
func (t *text) addPublisher(name string) {
	same := func(other string) bool { return strings.EqualFold(name, other) }
	if len(t.publishers) < maxQueryWords && !slices.ContainsFunc(t.publishers, same) {
		t.publishers = append(t.publishers, name)
	}
}

// addPhrase adds the words of a phrase, which are never corrected. The order of the words
// must be checked too, unless the phrase is a single word. Equal phrases are checked once.
func (t *text) addPhrase(words []string) {
	shortened := false
	for i, w := range words {
		term := w
		if isUnspaced(w) {
			term = firstRunes(w, maxRun)
		}
		if !t.add(word{text: term, prefix: isUnspaced(w), quoted: true}) {
			words = words[:i]
			break
		}
		shortened = shortened || term != w
	}
	same := func(other phrase) bool { return slices.Equal(words, other.words) }
	if (shortened || len(words) > 1) && !slices.ContainsFunc(t.phrases, same) {
		p := newPhrase(words)
		t.phrases = append(t.phrases, p)
		t.nonASCII = t.nonASCII || !p.isASCII()
	}
}

// addWords adds the words outside of quotation marks. The last word may be a prefix of a term,
// because it may be incomplete. So may any word of a script without spaces, because the terms are
// the suffixes of each run.
func (t *text) addWords(all []string) {
	for i, w := range all {
		if isUnspaced(w) {
			w = firstRunes(w, maxRun)
		}
		t.add(word{text: w, prefix: i == len(all)-1 || isUnspaced(w)})
	}
	if t.quoted > 0 {
		return
	}
	t.typed, t.compact = all, truncate(strings.Join(all, ""))
	switch {
	case !mayBeginID(t.id):
	case strings.Contains(t.id, "."):
		t.compactID = compactID(t.id)
	default:
		t.compactID = "@" + t.compact
	}
	if len(all) == 2 {
		t.swapped = truncate(all[1] + all[0])
	}
}

// mayBeginID reports whether s has only characters that are allowed in ids.
func mayBeginID(s string) bool {
	for _, c := range []byte(s) {
		if c >= utf8.RuneSelf || c != '-' && c != '_' && c != '.' && kindOf(rune(c)) != letter {
			return false
		}
	}
	return true
}

// addOptional adds words that only add to the score, unless the text has no other words.
func (t *text) addOptional(all []string) {
	t.required = uint16(1)<<len(t.words) - 1
	if len(t.words) == 0 {
		return
	}
	for _, w := range all {
		t.add(word{text: w, prefix: isUnspaced(w), optional: true})
	}
}

// add adds a word. If the text contains the word already, the stricter requirements of the two
// apply. It returns false if no more words may be added.
func (t *text) add(w word) bool {
	i := slices.IndexFunc(t.words, func(other word) bool { return other.text == w.text })
	if i >= 0 && w.optional {
		return true
	}
	if i < 0 {
		if t.wordsLeft == 0 {
			return false
		}
		t.wordsLeft--
		i = len(t.words)
		t.words = append(t.words, w)
	}
	existing := &t.words[i]
	existing.prefix = existing.prefix && w.prefix
	existing.quoted = existing.quoted || w.quoted
	if existing.quoted {
		t.quoted |= 1 << i
	}
	return true
}
