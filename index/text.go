package index

import (
	"slices"
	"strings"
)

// text is one SearchText criterion, taken apart.
type text struct {
	words      []word     // distinct
	phrases    [][]string // words that must stand side by side in one field
	publishers []string   // name or title, one of them
	spelled    []string   // the words outside of quotation marks, in order
	whole      string     // these squeezed, "" with a phrase
	turned     string     // two words squeezed the other way round, else ""
	id         string     // the text as it is, in case it is an id
}

type word struct {
	text   string
	prefix bool // may be the beginning of a term
}

func parseTexts(all []string) []text {
	var texts []text
	seen := make(map[string]bool)
	for _, s := range all {
		if asks(s) && !seen[s] && len(texts) < maxQueryWords {
			seen[s] = true
			texts = append(texts, parseText(strings.TrimSpace(s)))
		}
	}
	return texts
}

// asks reports whether the text asks for anything yet: quotation marks by
// themselves are the beginning of a phrase.
func asks(s string) bool { return strings.Trim(s, "\" \t\r\n") != "" }

// parseText takes publisher:x, publisher:"x y" and "quoted phrases" out of s;
// the rest are words. A quotation mark without a second one is still being
// typed and only separates.
func parseText(s string) text {
	t := text{id: s}
	var rest strings.Builder
	for s != "" {
		if value, after, ok := operator(s, "publisher:"); ok {
			t.publishers, s = append(t.publishers, value), after
		} else if value, after, ok := quoted(s); ok {
			t.addPhrase(words(value))
			s = after
			rest.WriteByte(' ')
		} else {
			end := next(s)
			rest.WriteString(s[:end])
			s = s[end:]
		}
	}
	t.addWords(words(rest.String()))
	return t
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
	if i := strings.IndexAny(s[1:], " \t\""); i >= 0 {
		if s[1+i] == '"' {
			return 1 + i
		}
		return 2 + i
	}
	return len(s)
}

func (t *text) addPhrase(phrase []string) {
	if len(phrase) == 0 || len(t.phrases) == maxQueryWords {
		return
	}
	t.phrases = append(t.phrases, phrase)
	for _, w := range phrase {
		t.add(word{w, unspaced(w)})
	}
}

// addWords adds the words outside of quotation marks. The last one may still be
// typed, and a run without spaces may begin anywhere in what it means.
func (t *text) addWords(all []string) {
	for i, w := range all {
		if unspaced(w) {
			w = firstRunes(w, maxRun)
		}
		t.add(word{w, i == len(all)-1 || unspaced(w)})
	}
	if len(t.phrases) > 0 {
		return
	}
	t.spelled, t.whole = all, clip(strings.Join(all, ""))
	if len(all) == 2 {
		t.turned = clip(all[1] + all[0])
	}
}

// add adds a word once; of two, the one that matches less stays.
func (t *text) add(w word) {
	i := slices.IndexFunc(t.words, func(other word) bool { return other.text == w.text })
	switch {
	case i >= 0:
		t.words[i].prefix = t.words[i].prefix && w.prefix
	case len(t.words) < maxQueryWords:
		t.words = append(t.words, w)
	}
}
