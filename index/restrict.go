package index

import (
	"slices"
	"strings"

	"galbuild/index/query"
)

// set is what the exact criteria leave, in one of three forms: all documents, an
// ascending list, or a bitmap.
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

// clauses are lists of documents. A document must be in one list of every
// clause, and in none of those to be left out.
type clauses struct {
	lists [][]uint32 // of all clauses, one behind the other
	ends  []int      // where each clause ends in lists
	not   [][]uint32
}

func (c *clauses) reset() { c.lists, c.ends, c.not = c.lists[:0], c.ends[:0], c.not[:0] }

// may adds a list to the clause that end will end.
func (c *clauses) may(list []uint32) {
	if len(list) > 0 {
		c.lists = append(c.lists, list)
	}
}

func (c *clauses) end() { c.ends = append(c.ends, len(c.lists)) }

// clause returns the lists of clause i.
func (c *clauses) clause(i int) [][]uint32 {
	if i == 0 {
		return c.lists[:c.ends[0]]
	}
	return c.lists[c.ends[i-1]:c.ends[i]]
}

// restrict returns the documents that all criteria but text leave.
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
		c.may(ix.keys.find(keyFeatured, ""))
		c.end()
	}
	ix.addFlags(c, f)
	if !s.work.take(keyCost * (len(f.IDs) + len(f.Names) + len(c.lists))) {
		return set{}
	}
	return c.solve(ix.Len(), s)
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
		c.may(ix.keys.find(kind, v))
	}
	c.end()
}

// addNames adds ids and names as one set: an update check sends both.
func (ix *Index) addNames(c *clauses, f *query.Filter) {
	if len(f.IDs)+len(f.Names) == 0 {
		return
	}
	for _, id := range f.IDs {
		c.may(ix.keys.find(keyUUID, id))
		if strings.Contains(id, ".") {
			c.may(ix.keys.find(keyID, id))
		}
	}
	for _, name := range f.Names {
		c.may(ix.keys.find(keyID, name))
	}
	c.end()
}

// addPlatforms adds what runs on one of the targets: a product of the VS Code
// family takes everything, a platform what is built for it or for all.
func (ix *Index) addPlatforms(c *clauses, targets []string) {
	if len(targets) == 0 {
		return
	}
	if slices.ContainsFunc(targets, fitsAll) {
		return
	}
	any := false
	for _, t := range targets {
		t = strings.TrimSpace(t)
		if strings.EqualFold(t, universal) {
			any = true
			continue
		}
		known := slices.ContainsFunc(platforms, func(p string) bool { return strings.EqualFold(p, t) })
		list := ix.keys.find(keyPlatform, t)
		c.may(list)
		any = any || known || len(list) > 0
	}
	if any {
		c.may(ix.keys.find(keyPlatform, universal))
	}
	c.end()
}

func fitsAll(target string) bool {
	t := strings.TrimSpace(target)
	return len(t) >= len(everyTarget) && strings.EqualFold(t[:len(everyTarget)], everyTarget)
}

func (ix *Index) addFlags(c *clauses, f *query.Filter) {
	eachFlag(f.Include&^ix.allFlags, func(bit string) {
		c.may(ix.keys.find(keyFlag, bit))
		c.end()
	})
	eachFlag(f.Exclude&ix.someFlags, func(bit string) { c.not = append(c.not, ix.keys.find(keyFlag, bit)) })
}

// solve intersects the clauses. What few documents a clause leaves, such as the
// ids of an update check, are gathered and tried one by one; for many there are
// bitmaps. Nothing is copied where there is one list, or none at all.
func (c *clauses) solve(documents int, s *scratch) set {
	if len(c.not) == 0 && len(c.ends) == 0 {
		return set{all: true}
	}
	if len(c.not) == 0 && len(c.ends) == 1 && len(c.lists) == 1 {
		return set{list: c.lists[0]}
	}
	if few, tries := c.cheapest(); few >= 0 && 2*lookUpCost*tries < c.entries()+documents/4 {
		if !s.work.take(lookUpCost * tries) {
			return set{}
		}
		s.list = c.gather(few, s.list[:0])
		return set{list: s.list}
	}
	if !s.work.take(c.entries() + (1+len(c.ends))*documents/16) {
		return set{}
	}
	s.makeSets(documents)
	c.merge(documents, s.sets[0], s.sets[1])
	return set{bits: s.sets[0]}
}

// entries counts those of all lists.
func (c *clauses) entries() int {
	n := 0
	for _, list := range c.lists {
		n += len(list)
	}
	for _, list := range c.not {
		n += len(list)
	}
	return n
}

// cheapest returns the clause from which to gather, -1 if there is none, and how
// often a document is then looked for in a list.
func (c *clauses) cheapest() (clause, tries int) {
	clause = -1
	for i := range c.ends {
		lists := c.clause(i)
		n := 0
		for _, list := range lists {
			n += len(list)
		}
		n *= 1 + len(c.lists) - len(lists) + len(c.not)
		if clause < 0 || n < tries {
			clause, tries = i, n
		}
	}
	return clause, tries
}

// gather appends to dst what clause few has and the others leave.
func (c *clauses) gather(few int, dst []uint32) []uint32 {
	for _, list := range c.clause(few) {
		dst = append(dst, list...)
	}
	slices.Sort(dst)
	return slices.DeleteFunc(slices.Compact(dst), func(d uint32) bool {
		for i := range c.ends {
			if i != few && !anyHas(c.clause(i), d) {
				return true
			}
		}
		return anyHas(c.not, d)
	})
}

func anyHas(lists [][]uint32, d uint32) bool {
	return slices.ContainsFunc(lists, func(list []uint32) bool {
		_, ok := slices.BinarySearch(list, d)
		return ok
	})
}

// merge leaves the answer in result; union is for its use.
func (c *clauses) merge(documents int, result, union bitmap) {
	result.fill(documents)
	for i := range c.ends {
		clear(union)
		for _, list := range c.clause(i) {
			union.add(list)
		}
		result.keep(union)
	}
	for _, list := range c.not {
		result.remove(list)
	}
}
