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
	if p.Publisher == "" || p.Publisher == "undefined" {
		p.Publisher = x.Publisher
		p.warn("package.json names no publisher, extension.vsixmanifest says %q", x.Publisher)
	}
	if err := l.checkIdentity(p.Publisher, p.Name, p.Version, x.Platform); err != nil {
		return err
	}
	if err := manifest.CheckIdentity(p.Publisher, p.Name, p.Version); err != nil {
		return refuse(manifest.PackagePath, "%s", strings.Join(append([]string{err.Error()}, visible.Findings(p.Publisher+" "+p.Name)...), "; "))
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
	if p.Platform != "" && !manifest.KnownPlatform(p.Platform) {
		p.warn("no current editor asks for target platform %q", p.Platform)
	}
	return nil
}

func (p *Package) compare(what, taken, other string) {
	if other != "" && other != taken {
		p.warn("%s is %q in package.json, which counts, and %q in extension.vsixmanifest", what, taken, other)
	}
}

// introduce sets what a reader sees first.
func (p *Package) introduce(pkg *manifest.Package, x *manifest.Metadata) {
	p.DisplayName = cmp.Or(pkg.Resolve(x.DisplayName), pkg.DisplayName())
	p.Description = cmp.Or(pkg.Resolve(x.Description.Text), pkg.Description())
	p.Preview = x.Preview() || pkg.Preview()
	p.Categories = manifest.Split(x.Categories)
	if len(p.Categories) == 0 {
		p.Categories = manifest.Split(strings.Join(pkg.Categories(), ","))
	}
	p.Tags = manifest.Split(x.Tags)
	p.Web = slices.Contains(p.Tags, manifest.TagWeb)
	if !p.Web && pkg.Browser() { // older packagers generate no tags
		p.Tags, p.Web = append(p.Tags, manifest.TagWeb), true
	}
}

// readByEditors are the properties that are completed. The others are for pages,
// and cost bytes in every answer.
// Source: https://github.com/microsoft/vscode/blob/1.100.0/src/vs/platform/extensionManagement/common/extensionGalleryService.ts
var readByEditors = map[string]bool{
	manifest.PropertyEngine:                             true,
	"Microsoft.VisualStudio.Code.ExtensionDependencies": true,
	"Microsoft.VisualStudio.Code.ExtensionPack":         true,
	"Microsoft.VisualStudio.Code.LocalizedLanguages":    true,
	"Microsoft.VisualStudio.Code.EnabledApiProposals":   true,
	"Microsoft.VisualStudio.Code.ExecutesCode":          true,
	"Microsoft.VisualStudio.Code.SponsorLink":           true,
	"Microsoft.VisualStudio.Services.Links.Source":      true,
	"Microsoft.VisualStudio.Services.Links.Support":     true,
}

// setProperties takes the XML's properties, the first of each key as editors
// do, and adds those it lacks. Of the derived ones an empty value adds nothing.
func (p *Package) setProperties(d *documents) {
	at := make(map[string]int)
	for _, x := range d.xml.Metadata.Properties {
		if _, again := at[x.ID]; again || x.ID == "" {
			continue
		}
		if x.ID == manifest.PropertyPreRelease && strings.EqualFold(strings.TrimSpace(x.Value), "true") {
			x.Value, p.PreRelease = "true", true // editors compare exactly
		}
		at[x.ID] = len(p.Properties)
		p.Properties = append(p.Properties, catalog.Property{Key: x.ID, Value: x.Value})
	}
	for _, x := range d.pkg.Properties() {
		i, present := at[x.ID]
		switch {
		case x.Value == "" || !readByEditors[x.ID]:
		case !present:
			p.Properties = append(p.Properties, catalog.Property{Key: x.ID, Value: x.Value})
		case x.ID == manifest.PropertyEngine && p.Properties[i].Value == "":
			p.Properties[i].Value = x.Value
		}
	}
	if d.pkg.Engine() == "" {
		p.warn("package.json has no engines.vscode: editors may refuse to install it")
	}
}
