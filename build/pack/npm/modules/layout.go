package modules

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"galbuild/build/pack/finding"
)

// A Folder is a package that is packed with the extension: all its files except its own
// node_modules.
type Folder struct {
	Source string // its slashed path from the extension's folder; it may be outside of it
	Place  string // its slashed path in the package, below the extension's folder
	Real   string // Source, with symbolic links resolved
}

// A .vsix has no links, so Node.js must find every dependency by looking in node_modules of
// each parent folder. A layout gives every package a place where its dependents find it:
//
//   - The place that it has on disk, if its dependents look there in the .vsix as well. This
//     is the layout of npm and yarn 1 outside of workspaces, and the one that vsce packs.
//   - Otherwise the outermost node_modules in which it does not hide another package, as
//     npm would install it. This is for dependencies that pnpm, yarn and bun link, and for
//     those that workspaces share.
//
// A package may have several places.
type layout struct {
	*tree
	needs   map[string][]need   // dependencies, by the folder of a package's files
	at      map[string]*node    // packages, by place
	order   []string            // places, in the order they were assigned
	askers  map[string][]string // places of dependents, by the name of the dependency
	copies  map[string]int      // number of additional places, by the folder of the files
	invalid []finding.Finding
}

// A need is a dependency: the package that another one finds by a name.
type need struct {
	name string
	to   *node
}

const (
	modulesFolder = "node_modules"
	maxNesting    = 32  // levels of nested packages; npm makes fewer than ten
	maxCopies     = 100 // places of one package
)

// lay returns a Folder for each place, sorted by place.
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

// keepPlaces gives packages their places on disk, if their dependents look there.
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

// settle gives places to the dependencies that the package at a place does not find.
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
				"it and other packages need different versions of each other, which a package without links cannot hold")}
			return
		}
		l.put(path.Join(levels[free], modulesFolder, need.name), need.to)
	}
}

// find returns the package that the package at a place finds by a name, and the folder that
// contains it.
func (l *layout) find(place, name string) (*node, string) {
	levels := levels(place)
	for _, level := range slices.Backward(levels) {
		if n := l.at[path.Join(level, modulesFolder, name)]; n != nil {
			return n, level
		}
	}
	return nil, ""
}

// isFree reports whether a package can be put into the node_modules of a level: asker then
// finds it there, and no other package finds it instead of its own dependency.
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

// wants returns the dependency of the package at a place by a name.
func (l *layout) wants(place, name string) *node {
	needs := l.needs[l.at[place].real]
	return needs[slices.IndexFunc(needs, func(n need) bool { return n.name == name })].to
}

// levels returns the packages that contain a place, from the extension to the place itself.
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
