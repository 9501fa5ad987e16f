package dbem

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	repo "galbuild/build/dbem"
	"galbuild/publish/target"
)

// Errors of [Publish]. They are wrapped with the ids or files concerned.
var (
	ErrShared = errors.New("this layout has no publisher in its paths")
	ErrOther  = errors.New("different content is published under this name")
	ErrList   = errors.New("the repository's list cannot be read")
)

// merged is the new list of a repository: the entries of the site, and those of others.
type merged struct {
	entries  []repo.Entry
	kept     []string        // entries of others, as publisher.name@version
	unlisted []string        // entries that are removed from the list, as publisher.name@version
	vacated  map[string]bool // folders of the extensions in unlisted, in lower case
}

// merge merges the entries of the repository's list with those of the site.
func (p *publication) merge(listed []repo.Entry) (*merged, error) {
	m := &merged{kept: []string{}, unlisted: []string{}, vacated: make(map[string]bool)}
	own := make(map[string]repo.Entry)
	for _, e := range p.own.entries {
		own[e.Key()] = e
	}
	for _, e := range listed {
		mine, ok := own[e.Key()]
		switch name := e.ExtID + "@" + e.CurrentVersion; {
		case p.isForeign(e, mine):
			m.kept = append(m.kept, name)
			m.entries = append(m.entries, e)
			delete(own, e.Key())
		case ok:
			mine.DateCreated = cmp.Or(e.DateCreated, mine.DateCreated) // as dbem does
			own[e.Key()] = mine
		default:
			m.unlisted = append(m.unlisted, name)
			m.vacated[strings.ToLower(e.Folder())] = true
		}
	}
	for _, e := range own {
		m.entries = append(m.entries, e)
	}
	slices.SortStableFunc(m.entries, func(a, b repo.Entry) int { return strings.Compare(a.Key(), b.Key()) })
	return m, p.checkFolders(m.entries)
}

// isForeign reports whether an entry of the repository must be preserved: others have published it,
// and the site has an older version of the extension or none. own is the site's entry, or zero.
func (p *publication) isForeign(e, own repo.Entry) bool {
	key := strings.ToLower(e.Key() + "@" + e.CurrentVersion)
	if p.Replace || p.before[key] || p.own.keys[key] {
		return false
	}
	return own.ExtID == "" || isNewer(e.CurrentVersion, own.CurrentVersion)
}

func isNewer(a, b string) bool {
	x, errX := semver.NewVersion(a)
	y, errY := semver.NewVersion(b)
	return errX == nil && errY == nil && x.GreaterThan(y)
}

// checkFolders returns an error if an extension of the site would share a folder with another one.
func (p *publication) checkFolders(entries []repo.Entry) error {
	own := make(map[string]bool)
	for _, e := range p.own.entries {
		own[e.Key()] = true
	}
	first := make(map[string]repo.Entry)
	var shared []string
	for _, e := range entries {
		folder := strings.ToLower(e.Folder())
		other, ok := first[folder]
		if ok && other.Key() != e.Key() && (own[e.Key()] || own[other.Key()]) {
			shared = append(shared, fmt.Sprintf("%s and %s would share the folder %s", other.ExtID, e.ExtID, e.Folder()))
		}
		first[folder] = e
	}
	if len(shared) > 0 {
		return fmt.Errorf("%s: %w", joinFirst(shared), ErrShared)
	}
	return nil
}

// joinFirst joins the first ten items, and counts the others.
func joinFirst(items []string) string {
	const limit = 10
	if len(items) > limit {
		return fmt.Sprintf("%s; and %d more", strings.Join(items[:limit], "; "), len(items)-limit)
	}
	return strings.Join(items, "; ")
}

// missing returns the objects of the site that must be sent. If a folder belonged to another
// extension before, all its objects must be sent, even if there are objects of the same size. A
// package of another size is an error, unless Replace is set.
func (p *publication) missing(existing map[string]target.Entry, m *merged) (missing []target.Object, err error) {
	var differ []string
	for _, o := range p.own.packages {
		e, ok := existing[o.Key]
		switch vacated := m.vacated[strings.ToLower(path.Dir(path.Dir(o.Key)))]; {
		case !ok, vacated, e.Size != o.Size && p.Replace:
			missing = append(missing, o)
		case e.Size != o.Size:
			differ = append(differ, fmt.Sprintf("%s (%d bytes, the site's has %d)", o.Key, e.Size, o.Size))
		}
	}
	if len(differ) > 0 {
		return nil, fmt.Errorf("%s: %w", joinFirst(differ), ErrOther)
	}
	for _, o := range p.own.others {
		if e, ok := existing[o.Key]; !ok || e.Size != o.Size || m.vacated[strings.ToLower(path.Dir(path.Dir(o.Key)))] {
			missing = append(missing, o)
		}
	}
	return missing, nil
}

// prunable returns the keys of the objects to delete: those of versions that are neither listed
// nor in the site. Without Replace, it returns only versions that the site has published. It
// compares whole folders, because the name 0.0.1 is a prefix of 0.0.10.
func (p *publication) prunable(existing map[string]target.Entry, m *merged) []string {
	needed, removed := make(map[string]bool), make(map[string]bool)
	for key := range p.own.keys {
		needed[folderOf(key)] = true
	}
	for _, e := range m.entries {
		needed[folderOf(e.Key()+"@"+e.CurrentVersion)] = true
	}
	for key := range p.before {
		removed[folderOf(key)] = true
	}
	before := time.Now().Add(-p.Grace)
	var keys []string
	for key := range existing {
		name, version, ok := repo.SplitPath(key)
		folder := strings.ToLower(name + "/" + version)
		if !ok || needed[folder] || !p.Replace && !removed[folder] || !existing[key].Modified.Before(before) {
			continue
		}
		keys = append(keys, key)
		readme, changelog := repo.DocumentPaths(name, version)
		for _, document := range []string{readme, changelog} {
			if _, ok := existing[document]; ok {
				keys = append(keys, document)
			}
		}
	}
	slices.Sort(keys)
	return keys
}
