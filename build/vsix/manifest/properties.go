package manifest

import (
	"cmp"
	"strings"

	"galbuild/build/catalog"
)

// properties is a list of properties with full keys.
type properties []Property

func (l *properties) code(key, value string) {
	*l = append(*l, Property{"Microsoft.VisualStudio.Code." + key, value})
}

func (l *properties) service(key, value string) {
	*l = append(*l, Property{"Microsoft.VisualStudio.Services." + key, value})
}

// Properties returns the properties derived from package.json, in the order of vsce. Some of those
// that vsce always writes may have an empty value.
func (p *Package) Properties() []Property { return p.properties(false) }

func (p *Package) properties(preRelease bool) []Property {
	var l properties
	l.code("Engine", p.Engine())
	l.code("ExtensionDependencies", strings.Join(distinct(p.spread("extensionDependencies")), ","))
	l.code("ExtensionPack", strings.Join(distinct(p.spread("extensionPack")), ","))
	l.code("ExtensionKind", strings.Join(p.Kinds(), ","))
	l.code("LocalizedLanguages", strings.Join(p.localizedLanguages(), ","))
	l.code("EnabledApiProposals", strings.Join(p.texts("enabledApiProposals"), ","))
	if preRelease {
		l = append(l, Property{catalog.PropertyPreRelease, "true"})
	}
	if p.truthy(p.either("main", "browser")) {
		l.code("ExecutesCode", "true")
	}
	if sponsor := p.sponsor(); sponsor != "" {
		l.code("SponsorLink", sponsor)
	}
	p.links(&l)
	p.presentation(&l)
	return l
}

func (p *Package) localizedLanguages() []string {
	var names []string
	for _, l := range p.contributions().objects("localizations") {
		names = append(names, l.text(l.either("localizedLanguageName", "languageName", "languageId")))
	}
	return names
}

func (p *Package) sponsor() string { return p.object.object("sponsor").truthyText("url") }

// links adds the addresses of the source, of support and of the documentation.
func (p *Package) links(l *properties) {
	repository := parseRepository(p.Repository())
	if url := repository.url; url != "" {
		l.service("Links.Source", url)
		l.service("Links.Getstarted", url)
		if strings.HasPrefix(url, "https://github.com/") || strings.HasPrefix(url, "git@github.com:") {
			l.service("Links.GitHub", url)
		} else {
			l.service("Links.Repository", url)
		}
	}
	if support := cmp.Or(p.support(), repository.issues); support != "" {
		l.service("Links.Support", support)
	}
	if learn := cmp.Or(p.truthyText("homepage"), repository.readme); learn != "" {
		l.service("Links.Learn", learn)
	}
}

// Repository returns the address of the source, as written.
func (p *Package) Repository() string {
	s, ok := p.str("repository")
	if !ok {
		s, _ = p.object.object("repository").str("url")
	}
	return s
}

// support returns the address in the field bugs.
func (p *Package) support() string {
	if s, ok := p.str("bugs"); ok {
		return s
	}
	bugs := p.object.object("bugs")
	if email := bugs.truthyText("email"); email != "" {
		return cmp.Or(bugs.truthyText("url"), "mailto:"+email)
	}
	return bugs.truthyText("url")
}

// presentation adds the properties for the page in a gallery.
func (p *Package) presentation(l *properties) {
	banner := p.object.object("galleryBanner")
	if color := banner.truthyText("color"); color != "" {
		l.service("Branding.Color", color)
	}
	if theme := banner.truthyText("theme"); theme != "" {
		l.service("Branding.Theme", theme)
	}
	if p.text("markdown") == "standard" {
		l.service("GitHubFlavoredMarkdown", "false")
	} else {
		l.service("GitHubFlavoredMarkdown", "true")
	}
	if p.present("pricing") {
		l.service("Content.Pricing", p.text("pricing"))
	} else {
		l.service("Content.Pricing", "Free")
	}
	p.qna(l)
}

// qna adds the properties of the field qna, which is the address of a page for questions.
func (p *Package) qna(l *properties) {
	if enabled, ok := decode[any](p.object, "qna"); ok && enabled == false {
		l.service("EnableMarketplaceQnA", "false")
	}
	switch qna, ok := p.str("qna"); {
	case !ok:
	case qna == "marketplace":
		l.service("EnableMarketplaceQnA", "true")
	default:
		l.service("CustomerQnALink", qna)
	}
}
