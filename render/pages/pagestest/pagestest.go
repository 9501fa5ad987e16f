// Package pagestest writes the pages of a small gallery, with all that pages can show, for tests
// and to look at.
package pagestest

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"galbuild/build/pictures"
	"galbuild/render/markdown"
	"galbuild/render/pages"
	"galbuild/render/pages/searchdata"
)

// A Gallery is the pages, by their paths.
type Gallery map[string][]byte

// Write writes the pages into a folder.
func (g Gallery) Write(dir string) error {
	for path, text := range g {
		file := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(file, text, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// New returns the gallery at base, the path of the gallery on its host, such as "/tools/gallery/".
func New(base string) (Gallery, error) {
	site := &pages.Site{Title: "Acme extensions", Contact: "mailto:tools@acme.example", RateURL: "https://polls.acme.example/rate?extension={id}"}
	g := Gallery{pages.StylePath: pages.Style, pages.ScriptPath: pages.Script, pages.IconPath: pages.Icon}
	all := extensions()
	var cards []pages.Card
	var records []searchdata.Record
	var releases []pages.Release
	for i := range all {
		e := &all[i]
		cards = append(cards, e.Card)
		g[pages.ExtensionPath(e.ID)] = site.Extension(e)
		records = append(records, searchdata.Record{
			Card: e.Card, PublisherName: e.PublisherName, Tags: e.Tags, Categories: e.Categories, Published: cmp.Or(e.Published, "2025-01-31"),
			Installs: int64(1000 * i), Rating: 4, Ratings: int64(i),
		})
		if date, err := time.Parse(time.DateOnly, e.Updated); err == nil {
			releases = append(releases, pages.Release{ID: e.ID, Name: e.Name, Publisher: e.Publisher, Version: e.Version, Description: e.Description, Date: date})
		}
		if e.Icon != "" {
			g[e.Icon] = icon(uint8(40*i), 128, 128)
		}
		for _, v := range e.Versions {
			g[v.File] = []byte("a package")
		}
	}
	maps.Copy(g, pages.Statistics(map[string]pages.Statistic{"Acme.notes": {Installs: 48211, Rating: 4.62, Ratings: 131}}))
	maps.Copy(g, searchdata.Files(records))
	g[pages.FeedPath] = site.Feed(releases)
	g[pages.NewPath] = site.New(days)
	g[pages.RobotsPath] = site.Robots()
	g[picture] = icon(90, 960, 540)
	g[readme] = []byte(strings.Repeat(notes, 2))
	g.lists(site, all, cards, base)
	editors, err := site.Editors()
	g[pages.EditorsPath] = editors
	g[pages.MessagesPath] = site.Messages()
	g[pages.ReportPath] = site.Report(&report)
	return g, err
}

// lists adds the pages with lists.
func (g Gallery) lists(site *pages.Site, all []pages.Extension, cards []pages.Card, base string) {
	letters := pages.ByLetter(cards)
	parts := func(current string) (all []pages.Part) {
		for _, l := range letters {
			all = append(all, pages.Part{Label: l.Label(), Path: pages.LetterPath(l.Key), Current: l.Key == current})
		}
		return all
	}
	for _, l := range letters {
		path := pages.LetterPath(l.Key)
		g[path] = site.List(&pages.List{Path: path, Kind: "All extensions", Title: l.Label(), Index: parts(l.Key), Cards: l.Cards})
	}
	byPublisher, byCategory, byTag := map[string][]pages.Card{}, map[string][]pages.Card{}, map[string][]pages.Card{}
	for _, e := range all {
		name := strings.ToLower(e.PublisherName)
		byPublisher[name] = append(byPublisher[name], e.Card)
		for _, c := range e.Categories {
			byCategory[c] = append(byCategory[c], e.Card)
		}
		for _, t := range e.Tags {
			byTag[t] = append(byTag[t], e.Card)
		}
	}
	for name, cards := range byPublisher {
		path := pages.PublisherPath(name)
		g[path] = site.List(&pages.List{Path: path, Kind: "Publisher", Title: cards[0].Publisher, Domain: "https://" + name + ".example", Cards: cards})
	}
	categories := g.topics(site, "Category", byCategory, pages.CategoryPath)
	tags := g.topics(site, "Tag", byTag, pages.TagPath)
	g[pages.CategoriesPath] = site.Categories(&pages.Categories{Categories: categories, Tags: tags})
	for i := 1; i <= 2; i++ {
		l := &pages.List{Path: pages.RecentPath(i), Title: "Recently updated", Cards: cards[(i-1)*len(cards)/2 : i*len(cards)/2]}
		if i == 1 {
			l.Later = pages.RecentPath(2)
		} else {
			l.Earlier = pages.RecentPath(1)
		}
		g[l.Path] = site.List(l)
	}
	g[pages.HomePath] = site.Home(&pages.Home{
		Count: len(cards), Recommended: cards[:3], Popular: cards[3:9], Recent: cards[5:11], Categories: categories, Letters: parts(""),
	})
	g[pages.FindPath] = site.Find(parts(""))
	g[pages.NotFoundPath] = site.NotFound(base, parts(""))
}

// topics adds the pages of categories or tags, and returns links to them.
func (g Gallery) topics(site *pages.Site, kind string, topics map[string][]pages.Card, pathOf func(string) string) (all []pages.Part) {
	for name, cards := range topics {
		path := pathOf(name)
		g[path] = site.List(&pages.List{Path: path, Kind: kind, Title: name, Cards: cards})
		all = append(all, pages.Part{Label: name, Path: path, Count: len(cards)})
	}
	slices.SortFunc(all, func(a, b pages.Part) int { return strings.Compare(a.Label, b.Label) })
	return all
}

const (
	picture = "files/acme/notes/2.4.0/extension/images/list.png"
	readme  = "assets/acme/notes/2.4.0/Microsoft.VisualStudio.Services.Content.Details"
)

// extensions returns the sample extensions. The first one has everything, the second a hostile
// readme, and the third nothing.
func extensions() []pages.Extension {
	all := []pages.Extension{full(), hostile(), bare()}
	for _, line := range strings.Split(strings.TrimSpace(others), "\n") {
		f := strings.Split(line, "|")
		e := pages.Extension{
			Card: pages.Card{
				ID: f[0], Name: f[1], Description: f[2], Publisher: strings.ToUpper(f[0][:1]) + f[0][1:strings.Index(f[0], ".")],
				Version: "1." + fmt.Sprint(len(f[1])) + ".0", Updated: fmt.Sprintf("2026-%02d-%02d", len(f[2])%12+1, len(f[1])%28+1),
			},
			PublisherName: f[0][:strings.Index(f[0], ".")], Categories: []string{f[3]}, Tags: strings.Fields(f[4]), Licence: "MIT",
			Readme: text("readme-", "# "+f[1]+"\n\n"+f[2]+"\n"),
		}
		if len(f[1])%3 != 0 {
			e.Icon = "assets/" + strings.ToLower(strings.ReplaceAll(f[0], ".", "/")) + "/icon"
		}
		e.Versions = versions(e.ID, e.Version, 2)
		all = append(all, e)
	}
	return all
}

func full() pages.Extension {
	e := pages.Extension{
		Card: pages.Card{
			ID: "Acme.notes", Name: "Acme Notes", Publisher: "Acme Tools", Version: "2.4.0", Updated: "2026-11-20", Icon: "assets/acme/notes/2.4.0/icon",
			Description: "Keeps notes next to the code they are about, and finds them again when the code moves.",
		},
		PublisherName: "Acme", Domain: "https://acme.example", Published: "2023-04-01", Preview: true,
		Categories: []string{"Other", "Visualization"}, Tags: []string{"notes", "todo", "markdown", "c++", "c#"}, Licence: "MIT",
		Links:   []pages.Link{{Label: "Repository", Address: "https://github.com/acme/notes"}, {Label: "Support", Address: "https://acme.example/support"}, {Label: "Sponsor", Address: "https://acme.example/sponsor"}, {Label: "Not a link", Address: "javascript:alert(1)"}},
		Network: "The package contains the addresses api.acme.example and telemetry.acme.example.",
		Readme:  text("readme-", notes), Changelog: text("changelog-", "# Change log\n\n## 2.4.0\n\n- Swatches of themes\n\n## 2.3.0\n\n- Search in notes ([#12](https://github.com/acme/notes/issues/12))\n"),
		Versions: versions("acme.notes", "2.4.0", 14),
		Contributions: []pages.Contribution{
			{Kind: "Commands", Items: []pages.ContributedItem{{Name: "Notes: Add", Detail: "notes.add"}, {Name: "Notes: Find", Detail: "notes.find"}}},
			{Kind: "Settings", Items: []pages.ContributedItem{{Name: "The folder of notes", Detail: "notes.folder"}}},
			{Kind: "Colour themes", Items: []pages.ContributedItem{{Name: "Midnight", Colours: []string{"#101820", "#e9e7e2", "#74d2b9", "#f0a878"}}, {Name: "Paper", Colours: []string{"#fbfaf7", "#1d1c1a", "#0b6152", "url(x)"}}}},
		},
		Dependencies: []pages.Related{{ID: "acme.hello", Name: "Acme Hello"}, {ID: "globex.store", Name: "globex.store", Missing: true}},
		Dependents:   []pages.Related{{ID: "initech.reports", Name: "Reports"}},
	}
	e.Readme.Cut, e.Readme.File = true, readme
	e.Versions[0].Signed, e.Versions[3].PreRelease, e.Versions[5].State = true, true, "Kept until 2026-12-31"
	return e
}

func hostile() pages.Extension {
	return pages.Extension{
		Card: pages.Card{
			ID: "mallory.hello", Name: `<script>alert(1)</script> "a" ` + strings.Repeat("long", 60), Publisher: strings.Repeat("W", 200), Version: "1.0.0-" + strings.Repeat("x", 90),
			Description: strings.Repeat("word ", 100) + strings.Repeat("unbroken", 60), Deprecated: true,
		},
		PublisherName: "mallory", Domain: "javascript:alert(1)", Reason: "acme.hello has all its functions.", Replacement: &pages.Related{ID: "acme.hello", Name: "Acme Hello"},
		Tags:   []string{strings.Repeat("tag", 33), "<b>", `"><img src=x onerror=alert(1)>`, "../..", "_hidden"},
		Readme: text("readme-", attack), Versions: versions("mallory.hello", "1.0.0-"+strings.Repeat("x", 90), 1),
		Contributions: []pages.Contribution{{Kind: "Commands", Items: []pages.ContributedItem{{Name: strings.Repeat("command", 50), Detail: strings.Repeat("x", 300)}}}},
		Members:       []pages.Related{{ID: "acme.hello", Name: "Acme Hello"}, {ID: strings.Repeat("m", 90) + "." + strings.Repeat("n", 90), Name: strings.Repeat("m", 180), Missing: true}},
	}
}

func bare() pages.Extension {
	return pages.Extension{
		Card:          pages.Card{ID: "acme.hello", Name: "Acme Hello", Publisher: "Acme Tools", Version: "1.1.0"},
		PublisherName: "acme", Versions: versions("acme.hello", "1.1.0", 1),
	}
}

// versions returns n versions, the newest first, of which some are for two platforms.
func versions(id, newest string, n int) (all []pages.Version) {
	for i := range n {
		v := pages.Version{Version: newest, Date: fmt.Sprintf("2026-%02d-20", max(1, 11-i)), Bytes: 48_211 * int64(i+1), Engine: "^1.85.0", SHA256: fmt.Sprintf("%064x", 0xabcdef*(i+7))}
		if i > 0 {
			v.Version = fmt.Sprintf("0.%d.0", n-i)
		}
		if i == 0 && n > 10 {
			linux := v
			linux.Platform, linux.File = "linux-x64", "assets/"+id+"/linux.vsix"
			all = append(all, linux)
		}
		v.File = fmt.Sprintf("assets/%s/%d.vsix", id, i)
		all = append(all, v)
	}
	return all
}

// text returns a text with the pictures that are in the package.
func text(prefix, source string) pages.Text {
	repository := pictures.ParseRepository("https://github.com/acme/notes", "")
	d := markdown.Render([]byte(source), markdown.Options{Prefix: prefix, Level: 3, Picture: func(address string) (markdown.Picture, bool) {
		file, ok := repository.File(address)
		return markdown.Picture{Address: "../" + picture, Width: 960, Height: 540}, ok && file == "images/list.png"
	}})
	t := pages.Text{HTML: template.HTML(d.HTML)}
	if len(d.Headings) > 3 {
		for _, h := range d.Headings {
			t.Contents = append(t.Contents, pages.Entry{ID: h.ID, Text: h.Text})
		}
	}
	return t
}

// icon returns a picture with a frame.
func icon(hue uint8, width, height int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.RGBA{30 + hue/3, 90 + uint8(60*x/width), cmp.Or(hue, 120), 255}
			if d := min(x, y, width-x, height-y); d > height/4 {
				c = color.RGBA{250, 248, 240, 255}
			}
			img.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img) // writing to memory does not fail
	return b.Bytes()
}
