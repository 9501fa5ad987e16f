package modules

import (
	"fmt"
	"path"

	"galbuild/build/pack/finding"
)

// Hints.
const (
	bundle     = "bundle the extension and pass --no-dependencies"
	bundled    = ", or pass --no-dependencies if the extension is bundled"
	nodeLinker = "write nodeLinker: node-modules into .yarnrc.yml and run yarn install" + bundled
)

func (n *node) where() string { return path.Join(n.files, "package.json") }

// missingHint returns the hint for a package that is not in node_modules.
func (w *walk) missingHint() string {
	where := ""
	if w.top != w.ext {
		where = fmt.Sprintf(" in the root of the workspace, %s", w.shown(w.top))
	}
	return fmt.Sprintf("run %s install%s%s", w.manager, where, bundled)
}

// kindName returns the kind of a dependency in words.
func (d dependency) kindName() string {
	switch d.kind {
	case peer, peerOptional:
		return "peer dependency"
	case dev:
		return "development dependency"
	case workspace:
		return "workspace"
	}
	return "dependency"
}

// missing reports a package that does not exist.
func (w *walk) missing(n *node, d dependency, hint string) finding.Finding {
	where := n.where()
	if d.kind == workspace {
		return finding.Error(where, hint, "workspace %q in %s is not linked in node_modules", d.name, w.shown(d.spec))
	}
	return finding.Error(where, hint, "%s %q, required as %q, is not in node_modules", d.kindName(), d.name, d.spec)
}

// mismatch reports a package that does not satisfy a dependency.
func (w *walk) mismatch(n *node, d dependency, to *node) finding.Finding {
	where, hint := n.where(), w.missingHint()
	from, _ := readSpec(d.spec)
	switch {
	case d.kind == workspace:
		return finding.Error(where, hint, "%s is not a link to the workspace %q in %s", to.shown, d.name, w.shown(d.spec))
	case from == unknown:
		return finding.Error(where, "write a version"+bundled,
			"%s %q is required as %q, which npm does not understand", d.kindName(), d.name, d.spec)
	case to.readErr != nil:
		return finding.Error(to.where(), hint, "cannot be read: %v", to.readErr)
	case to.version == "":
		return finding.Error(where, hint, "%s %q is required as %q, but %s has no version", d.kindName(), d.name, d.spec, to.shown)
	}
	return finding.Error(where, hint, "%s %q is required as %q, but %s is version %q", d.kindName(), d.name, d.spec, to.shown, to.version)
}

// linkedOutside reports a dependency of a linked package outside of the file system.
func linkedOutside(n, to *node) finding.Finding {
	return finding.Error(n.where(), "move the folder into the extension's"+bundled,
		"%s links to a folder outside of the extension's, and %s there cannot be packed", n.shown, path.Base(to.path))
}

func badField(n *node, field string) finding.Finding {
	return finding.Error(n.where(), `write dependencies as {"name": "version"}`, "%s is not valid", field)
}

// explain returns the findings. If yarn uses Plug'n'Play, they all have the same cause, which
// replaces them.
func (w *walk) explain() []finding.Finding {
	for dir := w.ext; len(w.findings) > 0 && w.manager == Yarn; dir = path.Dir(dir) {
		for _, name := range pnpFiles {
			if file := path.Join(dir, name); w.exists(file) {
				return []finding.Finding{finding.Error(w.shown(file), nodeLinker, "yarn stores packages outside of node_modules, where they cannot be packed")}
			}
		}
		if dir == w.top {
			break
		}
	}
	return w.findings
}
