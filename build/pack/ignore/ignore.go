// Package ignore selects the files of an extension's folder that its package includes, by
// .vscodeignore or by "files" of package.json, as vsce does.
//
// .vscodeignore has one pattern of package glob per line; lines that begin with # are
// comments. A file that matches a pattern is excluded, unless it matches a pattern that
// follows a !. The order of lines does not matter. A pattern whose last segment has no *
// also matches everything below a folder of that name.
//
// There are also default patterns, see defaults. package.json and the readme are always
// included.
//
// Source: src/package.ts of https://github.com/microsoft/vscode-vsce at 4.1.
package ignore

import (
	"slices"
	"strings"

	"galbuild/build/ecmascript"
	"galbuild/build/pack/ignore/glob"
)

// defaults are patterns of files that are excluded unless they match a pattern after !.
var defaults = []string{
	".vscodeignore", "package-lock.json", "npm-debug.log", "yarn.lock", "yarn-error.log", "npm-shrinkwrap.json",
	".editorconfig", ".npmrc", ".yarnrc", ".gitattributes", "*.todo", "tslint.yaml", ".eslintrc*", ".babelrc*",
	".prettierrc*", ".cz-config.js", ".commitlintrc*", "webpack.config.js", "ISSUE_TEMPLATE.md", "CONTRIBUTING.md",
	"PULL_REQUEST_TEMPLATE.md", "CODE_OF_CONDUCT.md", ".github", ".travis.yml", "appveyor.yml",
	"**/.git", "**/.git/**", "**/*.vsix", "**/.DS_Store", "**/*.vsixmanifest", "**/.vscode-test/**", "**/.vscode-test-web/**",
}

// Rules select files. They are safe for concurrent use.
type Rules struct {
	excluded []glob.Pattern
	included []glob.Pattern // exceptions from excluded: the patterns after !

	items []string // of "files", as written in package.json
}

// Parse parses the text of .vscodeignore; it may be "". readme is the path of the readme;
// "" is README.md.
func Parse(text, readme string) *Rules {
	if readme == "" {
		readme = "README.md"
	}
	r := &Rules{}
	for _, pattern := range defaults {
		r.excluded = append(r.excluded, glob.Compile(pattern))
	}
	for _, line := range strings.FieldsFunc(text, func(c rune) bool { return c == '\n' || c == '\r' }) {
		line = strings.TrimFunc(line, ecmascript.IsSpace)
		if line == "" || line[0] == '#' {
			continue
		}
		r.add(line)
		if below, ok := patternBelow(line); ok {
			r.add(below)
		}
	}
	r.add("!package.json")
	r.add("!" + readme)
	return r
}

// ParseFiles parses the items of "files": files that match one of them are included, and all
// others are excluded. Without items, only package.json and the readme are included. An item
// is equivalent to a line of .vscodeignore after a !; so an item that begins with ! matches
// all files that the rest of it does not match.
func ParseFiles(items []string, readme string) *Rules {
	var text strings.Builder
	for _, item := range items {
		text.WriteString("!" + item + "\n")
	}
	r := Parse(text.String()+"**", readme)
	r.items = slices.Clone(items)
	return r
}

func (r *Rules) add(line string) {
	if pattern, ok := strings.CutPrefix(line, "!"); ok {
		r.included = append(r.included, glob.Compile(pattern))
		return
	}
	r.excluded = append(r.excluded, glob.Compile(line))
}

// patternBelow returns the pattern of everything below the folders that a pattern matches. It
// returns false if the last segment has a *.
func patternBelow(pattern string) (string, bool) {
	last := pattern[strings.LastIndexByte(pattern, '/')+1:]
	switch {
	case strings.Contains(last, "*"):
		return "", false
	case last == "":
		return pattern + "**", true
	}
	return pattern + "/**", true
}

// Includes reports whether a file is included. path is slashed and below the extension's
// folder.
func (r *Rules) Includes(path string) bool {
	return !glob.Any(r.excluded, path) || glob.Any(r.included, path)
}

// MayIncludeBelow returns false only if no file below the folder dir can be included. "" and
// "." are the extension's folder.
func (r *Rules) MayIncludeBelow(dir string) bool {
	if dir == "." {
		dir = ""
	}
	return !slices.ContainsFunc(r.excluded, func(p glob.Pattern) bool { return p.MatchesAllBelow(dir) }) ||
		slices.ContainsFunc(r.included, func(p glob.Pattern) bool { return p.MayMatchBelow(dir) })
}
