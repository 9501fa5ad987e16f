package index

import (
	"slices"
	"strings"
	"unicode/utf8"

	"galbuild/index/query"
)

// text is one SearchText criterion, taken apart.
type text struct {
	room       int    // how many more words fit
	words      []word // distinct
	quoted     uint16 // bits of the words that are part of a phrase
	required   uint16 // bits of the words that are not optional
	phrases    []quotation
	foreign    bool     // whether one of them is not ASCII
	publishers []string // name or title, one of them
	spelled    []string // the words outside of quotation marks, or of the only phrase, in order
	whole      string   // these squeezed, "" with a phrase
	phrase     string   // the only phrase squeezed, "" with other words
	turned     string   // two words squeezed the other way round, else ""
	id         string   // the text as it is, in case it is an id
}

type word struct {
	text     string
	prefix   bool // may be the beginning of a term
	quoted   bool // part of a phrase
	optional bool // adds to the score only
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

// parseTexts parses texts, which together have at most maxQueryWords words.
func parseTexts(all []string) []text {
	var texts []text
	room := maxQueryWords
	for _, s := range all {
		if !asks(s) || len(texts) == query.MaxTexts {
			continue
		}
		t := parseText(strings.TrimSpace(s), room)
		if crowded := room == 0 && len(t.publishers) == 0; crowded {
			continue
		}
		room = t.room
		texts = append(texts, t)
	}
	return texts
}

// asks reports whether the text asks for anything yet: quotation marks by
// themselves are the beginning of a phrase.
func asks(s string) bool { return strings.Trim(s, "\" \t\r\n") != "" }

// parseText takes publisher:x, publisher:"x y" and "quoted phrases" out of s;
// the rest are words. A quotation mark without a second one is still being
// typed and only separates. The words of an unknown operator such as @x are optional, unless
// there is nothing else. The text has no more words than there is room for.
func parseText(s string, room int) text {
	t := text{id: strings.TrimPrefix(s, "@"), room: room}
	var rest, unknown strings.Builder
	var phrases []string // words of all of them
	for s != "" {
		if value, after, ok := operator(strings.TrimPrefix(s, "@"), "publisher:"); ok {
			t.addPublisher(value)
			s = after
		} else if end := unknownOperator(s); end > 0 {
			unknown.WriteString(s[:end] + " ")
			s = s[end:]
		} else if value, after, ok := quoted(s); ok {
			words := wordsOfQuery(value)
			t.addPhrase(words)
			phrases = append(phrases, words...)
			s = after
			rest.WriteByte(' ')
		} else {
			end := next(s)
			rest.WriteString(s[:end])
			s = s[end:]
		}
	}
	words, extra := wordsOfQuery(rest.String()), wordsOfQuery(unknown.String())
	if len(words)+len(phrases)+len(t.publishers) == 0 {
		words, extra = extra, nil
	}
	if len(words) == 0 {
		t.spelled, t.phrase = phrases, clip(strings.Join(phrases, ""))
	}
	t.addWords(words)
	t.addOptional(extra)
	return t
}

// unknownOperator returns the length of a word such as @x or @x:y at the beginning of s, or
// 0 if there is none. Others with an @, such as @types/node, are ordinary words.
func unknownOperator(s string) int {
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
	if _, after, ok := quoted(s[end:]); ok && s[end-1] == ':' {
		return len(s) - len(after)
	}
	return end
}

// operator reads name and its value at the beginning of s.
func operator(s, name string) (value, rest string, ok bool) {
	if len(s) < len(name) || !strings.EqualFold(s[:len(name)], name) {
		return "", s, false
	}
	s = s[len(name):]
	if value, rest, ok := quoted(s); ok {
		return strings.TrimSpace(value), rest, true
	}
	end := strings.IndexAny(s, " \t\"")
	if end < 0 {
		end = len(s)
	}
	return s[:end], s[end:], end > 0
}

func quoted(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		return "", s, false
	}
	return strings.Cut(s[1:], `"`)
}

// next returns where in s the next operator or quotation may begin, at least 1.
func next(s string) int {
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

// addPublisher adds a publisher unless it is there already.
func (t *text) addPublisher(name string) {
	same := func(other string) bool { return strings.EqualFold(name, other) }
	if len(t.publishers) < maxQueryWords && !slices.ContainsFunc(t.publishers, same) {
		t.publishers = append(t.publishers, name)
	}
}

// addPhrase adds the words of a phrase, which are never corrected. A phrase of one word
// needs no more than that. For longer phrases the order must be checked, once for equal
// phrases.
func (t *text) addPhrase(words []string) {
	whole := false
	for i, w := range words {
		term := w
		if unspaced(w) {
			term = firstRunes(w, maxRun)
		}
		if !t.add(word{text: term, prefix: unspaced(w), quoted: true}) {
			words = words[:i]
			break
		}
		whole = whole || term != w
	}
	same := func(other quotation) bool { return slices.Equal(words, other.words) }
	if (whole || len(words) > 1) && !slices.ContainsFunc(t.phrases, same) {
		p := newQuotation(words)
		t.phrases = append(t.phrases, p)
		t.foreign = t.foreign || !p.isASCII()
	}
}

// addWords adds the words outside of quotation marks. The last one may still be
// typed, and a run without spaces may begin anywhere in what it means.
func (t *text) addWords(all []string) {
	for i, w := range all {
		if unspaced(w) {
			w = firstRunes(w, maxRun)
		}
		t.add(word{text: w, prefix: i == len(all)-1 || unspaced(w)})
	}
	if t.quoted > 0 {
		return
	}
	t.spelled, t.whole = all, clip(strings.Join(all, ""))
	if len(all) == 2 {
		t.turned = clip(all[1] + all[0])
	}
}

// addOptional adds words that only add to the score, if there are others.
func (t *text) addOptional(all []string) {
	t.required = uint16(1)<<len(t.words) - 1
	if len(t.words) == 0 {
		return
	}
	for _, w := range all {
		t.add(word{text: w, prefix: unspaced(w), optional: true})
	}
}

// add adds a word unless it is there already; if so, the stricter of the two stays. It
// returns false if there is no room.
func (t *text) add(w word) bool {
	i := slices.IndexFunc(t.words, func(other word) bool { return other.text == w.text })
	if i >= 0 && w.optional {
		return true
	}
	if i < 0 {
		if t.room == 0 {
			return false
		}
		t.room--
		i = len(t.words)
		t.words = append(t.words, w)
	}
	known := &t.words[i]
	known.prefix = known.prefix && w.prefix
	known.quoted = known.quoted || w.quoted
	if known.quoted {
		t.quoted |= 1 << i
	}
	return true
}
