package vsix

import (
	"cmp"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/visible"
	"galbuild/build/vsix/manifest"
)

// describe returns the package that the two documents describe.
func (d *documents) describe(a *archive, l Limits) (*Package, error) {
	p := &Package{
		Modified:     a.modified,
		Dependencies: d.pkg.Dependencies(),
		Pack:         d.pkg.ExtensionPack(),
		Theme:        d.pkg.Theme(),
		Contributed:  d.pkg.Contributed(),
		Licence:      licence(d.pkg.License()),
		Page:         d.pkg.Page(d.themeFiles(a)),
		Warnings:     d.warnings,
		archive:      a,
		texts:        map[string][]byte{manifest.PackagePath: d.plain},
	}
	if err := p.setIdentity(d.pkg, d.xml.Metadata.Identity, l); err != nil {
		return nil, err
	}
	p.setTexts(d.pkg, &d.xml.Metadata)
	p.warnLooks("display name", p.DisplayName)
	p.setProperties(d)
	p.setAssets(d)
	return p, p.bound(l)
}

// identify sets publisher, name, version and platform.
func (p *Package) setIdentity(pkg *manifest.Package, x manifest.Identity, l Limits) error {
	p.Publisher, p.Name, p.Version = pkg.Publisher, pkg.Name, pkg.Version
	if err := l.checkIdentity(p.Publisher, p.Name, p.Version, x.Platform); err != nil {
		return err
	}
	if err := manifest.CheckIdentity(p.Publisher, p.Name, p.Version); err != nil {
		reasons := append([]string{err.Error()}, visible.Findings(p.Publisher+" "+p.Name)...)
		return refuse(manifest.PackagePath, "%s", strings.Join(reasons, "; "))
	}
	if err := pkg.CheckEditors(); err != nil {
		return refuse(manifest.PackagePath, "%v", err)
	}
	if v := strings.TrimSpace(x.Version); v != "" && v != p.Version {
		return refuse(manifest.XMLPath, "version is %q, but package.json has %q", v, p.Version)
	}
	p.compare("publisher", p.Publisher, x.Publisher)
	p.compare("name", p.Name, x.Name)
	if manifest.UnusualID(p.Publisher, p.Name) {
		p.warn("id %q has characters other than letters, digits and '-': editors use a slower request "+
			"to find updates", p.Publisher+"."+p.Name)
	}
	var err error
	if p.Platform, err = manifest.ParsePlatform(x.Platform); err != nil {
		return refuse(manifest.XMLPath, "%v", err)
	}
	switch {
	case p.Platform == "" || manifest.KnownPlatform(p.Platform):
	case manifest.OtherPlatform(p.Platform):
		p.warn("target platform %q is requested by older editors or forks only, "+
			"and not by the current VS Code", p.Platform)
	default:
		return refuse(manifest.XMLPath, "no editor requests target platform %q; editors request %s",
			p.Platform, strings.Join(catalog.Platforms(), ", "))
	}
	return nil
}

func (p *Package) compare(what, used, other string) {
	if other != "" && other != used {
		p.warn("%s is %q in package.json and %q in extension.vsixmanifest: "+
			"package.json is used, because editors read it",
			what, used, other)
	}
}

// introduce sets names, description, categories and tags.
func (p *Package) setTexts(pkg *manifest.Package, x *manifest.Metadata) {
	p.DisplayName = cmp.Or(pkg.Resolve(x.DisplayName), pkg.DisplayName())
	p.Description = cmp.Or(pkg.Resolve(x.Description.Text), pkg.Description())
	p.Preview = x.Preview() || pkg.Preview()
	p.Categories = repairedList(x.Categories, pkg.Categories)
	if len(p.Categories) == 0 {
		p.Categories = manifest.Split(strings.Join(pkg.Categories(), ","))
	}
	p.Tags = repairedList(x.Tags, pkg.Tags)
	p.setWeb(pkg)
	var repaired []string
	for _, text := range []struct{ field, xml string }{
		{"DisplayName", x.DisplayName}, {"Description", x.Description.Text}, {"Categories", x.Categories}, {"Tags", x.Tags},
	} {
		if manifest.Damaged(text.xml) {
			repaired = append(repaired, text.field)
		}
	}
	if len(repaired) > 0 {
		p.warn(`extension.vsixmanifest has "[object Object]", a mistake of vsce, as %s: `+
			`the texts of package.json and package.nls.json are used`, strings.Join(repaired, ", "))
	}
}

// repairedList returns the items of a comma-separated list of the XML. If vsce wrote "[object
// Object]" into it, items are added from package.json.
func repairedList(list string, derived func() []string) []string {
	if manifest.Damaged(list) {
		return manifest.Repair(list, derived())
	}
	return manifest.Split(list)
}

// setWeb sets whether the extension is for editors in a browser: if it has the tag
// __web_extension, unless package.json has other kinds.
func (p *Package) setWeb(pkg *manifest.Package) {
	p.Web = slices.Contains(p.Tags, manifest.TagWeb)
	kinds, decided := pkg.DecidedKinds()
	switch {
	case !p.Web && pkg.Browser(): // older packagers generate no tags
		p.Tags, p.Web = append(p.Tags, manifest.TagWeb), true
	case p.Web && decided && !slices.Contains(kinds, "web"):
		p.Tags = slices.DeleteFunc(p.Tags, func(s string) bool { return s == manifest.TagWeb })
		p.Web = false
		p.warn("extension.vsixmanifest has the tag %s, but its kinds in package.json are %q: "+
			"package.json is used, because editors read it",
			manifest.TagWeb, strings.Join(kinds, ","))
	}
}
