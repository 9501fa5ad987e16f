package pages

import (
	"html/template"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Card is an extension in a list.
type Card struct {
	ID          string // publisher.name, as declared
	Name        string // for people
	Publisher   string // for people
	Description string
	Icon        string // path of its icon below the gallery, "" for none
	Version     string // newest
	Updated     string // date, such as 2026-01-31
	Deprecated  bool

	row *row // see Site.Cached; nil if the row is rendered each time
}

// A row is the row of a card in the lists of all pages in folders.
type row struct {
	once sync.Once
	html template.HTML
}

// Cached returns a card whose row is rendered only once for all lists that have it. Most extensions
// are in about ten lists.
func (s *Site) Cached(c Card) Card {
	c.row = new(row)
	return c
}

// Row returns the row of a card in a list.
func (v view) Row(c Card) template.HTML {
	if c.row == nil || v.Root != "../" {
		return v.renderRow(c)
	}
	c.row.once.Do(func() { c.row.html = v.renderRow(c) })
	return c.row.html
}

func (v view) renderRow(c Card) template.HTML {
	var b strings.Builder
	if err := templates["list"].ExecuteTemplate(&b, "card", v.With(c, 48)); err != nil {
		panic(err) // cards are plain data, and writing to memory does not fail
	}
	return template.HTML(b.String())
}

// Extension is an extension with all that its page shows. Dates are such as 2026-01-31.
type Extension struct {
	Card
	PublisherName string // the first part of the id
	Domain        string // of the publisher, if it is verified; an http or https address
	Published     string // the first version
	Preview       bool
	Replacement   *Related // of a deprecated extension; nil for none
	Reason        string   // why it is deprecated

	Categories, Tags []string
	RareTags         []string // tags that have no page, because no other extension has them
	Licence          string   // SPDX expression, or ""
	Links            []Link   // repository, support, sponsor, …
	Network          string   // what shows that it needs the network when it runs; "" if nothing does

	Readme, Changelog Text
	Versions          []Version // newest first
	Withdrawn         []Withdrawn
	Contributions     []Contribution
	Dependencies      []Related // that are installed with it
	Members           []Related // of a pack
	Dependents        []Related // that need it, or packs that contain it
}

// Text is a readme or change log.
type Text struct {
	HTML     template.HTML // of package markdown; "" for none
	Contents []Entry       // headings, if there are enough to need a list
	Cut      bool          // its end is missing
	File     string        // path of the original below the gallery
}

// Entry is a heading in a list of contents.
type Entry struct{ ID, Text string }

// Link is a link to another site. Only http, https and mailto addresses are shown.
type Link struct{ Label, Address string }

// Related is another extension, which may not be in the gallery.
type Related struct {
	ID, Name string
	Missing  bool
}

// Version is a version for one platform.
type Version struct {
	Version    string
	Platform   string // "" for all
	PreRelease bool
	Date       string
	Bytes      int64
	Engine     string // range of versions of VS Code
	SHA256     string // 64 hexadecimal digits
	Signed     bool
	State      string // what the policy says, such as "kept until 2026-02-01"; "" for nothing
	File       string // path of the .vsix file below the gallery
}

// Withdrawn is versions that the gallery does not offer any more, or never did.
type Withdrawn struct {
	Versions string // a version, or which ones
	State    string // such as "blocked"
	Date     string
}

// Contribution is one kind of what an extension adds to an editor, such as commands.
type Contribution struct {
	Kind  string
	Items []ContributedItem
	More  int // items that are left out
}

// Count returns the number of items.
func (c Contribution) Count() int { return len(c.Items) + c.More }

// ContributedItem is a command, a setting, a theme, …
type ContributedItem struct {
	Name, Detail string
	Default      string   // of a setting, as JSON
	Colours      []string // of a theme, such as #1e1e1e; others are left out
}

// shownVersions is how many versions a page shows before the reader asks for more.
const shownVersions = 10

// colour matches colours in package files.
var colour = regexp.MustCompile(`^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$`)

// Extension returns the page of an extension.
func (s *Site) Extension(e *Extension) []byte {
	shown := *e
	shown.Links = slices.DeleteFunc(slices.Clone(e.Links), func(l Link) bool { return !isLink(l.Address) })
	hidden := func(tag string) bool { return strings.HasPrefix(tag, "_") }
	shown.Tags, shown.RareTags = slices.DeleteFunc(slices.Clone(e.Tags), hidden), slices.DeleteFunc(slices.Clone(e.RareTags), hidden)
	if !isLink(e.Domain) {
		shown.Domain = ""
	}
	return s.render("extension", view{
		Path: ExtensionPath(e.ID), Heading: e.Name + ", by " + e.Publisher, Description: clip(e.Description, 200), Image: e.Icon, Body: &shown,
	})
}

// isLink reports whether a page may link to an address.
func isLink(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.User == nil && ((u.Scheme == "http" || u.Scheme == "https") && u.Host != "" || u.Scheme == "mailto" && u.Opaque != "")
}

// Newest returns the version that the page offers first: the newest release, or else the newest
// version, for all platforms if there is one.
func (e *Extension) Newest() *Version {
	var best *Version
	for i := range e.Versions {
		v := &e.Versions[i]
		switch {
		case best == nil, best.PreRelease && !v.PreRelease, best.Version == v.Version && best.Platform != "" && v.Platform == "":
			best = v
		}
	}
	return best
}

// Platforms returns the versions that are the same as the newest, but for other platforms.
func (e *Extension) Platforms() (all []Version) {
	newest := e.Newest()
	for _, v := range e.Versions {
		if newest != nil && v.Version == newest.Version && v.Platform != newest.Platform {
			all = append(all, v)
		}
	}
	return all
}

// Shown and Older are the versions before and after the first shownVersions.
func (e *Extension) Shown() []Version { return e.Versions[:min(len(e.Versions), shownVersions)] }
func (e *Extension) Older() []Version { return e.Versions[min(len(e.Versions), shownVersions):] }

// Swatches returns the colours of a theme.
func (i ContributedItem) Swatches() []string {
	return slices.DeleteFunc(slices.Clone(i.Colours), func(c string) bool { return !colour.MatchString(c) })
}
