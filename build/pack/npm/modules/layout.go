package modules

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"galbuild/build/pack/finding"
)

// A Folder is an npm package that the .vsix includes: all its files except its own
// node_modules.
type Folder struct {
	Source   string // slashed path from the extension's folder; it may begin with "../"
	Location string // slashed path in the .vsix, below extension/
	Real     string // Source, with symbolic links resolved
}

// A layout assigns locations in the .vsix to packages. A .vsix has no links, so Node.js must
// find every dependency in the node_modules of a dependent or of one of its parent folders:
//
//   - A package keeps its location on disk, if its dependents find it there in the .vsix as
//     well. This is the case for npm and yarn 1 outside of workspaces, where vsce packs the
//     same layout.
//   - Otherwise it is hoisted, as npm does when it installs, to the outermost node_modules
//     in which it does not shadow another package. This applies to dependencies that pnpm,
//     yarn and bun link, and to those that the members of a workspace share.
//
// A package may have several locations.
type layout struct {
	*tree
	edges      map[string][]edge   // dependencies, by the folder of a package's files
	at         map[string]*node    // packages, by location
	order      []string            // locations, in the order in which they were assigned
	dependents map[string][]string // locations of dependents, by the name of the dependency
	copies     map[string]int      // number of additional locations, by the folder of the files
	conflicts  []finding.Finding
}

// An edge is a resolved dependency: the package that Node.js finds by a name.
type edge struct {
	name string
	to   *node
}

const (
	modulesFolder = "node_modules"
	maxNesting    = 32  // levels of nested packages; npm makes fewer than ten
	maxCopies     = 100 // locations of one package
)

// layOut returns a Folder for each location, sorted by location.
func (w *walk) layOut(root *node) ([]Folder, []finding.Finding) {
	l := &layout{tree: w.tree, edges: w.edges, at: map[string]*node{}, dependents: map[string][]string{}, copies: map[string]int{}}
	l.assign(".", root)
	l.keepLocations(w)
	for i := 0; i < len(l.order) && len(l.conflicts) == 0; i++ {
		l.hoistDependencies(l.order[i])
	}
	if len(l.conflicts) > 0 {
		return nil, l.conflicts
	}
	var folders []Folder
	for location, n := range l.at {
		if location != "." {
			folders = append(folders, Folder{Source: n.shown, Location: location, Real: n.files})
		}
	}
	slices.SortFunc(folders, func(a, b Folder) int { return strings.Compare(a.Location, b.Location) })
	return folders, nil
}

// assign assigns a location to a package.
func (l *layout) assign(location string, n *node) {
	l.at[location] = n
	l.order = append(l.order, location)
	for _, e := range l.edges[n.real] {
		l.dependents[e.name] = append(l.dependents[e.name], location)
	}
}

// keepLocations assigns locations on disk to packages whose dependents find them there.
func (l *layout) keepLocations(w *walk) {
	for _, n := range w.extraneous {
		if location := relative(l.ext, n.path); within(l.ext, n.path) && l.at[location] == nil {
			l.assign(location, n)
		}
	}
	for i := 0; i < len(l.order); i++ {
		dependent := l.order[i]
		for _, e := range l.edges[l.at[dependent].real] {
			location := relative(l.ext, e.to.path)
			folder, _ := strings.CutSuffix(location, path.Join(modulesFolder, e.name))
			if l.at[location] == nil && within(l.ext, e.to.path) && within(path.Clean(folder), dependent) {
				l.assign(location, e.to)
			}
		}
	}
}

// hoistDependencies assigns locations to the dependencies that the package at a location does not
// find yet.
func (l *layout) hoistDependencies(dependent string) {
	for _, e := range l.edges[l.at[dependent].real] {
		if found, _ := l.find(dependent, e.name); found != nil && found.real == e.to.real {
			continue
		}
		levels := levels(dependent)
		free := slices.IndexFunc(levels, func(level string) bool { return l.isFree(level, e, dependent) })
		l.copies[e.to.real]++
		if free < 0 || len(levels) > maxNesting || l.copies[e.to.real] > maxCopies {
			l.conflicts = []finding.Finding{finding.Error(e.to.shown, bundle,
				"it and other packages need different versions of each other, which is impossible in a package without links")}
			return
		}
		l.assign(path.Join(levels[free], modulesFolder, e.name), e.to)
	}
}

// find returns the package that the package at a location finds by a name, and the location
// of the package in whose node_modules it is.
func (l *layout) find(location, name string) (*node, string) {
	levels := levels(location)
	for _, level := range slices.Backward(levels) {
		if n := l.at[path.Join(level, modulesFolder, name)]; n != nil {
			return n, level
		}
	}
	return nil, ""
}

// isFree reports whether a package can be added to the node_modules of a level: dependent then
// finds it there, and it does not shadow the dependency of another package.
func (l *layout) isFree(level string, e edge, dependent string) bool {
	for _, between := range levels(dependent) {
		if within(level, between) && l.at[path.Join(between, modulesFolder, e.name)] != nil {
			return false
		}
	}
	for _, other := range l.dependents[e.name] {
		if !within(level, other) || l.dependency(other, e.name).real == e.to.real {
			continue
		}
		if found, where := l.find(other, e.name); found != nil && within(where, level) {
			return false
		}
	}
	return true
}

// dependency returns the package with a name on which the package at a location depends.
func (l *layout) dependency(location, name string) *node {
	edges := l.edges[l.at[location].real]
	return edges[slices.IndexFunc(edges, func(e edge) bool { return e.name == name })].to
}

// levels returns the locations of the packages that contain a location, from the extension
// to the location itself.
func levels(location string) []string {
	all := []string{"."}
	if location == "." {
		return all
	}
	for i := 0; ; {
		next := strings.Index(location[i:], "/"+modulesFolder+"/")
		if next < 0 {
			return append(all, location)
		}
		i += next
		all = append(all, location[:i])
		i++
	}
}

func (f Folder) String() string {
	if f.Source == f.Location {
		return f.Location
	}
	return fmt.Sprintf("%s <- %s", f.Location, f.Source)
}
