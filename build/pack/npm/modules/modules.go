// Package modules finds the packages in node_modules that an extension needs and
// that therefore belong into its own package, and a place in it for each of them.
//
// vsce asks npm or yarn for them. Behind an air gap neither may be there, so this
// package reads node_modules itself, and never writes.
//
// # npm
//
// The packages are those that npm 11 prints for
//
//	npm list --omit=dev --depth=99999 --parseable
//
// the first, the extension itself, left out. Rules, from npm's lib/commands/ls.js
// and @npmcli/arborist's lib/{node,edge,dep-valid,calc-dep-flags}.js and
// lib/arborist/load-actual.js:
//
//   - The extension's dependencies, optionalDependencies, peerDependencies and
//     workspaces count, and all of theirs in turn; devDependencies only for folders of
//     the extension's that node_modules has a link to, such as file:./lib. A name that is
//     in devDependencies as well is for developers.
//   - A package looks for another in its own node_modules, then in those of the
//     folders around it. Links are followed first: what they lead to looks around
//     in the place where it really is.
//   - Extraneous packages, which nothing needs, are in as well if they lie in the
//     node_modules of the extension or of another package that is in. Names with a
//     leading dot, files and broken links are no packages.
//   - Missing packages are errors, but for optional ones and optional peers; so are
//     those of a version that is not asked for, optional or not, see semver.
//     What only developers need may be anything.
//
// This is more lenient than npm where it would have to know more than node_modules
// says. npm compares the source of packages that come from a path, a URL, a
// repository or by a tag with its lock files; here they all fit. The same goes for
// names in overrides. npm's own copy of the tree, node_modules/.package-lock.json,
// is not read: npm believes it as long as no folder is newer. Nor is .npmrc.
//
// # yarn, pnpm and bun
//
// The packages are the dependencies and optionalDependencies that Node.js finds, and theirs
// in turn. Extraneous packages are left out, and versions are not checked. A name that is
// also in devDependencies is included. Peer dependencies are included with pnpm and bun,
// which install them. A missing package is an error. With yarn outside of a workspace it is
// a warning: yarn list reads yarn.lock and not node_modules, so vsce packs what is there.
//
// For yarn 1 that is what vsce makes of
//
//	yarn list --prod --json
//
// as far as the folders exist. yarn list lays the packages out anew, without those for
// developers. Where that gives another layout than node_modules has, vsce packs the wrong
// version of a package and not the one that is needed; this package takes the folder that is
// really found. Options.Only follows dependencies to the end, whereas vsce leaves out
// those of packages that are not at the top. Where yarn 2 or later made .pnp.cjs and no
// node_modules, that is an error: vsce fails, too, as that yarn has no list.
//
// # Workspaces and links
//
// npm, yarn, bun and, with node-linker=hoisted, pnpm put dependencies that the members of a
// workspace share into the node_modules of its root. So an extension that belongs to a
// workspace is searched for dependencies there as well. (npm list then prints all packages of
// the workspace, and vsce cannot pack their files.) An extension belongs to a parent folder
// whose package.json has workspaces that match, or that has a pnpm-workspace.yaml. The
// node_modules of other parent folders are ignored, although Node.js would search them: their
// content is there by chance.
//
// pnpm, yarn with nodeLinker: pnpm, bun with its isolated linker and npm with
// install-strategy=linked put packages into a folder such as node_modules/.pnpm, and links into
// the node_modules of their dependents. A .vsix has no links: see layout for where packages go
// instead.
package modules

import (
	"cmp"
	"slices"

	"galbuild/build/pack/finding"
)

// Options tell how node_modules was made, and what to take of it.
type Options struct {
	Manager Manager  // "" is npm
	Only    []string // with yarn: dependencies to pack, with theirs, instead of all; none is all
}

// Folders returns the folders of packages that an extension needs, sorted by Place, each
// place once. A folder may be a symbolic link, and may lie in another's.
//
// The text of the extension's package.json is pkg; if it is not JSON, that is the error.
// The findings report packages that are missing or have a wrong version.
func Folders(a Around, pkg []byte, o Options) ([]Folder, []finding.Finding, error) {
	t := newTree(a)
	root, err := t.root(pkg)
	if err != nil {
		return nil, nil, err
	}
	w := &walk{tree: t, manager: cmp.Or(o.Manager, NPM), seen: map[string]bool{root.path: true}, needs: map[string][]need{}}
	if w.manager == NPM {
		(&npmList{walk: w, root: root, used: map[string]bool{}}).run()
	} else {
		(&nodeList{w}).run(root, o.Only)
	}
	folders, unplaced := w.lay(root)
	return folders, append(w.explain(), unplaced...), nil
}

// A walk goes to every package once.
type walk struct {
	*tree
	manager  Manager
	seen     map[string]bool   // paths of all nodes that were in queue
	needs    map[string][]need // dependencies, by the folder of a package's files
	unneeded []*node           // packages of the extension that nothing depends on
	queue    []*node
	findings []finding.Finding
}

// need records that one package depends on another.
func (w *walk) need(n *node, name string, to *node) {
	if !slices.ContainsFunc(w.needs[n.real], func(n need) bool { return n.name == name }) {
		w.needs[n.real] = append(w.needs[n.real], need{name, to})
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

// each visits n and what visit adds, until nothing is left.
func (w *walk) each(visit func(*node)) {
	for len(w.queue) > 0 {
		n := w.queue[0]
		w.queue = w.queue[1:]
		visit(n)
	}
}

func (w *walk) report(f finding.Finding) { w.findings = append(w.findings, f) }

// reportWrong reports what n calls dependencies and is none.
func (w *walk) reportWrong(n *node) {
	for _, field := range n.wrong {
		w.report(badField(n, field))
	}
}
