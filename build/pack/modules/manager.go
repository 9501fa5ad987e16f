package modules

import (
	"encoding/json"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// A Manager is the program that made node_modules, and that runs an extension's scripts.
type Manager string

// The managers that are known.
const (
	NPM  Manager = "npm"
	Yarn Manager = "yarn"
	Pnpm Manager = "pnpm"
	Bun  Manager = "bun"
)

// yarnFiles make vsce take yarn instead of npm. Source: detectYarn in vsce 4.1.0's
// npm.js. Its .yarnrc.yaml is no misprint of ours: yarn writes .yarnrc.yml, but that
// does not count.
var yarnFiles = []string{"yarn.lock", ".yarnrc", ".yarnrc.yaml", pnp, ".yarn"}

// lockFiles say which manager installed a folder's packages. npm's come first, since it
// is what vsce takes where there are several.
var lockFiles = []struct {
	name string
	by   Manager
}{
	{"package-lock.json", NPM}, {"npm-shrinkwrap.json", NPM},
	{"pnpm-lock.yaml", Pnpm}, {"bun.lock", Bun}, {"bun.lockb", Bun},
	{"node_modules/.modules.yaml", Pnpm}, // of pnpm deploy, which leaves no lock file
}

// A Choice is the manager of an extension, and how sure that is.
type Choice struct {
	Manager Manager
	// Required is true if the flag or package.json forbids all others: npm then refuses to
	// run a script. Otherwise npm can do so as well, as it does for vsce.
	Required bool
}

// Choose returns the manager of an extension's folder: yarn or npm as the flag says, which
// is nil without one; else the one that package.json names as packageManager or in
// devEngines; else the one whose files are there. What the extension's folder does not say,
// the workspaces do that it belongs to. Without any of it, it is the one that links in
// node_modules tell of, or npm.
func Choose(a Around, yarn *bool) Choice {
	switch {
	case yarn != nil && *yarn:
		return Choice{Yarn, true}
	case yarn != nil:
		return Choice{NPM, true}
	}
	t := newTree(a)
	for dir := t.ext; ; dir = path.Dir(dir) {
		if c := t.choose(dir); c.Manager != "" {
			return c
		}
		if dir == t.top {
			return Choice{Manager: t.linkedBy()}
		}
	}
}

// linkedBy returns the manager that made links in the extension's node_modules, else npm. Rush
// has pnpm install into a folder of its own, and leaves no lock file here.
func (t *tree) linkedBy() Manager {
	for _, n := range t.packages(t.ext) {
		switch m := inStore.FindStringSubmatch(n.real); {
		case m == nil:
		case m[2] == "pnpm":
			return Pnpm
		case m[2] == "bun":
			return Bun
		}
	}
	return NPM
}

// choose returns what a folder says.
func (t *tree) choose(dir string) Choice {
	if c := declared(t.dir, dir); c.Manager != "" {
		return c
	}
	has := func(name string) bool { return t.exists(path.Join(dir, name)) }
	if slices.ContainsFunc(yarnFiles, has) {
		return Choice{Manager: Yarn}
	}
	for _, lock := range lockFiles {
		if has(lock.name) {
			return Choice{Manager: lock.by}
		}
	}
	if has(pnpmWorkspace) {
		return Choice{Manager: Pnpm}
	}
	return Choice{}
}

// declared returns what package.json says, by devEngines first: npm heeds that.
// Source: https://docs.npmjs.com/cli/v11/configuring-npm/package-json#devengines and
// https://nodejs.org/api/packages.html#packagemanager.
func declared(dir fs.FS, folder string) (c Choice) {
	text, err := readRegular(dir, path.Join(folder, "package.json"))
	if err != nil {
		return c
	}
	var f fields
	_ = json.Unmarshal(text, &f)
	engines, _ := as[fields](f["devEngines"])
	if c = firstEngine(engines["packageManager"]); c.Manager != "" {
		return c
	}
	name, _ := as[string](f["packageManager"])
	name, _, _ = strings.Cut(name, "@")
	return Choice{Manager: known(name)}
}

// firstEngine reads {"name": …, "onFail": …}, or a list of them, of which the first that
// is known is taken. It is required unless one of them is satisfied by another, or says
// that it does not matter.
func firstEngine(raw json.RawMessage) (c Choice) {
	type engine struct{ Name, OnFail string }
	list, ok := as[[]engine](raw)
	if !ok {
		one, _ := as[engine](raw)
		list = []engine{one}
	}
	c.Required = true
	for _, e := range list {
		if c.Manager == "" {
			c.Manager = known(e.Name)
		}
		if e.Name == string(NPM) || e.OnFail == "warn" || e.OnFail == "ignore" {
			c.Required = false
		}
	}
	return c
}

func known(name string) Manager {
	if m := Manager(name); slices.Contains([]Manager{NPM, Yarn, Pnpm, Bun}, m) {
		return m
	}
	return ""
}
