package bundle

import (
	"maps"
	"slices"
	"strings"

	"galbuild/build/blob"
)

// siteName is the name of the SHA256SUMS of an archive of the whole site in the first line of
// REMOVED.SHA256SUMS. There is no file of that name.
const siteName = "SITE.SHA256SUMS"

// removedListing returns the lines of REMOVED.SHA256SUMS: of files that one of the bases has, and
// whose paths the site does not have. Bases are without the files of their generations.
func removedListing(whole listing, bases []listing) listing {
	paths, removed := whole.byPath(), make(map[line]bool)
	for _, base := range bases {
		for _, x := range base {
			if _, ok := paths[x.path]; !ok {
				removed[x] = true
			}
		}
	}
	l := slices.SortedFunc(maps.Keys(removed), compareLines)
	return append(listing{{blob.Sum(whole.text()), siteName}}, l...)
}

// compareLines compares lines in the order of an archive. Two bases may have different files with
// the same path.
func compareLines(a, b line) int {
	switch {
	case a.path == b.path:
		return strings.Compare(a.ref.String(), b.ref.String())
	case before(a.path, b.path):
		return -1
	}
	return 1
}

// A change is how the listing of a site differs from those of the bases of a delta.
type change struct {
	included listing  // the files of the delta; it ends with those of the generation
	removed  []line   // files of the bases
	whole    blob.Ref // of the text of the listing
}

// parseRemoved parses REMOVED.SHA256SUMS of a delta with these files.
func parseRemoved(text []byte, included listing) (*change, error) {
	first, rest, err := parseLine(text)
	if err != nil || first.path != siteName {
		return nil, refuse(RemovedName, "its first line does not name %s", siteName)
	}
	c := &change{included: included, whole: first.ref}
	for number := 2; len(rest) > 0; number++ {
		var x line
		if x, rest, err = parseLine(rest); err == nil {
			err = checkPath(x)
		}
		if err != nil {
			return nil, refuse(RemovedName, "line %d: %v", number, err)
		}
		if n := len(c.removed); n > 0 && compareLines(c.removed[n-1], x) >= 0 {
			return nil, refuse(RemovedName, "%q follows %q: duplicate or out of order", x.path, c.removed[n-1].path)
		}
		c.removed = append(c.removed, x)
	}
	return c, nil
}

// apply returns the listing of the whole site, given the listing of one of the bases, or of the
// site itself, without the files of its generation. It must have the hash that the delta states. If
// there is only one base, it must have all files that are removed.
func (c *change) apply(base listing, isOnly bool) (listing, error) {
	gone, next := make(map[line]bool), c.included.byPath()
	for _, x := range c.removed {
		if _, ok := next[x.path]; ok {
			return nil, refuse(RemovedName, "it removes %q, which %s lists", x.path, SumsName)
		}
		gone[x] = true
	}
	whole := slices.Clone(c.included)
	for _, x := range base {
		if gone[x] {
			delete(gone, x)
		} else if _, ok := next[x.path]; !ok {
			whole = append(whole, x)
		}
	}
	if isOnly {
		for x := range gone {
			return nil, refuse(RemovedName, "it removes %q, which the base does not have", x.path)
		}
	}
	slices.SortFunc(whole, compareLines)
	if got := blob.Sum(whole.text()); got != c.whole {
		return nil, refuse(RemovedName, "the files of the base and of the archive do not give the %s that it names", siteName)
	}
	return whole, nil
}
