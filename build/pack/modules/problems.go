package modules

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"galbuild/build/pack/finding"
)

// Ways out.
const (
	install     = "run npm install, or pass --no-dependencies if the extension is bundled"
	installYarn = "run yarn install, or pass --no-dependencies if the extension is bundled"
)

func (n *node) where() string { return path.Join(n.real, "package.json") }

// as is what a dependency is called.
func (d dependency) as() string {
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

func missing(n *node, d dependency) finding.Finding {
	if d.kind == workspace {
		return finding.Error(n.where(), install, "workspace %q in %s is not linked in node_modules", d.name, d.spec)
	}
	return finding.Error(n.where(), install, "%s %q, wanted as %q, is not in node_modules", d.as(), d.name, d.spec)
}

func unfit(n *node, d dependency, to *node) finding.Finding {
	from, _ := readSpec(d.spec)
	switch {
	case d.kind == workspace:
		return finding.Error(n.where(), install, "%s is no link to the workspace %q in %s", to.path, d.name, d.spec)
	case from == unknown:
		return finding.Error(n.where(), "write a version, or pass --no-dependencies if the extension is bundled",
			"%s %q is wanted as %q, which npm does not understand", d.as(), d.name, d.spec)
	case to.unread != nil:
		return finding.Error(to.where(), install, "cannot be read: %v", to.unread)
	case to.version == "":
		return finding.Error(n.where(), install, "%s %q is wanted as %q, but %s has no version", d.as(), d.name, d.spec, to.path)
	}
	return finding.Error(n.where(), install, "%s %q is wanted as %q, but %s is version %q", d.as(), d.name, d.spec, to.path, to.version)
}

func linkedOutside(n, to *node) finding.Finding {
	return finding.Error(n.where(), "move the folder into the extension's, or pass --no-dependencies if the extension is bundled",
		"%s links to a folder outside of the extension's, and %s there cannot be packed", n.path, path.Base(to.path))
}

func badField(n *node, field string) finding.Finding {
	return finding.Error(n.where(), `write dependencies as {"name": "version"}`, "%s is no dependency", field)
}

func missingYarn(n *node, d dependency) finding.Finding {
	return finding.Warning(n.where(), installYarn, "%s %q, wanted as %q, is not in node_modules", d.as(), d.name, d.spec)
}

// explain replaces what follows from one cause by that cause: node_modules is made
// by a tool whose way of keeping packages npm and yarn 1 do not understand.
func explain(dir fs.FS, o Options, findings []finding.Finding) []finding.Finding {
	const bundle = "bundle the extension and pass --no-dependencies"
	switch {
	case len(findings) == 0:
		return findings
	case o.Yarn && exists(dir, pnp):
		return []finding.Finding{finding.Error(pnp, bundle, "yarn keeps packages elsewhere than in node_modules, where they cannot be packed")}
	case slices.ContainsFunc(findings, inPnpm):
		return []finding.Finding{finding.Error("node_modules/.pnpm", bundle, "pnpm links packages in a way in which they cannot be packed")}
	}
	return findings
}

func inPnpm(f finding.Finding) bool { return strings.HasPrefix(f.Where, "node_modules/.pnpm/") }
