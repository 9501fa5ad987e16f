// Package modules finds the packages in node_modules that an extension needs and
// that therefore belong into its own package.
//
// vsce asks npm or yarn for them. Behind an air gap neither may be there, so this
// package reads node_modules itself, and never writes.
//
// # npm
//
// The folders are those that npm 11 prints for
//
//	npm list --omit=dev --depth=99999 --parseable
//
// the first, the extension itself, left out. Rules, from npm's lib/commands/ls.js
// and @npmcli/arborist's lib/{node,edge,dep-valid,calc-dep-flags}.js and
// lib/arborist/load-actual.js:
//
//   - The extension's dependencies, optionalDependencies, peerDependencies and
//     workspaces count, and all of theirs in turn; devDependencies only for what
//     node_modules has a link to, such as file:../lib. A name that is in
//     devDependencies as well is for developers.
//   - A package looks for another in its own node_modules, then in those of the
//     folders around it. Links are followed first: what they lead to looks around
//     in the place where it really is. A link to a folder outside of the extension's
//     is fine as long as that needs nothing; what it has there cannot be packed,
//     since vsce's paths would begin with "..", so that is an error.
//   - Extraneous packages, which nothing needs, are in as well if they lie in the
//     node_modules of the extension or of another package that is in. Names with a
//     leading dot, files and broken links are no packages.
//   - Missing packages are errors, but for optional ones and optional peers; so are
//     those of a version that is not asked for, optional or not, see npmrange.
//     What only developers need may be anything.
//
// This is more lenient than npm where it would have to know more than node_modules
// says. npm compares the source of packages that come from a path, a URL, a
// repository or by a tag with its lock files; here they all fit. The same goes for
// names in overrides. npm's own copy of the tree, node_modules/.package-lock.json,
// is not read: npm believes it as long as no folder is newer. Nor is .npmrc,
// nor a workspace's root above the folder.
//
// # yarn
//
// The folders are what vsce makes of yarn 1's
//
//	yarn list --prod --json
//
// as far as they exist: dependencies and optionalDependencies, and theirs in turn;
// no peers, nothing extraneous, no matter which version. A name that is in
// devDependencies as well is in. What is missing is a warning, since yarn list reads
// yarn.lock and does not look.
//
// yarn list lays the packages out anew, without those for developers. Where that
// gives another layout than node_modules has, vsce packs the wrong version of a
// package and not the one that is needed; this package takes the folder that is
// really found. Options.Only follows dependencies to the end, whereas vsce leaves out
// those of packages that are not at the top. Where yarn 2 or later made .pnp.cjs and no
// node_modules, that is an error: vsce fails, too, as that yarn has no list.
package modules

import (
	"io/fs"
	"slices"

	"galbuild/build/pack/finding"
)

// Options tell how node_modules was made, and what to take of it.
type Options struct {
	Yarn bool     // by yarn, not npm
	Only []string // with yarn: names of packages to take with what they need, instead of all that the extension needs; none is all
}

// Folders returns the folders of packages that an extension in dir needs, such as
// node_modules/a, node_modules/a/node_modules/b and packages/c/node_modules/d:
// slashed, below dir, sorted, each once. A folder may be a symbolic link, and may lie
// in another's. All files in a folder belong to the package, but for its own
// node_modules.
//
// The text of dir's package.json is pkg; if it is not JSON, that is the error. What is
// missing or does not fit is in the findings.
func Folders(dir fs.FS, pkg []byte, o Options) ([]string, []finding.Finding, error) {
	t := newTree(dir)
	root, err := t.root(pkg)
	if err != nil {
		return nil, nil, err
	}
	w := &walk{seen: map[string]bool{root.path: true}}
	if o.Yarn {
		(&yarnList{tree: t, walk: w}).run(root, o.Only)
	} else {
		newNpmList(t, w, root).run()
	}
	slices.Sort(w.paths)
	return w.paths, explain(dir, o, w.findings), nil
}

// A walk goes to every package once.
type walk struct {
	seen     map[string]bool // paths of all that were ever in queue
	paths    []string
	queue    []*node
	findings []finding.Finding
}

func (w *walk) add(n *node) {
	if w.seen[n.path] {
		return
	}
	w.seen[n.path] = true
	w.paths = append(w.paths, n.path)
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
