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

// upstream is what the list of a dbem repository says of a package in it. The zero
// upstream says nothing.
type upstream struct {
	ID       string    `json:"id"`                // publisher.name of the extension
	Released time.Time `json:"released,omitzero"` // the extension
	Updated  time.Time `json:"updated,omitzero"`  // this version; the list knows one only
}

// applyUpstream takes the dates for a sidecar's, if they are this extension's: there
// is no publisher in the path they were found by.
func (c *candidate) applyUpstream() {
	said := &c.upstream
	switch id := c.publisher + "." + c.name; {
	case *said == upstream{}:
	case !strings.EqualFold(said.ID, id):
		c.warnings = append(c.warnings, fmt.Sprintf("the repository has dates of %s in its place; they are left out", said.ID))
	default:
		c.version.Sidecar = &catalog.Sidecar{ReleaseDate: dateOrNil(said.Released), LastUpdated: dateOrNil(said.Updated)}
	}
}

func dateOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// lists are those of the dbem repositories among the sources, each read when the first
// of its packages is met.
type lists struct {
	read     map[string]map[string]dbem.Entry // by folder of the repository and lower-case name of the extension
	warnings []Problem
}

func newLists() *lists { return &lists{read: make(map[string]map[string]dbem.Entry)} }

// aboutAll returns what is said of each item.
func (l *lists) aboutAll(items []source.Item) []upstream {
	said := make([]upstream, len(items))
	for i := range items {
		said[i] = l.about(&items[i])
	}
	return said
}

// about returns what is said of an item. A sidecar knows more than a list.
func (l *lists) about(item *source.Item) upstream {
	top, name, version, ok := inRepository(item.Path)
	if !ok || item.Sidecar != nil {
		return upstream{}
	}
	list, ok := l.read[top]
	if !ok {
		shown, _, _, ok := inRepository(item.Name)
		if !ok {
			shown = top
		}
		list = l.load(top, shown)
		l.read[top] = list
	}
	e, ok := list[strings.ToLower(name)]
	if !ok {
		return upstream{}
	}
	said := upstream{ID: e.ExtID}
	said.Released, _ = dbem.ParseDate(e.DateCreated) // load has warned of those that are none
	if e.CurrentVersion == version {
		said.Updated, _ = dbem.ParseDate(e.LastUpdate)
	}
	if said.Released.IsZero() && said.Updated.IsZero() {
		return upstream{}
	}
	return said
}

// inRepository tells where the repository is, if a path is as dbem has it.
func inRepository(path string) (top, name, version string, ok bool) {
	top = filepath.Dir(filepath.Dir(filepath.Dir(path)))
	below, err := filepath.Rel(top, path)
	if err != nil {
		return "", "", "", false
	}
	name, version, ok = dbem.SplitPath(filepath.ToSlash(below))
	return top, name, version, ok
}

// load reads a list. One that is broken costs its dates, and no package.
func (l *lists) load(top, shown string) map[string]dbem.Entry {
	for _, name := range dbem.Names() {
		file := filepath.Join(top, name)
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
	l.warnings = append(l.warnings, Problem{file, fmt.Sprintf(format, args...)})
}

// byName leaves out what cannot be told apart: there is no publisher in a path.
func (l *lists) byName(entries []dbem.Entry, file string) map[string]dbem.Entry {
	all := make(map[string]dbem.Entry, len(entries))
	var shared []string
	for _, e := range entries {
		name := strings.ToLower(e.Folder())
		if was, ok := all[name]; ok && was.Key() != e.Key() {
			l.warn(file, "%s and %s share a folder; their dates are left out", was.ExtID, e.ExtID)
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
