package modules

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"galbuild/build/pack/finding"
)

// A Folder is a package that goes into the extension's, with all files in it but for
// its own node_modules.
type Folder struct {
	Source string // where it is: slashed, from the extension's folder, and possibly outside of it
	Place  string // where it goes: slashed, below the extension's folder
	Real   string // Source, with symbolic links followed
}

// Packages have no links, so that Node.js must find everything by going up from folder to
// folder. A layout gives every package a place in which it finds what it needs:
//
//   - Where the package is on disk, if whoever needs it looks there in the package as
//     well. That is what npm and yarn 1 make of a folder of its own, and what vsce packs.
//   - Otherwise in the outermost node_modules in which it is in nobody's way, as
//     npm installs: what pnpm, yarn and bun link, and what workspaces share.
//
// A package may have several places.
type layout struct {
	*tree
	needs   map[string][]need   // by where a package's files are
	at      map[string]*node    // by place
	order   []string            // places as they were given
	askers  map[string][]string // places of packages that need something, by its name
	copies  map[string]int      // places beside those on disk, by where the files are
	invalid []finding.Finding
}

// A need is what a package finds by a name.
type need struct {
	name string
	to   *node
}

const (
	modulesFolder = "node_modules"
	maxNesting    = 32  // packages around a package; npm's deepest are below ten
	maxCopies     = 100 // of one package
)

// lay returns a folder for each place, sorted by place.
func (w *walk) lay(root *node) ([]Folder, []finding.Finding) {
	l := &layout{tree: w.tree, needs: w.needs, at: map[string]*node{}, askers: map[string][]string{}, copies: map[string]int{}}
	l.put(".", root)
	l.keepPlaces(w)
	for i := 0; i < len(l.order) && len(l.invalid) == 0; i++ {
		l.settle(l.order[i])
	}
	if len(l.invalid) > 0 {
		return nil, l.invalid
	}
	var folders []Folder
	for place, n := range l.at {
		if place != "." {
			folders = append(folders, Folder{Source: n.shown, Place: place, Real: n.files})
		}
	}
	slices.SortFunc(folders, func(a, b Folder) int { return strings.Compare(a.Place, b.Place) })
	return folders, nil
}

func (l *layout) put(place string, n *node) {
	l.at[place] = n
	l.order = append(l.order, place)
	for _, need := range l.needs[n.real] {
		l.askers[need.name] = append(l.askers[need.name], place)
	}
}

// keepPlaces gives the packages their places on disk, as long as they are looked for there.
func (l *layout) keepPlaces(w *walk) {
	for _, n := range w.unneeded {
		if place := below(l.ext, n.path); within(l.ext, n.path) && l.at[place] == nil {
			l.put(place, n)
		}
	}
	for i := 0; i < len(l.order); i++ {
		asker := l.order[i]
		for _, need := range l.needs[l.at[asker].real] {
			place := below(l.ext, need.to.path)
			folder, _ := strings.CutSuffix(place, path.Join(modulesFolder, need.name))
			if l.at[place] == nil && within(l.ext, need.to.path) && within(path.Clean(folder), asker) {
				l.put(place, need.to)
			}
		}
	}
}

// settle gives a place to whatever the package at a place needs and does not find.
func (l *layout) settle(asker string) {
	for _, need := range l.needs[l.at[asker].real] {
		if found, _ := l.find(asker, need.name); found != nil && found.real == need.to.real {
			continue
		}
		levels := levels(asker)
		free := slices.IndexFunc(levels, func(level string) bool { return l.isFree(level, need, asker) })
		l.copies[need.to.real]++
		if free < 0 || len(levels) > maxNesting || l.copies[need.to.real] > maxCopies {
			l.invalid = []finding.Finding{finding.Error(need.to.shown, bundle,
				"it and others need each other in different versions, for which there are no places, or too many, in a package without links")}
			return
		}
		l.put(path.Join(levels[free], modulesFolder, need.name), need.to)
	}
}

// find returns what the package at a place finds by a name, and the folder it lies below.
func (l *layout) find(place, name string) (*node, string) {
	levels := levels(place)
	for _, level := range slices.Backward(levels) {
		if n := l.at[path.Join(level, modulesFolder, name)]; n != nil {
			return n, level
		}
	}
	return nil, ""
}

// isFree tells whether a package can go into the node_modules of a level, such that asker
// finds it there, and no other package finds it instead of its own.
func (l *layout) isFree(level string, n need, asker string) bool {
	for _, between := range levels(asker) {
		if within(level, between) && l.at[path.Join(between, modulesFolder, n.name)] != nil {
			return false
		}
	}
	for _, other := range l.askers[n.name] {
		if !within(level, other) || l.wants(other, n.name).real == n.to.real {
			continue
		}
		if found, where := l.find(other, n.name); found != nil && within(where, level) {
			return false
		}
	}
	return true
}

// wants returns what the package at a place needs by a name.
func (l *layout) wants(place, name string) *node {
	needs := l.needs[l.at[place].real]
	return needs[slices.IndexFunc(needs, func(n need) bool { return n.name == name })].to
}

// levels returns the packages around a place, the extension first and the place last.
func levels(place string) []string {
	all := []string{"."}
	if place == "." {
		return all
	}
	for i := 0; ; {
		next := strings.Index(place[i:], "/"+modulesFolder+"/")
		if next < 0 {
			return append(all, place)
		}
		i += next
		all = append(all, place[:i])
		i++
	}
}

func (f Folder) String() string {
	if f.Source == f.Place {
		return f.Place
	}
	return fmt.Sprintf("%s <- %s", f.Place, f.Source)
}
