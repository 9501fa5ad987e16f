package check

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"galbuild/build/pack/finding"
)

const prefix = "extension/"

// confirmations has the rules for which vsce prints a warning or asks for confirmation.
func (r *report) confirmations(pkg *node, f Folder, o Options) {
	if n := pkg.at("extensionKind"); n.is(text) {
		r.warn(n, "put it in brackets", "extensionKind is a string, want a list of strings")
	}
	if n := pkg.at("publisher"); n.string() == "vscode-samples" {
		r.error(n, "use the id of a publisher of your own", "publisher %q is for the editor's own samples", n.text)
	}
	if n := pkg.at("repository"); !n.truthy() && !o.AllowRepository {
		r.warn(n, "add the address of the source, or use --allow-missing-repository", "repository is missing")
	}
	if events := pkg.at("activationEvents"); events.is(list) && !o.AllowStar {
		if i := slices.IndexFunc(events.items, func(n *node) bool { return n.string() == "*" }); i >= 0 {
			r.warn(events.items[i], "activate on what it needs, such as onStartupFinished, or use --allow-star-activation",
				"activationEvents has %q: the extension slows down every start of the editor", "*")
		}
	}
	if f.License == "" && !o.SkipLicense {
		r.add(finding.Warning("", "add it, or use --skip-license", "%s not found", licenseNames(pkg)))
	}
}

// licenseNames returns the possible names of the licence file, in words.
func licenseNames(pkg *node) string {
	if name, ok := strings.CutPrefix(pkg.at("license").string(), "SEE LICENSE IN "); ok && name != "" {
		return name
	}
	return "LICENSE, LICENSE.md or LICENSE.txt"
}

// entryPoints checks that the package has the files of main and browser.
func (r *report) entryPoints(pkg *node, f Folder) {
	hint := "build it first, and check that " + cmp.Or(f.IgnoreFile, ".vscodeignore") + " does not exclude it"
	if n := pkg.at("files"); n.is(list) && len(n.items) > 0 {
		hint = `build it first, and check that "files" includes it`
	}
	entries := f.entries()
	for _, key := range []string{"main", "browser"} {
		n := pkg.at(key)
		if n.string() == "" {
			continue
		}
		entry := strings.ReplaceAll(normalize(n.text), `\`, "/")
		if !entries[entry] && !entries[entry+".js"] {
			r.error(n, hint, "%s %q: no such file in the package", key, n.text)
		}
	}
}

func (r *report) iconFile(pkg *node, f Folder) {
	if n := pkg.at("icon"); n.string() != "" && !f.entries()[normalize(n.text)] {
		r.error(n, "check that it exists, in this case and with / between folders, and that it is not excluded", "icon %q: no such file in the package", n.text)
	}
}

// normalize returns the entry of a path in package.json. It keeps a slash at the end: such a
// path names a folder, and matches no entry.
func normalize(p string) string {
	entry := path.Clean(prefix + p)
	if strings.HasSuffix(p, "/") {
		entry += "/"
	}
	return entry
}

func (f Folder) entries() map[string]bool {
	entries := make(map[string]bool, len(f.Files))
	for _, file := range f.Files {
		entries[file.Entry] = true
	}
	return entries
}

// fileNames checks for entries that some system cannot unpack, or that differ only in case.
func (r *report) fileNames(f Folder) {
	byLower := map[string][]File{}
	lower := cases.Lower(language.Und)
	for _, file := range f.Files {
		key := lower.String(file.Entry)
		byLower[key] = append(byLower[key], file)
		if strings.ContainsFunc(file.Entry, isControl) || !utf8.ValidString(file.Entry) {
			r.add(finding.Error("", "rename it, or exclude it", "the name of file %q has a control character, or is not UTF-8", file.Source))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(byLower)) {
		if files := byLower[key]; len(files) > 1 {
			r.add(finding.Error("", "rename them, or exclude all but one", "%s: paths in the package must differ in more than case", sources(files)))
		}
	}
}

// sources lists the paths of files, and their entries if these differ.
func sources(files []File) string {
	var names []string
	for _, f := range files {
		name := f.Source
		if entry := strings.TrimPrefix(f.Entry, prefix); entry != name {
			name += " (packed as " + entry + ")"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// Numbers of entries above which vsce warns.
const (
	manyFiles   = 5000 // including the two XML documents
	manyScripts = 100  // entries with the extension .js
	documents   = 2
)

func (r *report) fileCount(f Folder) {
	scripts := 0
	for _, file := range f.Files {
		if strings.HasSuffix(strings.ToLower(file.Entry), ".js") {
			scripts++
		}
	}
	if n := len(f.Files) + documents; n > manyFiles || scripts > manyScripts {
		r.add(finding.Warning("", "bundle the extension, and exclude files that it does not need",
			"there are %d files, %d of them .js: the extension will be slow to install and to start", n, scripts))
	}
}

// selection checks that .vscodeignore or "files" selects files, but not both.
func (r *report) selection(pkg *node, f Folder) {
	n := pkg.at("files")
	hasItems := n.is(list) && len(n.items) > 0
	switch {
	case f.IgnoreFile == "" && !n.truthy():
		r.add(finding.Warning("", `add .vscodeignore, or "files" in package.json`, `there is neither .vscodeignore nor "files" in package.json: the package includes the whole folder`))
	case f.IgnoreFile != "" && hasItems:
		r.error(n, "remove one of the two", `both %s and "files" select files`, f.IgnoreFile)
	case hasItems:
		r.unused(n, f)
	}
}

func (r *report) unused(n *node, f Folder) {
	for _, item := range f.Unused {
		at := n
		if i := slices.IndexFunc(n.items, func(v *node) bool { return v.string() == item }); i >= 0 {
			at = n.items[i]
		}
		r.error(at, "remove it, or use --allow-unused-files-pattern", `"files" has %q, which matches no file in the package`, item)
	}
}
