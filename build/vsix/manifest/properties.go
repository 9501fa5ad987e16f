package manifest

import "strings"

// properties collects them under their full keys.
type properties []Property

func (l *properties) code(key, value string) {
	*l = append(*l, Property{"Microsoft.VisualStudio.Code." + key, value})
}

func (l *properties) service(key, value string) {
	*l = append(*l, Property{"Microsoft.VisualStudio.Services." + key, value})
}

// Properties returns the properties that follow from package.json, in the order
// of vsce. Those it always writes may have an empty value.
func (p *Package) Properties() []Property {
	var l properties
	l.code("Engine", p.Engine())
	l.code("ExtensionDependencies", strings.Join(unique(p.texts("extensionDependencies")), ","))
	l.code("ExtensionPack", strings.Join(unique(p.texts("extensionPack")), ","))
	l.code("ExtensionKind", strings.Join(p.Kinds(), ","))
	l.code("LocalizedLanguages", strings.Join(p.localizedLanguages(), ","))
	l.code("EnabledApiProposals", strings.Join(p.texts("enabledApiProposals"), ","))
	if p.truthy("main") || p.Browser() {
		l.code("ExecutesCode", "true")
	}
	if sponsor := p.object.object("sponsor").text("url"); sponsor != "" {
		l.code("SponsorLink", sponsor)
	}
	p.links(&l)
	p.presentation(&l)
	return l
}

func (p *Package) localizedLanguages() []string {
	var names []string
	for _, l := range p.contributions().objects("localizations") {
		for _, key := range []string{"localizedLanguageName", "languageName", "languageId"} {
			if name := l.text(key); name != "" {
				names = append(names, name)
				break
			}
		}
	}
	return names
}

// links adds where to find the source, help and documentation.
func (p *Package) links(l *properties) {
	repository := parseRepository(p.textOr("repository", "url"))
	if url := repository.url; url != "" {
		l.service("Links.Source", url)
		l.service("Links.Getstarted", url)
		if strings.HasPrefix(url, "https://github.com/") || strings.HasPrefix(url, "git@github.com:") {
			l.service("Links.GitHub", url)
		} else {
			l.service("Links.Repository", url)
		}
	}
	support := p.textOr("bugs", "url")
	if email := p.object.object("bugs").text("email"); support == "" && email != "" {
		support = "mailto:" + email
	}
	if support = first(support, repository.issues); support != "" {
		l.service("Links.Support", support)
	}
	if learn := first(p.text("homepage"), repository.readme); learn != "" {
		l.service("Links.Learn", learn)
	}
}

// presentation adds what a gallery's page shows.
func (p *Package) presentation(l *properties) {
	banner := p.object.object("galleryBanner")
	if color := banner.text("color"); color != "" {
		l.service("Branding.Color", color)
	}
	if theme := banner.text("theme"); theme != "" {
		l.service("Branding.Theme", theme)
	}
	if p.text("markdown") == "standard" {
		l.service("GitHubFlavoredMarkdown", "false")
	} else {
		l.service("GitHubFlavoredMarkdown", "true")
	}
	l.service("Content.Pricing", first(p.text("pricing"), "Free"))
	p.questions(l)
}

// questions adds where readers may ask some.
func (p *Package) questions(l *properties) {
	if enabled, ok := decode[bool](p.object, "qna"); ok && !enabled {
		l.service("EnableMarketplaceQnA", "false")
	}
	switch qna := p.text("qna"); qna {
	case "":
	case "marketplace":
		l.service("EnableMarketplaceQnA", "true")
	default:
		l.service("CustomerQnALink", qna)
	}
}

// textOr returns a field that is a text, or an object with the text in it.
func (o object) textOr(key, inner string) string {
	return first(o.text(key), o.object(key).text(inner))
}

func first(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}
