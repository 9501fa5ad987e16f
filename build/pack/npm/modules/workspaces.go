package modules

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"galbuild/build/pack/finding"
)

// workspaces returns the folders that match the patterns of m and have a package.json, by
// package name. A pattern with ! excludes folders. A later pattern cancels a ! pattern that
// matches its text. Source: @npmcli/map-workspaces 5, lib/index.js.
func (t *tree) workspaces(m *manifest) (map[string]string, []finding.Finding) {
	found := map[string]string{}
	var findings []finding.Finding
	for _, dir := range t.workspaceFolders(m.workspaces) {
		name := t.manifest(dir).name
		if name == "" {
			name = path.Base(dir)
		}
		if other, ok := found[name]; ok {
			findings = append(findings, finding.Error("package.json", "rename one of them",
				"workspaces %s and %s are both called %q", t.shown(other), t.shown(dir), name))
			continue
		}
		found[name] = dir
	}
	return found, findings
}

func (t *tree) workspaceFolders(patterns []string) []string {
	include, exclude := splitPatterns(patterns)
	ext, err := fs.Sub(t.dir, t.ext)
	if err != nil {
		return nil // the path of the extension's folder is not valid in a file system
	}
	var dirs []string
	for _, p := range include {
		files, _ := doublestar.Glob(ext, path.Join(p, "package.json"), doublestar.WithNoFollow())
		for _, file := range files {
			if dir := path.Dir(file); dir != "." && !excluded(dir, exclude) {
				dirs = append(dirs, path.Join(t.ext, dir))
			}
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// splitPatterns separates patterns with ! from the others, and removes a leading / or ./.
func splitPatterns(patterns []string) (include, exclude []string) {
	for _, p := range patterns {
		bare := strings.TrimLeft(p, "!")
		negated := (len(p)-len(bare))%2 == 1
		bare = path.Clean(strings.TrimLeft(strings.TrimPrefix(bare, "./"), "/"))
		switch {
		case !doublestar.ValidatePattern(bare) || !fs.ValidPath(bare):
		case negated:
			exclude = append(exclude, bare)
		default:
			exclude = slices.DeleteFunc(exclude, func(e string) bool { return matches(e, bare) })
			include = append(include, bare)
		}
	}
	return include, exclude
}

func excluded(dir string, patterns []string) bool {
	inModules := slices.Contains(strings.Split(dir, "/"), "node_modules")
	return inModules || slices.ContainsFunc(patterns, func(p string) bool { return matches(p, dir) })
}

func matches(pattern, name string) bool {
	ok, err := doublestar.Match(pattern, name)
	return ok && err == nil
}
