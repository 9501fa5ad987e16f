package index

import (
	"slices"
	"strings"

	"galbuild/index/query"
)

// set is what the exact criteria leave, in one of three forms: all documents, a
// list as it stands in the file, or a bitmap.
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
	must [][][]uint32
	not  [][]uint32
}

func (c *clauses) add(lists ...[]uint32) { c.must = append(c.must, lists) }

// restrict returns the documents that all criteria but text leave.
func (ix *Index) restrict(f *query.Filter, s *scratch) set {
	var c clauses
	ix.addKeys(&c, keyTag, f.Tags)
	ix.addKeys(&c, keyTitle, f.DisplayNames)
	ix.addKeys(&c, keyCategory, f.Categories)
	ix.addKeys(&c, keyPublisher, f.Publishers)
	ix.addKeys(&c, keyPublisherTitle, f.PublisherTitles)
	ix.addKeys(&c, keyName, f.ShortNames)
	ix.addNames(&c, f)
	ix.addPlatforms(&c, f.Targets)
	ix.addPlatforms(&c, f.Platforms)
	if f.Featured {
		c.add(ix.keys.find(keyFeatured, ""))
	}
	ix.addFlags(&c, f)
	return c.solve(ix.Len(), s)
}

func (ix *Index) addKeys(c *clauses, kind byte, values []string) {
	if len(values) == 0 {
		return
	}
	lists := make([][]uint32, len(values))
	for i, v := range values {
		lists[i] = ix.keys.find(kind, v)
	}
	c.add(lists...)
}

// addNames adds ids and names as one set: an update check sends both.
func (ix *Index) addNames(c *clauses, f *query.Filter) {
	if len(f.IDs)+len(f.Names) == 0 {
		return
	}
	lists := make([][]uint32, 0, 2*len(f.IDs)+len(f.Names))
	for _, id := range f.IDs {
		lists = append(lists, ix.keys.find(keyUUID, id), ix.keys.find(keyID, id))
	}
	for _, name := range f.Names {
		lists = append(lists, ix.keys.find(keyID, name))
	}
	c.add(lists...)
}

// addPlatforms adds what runs on one of the targets: a product of the VS Code
// family takes everything, a platform what is built for it or for all.
func (ix *Index) addPlatforms(c *clauses, targets []string) {
	if len(targets) == 0 {
		return
	}
	var lists [][]uint32
	for _, t := range targets {
		t = strings.TrimSpace(t)
		if len(t) >= len(everyTarget) && strings.EqualFold(t[:len(everyTarget)], everyTarget) {
			return
		}
		known := slices.ContainsFunc(platforms, func(p string) bool { return strings.EqualFold(p, t) })
		if list := ix.keys.find(keyPlatform, t); known || len(list) > 0 {
			lists = append(lists, list, ix.keys.find(keyPlatform, universal))
		}
	}
	c.add(lists...)
}

func (ix *Index) addFlags(c *clauses, f *query.Filter) {
	eachFlag(f.Include&^ix.allFlags, func(bit string) { c.add(ix.keys.find(keyFlag, bit)) })
	eachFlag(f.Exclude&ix.someFlags, func(bit string) { c.not = append(c.not, ix.keys.find(keyFlag, bit)) })
}

// solve intersects the clauses. Nothing is copied where there is one list, or
// none at all.
func (c *clauses) solve(documents int, s *scratch) set {
	if len(c.not) == 0 && len(c.must) == 0 {
		return set{all: true}
	}
	if len(c.not) == 0 && len(c.must) == 1 && len(c.must[0]) == 1 {
		return set{list: c.must[0][0]}
	}
	result, union := s.sets[0], s.sets[1]
	result.fill(documents)
	for _, lists := range c.must {
		clear(union)
		for _, list := range lists {
			union.add(list)
		}
		result.keep(union)
	}
	for _, list := range c.not {
		result.remove(list)
	}
	return set{bits: result}
}
