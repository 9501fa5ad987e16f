package modules

import (
	"maps"
	"path"
	"regexp"
	"slices"

	"galbuild/build/pack/finding"
)

// An npmList is a walk over the packages that npm list prints.
type npmList struct {
	*walk
	root          *node
	workspaceDirs map[string]string // by name of the workspace
	needed        map[string]bool   // paths that are not extraneous
}

func (l *npmList) run() {
	var found []finding.Finding
	l.workspaceDirs, found = l.workspaces(l.root.manifest)
	l.findings = append(l.findings, found...)
	l.markNeeded()
	l.queue = append(l.queue, l.root)
	l.each(l.visit)
}

// markNeeded marks the packages that are not extraneous: those that all dependencies reach,
// including development dependencies but not optional peers. (npm 10 includes optional
// peers.) Source: @npmcli/arborist's lib/calc-dep-flags.js.
func (l *npmList) markNeeded() {
	w := &walk{tree: l.tree, seen: map[string]bool{}, queue: []*node{l.root}}
	w.each(func(n *node) {
		for _, d := range l.dependencies(n) {
			if to := l.find(n, d.name); to != nil && d.kind != peerOptional {
				l.markPath(to.path)
				l.markPath(to.real)
				w.add(to)
			}
		}
	})
}

// markPath marks a path and its parent folders: a package that contains a needed one is
// needed.
func (l *npmList) markPath(name string) {
	for ; name != "."; name = path.Dir(name) {
		l.needed[name] = true
	}
}

// inStore matches the targets of links in node_modules that a package manager made: npm's
// .store with install-strategy=linked, pnpm's .pnpm, bun's .bun.
var inStore = regexp.MustCompile(`(^|/)node_modules/\.([^/]+)/`)

// dependencies returns all dependencies of n. They include development dependencies for the
// extension and for linked folders of the extension, because npm installs these too.
func (l *npmList) dependencies(n *node) []dependency {
	all := map[string]dependency{}
	maps.Copy(all, n.deps)
	linked := n.link && !n.outside && within(l.ext, n.real) && !inStore.MatchString(n.real)
	if n == l.root || linked {
		maps.Copy(all, n.dev)
	}
	if n.real == l.ext {
		for name, dir := range l.workspaceDirs {
			all[name] = dependency{name: name, spec: dir, kind: workspace}
		}
	}
	return sorted(all)
}

// find returns the package that n finds by a name. A package outside of the file system does
// not search parent folders.
func (l *npmList) find(n *node, name string) *node { return l.resolve(n.real, name, !n.outside) }

// visit adds the dependencies of n and the extraneous packages in its node_modules. npm does
// not list the extraneous packages of a link.
func (l *npmList) visit(n *node) {
	l.reportInvalid(n)
	isTop := n == l.root || l.isWorkspace(n)
	for _, d := range l.dependencies(n) {
		if !isTop || d.kind != dev {
			l.addDependency(n, d)
		}
	}
	if n.link {
		return
	}
	own := l.packages(n.real)
	for _, name := range slices.Sorted(maps.Keys(own)) {
		if !l.needed[own[name].path] {
			l.extraneous = append(l.extraneous, own[name])
			l.add(own[name])
		}
	}
}

func (l *npmList) addDependency(n *node, d dependency) {
	switch to := l.find(n, d.name); {
	case to == nil:
		if !d.isOptional() {
			l.report(l.missing(n, d, l.missingHint()))
		}
	case n.outside:
		l.report(linkedOutside(n, to))
	default:
		l.addEdge(n, d.name, to)
		if !l.satisfies(n, d, to) {
			l.report(l.mismatch(n, d, to))
		}
	}
}

// satisfies reports whether npm accepts the package to as a dependency of n. Versions of
// names in overrides are not checked, because the range depends on the path of dependents.
// Nor is that of a peer in the node_modules of n itself, which npm calls PEER LOCAL.
func (l *npmList) satisfies(n *node, d dependency, to *node) bool {
	if d.kind == workspace {
		return to.real == d.spec
	}
	local := d.isPeer() && n != l.root && !n.link && path.Join(n.real, "node_modules", d.name) == to.path
	return local || slices.Contains(l.root.overridden, d.name) ||
		matchesSpec(d.spec, to.version) || d.also != "" && matchesSpec(d.also, to.version)
}

func (l *npmList) isWorkspace(n *node) bool {
	dir, ok := l.workspaceDirs[n.name]
	return ok && n.link && n.real == dir
}
