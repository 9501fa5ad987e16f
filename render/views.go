package render

import (
	"cmp"
	"context"
	"encoding/json"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/pagedata"
	"galbuild/build/pictures"
	"galbuild/build/policy"
	"galbuild/build/stats"
	"galbuild/render/gallery"
	"galbuild/render/markdown"
	"galbuild/render/pages"
)

// views make the data of pages from a catalogue.
type views struct {
	catalog    *catalog.Catalog
	policy     *policy.Policy
	site       *pages.Site
	read       func(ctx context.Context, ref blob.Ref, size int64) ([]byte, error)
	controlled []byte // the control manifest
	deprecated map[string]deprecation
	shown      []shown                      // usable extensions, sorted by Key
	number     map[string]int               // of shown, by Key
	dependents map[string][]int             // numbers of those that need or contain an extension, by its Key
	tagged     map[string]int               // how many extensions have a tag, in lower case
	withdrawn  map[string][]pages.Withdrawn // by the Key of the extension
}

// A shown extension has a page.
type shown struct {
	*catalog.Extension // as the policy presents it
	newest             *catalog.Version
	dir                string // of newest, below assets/ and files/
	card               pages.Card
	figures            catalog.Figures
	rank               int // in the order of names
}

// A deprecation is what the control manifest says about an extension.
type deprecation struct {
	Extension struct {
		ID, DisplayName string
	}
	AdditionalInfo string
}

// newViews returns the views of a catalogue. Without pages, they have only the control manifest.
func newViews(c *catalog.Catalog, read func(context.Context, blob.Ref, int64) ([]byte, error)) *views {
	p := policy.Of(c)
	v := &views{catalog: c, policy: p, read: read, controlled: controlOf(c, p)}
	if c.NoPages {
		return v
	}
	v.site = siteOf(c, p)
	v.deprecated = deprecations(v.controlled)
	v.number, v.dependents, v.tagged = make(map[string]int), make(map[string][]int), make(map[string]int)
	totals := stats.NewTotals(c, p.Ratings)
	for _, e := range usable(c) {
		s := v.show(e)
		s.figures = totals.Of(e)
		v.number[e.Key()] = len(v.shown)
		v.shown = append(v.shown, s)
		for _, tag := range tagsOf(s.newest) {
			v.tagged[strings.ToLower(tag)]++
		}
	}
	v.withdrawn = withdrawn(c)
	for rank, i := range pages.OrderByName(len(v.shown), func(i int) *pages.Card { return &v.shown[i].card }) {
		v.shown[i].rank = rank
	}
	for i := range v.shown {
		for _, need := range c.Needs(v.shown[i].newest) {
			v.dependents[need.ID] = append(v.dependents[need.ID], i)
		}
	}
	return v
}

// siteOf returns what all pages of a gallery have in common.
func siteOf(c *catalog.Catalog, p *policy.Policy) *pages.Site {
	g := &p.Gallery
	s := &pages.Site{Title: g.Title, Contact: g.Contact, BaseURL: c.BaseURL, ContentURL: c.ContentURL, Install: g.Install, RateURL: p.RateURL}
	if g.Logo != nil {
		s.Logo, s.LogoWidth, s.LogoHeight = pages.LogoPath(g.Logo.File), g.Logo.Width, g.Logo.Height
	}
	return s
}

// controlOf returns the control manifest of a gallery, which may be empty.
func controlOf(c *catalog.Catalog, p *policy.Policy) []byte {
	if control := decision.Control(c, p); control != nil {
		return control
	}
	return []byte(gallery.Control)
}

// deprecations returns the deprecated extensions of a control manifest by lower-case id. A value
// that is not an object says nothing more about them.
func deprecations(control []byte) map[string]deprecation {
	var manifest struct{ Deprecated map[string]json.RawMessage }
	_ = json.Unmarshal(control, &manifest) // it was checked when it was read
	all := make(map[string]deprecation)
	for id, text := range manifest.Deprecated {
		var d deprecation
		_ = json.Unmarshal(text, &d)
		all[strings.ToLower(id)] = d
	}
	return all
}

