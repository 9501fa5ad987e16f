package manifest

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"galbuild/build/catalog"
)

// Patterns of files that are found by name. Earlier patterns are preferred.
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

// Assets returns the entries that editors request by type: package.json, the readme, change log,
// licence and icon, and the translations of a language pack. It returns only those in entries.
func (p *Package) Assets(entries []string) []Asset {
	names := slices.Sorted(slices.Values(entries))
	return p.assets(names, p.findByName(names, Options{}))
}

// findByName returns o with the entries that are found by their names.
func (p *Package) findByName(names []string, o Options) Options {
	o.Readme = match(names, readmeNames)
	o.Changelog = match(names, changelogNames)
	o.License = p.license(names)
	o.Icon = p.entryOf(names, p.Icon())
	return o
}

// assets returns the assets in the order of vsce.
func (p *Package) assets(names []string, o Options) []Asset {
	var assets []Asset
	add := func(kind, entry string) {
		if entry != "" {
			assets = append(assets, Asset{Type: kind, Path: entry, Addressable: "true"})
		}
	}
	add(AssetManifest, PackagePath)
	add(catalog.DetailsAsset, o.Readme)
	add(catalog.ChangelogAsset, o.Changelog)
	add(AssetLicense, o.License)
	add(AssetIcon, o.Icon)
	languages := p.languagePacks(names)
	for _, entry := range slices.Sorted(maps.Keys(languages)) {
		add(translationPrefix+languages[entry], entry)
	}
	return assets
}

// license returns the entry of the licence in package.json, or the one with such a name.
func (p *Package) license(names []string) string {
	if file, ok := strings.CutPrefix(p.text("license"), "SEE LICENSE IN "); ok {
		return p.entryOf(names, file)
	}
	return match(names, licenseNames)
}

// languagePacks returns the languages into which entries translate the editor itself, by entry. Of
// several entries of a language, or languages of an entry, it uses the last.
func (p *Package) languagePacks(names []string) map[string]string {
	var languages []string
	files := make(map[string]string)
	for _, l := range p.contributions().objects("localizations") {
		language := strings.ToUpper(l.text("languageId"))
		for _, t := range l.objects("translations") {
			if file := t.text("path"); file != "" && t.text("id") == "vscode" {
				languages = append(languages, language)
				files[language] = p.entryOf(names, file)
			}
		}
	}
	byEntry := make(map[string]string)
	for _, language := range distinct(languages) {
		if entry := files[language]; entry != "" {
			byEntry[entry] = language
		}
	}
	return byEntry
}

func match(names []string, patterns []*regexp.Regexp) string {
	for _, p := range patterns {
		if i := slices.IndexFunc(names, p.MatchString); i >= 0 {
			return names[i]
		}
	}
	return ""
}

// entryOf returns the entry of a path in package.json, or "" if there is none. For galleries, the
// path is cleaned, and if no name is equal, one that differs only in case is used.
func (p *Package) entryOf(names []string, file string) string {
	file = strings.ReplaceAll(file, `\`, "/")
	want := "extension/" + strings.TrimPrefix(file, "./")
	if !p.exact {
		want = path.Join("extension", strings.TrimSpace(file))
	}
	if _, ok := slices.BinarySearch(names, want); ok {
		return want
	}
	i := slices.IndexFunc(names, func(name string) bool {
		return !p.exact && strings.EqualFold(name, want)
	})
	if i < 0 {
		return ""
	}
	return names[i]
}
