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

	"galbuild/build/metadatas"
	"galbuild/publish/target"
)

// Errors of Publish, wrapped with what they are about.
var (
	ErrShared = errors.New("this layout has no publisher in its paths")
	ErrOther  = errors.New("other bytes are published there")
	ErrList   = errors.New("the list that is there cannot be read")
)

// merged is what is to be listed, of the site and of others.
type merged struct {
	entries  []metadatas.Entry
	kept     []string
	unlisted []string
	vacated  map[string]bool // folders of extensions that are not listed any more, in lower case
}

// merge brings the entries that are there together with the site's.
func (p *publication) merge(there []metadatas.Entry) (*merged, error) {
	m := &merged{kept: []string{}, unlisted: []string{}, vacated: make(map[string]bool)}
	own := make(map[string]metadatas.Entry)
	for _, e := range p.own.entries {
		own[e.Key()] = e
	}
	for _, e := range there {
		ours, have := own[e.Key()]
		switch name := e.ExtID + "@" + e.CurrentVersion; {
		case p.stays(e, ours):
			m.kept = append(m.kept, name)
			m.entries = append(m.entries, e)
			delete(own, e.Key())
		case have:
			ours.DateCreated = cmp.Or(e.DateCreated, ours.DateCreated) // as dbem does
			own[e.Key()] = ours
		default:
			m.unlisted = append(m.unlisted, name)
			m.vacated[strings.ToLower(e.Folder())] = true
		}
	}
	for _, e := range own {
		m.entries = append(m.entries, e)
	}
	slices.SortStableFunc(m.entries, func(a, b metadatas.Entry) int { return strings.Compare(a.Key(), b.Key()) })
	return m, p.checkFolders(m.entries)
}

// stays tells whether an entry is somebody else's and tells of more than the site's
// own, which is the zero Entry if it has none.
func (p *publication) stays(e, own metadatas.Entry) bool {
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

// checkFolders refuses extensions of the site that would share a folder with another.
func (p *publication) checkFolders(entries []metadatas.Entry) error {
	own := make(map[string]bool)
	for _, e := range p.own.entries {
		own[e.Key()] = true
	}
	first := make(map[string]metadatas.Entry)
	var shared []string
	for _, e := range entries {
		folder := strings.ToLower(e.Folder())
		other, taken := first[folder]
		if taken && other.Key() != e.Key() && (own[e.Key()] || own[other.Key()]) {
			shared = append(shared, fmt.Sprintf("%s and %s would share the folder %s", other.ExtID, e.ExtID, e.Folder()))
		}
		first[folder] = e
	}
	if len(shared) > 0 {
		return fmt.Errorf("%s: %w", some(shared), ErrShared)
	}
	return nil
}

// some joins what an error is about; of very many, the first.
func some(all []string) string {
	const most = 10
	if len(all) > most {
		return fmt.Sprintf("%s; and %d more", strings.Join(all[:most], "; "), len(all)-most)
	}
	return strings.Join(all, "; ")
}

// lacking returns the objects of the site that the place does not have. What is there
// in the folder of an extension that had it before is not the site's.
func (p *publication) lacking(stock map[string]target.Entry, m *merged) (lacking []target.Object, err error) {
	var differ []string
	for _, o := range p.own.packages {
		e, there := stock[o.Key]
		switch vacated := m.vacated[strings.ToLower(path.Dir(path.Dir(o.Key)))]; {
		case !there, vacated, e.Size != o.Size && p.Replace:
			lacking = append(lacking, o)
		case e.Size != o.Size:
			differ = append(differ, fmt.Sprintf("%s (%d bytes, the site's has %d)", o.Key, e.Size, o.Size))
		}
	}
	if len(differ) > 0 {
		return nil, fmt.Errorf("%s: %w", some(differ), ErrOther)
	}
	for _, o := range p.own.others {
		if e, there := stock[o.Key]; !there || e.Size != o.Size || m.vacated[strings.ToLower(path.Dir(path.Dir(o.Key)))] {
			lacking = append(lacking, o)
		}
	}
	return lacking, nil
}

// prunable returns the objects of versions that nothing lists and the site does not
// have: of those it has published once, or all of them if it replaces. Each is told
// by its folder, for 0.0.1 also begins the name of 0.0.10.
func (p *publication) prunable(stock map[string]target.Entry, m *merged) []string {
	needed, gone := make(map[string]bool), make(map[string]bool)
	for key := range p.own.keys {
		needed[folderOf(key)] = true
	}
	for _, e := range m.entries {
		needed[folderOf(e.Key()+"@"+e.CurrentVersion)] = true
	}
	for key := range p.before {
		gone[folderOf(key)] = true
	}
	before := time.Now().Add(-p.Grace)
	var keys []string
	for key := range stock {
		name, version, ok := metadatas.SplitPath(key)
		folder := strings.ToLower(name + "/" + version)
		if !ok || needed[folder] || !p.Replace && !gone[folder] || !stock[key].Modified.Before(before) {
			continue
		}
		keys = append(keys, key)
		readme, changelog := metadatas.DocumentPaths(name, version)
		for _, document := range []string{readme, changelog} {
			if _, there := stock[document]; there {
				keys = append(keys, document)
			}
		}
	}
	slices.Sort(keys)
	return keys
}
