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

// prepare gives the files that galleries show their names and texts in the
// package. The order is vsce's, and matters: the readme is no longer called
// README.md when the licence is looked for.
func (r *reading) prepare() error {
	if err := r.override(); err != nil {
		return err
	}
	var err error
	if r.shown.Readme, err = r.document("README.md", r.o.Readme, "readme"); err != nil {
		return err
	}
	if r.shown.Changelog, err = r.document("CHANGELOG.md", r.o.Changelog, "changelog"); err != nil {
		return err
	}
	r.shown.License = r.license()
	slices.SortFunc(r.files, func(a, b File) int { return cmp.Compare(a.Entry, b.Entry) })
	if icon := r.pkg.Icon(); icon != "" {
		r.shown.Icon = r.entry(path.Join("extension", icon))
	}
	return nil
}

// override puts the version that was asked for into package.json.
func (r *reading) override() error {
	i := slices.IndexFunc(r.files, func(f File) bool { return f.Source == packageFile })
	if i < 0 {
		return nil
	}
	f := &r.files[i]
	f.Mode = 0o644 // editors write into it
	if r.o.Version == "" {
		return nil
	}
	text, err := ecmascript.With(r.text, "version", r.o.Version)
	if err != nil {
		return err
	}
	r.pkg.Version = r.o.Version
	f.content, f.Size = text, int64(len(text))
	return nil
}

// document makes every file of that name, in whatever case, the readme or the
// change log: more than one are duplicates, which is found later. What has become
// the readme counts under its new name. It returns the entry, "" if there is none.
func (r *reading) document(standard, name, kind string) (string, error) {
	entry := ""
	for i := range r.files {
		f := &r.files[i]
		if !strings.EqualFold(f.Entry, entryOf(path.Clean(name))) {
			continue
		}
		text, err := r.content(*f)
		if err != nil {
			return "", err
		}
		links := r.o.Links
		links.Repository = r.pkg.Repository()
		text, findings := readme.Rewrite(f.Source, text, links)
		r.find(findings...)
		entry = "extension/" + kind + ".md"
		f.Entry, f.Mode, f.content, f.Size = entry, 0o644, text, int64(len(text))
	}
	if entry == "" && name != standard {
		r.find(finding.Error(name, "--"+kind+"-path names a file of the folder that is packed", "the %s is not among the files to be packed", kind))
	}
	return entry, nil
}

// Other names do not count, such as COPYING and LICENSE-MIT.
var licenseName = regexp.MustCompile(`(?i)^extension/licen[cs]e(\.(md|txt))?$`)

// license returns the licence's entry, "" if there is none. Without an extension
// it gets .txt.
func (r *reading) license() string {
	i := slices.IndexFunc(r.files, r.isLicense())
	if i < 0 {
		return ""
	}
	f := &r.files[i]
	if ecmascript.Extname(f.Entry) == "" {
		f.Entry += ".txt"
	}
	return f.Entry
}

// isLicense tells whether a file is the licence: the one package.json names, or
// one that is called so.
func (r *reading) isLicense() func(File) bool {
	if name, ok := strings.CutPrefix(r.pkg.License(), "SEE LICENSE IN "); ok && name != "" {
		want := path.Join("extension", strings.TrimSpace(name))
		return func(f File) bool { return f.Entry == want }
	}
	return func(f File) bool { return licenseName.MatchString(f.Entry) }
}

// entry returns name if it is packed, else "".
func (r *reading) entry(name string) string {
	if slices.ContainsFunc(r.files, func(f File) bool { return f.Entry == name }) {
		return name
	}
	return ""
}
