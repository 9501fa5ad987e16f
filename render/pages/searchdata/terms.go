package searchdata

import (
	"hash/fnv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Weights of the fields that a term can be in. A name or an id that has more words has half of its
// weight for all, and the other half divided among them.
const (
	nameWeight      = 40
	idWeight        = 30
	publisherWeight = 12
	tagWeight       = 8
	categoryWeight  = 6
	partDivisor     = 4 // of a term that is only a part of a word, such as lens of GitLens
	maxWeight       = 63
)

const (
	maxTerm  = 64 // bytes; the rest of a term is dropped
	maxTerms = 60 // tags and categories that count
)

// weights returns the terms of an extension, with their weights: that of the best field, and an
// eighth of those of others.
func weights(r *Record) map[string]uint64 {
	all := map[string]uint64{}
	_, name, _ := strings.Cut(r.ID, ".")
	for _, field := range []map[string]uint64{
		title(r.Name, nameWeight), title(name, idWeight),
		words(publisherWeight, r.Publisher, r.PublisherName),
		words(tagWeight, r.Tags[:min(len(r.Tags), maxTerms)]...),
		words(categoryWeight, r.Categories[:min(len(r.Categories), maxTerms)]...),
	} {
		for term, weight := range field {
			best, other := max(all[term], weight), min(all[term], weight)
			all[term] = min(best+other/8, maxWeight)
		}
	}
	return all
}

// words returns the words of texts.
func words(weight uint64, texts ...string) map[string]uint64 {
	all := map[string]uint64{}
	for _, text := range texts {
		if strings.HasPrefix(text, "_") { // a tag that galleries do not show
			continue
		}
		for _, word := range Words(text) {
			all[word] = weight
		}
	}
	return all
}

// title returns the words of a name, their parts, and two words as one.
func title(name string, weight uint64) map[string]uint64 {
	all := map[string]uint64{}
	whole := Words(name)
	for _, part := range Words(parts(name)) {
		all[part] = weight / partDivisor
	}
	for _, word := range whole {
		all[word] = weight/2 + weight/2/uint64(len(whole))
	}
	if joined := strings.Join(whole, ""); len(whole) == 2 && len(joined) <= maxTerm {
		all[joined] = max(all[joined], weight/2)
	}
	return all
}

// parts puts a space before each part of words such as GitLens and HTMLView.
func parts(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsUpper(runes[i-1]) && unicode.IsLower(runes[i+1])) {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Words returns the words of a text, as the script of the pages also does.
func Words(text string) (all []string) {
	text = strings.ToLower(normalize(text))
	for text != "" {
		start := strings.IndexFunc(text, isLetter)
		if start < 0 {
			break
		}
		text = text[start:]
		word := strings.TrimLeftFunc(strings.TrimLeftFunc(text, isLetter), isSign)
		word, text = text[:len(text)-len(word)], word
		for len(word) > maxTerm {
			_, size := utf8.DecodeLastRuneInString(word)
			word = word[:len(word)-size]
		}
		all = append(all, word)
	}
	return all
}

func isLetter(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z'
	}
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd)
}

func isSign(r rune) bool { return r == '+' || r == '#' }

// normalize returns a text without accents, ligatures and widths, as package index does.
func normalize(s string) string {
	if norm.NFKD.IsNormalString(s) && !strings.ContainsFunc(s, unicode.IsMark) {
		return s
	}
	bare := strings.Map(func(r rune) rune {
		if '\u0300' <= r && r <= '\u036f' || '\ufe00' <= r && r <= '\ufe0f' {
			return -1
		}
		return r
	}, norm.NFKD.String(s))
	return norm.NFC.String(bare)
}

// shardOf returns the number of the file of a term.
func shardOf(term string) byte {
	end := len(term)
	n := 0
	for i := range term {
		if n == 3 {
			end = i
			break
		}
		n++
	}
	h := fnv.New32a()
	h.Write([]byte(term[:end]))
	return byte(h.Sum32())
}