// show returns an extension with its newest release, or with its newest version if it has no
// release.
func (v *views) show(e *catalog.Extension) shown {
	newest := &e.Versions[0]
	for i := range e.Versions {
		if !e.Versions[i].PreRelease {
			newest = &e.Versions[i]
			break
		}
	}
	s := shown{Extension: e, newest: newest, dir: dirOf(e, newest)}
	_, deprecated := v.deprecated[e.Key()]
	s.card = pages.Card{
		ID: e.ID(), Name: newest.DisplayName, Publisher: cmp.Or(e.Publisher.DisplayName, e.Publisher.Name), Description: newest.Description,
		Version: newest.Version, Updated: date(e.Updated), Deprecated: deprecated,
	}
	for _, kind := range []string{catalog.IconAsset, catalog.SmallIconAsset} {
		if s.card.Icon == "" && newest.Asset(kind) != nil {
			s.card.Icon = catalog.AssetsDir + s.dir + "/" + kind
		}
	}
	s.card = v.site.Cached(s.card)
	return s
}

func dirOf(e *catalog.Extension, v *catalog.Version) string {
	return catalog.VersionDir(e.Publisher.Name, e.Name, v.Version, v.Platform)
}

// date returns a day such as 2026-01-31, or "" for the zero time.
func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// mostDependents is how many extensions are listed as those that use another one.
const mostDependents = 50

// extension returns the data of a page without what must be read.
func (v *views) extension(s *shown) *pages.Extension {
	e := &pages.Extension{
		Card: s.card, PublisherName: s.Publisher.Name, Published: date(s.Published), Preview: s.newest.Preview,
		Categories: s.newest.Categories, Licence: s.newest.Licence,
		Dependents: v.usedBy(s), Withdrawn: v.withdrawn[s.Key()],
	}
	for _, tag := range tagsOf(s.newest) {
		if v.tagged[strings.ToLower(tag)] >= tagCards && hasPage(pages.TagPath(tag)) {
			e.Tags = append(e.Tags, tag)
		} else {
			e.RareTags = append(e.RareTags, tag)
		}
	}
	for _, need := range v.catalog.Needs(s.newest) {
		r := v.related(need.ID)
		r.Missing = need.Missing
		if need.Kind == catalog.NeedDependency {
			e.Dependencies = append(e.Dependencies, r)
		} else {
			e.Members = append(e.Members, r)
		}
	}
	if s.Publisher.Verified {
		e.Domain = s.Publisher.Domain
	}
	if d, ok := v.deprecated[s.Key()]; ok {
		e.Reason = d.AdditionalInfo
		if id := strings.ToLower(d.Extension.ID); id != "" {
			r := v.related(id)
			e.Replacement = &r
		}
	}
	for i := range s.Versions {
		e.Versions = append(e.Versions, versionRow(s.Extension, &s.Versions[i]))
	}
	return e
}

// tagsOf returns the tags that are shown of a version, each once in whatever case.
func tagsOf(v *catalog.Version) (tags []string) {
	for _, tag := range v.VisibleTags() {
		if !slices.ContainsFunc(tags, func(other string) bool { return strings.EqualFold(tag, other) }) {
			tags = append(tags, tag)
		}
	}
	return tags
}

// withdrawn returns the versions that were dropped or that a decision keeps out, by the Key of the
// extension.
func withdrawn(c *catalog.Catalog) map[string][]pages.Withdrawn {
	all := make(map[string][]pages.Withdrawn)
	for _, r := range decision.Of(c).All() {
		if s := r.Subject; s.Version != "" && r.Kind != decision.Deprecated && r.Kind != decision.Restored {
			key := strings.ToLower(s.Extension)
			all[key] = append(all[key], pages.Withdrawn{Versions: joined(s.Version, s.Platform), State: r.Kind, Date: date(r.When)})
		}
	}
	for i := range c.Dropped {
		d := &c.Dropped[i]
		key := strings.ToLower(d.Version.Publisher + "." + d.Version.Name)
		all[key] = append(all[key], pages.Withdrawn{Versions: joined(d.Version.Version, d.Version.Platform), State: "dropped", Date: date(d.Since)})
	}
	return all
}

// joined returns a version with its platform, if it has one.
func joined(version, platform string) string {
	if platform == "" {
		return version
	}
	return version + "@" + platform
}

// versionRow returns the row of a version.
func versionRow(e *catalog.Extension, v *catalog.Version) pages.Version {
	engine, _ := v.Property(catalog.PropertyEngine)
	return pages.Version{
		Version: v.Version, Platform: v.Platform, PreRelease: v.PreRelease, Date: date(v.Updated), Bytes: v.Package.Size,
		Engine: engine, SHA256: v.Package.Ref.String(), Signed: v.Signed,
		File: catalog.AssetsDir + dirOf(e, v) + "/" + catalog.PackageAsset,
	}
}

