package pack

import (
	"cmp"
	"path"
	"regexp"
	"slices"
	"strings"

	"galbuild/build/ecmascript"
	"galbuild/build/pack/finding"
	"galbuild/build/pack/readme"
)

// prepare sets the entries and contents of the files that galleries show: readme, change log,
// licence and icon. The order is that of vsce, which renames the readme before it searches for the
// licence.
func (p *packer) prepare() error {
	if err := p.overrideVersion(); err != nil {
		return err
	}
	var err error
	if p.manifestOptions.Readme, err = p.document("README.md", p.o.Readme, "readme"); err != nil {
		return err
	}
	if p.manifestOptions.Changelog, err = p.document("CHANGELOG.md", p.o.Changelog, "changelog"); err != nil {
		return err
	}
	p.manifestOptions.License = p.license()
	slices.SortFunc(p.files, func(a, b File) int { return cmp.Compare(a.Entry, b.Entry) })
	if icon := p.pkg.Icon(); icon != "" {
		p.manifestOptions.Icon = p.entry(path.Join("extension", icon))
	}
	return nil
}

// overrideVersion puts Options.Version into the package.json of the package.
func (p *packer) overrideVersion() error {
	i := slices.IndexFunc(p.files, func(f File) bool { return f.Source == packageFile })
	if i < 0 {
		return nil
	}
	f := &p.files[i]
	f.Mode = 0o644 // editors write to it after installing
	if p.o.Version == "" {
		return nil
	}
	text, err := ecmascript.SetMember(p.text, "version", p.o.Version)
	if err != nil {
		return err
	}
	p.pkg.Version = p.o.Version
	f.content, f.Size = text, int64(len(text))
	return nil
}

// document renames and rewrites the readme or the change log, and returns its entry, or "" if there
// is none. name is compared without regard to case with the entries, some of which may have been
// renamed already. If several files match, their entries become duplicates, which checkFiles
// reports.
func (p *packer) document(standard, name, kind string) (string, error) {
	entry := ""
	for i := range p.files {
		f := &p.files[i]
		if !strings.EqualFold(f.Entry, entryOf(path.Clean(name))) {
			continue
		}
		text, err := p.content(*f)
		if err != nil {
			return "", err
		}
		links := p.o.Links
		links.Repository = p.pkg.Repository()
		text, findings := readme.Rewrite(f.Source, text, links)
		p.addFindings(findings...)
		entry = "extension/" + kind + ".md"
		f.Entry, f.Mode, f.content, f.Size = entry, 0o644, text, int64(len(text))
	}
	if entry == "" && name != standard {
		p.addFindings(finding.Error(name, "--"+kind+"-path must name a file that the package includes", "the %s is not among the files of the package", kind))
	}
	return entry, nil
}

// licenseName does not match other names of licences, such as COPYING and LICENSE-MIT.
var licenseName = regexp.MustCompile(`(?i)^extension/licen[cs]e(\.(md|txt))?$`)

// license returns the entry of the licence, or "" if there is none. It adds .txt to a name
// without an extension.
func (p *packer) license() string {
	i := slices.IndexFunc(p.files, p.isLicense())
	if i < 0 {
		return ""
	}
	f := &p.files[i]
	if ecmascript.Extname(f.Entry) == "" {
		f.Entry += ".txt"
	}
	return f.Entry
}

// isLicense returns a function that reports whether a file is the licence: the file that
// package.json names, or one with a usual name.
func (p *packer) isLicense() func(File) bool {
	if name, ok := strings.CutPrefix(p.pkg.License(), "SEE LICENSE IN "); ok && name != "" {
		want := path.Join("extension", strings.TrimSpace(name))
		return func(f File) bool { return f.Entry == want }
	}
	return func(f File) bool { return licenseName.MatchString(f.Entry) }
}

// entry returns name if the package has an entry with this name, and "" otherwise.
func (p *packer) entry(name string) string {
	if slices.ContainsFunc(p.files, func(f File) bool { return f.Entry == name }) {
		return name
	}
	return ""
}
