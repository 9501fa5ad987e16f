package modules

import (
	"maps"
	"path"
	"regexp"
	"slices"

	"galbuild/build/pack/finding"
)

// An npmList is a walk over the packages that npm list names.
type npmList struct {
	*walk
	root   *node
	spaces map[string]string // workspaces' folders by name
	used   map[string]bool   // paths that are not extraneous
}

func (l *npmList) run() {
	var found []finding.Finding
	l.spaces, found = l.workspaces(l.root.manifest)
	l.findings = append(l.findings, found...)
	l.markUsed()
	l.queue = append(l.queue, l.root)
	l.each(l.visit)
}

// markUsed walks every dependency, developers' too: what it does not reach is
// extraneous. So is what optional peers alone ask for; npm 10 counts these like
// other dependencies. Source: @npmcli/arborist's lib/calc-dep-flags.js.
func (l *npmList) markUsed() {
	w := &walk{tree: l.tree, seen: map[string]bool{}, queue: []*node{l.root}}
	w.each(func(n *node) {
		for _, d := range l.wants(n) {
			if to := l.find(n, d.name); to != nil && d.kind != peerOptional {
				l.use(to.path)
				l.use(to.real)
				w.add(to)
			}
		}
	})
}

// use marks a path, and the folders around it: a package is needed as long as one
// inside of it is.
func (l *npmList) use(name string) {
	for ; name != "."; name = path.Dir(name) {
		l.used[name] = true
	}
}

// inStore matches the targets of links in node_modules that a package manager made: npm's
// .store with install-strategy=linked, pnpm's .pnpm, bun's .bun.
var inStore = regexp.MustCompile(`(^|/)node_modules/\.([^/]+)/`)

// wants are all dependencies of n. Those for developers count for the extension and for
// folders of the extension's that are linked: npm installs these, too.
func (l *npmList) wants(n *node) []dependency {
	all := map[string]dependency{}
	maps.Copy(all, n.deps)
	linked := n.link && !n.outside && within(l.ext, n.real) && !inStore.MatchString(n.real)
	if n == l.root || linked {
		maps.Copy(all, n.dev)
	}
	if n.real == l.ext {
		for name, dir := range l.spaces {
			all[name] = dependency{name: name, spec: dir, kind: workspace}
		}
	}
	return sorted(all)
}

// find returns what n gets for a name. What is outside of the folder does not
// look around in it.
func (l *npmList) find(n *node, name string) *node { return l.resolve(n.real, name, !n.outside) }

// visit adds what n needs, and what lies in its node_modules for no reason; the
// latter not for links, as npm takes that for the business of what they lead to.
func (l *npmList) visit(n *node) {
	l.reportWrong(n)
	first := n == l.root || l.isWorkspace(n)
	for _, d := range l.wants(n) {
		if !first || d.kind != dev {
			l.take(n, d)
		}
	}
	if n.link {
		return
	}
	own := l.packages(n.real)
	for _, name := range slices.Sorted(maps.Keys(own)) {
		if !l.used[own[name].path] {
			l.unneeded = append(l.unneeded, own[name])
			l.add(own[name])
		}
	}
}

func (l *npmList) take(n *node, d dependency) {
	switch to := l.find(n, d.name); {
	case to == nil:
		if !d.mayMiss() {
			l.report(l.missing(n, d, l.missingHint()))
		}
	case n.outside:
		l.report(linkedOutside(n, to))
	default:
		l.need(n, d.name, to)
		if !l.fits(n, d, to) {
			l.report(l.unfit(n, d, to))
		}
	}
}

// fits tells whether npm would be content with to. Overrides replace ranges by
// rules that depend on who asks; so what they name is not checked. Nor is a peer in
// the node_modules of who asks, which npm calls PEER LOCAL.
func (l *npmList) fits(n *node, d dependency, to *node) bool {
	if d.kind == workspace {
		return to.real == d.spec
	}
	local := d.isPeer() && n != l.root && !n.link && path.Join(n.real, "node_modules", d.name) == to.path
	return local || slices.Contains(l.root.named, d.name) ||
		satisfied(d.spec, to.version) || d.also != "" && satisfied(d.also, to.version)
}

func (l *npmList) isWorkspace(n *node) bool {
	dir, ok := l.spaces[n.name]
	return ok && n.link && n.real == dir
}
