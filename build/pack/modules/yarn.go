package modules

import (
	"io/fs"
	"path"
	"slices"

	"galbuild/build/pack/finding"
)

// pnp is yarn's record of packages that are not in node_modules.
const pnp = ".pnp.cjs"

// yarnFiles make vsce take yarn instead of npm. Source: detectYarn in vsce 4.1.0's
// npm.js. Its .yarnrc.yaml is no misprint of ours: yarn writes .yarnrc.yml, but that
// does not count.
var yarnFiles = []string{"yarn.lock", ".yarnrc", ".yarnrc.yaml", pnp, ".yarn"}

// UsesYarn tells whether yarn installs what is in dir: as was said, and if nothing was,
// whether one of its files is there.
func UsesYarn(dir fs.FS, said *bool) bool {
	if said != nil {
		return *said
	}
	return slices.ContainsFunc(yarnFiles, func(name string) bool { return exists(dir, name) })
}

func exists(dir fs.FS, name string) bool {
	_, err := fs.Stat(dir, name)
	return err == nil
}

// A yarnList is a walk over the packages that yarn list names.
type yarnList struct {
	*tree
	*walk
}

func (l *yarnList) run(root *node, only []string) {
	if len(only) == 0 {
		l.queue = append(l.queue, root)
	}
	for _, name := range only {
		if n := l.packages(".")[name]; n != nil {
			l.add(n)
			continue
		}
		l.report(finding.Error("", "name a folder in node_modules, or run yarn install", "packaged dependency %q is not in node_modules", name))
	}
	l.each(l.visit)
}

func (l *yarnList) visit(n *node) {
	l.reportWrong(n)
	for _, d := range sorted(n.deps) {
		if d.kind != prod && d.kind != optional {
			continue
		}
		if to := l.resolve(l.start(n), d.name, true); to != nil {
			l.add(to)
		} else if d.kind == prod {
			l.report(missingYarn(n, d))
		}
	}
}

// start is where n begins to look. For a link to outside of the folder yarn puts
// into the extension's node_modules what it needs.
func (l *yarnList) start(n *node) string {
	if n.outside {
		return path.Dir(n.path)
	}
	return n.real
}
