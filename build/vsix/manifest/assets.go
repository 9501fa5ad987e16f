package manifest

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// Files that are found by name; the first pattern that fits a file decides.
var (
	readmeNames    = patterns(`readme\.md`, `readme(\.(markdown|txt))?`)
	changelogNames = patterns(`changelog\.md`, `changelog(\.(markdown|txt))?`)
	licenseNames   = patterns(`licen[cs]e\.(md|txt)`, `licen[cs]e`)
)

func patterns(names ...string) []*regexp.Regexp {
	var l []*regexp.Regexp
	for _, name := range names {
		l = append(l, regexp.MustCompile(`(?i)^extension/`+name+`$`))
	}
	return l
}

// Assets returns the entries that editors may ask for by type: package.json,
// the readme, change log, licence and icon, and the translations of a language
// pack, as far as they are among entries.
func (p *Package) Assets(entries []string) []Asset {
	var assets []Asset
	add := func(kind, entry string) {
		if entry != "" {
			assets = append(assets, Asset{Type: kind, Path: entry, Addressable: "true"})
		}
	}
	names := slices.Sorted(slices.Values(entries))
	add(AssetManifest, PackagePath)
	add(AssetDetails, match(names, readmeNames))
	add(AssetChangelog, match(names, changelogNames))
	add(AssetLicense, p.license(names))
	add(AssetIcon, entryOf(names, p.Icon()))
	for _, l := range p.contributions().objects("localizations") {
		add(translationPrefix+strings.ToUpper(l.text("languageId")), translation(names, l))
	}
	return assets
}

// license returns the entry that package.json names, else the one so called.
func (p *Package) license(names []string) string {
	if file, ok := strings.CutPrefix(p.text("license"), "SEE LICENSE IN "); ok {
		return entryOf(names, file)
	}
	return match(names, licenseNames)
}

// translation returns the entry that translates the editor itself.
func translation(names []string, localization object) string {
	for _, t := range localization.objects("translations") {
		if t.text("id") == "vscode" {
			return entryOf(names, t.text("path"))
		}
	}
	return ""
}

func match(names []string, patterns []*regexp.Regexp) string {
	for _, p := range patterns {
		if i := slices.IndexFunc(names, p.MatchString); i >= 0 {
			return names[i]
		}
	}
	return ""
}

// entryOf returns the entry of a path that package.json names, "" if there is
// none. Case is disregarded where no name fits exactly.
func entryOf(names []string, file string) string {
	file = strings.TrimSpace(strings.ReplaceAll(file, `\`, "/"))
	if file == "" {
		return ""
	}
	want := path.Join("extension", file)
	if _, ok := slices.BinarySearch(names, want); ok {
		return want
	}
	i := slices.IndexFunc(names, func(name string) bool { return strings.EqualFold(name, want) })
	if i < 0 {
		return ""
	}
	return names[i]
}
