// Package searchdata writes the files with which the pages of a gallery search when no server
// answers queries: the gallery is then only files, such as on an object store. A search loads the
// files of its words, and the cards of the extensions that it shows.
//
//	search/terms/3f.json   the extensions of some terms, see below
//	search/cards/0a7.json  what the rows of some extensions show
//	search/top.json        the first extensions of each order, for a search without a text
//
// # Terms
//
// The terms of an extension are the words of its name, its id, its publisher, its tags and its
// categories. A word is a run of letters, marks and digits in lower case and without accents, with
// the plus and number signs that follow it. Names and ids also have the parts of words such as
// GitLens, and those of two words have both as one, so that "wordcount" finds Word Count.
//
// A term is in the file whose number is the low eight bits of the FNV-1a hash of its first three
// characters, as two hexadecimal digits. So one file has all terms that begin with a text of three
// letters or more. A text of one or two letters is a term by itself, and only finds that.
//
// The file is a JSON object. "documents" is a text with [recordSize] characters for each extension
// that one of the terms has, in the order of names. Each character is a digit of base 64, in the
// order of [digits]:
//
//	0–5    key of the extension: the first 36 bits of the SHA-256 of its lower-case id, or the
//	       next number if another extension has that
//	6      level of its installs: 0 for none, or else l for at least 10^((l-1)/7)
//	7      level of the number of its ratings
//	8      average rating in tenths
//	9–11   date of the last update, in days since 1970
//	12–14  date of publication
//
// "terms" has for each term a text of four digits for each extension: three for its position in
// "documents", and one for the weight of the term, from 1 to 63. A term of more than [mostOfTerm]
// extensions has a list of two texts: the first is that of the best extensions. The second has the
// first four digits of the keys of the others, at most [mostOfRest], so that a search for several
// words knows whether they have this one, too.
//
// # Cards
//
// The first ten bits of a key are the number of the file with its card, as three hexadecimal
// digits. The file is an object with the cards by their keys.
//
// A changed extension changes the file of its card and those of its terms, and search/top.json if
// it is in one of the orders. A file that would be empty is not written. Installs change a file
// only if they grow by about a third.
package searchdata

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"galbuild/build/jsondoc"
	"galbuild/render/pages"
)

// Limits of the files.
const (
	mostOfTerm     = 500    // extensions of a term that can be shown
	mostOfRest     = 10_000 // other extensions of a term
	mostOfOrder    = 240    // extensions of an order in search/top.json
	maxDescription = 110    // characters in a card
)

// Folder is where all files are.
const Folder = "search/"

// Record is an extension.
type Record struct {
	pages.Card
	PublisherName string // the first part of the id
	Tags          []string
	Categories    []string
	Published     string // date, such as 2026-01-31
	Installs      int64
	Rating        float64 // average, from 1 to 5
	Ratings       int64
}

// Files returns the files by their paths. The order of the records does not matter.
func Files(records []Record) map[string][]byte {
	all := documents(records)
	files := map[string][]byte{}
	writeCards(files, all)
	writeTerms(files, all)
	files[Folder+"top.json"] = encode(top(all))
	return files
}

// A document is a record with what is sorted by.
type document struct {
	*Record
	id       string // lower case
	key      uint64 // keyBits bits
	name     string // lower case
	installs uint64 // level
	text     string // see the package comment
}

const (
	keyBits    = 36
	shardBits  = 10
	recordSize = 15
	digits     = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
)

// documents returns the documents in the order of their names.
func documents(records []Record) []*document {
	all := make([]*document, len(records))
	for i := range records {
		r := &records[i]
		id := strings.ToLower(r.ID)
		hash := sha256.Sum256([]byte(id))
		all[i] = &document{Record: r, id: id, key: binary.BigEndian.Uint64(hash[:]) >> (64 - keyBits), name: strings.ToLower(r.Name), installs: level(r.Installs)}
	}
	slices.SortFunc(all, func(a, b *document) int { return strings.Compare(a.id, b.id) })
	used := make(map[uint64]bool, len(all))
	for _, d := range all {
		for used[d.key] { // the next free key with the same file
			const rest = 1<<(keyBits-shardBits) - 1
			d.key = d.key&^rest | (d.key+1)&rest
		}
		used[d.key] = true
		d.text = d.record()
	}
	slices.SortStableFunc(all, func(a, b *document) int { return strings.Compare(a.name, b.name) })
	return all
}

func (d *document) record() string {
	b := appendNumber(make([]byte, 0, recordSize), d.key, 6)
	b = appendNumber(b, d.installs, 1)
	b = appendNumber(b, level(d.Ratings), 1)
	b = appendNumber(b, uint64(math.Round(10*min(max(d.Rating, 0), 5))), 1)
	b = appendNumber(b, days(d.Updated), 3)
	return string(appendNumber(b, days(d.Published), 3))
}

// appendNumber appends a number with n digits.
func appendNumber(b []byte, number uint64, n int) []byte {
	for i := n - 1; i >= 0; i-- {
		b = append(b, digits[number>>(6*i)&63])
	}
	return b
}

// level returns the logarithm of a number, seven for each power of ten.
func level(n int64) uint64 {
	if n < 1 {
		return 0
	}
	return uint64(min(1+math.Floor(7*math.Log10(float64(n))+1e-9), 63))
}

