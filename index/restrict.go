package index

import (
	"slices"
	"strings"

	"galbuild/index/query"
)

// set is a set of documents in one of three forms: all documents, an ascending list, or a
// bitmap.
type set struct {
	all  bool
	list []uint32
	bits bitmap
}

func (s *set) has(d uint32) bool {
	switch {
	case s.all:
		return true
	case s.bits != nil:
		return s.bits.has(d)
	}
	_, ok := slices.BinarySearch(s.list, d)
	return ok
}

// clauses are lists of documents. A document matches if it is in at least one list of every
// clause, and in none of the excluded lists.
type clauses struct {
	lists    [][]uint32 // of all clauses, one clause after the other
	ends     []int      // where each clause ends in lists
	excluded [][]uint32
}

func (c *clauses) reset() { c.lists, c.ends, c.excluded = c.lists[:0], c.ends[:0], c.excluded[:0] }

// add adds a list to the current clause.
func (c *clauses) add(list []uint32) {
	if len(list) > 0 {
		c.lists = append(c.lists, list)
	}
}

// end completes the current clause.
func (c *clauses) end() { c.ends = append(c.ends, len(c.lists)) }

// clause returns the lists of clause i.
func (c *clauses) clause(i int) [][]uint32 {
	if i == 0 {
		return c.lists[:c.ends[0]]
	}
	return c.lists[c.ends[i-1]:c.ends[i]]
}

// restrict returns the documents that match all criteria except texts.
func (ix *Index) restrict(f *query.Filter, s *scratch) set {
	c := &s.clauses
	c.reset()
	ix.addKeys(c, keyTag, f.Tags)
	ix.addKeys(c, keyTitle, f.DisplayNames)
	ix.addKeys(c, keyCategory, f.Categories)
	ix.addKeys(c, keyPublisher, f.Publishers)
	ix.addKeys(c, keyPublisherTitle, f.PublisherTitles)
	ix.addKeys(c, keyName, f.ShortNames)
	ix.addNames(c, f)
	ix.addPlatforms(c, f.Targets)
	ix.addPlatforms(c, f.Platforms)
	if f.Featured {
		c.add(ix.keys.find(keyFeatured, ""))
		c.end()
	}
	ix.addFlags(c, f)
	if !s.work.take(keyCost * (len(f.IDs) + len(f.Names) + len(c.lists))) {
		return set{}
	}
	return c.evaluate(ix.Len(), s)
}

// Costs of finding the list of a key, and of finding a document in a list, in steps.
const (
	keyCost    = 30
	lookUpCost = 8
)

func (ix *Index) addKeys(c *clauses, kind byte, values []string) {
	if len(values) == 0 {
		return
	}
	for _, v := range values {
		c.add(ix.keys.find(kind, v))
	}
	c.end()
}

// addNames adds ids and names as one clause, because update checks send both.
func (ix *Index) addNames(c *clauses, f *query.Filter) {
	if len(f.IDs)+len(f.Names) == 0 {
		return
	}
	for _, id := range f.IDs {
		c.add(ix.keys.find(keyUUID, id))
		if strings.Contains(id, ".") {
			c.add(ix.keys.find(keyID, id))
		}
	}
	for _, name := range f.Names {
		c.add(ix.keys.find(keyID, name))
	}
	c.end()
}

// addPlatforms adds a clause for the targets. A product of the VS Code family matches every
// document, a platform those built for it or for "universal".
func (ix *Index) addPlatforms(c *clauses, targets []string) {
	if len(targets) == 0 {
		return
	}
	if slices.ContainsFunc(targets, isVSCode) {
		return
	}
	anyKnown := false
	for _, t := range targets {
		t = strings.TrimSpace(t)
		if strings.EqualFold(t, universal) {
			anyKnown = true
			continue
		}
		known := slices.ContainsFunc(platforms, func(p string) bool { return strings.EqualFold(p, t) })
		list := ix.keys.find(keyPlatform, t)
		c.add(list)
		anyKnown = anyKnown || known || len(list) > 0
	}
	if anyKnown {
		c.add(ix.keys.find(keyPlatform, universal))
	}
	c.end()
}

func isVSCode(target string) bool {
	t := strings.TrimSpace(target)
	return len(t) >= len(vscodeTarget) && strings.EqualFold(t[:len(vscodeTarget)], vscodeTarget)
}

func (ix *Index) addFlags(c *clauses, f *query.Filter) {
	eachFlag(f.Include&^ix.allFlags, func(bit string) {
		c.add(ix.keys.find(keyFlag, bit))
		c.end()
	})
	eachFlag(f.Exclude&ix.someFlags, func(bit string) { c.excluded = append(c.excluded, ix.keys.find(keyFlag, bit)) })
}

// evaluate returns the documents that match the clauses. If one clause has few documents,
// such as the ids of an update check, they are looked up in the lists of the other clauses;
// otherwise the lists are combined as bitmaps. Without clauses, or with a single list,
// nothing is copied.
func (c *clauses) evaluate(documents int, s *scratch) set {
	if len(c.excluded) == 0 && len(c.ends) == 0 {
		return set{all: true}
	}
	if len(c.excluded) == 0 && len(c.ends) == 1 && len(c.lists) == 1 {
		return set{list: c.lists[0]}
	}
	if smallest, lookups := c.cheapest(); smallest >= 0 && 2*lookUpCost*lookups < c.entries()+documents/4 {
		if !s.work.take(lookUpCost * lookups) {
			return set{}
		}
		s.list = c.gather(smallest, s.list[:0])
		return set{list: s.list}
	}
	if !s.work.take(c.entries() + (1+len(c.ends))*documents/16) {
		return set{}
	}
	s.makeSets(documents)
	c.merge(documents, s.sets[0], s.sets[1])
	return set{bits: s.sets[0]}
}

// entries returns the total length of all lists.
func (c *clauses) entries() int {
	n := 0
	for _, list := range c.lists {
		n += len(list)
	}
	for _, list := range c.excluded {
		n += len(list)
	}
	return n
}

// cheapest returns the clause whose documents need the fewest lookups in other lists, or -1
// if there is no clause, and the number of lookups.
func (c *clauses) cheapest() (clause, lookups int) {
	clause = -1
	for i := range c.ends {
		lists := c.clause(i)
		n := 0
		for _, list := range lists {
			n += len(list)
		}
		n *= 1 + len(c.lists) - len(lists) + len(c.excluded)
		if clause < 0 || n < lookups {
			clause, lookups = i, n
		}
	}
	return clause, lookups
}

// gather appends the documents of clause smallest that match all other clauses to dst.
func (c *clauses) gather(smallest int, dst []uint32) []uint32 {
	for _, list := range c.clause(smallest) {
		dst = append(dst, list...)
	}
	slices.Sort(dst)
	return slices.DeleteFunc(slices.Compact(dst), func(d uint32) bool {
		for i := range c.ends {
			if i != smallest && !anyHas(c.clause(i), d) {
				return true
			}
		}
		return anyHas(c.excluded, d)
	})
}

func anyHas(lists [][]uint32, d uint32) bool {
	return slices.ContainsFunc(lists, func(list []uint32) bool {
		_, ok := slices.BinarySearch(list, d)
		return ok
	})
}

// merge stores the documents that match all clauses in result. union is a buffer.
func (c *clauses) merge(documents int, result, union bitmap) {
	result.fill(documents)
	for i := range c.ends {
		clear(union)
		for _, list := range c.clause(i) {
			union.add(list)
		}
		result.intersect(union)
	}
	for _, list := range c.excluded {
		result.remove(list)
	}
}
