package modules

import (
	"path"

	"galbuild/build/pack/finding"
)

// pnp is the file in which yarn records packages that are not in node_modules. Early
// versions of yarn 2 have another name for it.
const pnp = ".pnp.cjs"

var pnpFiles = []string{pnp, ".pnp.js"}

// A nodeList walks the packages that Node.js finds when the extension runs, as yarn, pnpm
// and bun installed them. It contains no extraneous packages, and does not check versions.
type nodeList struct{ *walk }

// run walks the dependencies of the extension, or only those that are named in only if it is not
// empty.
func (l *nodeList) run(root *node, only []string) {
	l.queue = append(l.queue, root)
	if len(only) > 0 {
		l.queue = nil
	}
	for _, name := range only {
		if n := l.find(root, name); n != nil {
			l.addEdge(root, name, n)
			continue
		}
		l.report(finding.Error("", "name a folder in node_modules, or run yarn install", "packaged dependency %q is not in node_modules", name))
	}
	l.each(l.visit)
}

func (l *nodeList) visit(n *node) {
	l.reportInvalid(n)
	for _, d := range sorted(n.deps) {
		if d.isPeer() && l.manager == Yarn {
			continue // as in yarn list
		}
		if to := l.find(n, d.name); to != nil {
			l.addEdge(n, d.name, to)
		} else if d.kind == prod {
			l.report(l.missingFinding(n, d))
		}
	}
}

// find returns the package that n finds by a name. If a link leads out of the workspace,
// yarn 1 puts the dependencies of its target into the extension's node_modules.
func (l *nodeList) find(n *node, name string) *node {
	leadsOut := n.outside || n.link && !within(l.top, n.real)
	if leadsOut && l.manager == Yarn {
		if found := l.resolve(path.Dir(n.path), name, true); found != nil {
			return found
		}
	}
	return l.resolve(n.real, name, !n.outside)
}

// missingFinding reports a missing package. It is only a warning where vsce packs the
// extension anyway, because yarn list reads yarn.lock and does not look into node_modules.
func (l *nodeList) missingFinding(n *node, d dependency) finding.Finding {
	f := l.missing(n, d, l.missingHint())
	f.Warning = l.manager == Yarn && l.top == l.ext
	return f
}
