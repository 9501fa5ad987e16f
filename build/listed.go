package build

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/dbem"
	"galbuild/build/source"
)

// listedDates are the dates of a package in the list of its dbem repository. The zero value has
// no dates.
type listedDates struct {
	ID       string    `json:"id"`                // publisher.name of the extension
	Released time.Time `json:"released,omitzero"` // of the extension
	Updated  time.Time `json:"updated,omitzero"`  // of this version; the list has that of one version only
}

// applyListed makes the listed dates the version's sidecar if they are of this extension. The
// path that they were looked up by does not contain the publisher.
func (c *candidate) applyListed() {
	listed := &c.listed
	switch id := c.publisher + "." + c.name; {
	case *listed == listedDates{}:
	case !strings.EqualFold(listed.ID, id):
		c.warnings = append(c.warnings, fmt.Sprintf("the repository lists dates of %s for this path; they are left out", listed.ID))
	default:
		c.version.Sidecar = &catalog.Sidecar{ReleaseDate: dateOrNil(listed.Released), LastUpdated: dateOrNil(listed.Updated)}
	}
}

func dateOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// lists are the lists of the dbem repositories among the sources. A list is loaded when the
// first package of its repository is looked up.
type lists struct {
	loaded   map[string]map[string]dbem.Entry // by folder of the repository and lower-case name of the extension
	warnings []Problem
}

func newLists() *lists { return &lists{loaded: make(map[string]map[string]dbem.Entry)} }

// lookupAll returns the listed dates of each item.
func (l *lists) lookupAll(items []source.Item) []listedDates {
	all := make([]listedDates, len(items))
	for i := range items {
		all[i] = l.lookup(&items[i])
	}
	return all
}

// lookup returns the listed dates of an item. An item with a sidecar file has none, because the
// dates of the sidecar take precedence.
func (l *lists) lookup(item *source.Item) listedDates {
	repository, name, version, ok := splitPath(item.Path)
	if !ok || item.Sidecar != nil {
		return listedDates{}
	}
	list, ok := l.loaded[repository]
	if !ok {
		shown, _, _, ok := splitPath(item.Name)
		if !ok {
			shown = repository
		}
		list = l.load(repository, shown)
		l.loaded[repository] = list
	}
	e, ok := list[strings.ToLower(name)]
	if !ok {
		return listedDates{}
	}
	listed := listedDates{ID: e.ExtID}
	listed.Released, _ = dbem.ParseDate(e.DateCreated) // byName has warned about invalid dates
	if e.CurrentVersion == version {
		listed.Updated, _ = dbem.ParseDate(e.LastUpdate)
	}
	if listed.Released.IsZero() && listed.Updated.IsZero() {
		return listedDates{}
	}
	return listed
}

// splitPath returns the folder of the repository and the name and version of a package, if its
// path is one of a dbem repository.
func splitPath(path string) (repository, name, version string, ok bool) {
	repository = filepath.Dir(filepath.Dir(filepath.Dir(path)))
	below, err := filepath.Rel(repository, path)
	if err != nil {
		return "", "", "", false
	}
	name, version, ok = dbem.SplitPath(filepath.ToSlash(below))
	return repository, name, version, ok
}

// load reads the list of a repository, by lower-case name of the extension. If the list is
// missing or invalid, the packages have no listed dates. Warnings name the repository as shown.
func (l *lists) load(repository, shown string) map[string]dbem.Entry {
	for _, name := range dbem.Names() {
		file := filepath.Join(repository, name)
		if info, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			continue
		}
		text, err := readSmall(file, dbem.MaxBytes)
		var entries []dbem.Entry
		if err == nil {
			entries, err = dbem.Parse(text)
		}
		if err != nil {
			l.warn(filepath.Join(shown, name), "its dates are left out: %v", err)
		}
		return l.byName(entries, filepath.Join(shown, name))
	}
	return nil
}

func (l *lists) warn(file, format string, args ...any) {
	l.warnings = append(l.warnings, Problem{File: file, Reason: fmt.Sprintf(format, args...)})
}

// byName returns the entries by lower-case name. It leaves out extensions of the same name,
// because the path of a package does not contain the publisher.
func (l *lists) byName(entries []dbem.Entry, file string) map[string]dbem.Entry {
	all := make(map[string]dbem.Entry, len(entries))
	var shared []string
	for _, e := range entries {
		name := strings.ToLower(e.Folder())
		if first, ok := all[name]; ok && first.Key() != e.Key() {
			l.warn(file, "%s and %s share a folder; their dates are left out", first.ExtID, e.ExtID)
			shared = append(shared, name)
		}
		for _, date := range []string{e.DateCreated, e.LastUpdate} {
			if _, err := dbem.ParseDate(date); err != nil {
				l.warn(file, "%s: %v", e.ExtID, err)
			}
		}
		all[name] = e
	}
	for _, name := range shared {
		delete(all, name)
	}
	return all
}
