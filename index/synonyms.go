package index

import (
	"fmt"
	"slices"
)

// synonyms are groups of words that are found for each other. A document that has a term of a group
// has all of them, with the largest of their weights. So a search takes no additional steps, and
// the words of a group are equally rare.
type synonyms map[string][]string // the words of a group, by each of them

// newSynonyms returns the synonyms of groups. Groups that have a word in common are one group.
func newSynonyms(groups [][]string) (synonyms, error) {
	all := make(synonyms)
	for _, group := range groups {
		var merged []string
		for _, text := range group {
			split := words(text)
			if len(split) != 1 {
				return nil, fmt.Errorf("synonym %q: want one word, found %d", text, len(split))
			}
			merged = append(append(merged, split[0]), all[split[0]]...)
		}
		slices.Sort(merged)
		merged = slices.Compact(merged)
		for _, word := range merged {
			all[word] = merged
		}
	}
	return all, nil
}

// of returns the words that a document with a term is also found by. A term of a script without
// spaces is found by each of its beginnings, so it has their synonyms, too.
func (s synonyms) of(term string) []string {
	if len(s) == 0 || !isUnspaced(term) {
		return s[term]
	}
	var all []string
	for i := range term {
		all = append(all, s[term[:i]]...)
	}
	return append(all, s[term]...)
}