// related returns an extension by its id in lower case. It is missing if it has no page.
func (v *views) related(id string) pages.Related {
	if i, ok := v.number[id]; ok {
		return pages.Related{ID: v.shown[i].card.ID, Name: v.shown[i].card.Name}
	}
	return pages.Related{ID: id, Name: id, Missing: true}
}

// usedBy returns the extensions that need an extension, or contain it as packs.
func (v *views) usedBy(s *shown) (all []pages.Related) {
	for _, i := range v.dependents[s.Key()] {
		if len(all) == mostDependents {
			break
		}
		all = append(all, v.related(v.shown[i].Key()))
	}
	return all
}

// complete adds to the data of a page what must be read: the readme, the change log, and what the
// package says about itself.
func (v *views) complete(ctx context.Context, s *shown, e *pages.Extension) error {
	about, err := v.about(ctx, s)
	if err != nil {
		return err
	}
	e.Network, e.Links = about.Network, linksOf(about.Links)
	for _, c := range about.Contributions {
		to := pages.Contribution{Kind: c.Kind, More: c.More}
		for _, i := range c.Items {
			to.Items = append(to.Items, pages.ContributedItem{Name: i.Name, Detail: i.Detail, Default: i.Default, Colours: i.Colours})
		}
		e.Contributions = append(e.Contributions, to)
	}
	picture := v.pictures(s, about)
	if e.Readme, err = v.text(ctx, s, catalog.DetailsAsset, "readme-", picture); err != nil {
		return err
	}
	e.Changelog, err = v.text(ctx, s, catalog.ChangelogAsset, "changelog-", picture)
	return err
}

// about returns what the package says about itself.
func (v *views) about(ctx context.Context, s *shown) (pagedata.Document, error) {
	a := s.newest.Asset(catalog.PageAsset)
	if a == nil {
		return pagedata.Document{}, nil
	}
	text, err := v.read(ctx, a.Ref, a.Size)
	if err != nil {
		return pagedata.Document{}, err
	}
	return pagedata.Decode(text)
}

// linksOf returns the links that are set, with their labels.
func linksOf(l pagedata.Links) (all []pages.Link) {
	for _, link := range []pages.Link{
		{Label: "Repository", Address: l.Repository}, {Label: "Home page", Address: l.Homepage}, {Label: "Issues", Address: l.Bugs},
		{Label: "Questions", Address: l.QnA}, {Label: "Sponsor", Address: l.Sponsor},
	} {
		if link.Address != "" {
			all = append(all, link)
		}
	}
	return all
}

// pictures returns a function that finds the pictures of texts among the files of a version.
func (v *views) pictures(s *shown, about pagedata.Document) func(address string) (markdown.Picture, bool) {
	repository := pictures.ParseRepository(about.Links.Repository, about.Links.Directory)
	collected := make(map[string]string, len(about.Pictures))
	for _, p := range about.Pictures {
		collected[p.Address] = p.File
	}
	files := make(map[string]bool, len(s.newest.Files))
	for i := range s.newest.Files {
		files[s.newest.Files[i].Path] = true
	}
	base := cmp.Or(v.catalog.ContentURL, "..") + "/" + catalog.FilesDir + s.dir + "/"
	return func(address string) (markdown.Picture, bool) {
		file, ok := repository.File(address)
		if file = "extension/" + file; !ok || !files[file] {
			absolute, _ := repository.Absolute(address)
			if file = collected[absolute]; !files[file] {
				return markdown.Picture{}, false
			}
		}
		at := url.URL{Path: file}
		return markdown.Picture{Address: base + at.EscapedPath()}, true
	}
}

// fewHeadings is the largest number of headings for which a text needs no list of contents.
const fewHeadings = 3

// text returns a readme or change log as HTML. There may be none.
func (v *views) text(ctx context.Context, s *shown, kind, prefix string, picture func(string) (markdown.Picture, bool)) (pages.Text, error) {
	a := s.newest.Asset(kind)
	if a == nil {
		return pages.Text{}, nil
	}
	source, err := v.read(ctx, a.Ref, a.Size)
	if err != nil {
		return pages.Text{}, err
	}
	d := markdown.Render(source, markdown.Options{Prefix: prefix, Level: 3, Picture: picture})
	t := pages.Text{HTML: template.HTML(d.HTML), Cut: d.Cut, File: catalog.AssetsDir + s.dir + "/" + kind}
	if len(d.Headings) > fewHeadings {
		for _, h := range d.Headings {
			t.Contents = append(t.Contents, pages.Entry{ID: h.ID, Text: h.Text})
		}
	}
	return t, nil
}
