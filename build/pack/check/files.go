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

// asked checks what vsce warns of, and asks about on a terminal.
func (r *report) asked(pkg *node, f Folder, o Options) {
	if n := pkg.at("extensionKind"); n.is(text) {
		r.warn(n, "put it into brackets", "extensionKind is a string, want a list of strings")
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
		r.general(finding.Warning("", "add it, or use --skip-license", "%s not found", wantedLicense(pkg)))
	}
}

// wantedLicense is what a licence's file may be called.
func wantedLicense(pkg *node) string {
	if name, ok := strings.CutPrefix(pkg.at("license").string(), "SEE LICENSE IN "); ok && name != "" {
		return name
	}
	return "LICENSE, LICENSE.md or LICENSE.txt"
}

// entryPoints checks that main and browser are packed.
func (r *report) entryPoints(pkg *node, f Folder) {
	way := "build it first, and see that " + cmp.Or(f.IgnoreFile, ".vscodeignore") + " does not leave it out"
	if n := pkg.at("files"); n.is(list) && len(n.items) > 0 {
		way = `build it first, and see that "files" has it`
	}
	entries := f.entries()
	for _, key := range []string{"main", "browser"} {
		n := pkg.at(key)
		if n.string() == "" {
			continue
		}
		entry := strings.ReplaceAll(normalize(n.text), `\`, "/")
		if !entries[entry] && !entries[entry+".js"] {
			r.error(n, way, "%s %q: no such file in the package", key, n.text)
		}
	}
}

func (r *report) iconFile(pkg *node, f Folder) {
	if n := pkg.at("icon"); n.string() != "" && !f.entries()[normalize(n.text)] {
		r.error(n, "see that it exists, with this case and with / between folders, and that it is not left out", "icon %q: no such file in the package", n.text)
	}
}

// normalize returns the entry of a path as package.json gives it. A slash at its end
// stays: it names a folder then, which no entry is.
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

// names checks entries that some system could not unpack, or that differ by case only.
func (r *report) names(f Folder) {
	same := map[string][]File{}
	lower := cases.Lower(language.Und)
	for _, file := range f.Files {
		key := lower.String(file.Entry)
		same[key] = append(same[key], file)
		if strings.ContainsFunc(file.Entry, isControl) || !utf8.ValidString(file.Entry) {
			r.general(finding.Error("", "rename it, or leave it out", "the name of file %q has a control character, or is not UTF-8", file.Source))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(same)) {
		if files := same[key]; len(files) > 1 {
			r.general(finding.Error("", "rename them, or leave out all but one", "%s: one path in the package, apart from upper and lower case", sources(files)))
		}
	}
}

// sources lists the files with where they come from and what they become.
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

// What vsce counts as many files: entries, with the two XML documents, and .js files.
const (
	manyFiles   = 5000
	manyScripts = 100
	documents   = 2
)

func (r *report) count(f Folder) {
	scripts := 0
	for _, file := range f.Files {
		if strings.HasSuffix(strings.ToLower(file.Entry), ".js") {
			scripts++
		}
	}
	if n := len(f.Files) + documents; n > manyFiles || scripts > manyScripts {
		r.general(finding.Warning("", "bundle the extension, and leave out what is not needed",
			"there are %d files, %d of them .js: the extension will be slow to install and to start", n, scripts))
	}
}

// selection checks how the files to pack were chosen.
func (r *report) selection(pkg *node, f Folder) {
	n := pkg.at("files")
	some := n.is(list) && len(n.items) > 0
	switch {
	case f.IgnoreFile == "" && !n.truthy():
		r.general(finding.Warning("", `add .vscodeignore, or "files" in package.json`, `neither .vscodeignore nor "files" in package.json says what to pack: all of the folder is`))
	case f.IgnoreFile != "" && some:
		r.error(n, "take out one of the two", `both %s and "files" say what to pack`, f.IgnoreFile)
	case some:
		r.unused(n, f)
	}
}

func (r *report) unused(n *node, f Folder) {
	for _, item := range f.Unused {
		at := n
		if i := slices.IndexFunc(n.items, func(v *node) bool { return v.string() == item }); i >= 0 {
			at = n.items[i]
		}
		r.error(at, "take it out, or use --allow-unused-files-pattern", `"files" has %q, which fits no packed file`, item)
	}
}
