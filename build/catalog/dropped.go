package catalog

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	json2 "github.com/go-json-experiment/json"
)

// Dropped is a version that the rule keep of the policy has dropped. It is not listed any more, but
// its files are still served for a while, for editors that have read the list before.
type Dropped struct {
	Since   time.Time `json:"since"`   // when it was dropped
	Version Version   `json:"version"` // with its publisher and name
}

// Key returns the Key of the version.
func (d *Dropped) Key() string {
	v := &d.Version
	return Key(v.Publisher, v.Name, v.Version, v.Platform)
}

// Dir returns the folder of its files, see [VersionDir].
func (d *Dropped) Dir() string {
	v := &d.Version
	return VersionDir(v.Publisher, v.Name, v.Version, v.Platform)
}

// Served yields every version whose files are served with its Key: those that are listed, and those
// that were dropped.
func (c *Catalog) Served() iter.Seq2[string, *Version] {
	return func(yield func(string, *Version) bool) {
		for key, v := range c.Versions() {
			if !yield(key, v) {
				return
			}
		}
		for i := range c.Dropped {
			if d := &c.Dropped[i]; !yield(d.Key(), &d.Version) {
				return
			}
		}
	}
}

// CompareDropped compares versions by Key, the order in a catalogue.
func CompareDropped(a, b Dropped) int { return strings.Compare(a.Key(), b.Key()) }

// MergeDropped returns the union of two sorted lists, sorted. Of a version that is in both, it
// returns the one that was dropped first.
func MergeDropped(a, b []Dropped) []Dropped { return merge(a, b, CompareDropped, firstDropped) }

// firstDropped returns the one that was dropped first. If both were at the same time, the hash of
// the package decides, so that the order of a and b does not matter.
func firstDropped(a, b Dropped) Dropped {
	hashA, hashB := a.Version.Package.Ref, b.Version.Package.Ref
	if cmp.Or(a.Since.Compare(b.Since), bytes.Compare(hashA[:], hashB[:])) > 0 {
		return b
	}
	return a
}

// check refuses an invalid entry. Its version was checked when it was decoded.
func (d *Dropped) check() error {
	if err := CheckIdentity(d.Version.Publisher, d.Version.Name, d.Version.Version); err != nil {
		return err
	}
	if d.Since.IsZero() {
		return fmt.Errorf("%s: since: the date is missing", d.Key())
	}
	return checkDates(&d.Since)
}

// readDropped reads the lines of n dropped versions, the first of which has this number.
func readDropped(lines *bufio.Reader, n, number int) (all []Dropped, err error) {
	for end := number + n; number < end; number++ {
		line, err := readLine(lines)
		if err != nil && err != io.EOF {
			return nil, err
		}
		var d Dropped
		if err = checkLine(line); err == nil {
			err = json2.Unmarshal(line, &d, checked)
		}
		if err == nil {
			err = d.check()
		}
		if i := len(all) - 1; err == nil && i >= 0 && CompareDropped(all[i], d) >= 0 {
			err = fmt.Errorf("%s follows %s: duplicate or out of order", d.Key(), all[i].Key())
		}
		if err != nil {
			return nil, fmt.Errorf("catalogue line %d: dropped version: %w", number, err)
		}
		all = append(all, d)
	}
	return all, nil
}
