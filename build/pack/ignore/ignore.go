// Package ignore decides which files of an extension's folder are packed, by
// .vscodeignore or by package.json's "files", as vsce does.
//
// .vscodeignore has a pattern of package glob on each line; a line with # first is
// a comment. What a pattern fits is left out. What a pattern after ! fits is packed
// all the same, wherever that line stands: order means nothing. A pattern whose
// last segment has no * also stands for all that is below a folder of that name.
//
// There are default patterns as well, see defaults. package.json and the readme
// are always packed.
//
// Source: src/package.ts of https://github.com/microsoft/vscode-vsce at 4.1.
package ignore

import (
	"slices"
	"strings"

	"galbuild/build/ecmascript"
	"galbuild/build/pack/glob"
)

// defaults are left out unless a pattern after ! fits them.
var defaults = []string{
	".vscodeignore", "package-lock.json", "npm-debug.log", "yarn.lock", "yarn-error.log", "npm-shrinkwrap.json",
	".editorconfig", ".npmrc", ".yarnrc", ".gitattributes", "*.todo", "tslint.yaml", ".eslintrc*", ".babelrc*",
	".prettierrc*", ".cz-config.js", ".commitlintrc*", "webpack.config.js", "ISSUE_TEMPLATE.md", "CONTRIBUTING.md",
	"PULL_REQUEST_TEMPLATE.md", "CODE_OF_CONDUCT.md", ".github", ".travis.yml", "appveyor.yml",
	"**/.git", "**/.git/**", "**/*.vsix", "**/.DS_Store", "**/*.vsixmanifest", "**/.vscode-test/**", "**/.vscode-test-web/**",
}

// Rules tell which files are packed. They are read only.
type Rules struct {
	out  []glob.Pattern // fit what is left out
	back []glob.Pattern // fit what is packed all the same

	items []string // of "files", as they are written
}

// Parse reads the text of .vscodeignore; without the file, "" is right. readme is
// the path of the readme, "" for README.md.
func Parse(text, readme string) *Rules {
	if readme == "" {
		readme = "README.md"
	}
	r := &Rules{}
	for _, pattern := range defaults {
		r.out = append(r.out, glob.Compile(pattern))
	}
	for _, line := range strings.FieldsFunc(text, func(c rune) bool { return c == '\n' || c == '\r' }) {
		line = strings.TrimFunc(line, ecmascript.IsSpace)
		if line == "" || line[0] == '#' {
			continue
		}
		r.add(line)
		if below, ok := belowFolder(line); ok {
			r.add(below)
		}
	}
	r.add("!package.json")
	r.add("!" + readme)
	return r
}

// Files reads the items of "files": what one of them fits is packed, all else is
// left out. Without items that is package.json and the readme. An item is a line of
// .vscodeignore after !, so that an item with ! first is for everything else.
func Files(items []string, readme string) *Rules {
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
		r.back = append(r.back, glob.Compile(pattern))
		return
	}
	r.out = append(r.out, glob.Compile(line))
}

// belowFolder returns the pattern for what is below a folder that the pattern
// fits, unless its last segment has a *.
func belowFolder(pattern string) (string, bool) {
	last := pattern[strings.LastIndexByte(pattern, '/')+1:]
	switch {
	case strings.Contains(last, "*"):
		return "", false
	case last == "":
		return pattern + "**", true
	}
	return pattern + "/**", true
}

// Packed tells whether the file at path, slashed and below the extension's folder,
// is packed.
func (r *Rules) Packed(path string) bool {
	return !glob.Any(r.out, path) || glob.Any(r.back, path)
}

// Below is false only if no path below the folder dir can be packed. "" and "."
// are the extension's folder.
func (r *Rules) Below(dir string) bool {
	if dir == "." {
		dir = ""
	}
	return !slices.ContainsFunc(r.out, func(p glob.Pattern) bool { return p.Covers(dir) }) ||
		slices.ContainsFunc(r.back, func(p glob.Pattern) bool { return p.Reaches(dir) })
}
