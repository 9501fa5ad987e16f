package vsix

import (
	"cmp"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/visible"
	"galbuild/build/vsix/manifest"
)

// describe makes one description of what two documents say.
func (d *documents) describe(a *archive, l Limits) (*Package, error) {
	p := &Package{
		Modified:     a.modified,
		Dependencies: d.pkg.Dependencies(),
		Pack:         d.pkg.ExtensionPack(),
		Theme:        d.pkg.Theme(),
		Contributed:  d.pkg.Contributed(),
		Warnings:     d.warnings,
		archive:      a,
		packageJSON:  d.plain,
	}
	if err := p.identify(d.pkg, d.xml.Metadata.Identity, l); err != nil {
		return nil, err
	}
	p.introduce(d.pkg, &d.xml.Metadata)
	p.warnLooks("display name", p.DisplayName)
	p.setProperties(d)
	p.setAssets(d)
	return p, p.bound(l)
}

// identify sets publisher, name, version and platform.
func (p *Package) identify(pkg *manifest.Package, x manifest.Identity, l Limits) error {
	p.Publisher, p.Name, p.Version = pkg.Publisher, pkg.Name, pkg.Version
	if err := l.checkIdentity(p.Publisher, p.Name, p.Version, x.Platform); err != nil {
		return err
	}
	if err := manifest.CheckIdentity(p.Publisher, p.Name, p.Version); err != nil {
		return refuse(manifest.PackagePath, "%s", strings.Join(append([]string{err.Error()}, visible.Findings(p.Publisher+" "+p.Name)...), "; "))
	}
	if err := pkg.CheckEditors(); err != nil {
		return refuse(manifest.PackagePath, "%v", err)
	}
	if v := strings.TrimSpace(x.Version); v != "" && v != p.Version {
		return refuse(manifest.XMLPath, "version %q is not that of package.json, %q", v, p.Version)
	}
	p.compare("publisher", p.Publisher, x.Publisher)
	p.compare("name", p.Name, x.Name)
	if manifest.OddID(p.Publisher, p.Name) {
		p.warn("id %q has other characters than letters, digits and '-': editors skip the faster way to look for updates", p.Publisher+"."+p.Name)
	}
	var err error
	if p.Platform, err = manifest.ParsePlatform(x.Platform); err != nil {
		return refuse(manifest.XMLPath, "%v", err)
	}
	switch {
	case p.Platform == "" || manifest.KnownPlatform(p.Platform):
	case manifest.OtherPlatform(p.Platform):
		p.warn("no current VS Code asks for target platform %q; older editors or forks of it do", p.Platform)
	default:
		return refuse(manifest.XMLPath, "no editor asks for target platform %q; editors ask for %s", p.Platform, strings.Join(catalog.Platforms(), ", "))
	}
	return nil
}

func (p *Package) compare(what, taken, other string) {
	if other != "" && other != taken {
		p.warn("%s is %q in package.json and %q in extension.vsixmanifest: package.json decides, for editors read it", what, taken, other)
	}
}

// introduce sets what a reader sees first.
func (p *Package) introduce(pkg *manifest.Package, x *manifest.Metadata) {
	p.DisplayName = cmp.Or(pkg.Resolve(x.DisplayName), pkg.DisplayName())
	p.Description = cmp.Or(pkg.Resolve(x.Description.Text), pkg.Description())
	p.Preview = x.Preview() || pkg.Preview()
	p.Categories = mendedList(x.Categories, pkg.Categories)
	if len(p.Categories) == 0 {
		p.Categories = manifest.Split(strings.Join(pkg.Categories(), ","))
	}
	p.Tags = mendedList(x.Tags, pkg.Tags)
	p.setWeb(pkg)
	var mended []string
	for _, text := range []struct{ field, xml string }{
		{"DisplayName", x.DisplayName}, {"Description", x.Description.Text}, {"Categories", x.Categories}, {"Tags", x.Tags},
	} {
		if manifest.Damaged(text.xml) {
			mended = append(mended, text.field)
		}
	}
	if len(mended) > 0 {
		p.warn(`extension.vsixmanifest has "[object Object]", a mistake of vsce, as %s: taken from package.json and package.nls.json`, strings.Join(mended, ", "))
	}
}

// mendedList returns the items of a comma list of the XML. Where vsce wrote an object, they
// are completed from package.json.
func mendedList(list string, derived func() []string) []string {
	if manifest.Damaged(list) {
		return manifest.Mend(list, derived())
	}
	return manifest.Split(list)
}

// setWeb tells whether editors in a browser get the extension: by the tag __web_extension,
// unless package.json says otherwise.
func (p *Package) setWeb(pkg *manifest.Package) {
	p.Web = slices.Contains(p.Tags, manifest.TagWeb)
	kinds, decided := pkg.DecidedKinds()
	switch {
	case !p.Web && pkg.Browser(): // older packagers generate no tags
		p.Tags, p.Web = append(p.Tags, manifest.TagWeb), true
	case p.Web && decided && !slices.Contains(kinds, "web"):
		p.Tags, p.Web = slices.DeleteFunc(p.Tags, func(s string) bool { return s == manifest.TagWeb }), false
		p.warn("extension.vsixmanifest has the tag %s, but by package.json it runs as %q: package.json decides, for editors read it",
			manifest.TagWeb, strings.Join(kinds, ","))
	}
}
