// Package modules lists the packages in node_modules that an extension depends on and that
// its .vsix must therefore include, and their locations in the .vsix.
//
// vsce runs npm or yarn to list them. An air-gapped machine may have neither, so this
// package reads node_modules itself. It does not write.
//
// # npm
//
// The packages are those that npm 11 prints for
//
//	npm list --omit=dev --depth=99999 --parseable
//
// except the first, which is the extension itself. The rules are from npm's
// lib/commands/ls.js and @npmcli/arborist's lib/{node,edge,dep-valid,calc-dep-flags}.js
// and lib/arborist/load-actual.js:
//
//   - The dependencies, optionalDependencies, peerDependencies and workspaces of the
//     extension are included, and theirs in turn. devDependencies are included only for
//     packages that are linked from node_modules to a folder of the extension, such as
//     file:./lib. A name that is also in devDependencies is a development dependency.
//   - A package finds another in its own node_modules, or else in the node_modules of its
//     parent folders. Links are resolved first, so the parents are those of the target.
//   - Extraneous packages, on which no package depends, are included if they are in the
//     node_modules of the extension or of an included package. Files, broken links and
//     names with a leading dot are not packages.
//   - A missing package is an error, unless it is optional or an optional peer. A package
//     outside of the required range of versions is an error, even if it is optional; see
//     package npmsemver. Development dependencies are not checked.
//
// Some rules of npm need more than node_modules; this package is more lenient. npm compares
// packages from a path, URL, repository or tag with its lock file; here any version of them
// is accepted. The same applies to names in overrides. The hidden lock file
// node_modules/.package-lock.json, which npm trusts unless a folder is newer, is not read,
// nor is .npmrc.
//
// # yarn, pnpm and bun
//
// The packages are the dependencies and optionalDependencies that Node.js finds, and theirs
// in turn. Extraneous packages are left out, and versions are not checked. A name that is
// also in devDependencies is included. Peer dependencies are included with pnpm and bun,
// which install them. A missing package is an error. With yarn outside of a workspace it is
// a warning: yarn list reads yarn.lock and not node_modules, so vsce packs the folders that
// exist.
//
// For yarn 1 these are the packages that vsce reads from
//
//	yarn list --prod --json
//
// and whose folders exist. yarn list computes a new layout without development dependencies.
// If node_modules has another layout, vsce packs the wrong version of a package; this package
// returns the one that Node.js finds. [Options].PackagedDependencies includes all dependencies
// of the named packages, whereas vsce leaves out those of packages that are not at the top
// level. If yarn 2 or later made .pnp.cjs and no node_modules, that is an error, as it is for
// vsce: that yarn does not have the command list.
//
// # Workspaces and links
//
// npm, yarn, bun and, with node-linker=hoisted, pnpm put dependencies that the members of a
// workspace share into the node_modules of its root. So an extension that belongs to a
// workspace is searched for dependencies there as well. (npm list then prints all packages of
// the workspace, and vsce cannot pack their files.) An extension belongs to a parent folder
// whose package.json has workspaces that match, or that has a pnpm-workspace.yaml. The
// node_modules of other parent folders are ignored, although Node.js would search them: they do
// not belong to the extension.
//
// pnpm, yarn with nodeLinker: pnpm, bun with its isolated linker and npm with
// install-strategy=linked put packages into a folder such as node_modules/.pnpm, and links into
// the node_modules of their dependents. A .vsix has no links, so layout assigns other locations.
package modules

import (
	"cmp"
	"slices"

	"galbuild/build/pack/finding"
)

// Options select the packages of node_modules that are included.
type Options struct {
	Manager              Manager  // "" is npm
	PackagedDependencies []string // with yarn: names of dependencies to include, with theirs; nil is all
}

// Folders returns the folders of the packages that an extension depends on, sorted by
// Location, which is unique. A folder may be a symbolic link, and may be inside another.
//
// pkg is the text of the extension's package.json; it is an error if this is not JSON. The
// findings are packages that are missing, have a wrong version or cannot be placed.
func Folders(d Dir, pkg []byte, o Options) ([]Folder, []finding.Finding, error) {
	t := newTree(d)
	root, err := t.root(pkg)
	if err != nil {
		return nil, nil, err
	}
	w := &walk{tree: t, manager: cmp.Or(o.Manager, NPM), seen: map[string]bool{root.path: true}, edges: map[string][]edge{}}
	if w.manager == NPM {
		(&npmList{walk: w, root: root, needed: map[string]bool{}}).run()
	} else {
		(&nodeList{w}).run(root, o.PackagedDependencies)
	}
	folders, conflicts := w.layOut(root)
	return folders, append(w.explain(), conflicts...), nil
}

// A walk visits packages, each of them once.
type walk struct {
	*tree
	manager    Manager
	seen       map[string]bool   // paths of all nodes that were added to queue
	edges      map[string][]edge // dependencies, by the folder of a package's files
	extraneous []*node           // packages on which no other depends
	queue      []*node
	findings   []finding.Finding
}

// addEdge records that n depends on the package to, and adds that to the queue.
func (w *walk) addEdge(n *node, name string, to *node) {
	if !slices.ContainsFunc(w.edges[n.real], func(e edge) bool { return e.name == name }) {
		w.edges[n.real] = append(w.edges[n.real], edge{name, to})
	}
	w.add(to)
}

func (w *walk) add(n *node) {
	if w.seen[n.path] {
		return
	}
	w.seen[n.path] = true
	w.queue = append(w.queue, n)
}

// each calls visit for each node in the queue, including those that visit adds.
func (w *walk) each(visit func(*node)) {
	for len(w.queue) > 0 {
		n := w.queue[0]
		w.queue = w.queue[1:]
		visit(n)
	}
}

func (w *walk) report(f finding.Finding) { w.findings = append(w.findings, f) }

// reportInvalid reports the fields of n that are not valid lists of dependencies.
func (w *walk) reportInvalid(n *node) {
	for _, field := range n.invalid {
		w.report(badField(n, field))
	}
}
