package modules

import (
	"encoding/json"
	"io/fs"
	"path"
	"slices"
	"strings"

	"galbuild/build/regularfile"
)

// A Manager is the package manager that made node_modules and runs the extension's scripts.
type Manager string

// The supported package managers.
const (
	NPM  Manager = "npm"
	Yarn Manager = "yarn"
	Pnpm Manager = "pnpm"
	Bun  Manager = "bun"
)

// yarnFiles are the files for which vsce uses yarn instead of npm. yarn writes .yarnrc.yml,
// but vsce tests for .yarnrc.yaml only. Source: detectYarn in vsce 4.1.0's npm.js.
var yarnFiles = []string{"yarn.lock", ".yarnrc", ".yarnrc.yaml", pnp, ".yarn"}

// lockFiles show which manager installed the packages of a folder. npm's come first,
// because vsce uses npm if there are several.
var lockFiles = []struct {
	name string
	by   Manager
}{
	{"package-lock.json", NPM}, {"npm-shrinkwrap.json", NPM},
	{"pnpm-lock.yaml", Pnpm}, {"bun.lock", Bun}, {"bun.lockb", Bun},
	{"node_modules/.modules.yaml", Pnpm}, // written by pnpm deploy, which makes no lock file
}

// A Choice is the package manager of an extension, and whether another one can be used instead.
type Choice struct {
	Manager Manager
	// Required is true if the flag or package.json forbids other managers: npm then refuses
	// to run a script. Otherwise npm can run scripts too, as vsce does.
	Required bool
}

// Choose returns the package manager of an extension. The first of these that names one decides:
//
//   - yarn, the value of a flag: true is yarn, false is npm, nil is no flag,
//   - in each folder from the extension's to the root of its workspace, devEngines or
//     packageManager in package.json, then a lock file,
//   - the links in node_modules.
//
// If nothing decides, it is npm.
func Choose(d Dir, yarn *bool) Choice {
	switch {
	case yarn != nil && *yarn:
		return Choice{Yarn, true}
	case yarn != nil:
		return Choice{NPM, true}
	}
	t := newTree(d)
	for dir := t.ext; ; dir = path.Dir(dir) {
		if c := t.choose(dir); c.Manager != "" {
			return c
		}
		if dir == t.top {
			return Choice{Manager: t.linkedBy()}
		}
	}
}

// linkedBy returns the manager that made the links in the extension's node_modules, or npm.
// With Rush, pnpm installs into another folder, and there is no lock file in this one.
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

// choose returns the manager that package.json or a lock file in a folder determines.
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

// declared returns the manager that package.json names. devEngines precedes packageManager,
// because npm reads it.
//
// Source: https://docs.npmjs.com/cli/v11/configuring-npm/package-json#devengines and
// https://nodejs.org/api/packages.html#packagemanager.
func declared(dir fs.FS, folder string) (c Choice) {
	text, err := regularfile.ReadFS(dir, path.Join(folder, "package.json"))
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
	return Choice{Manager: parseManager(name)}
}

// firstEngine reads {"name": …, "onFail": …}, or a list of such objects, and returns the first
// supported manager. It is required unless one of the objects names npm, or has onFail "warn" or
// "ignore".
func firstEngine(raw json.RawMessage) (c Choice) {
	type engine struct{ Name, OnFail string }
	list, ok := as[[]engine](raw)
	if !ok {
		single, _ := as[engine](raw)
		list = []engine{single}
	}
	c.Required = true
	for _, e := range list {
		if c.Manager == "" {
			c.Manager = parseManager(e.Name)
		}
		if e.Name == string(NPM) || e.OnFail == "warn" || e.OnFail == "ignore" {
			c.Required = false
		}
	}
	return c
}

// parseManager returns the supported package manager with this name, or "".
func parseManager(name string) Manager {
	if m := Manager(name); slices.Contains([]Manager{NPM, Yarn, Pnpm, Bun}, m) {
		return m
	}
	return ""
}