// days returns a date as days since 1970.
func days(date string) uint64 {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil || t.Unix() < 0 {
		return 0
	}
	return uint64(t.Unix()/86400) & (1<<18 - 1)
}

// A card is what a row shows.
type card struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Publisher   string `json:"publisher"`
	Description string `json:"description,omitempty"`
	Icon        string `json:"icon,omitempty"`
	Version     string `json:"version,omitempty"`
	Updated     string `json:"updated,omitempty"`
	Deprecated  bool   `json:"deprecated,omitempty"`
}

func writeCards(files map[string][]byte, all []*document) {
	shards := map[uint64]map[string]card{}
	for _, d := range all {
		shard := d.key >> (keyBits - shardBits)
		if shards[shard] == nil {
			shards[shard] = map[string]card{}
		}
		shards[shard][d.text[:6]] = card{
			ID: d.ID, Name: clip(d.Name, 100), Publisher: clip(d.Publisher, 60), Description: clip(d.Description, maxDescription), Icon: d.Icon,
			Version: d.Version, Updated: d.Updated, Deprecated: d.Deprecated,
		}
	}
	for shard, cards := range shards {
		files[fmt.Sprintf("%scards/%03x.json", Folder, shard)] = encode(cards)
	}
}

// clip returns at most n characters of a text on one line.
func clip(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// A posting is a document of a term.
type posting struct {
	document int // position among all documents
	weight   uint64
}

// A shard is a file of terms.
type shard struct {
	Documents string         `json:"documents"`
	Terms     map[string]any `json:"terms"`
}

func writeTerms(files map[string][]byte, all []*document) {
	shards := map[byte]map[string][]posting{}
	for i := range all {
		for term, weight := range weights(all[i].Record) {
			s := shardOf(term)
			if shards[s] == nil {
				shards[s] = map[string][]posting{}
			}
			shards[s][term] = append(shards[s][term], posting{i, weight})
		}
	}
	for s, terms := range shards {
		files[fmt.Sprintf("%sterms/%02x.json", Folder, s)] = encode(newShard(all, terms))
	}
}

// newShard returns the file of some terms.
func newShard(all []*document, terms map[string][]posting) shard {
	rests := map[string]string{}
	used := map[int]uint64{}
	for term, postings := range terms {
		terms[term], rests[term] = limit(all, postings)
		for _, p := range terms[term] {
			used[p.document] = 0
		}
	}
	s := shard{Terms: map[string]any{}}
	var records strings.Builder
	for n, i := range sortedKeys(used) {
		used[i] = uint64(n)
		records.WriteString(all[i].text)
	}
	s.Documents = records.String()
	for term, postings := range terms {
		slices.SortFunc(postings, func(a, b posting) int { return a.document - b.document })
		b := make([]byte, 0, 4*len(postings))
		for _, p := range postings {
			b = appendNumber(appendNumber(b, used[p.document], 3), p.weight, 1)
		}
		s.Terms[term] = string(b)
		if rest := rests[term]; rest != "" {
			s.Terms[term] = []string{string(b), rest}
		}
	}
	return s
}

// limit returns the best documents of a term, and the beginnings of the keys of the others.
func limit(all []*document, postings []posting) (best []posting, rest string) {
	if len(postings) <= mostOfTerm {
		return postings, ""
	}
	slices.SortFunc(postings, func(a, b posting) int {
		x, y := all[a.document], all[b.document]
		return cmp.Or(cmp.Compare(b.weight*(16+y.installs), a.weight*(16+x.installs)), strings.Compare(x.id, y.id))
	})
	others := postings[mostOfTerm:min(len(postings), mostOfTerm+mostOfRest)]
	keys := make([]string, len(others))
	for i, p := range others {
		keys[i] = all[p.document].text[:4]
	}
	slices.Sort(keys)
	return postings[:mostOfTerm], strings.Join(keys, "")
}

func sortedKeys(m map[int]uint64) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// A first is the beginning of each order, and the number of all extensions.
type first struct {
	Count     int    `json:"count"`
	Installs  string `json:"installs"`
	Rating    string `json:"rating"`
	Updated   string `json:"updated"`
	Published string `json:"published"`
	Name      string `json:"name"`
}

func top(all []*document) first {
	in := func(compare func(a, b *document) int) string {
		sorted := slices.Clone(all)
		slices.SortStableFunc(sorted, compare)
		var records strings.Builder
		for _, d := range sorted[:min(len(sorted), mostOfOrder)] {
			records.WriteString(d.text)
		}
		return records.String()
	}
	return first{
		Count:     len(all),
		Installs:  in(func(a, b *document) int { return cmp.Compare(b.installs, a.installs) }),
		Rating:    in(func(a, b *document) int { return cmp.Compare(weighted(b), weighted(a)) }),
		Updated:   in(func(a, b *document) int { return strings.Compare(b.Updated, a.Updated) }),
		Published: in(func(a, b *document) int { return strings.Compare(b.Published, a.Published) }),
		Name:      in(func(a, b *document) int { return 0 }),
	}
}

// weighted returns a rating that counts less if it is of few people.
func weighted(d *document) float64 {
	return (float64(d.Ratings)*d.Rating + 20*4) / float64(d.Ratings+20)
}

// encode returns JSON, with the keys of objects in their order.
func encode(v any) []byte {
	text, err := jsondoc.Line(v)
	if err != nil {
		panic(err) // all values are plain data
	}
	return text
}
