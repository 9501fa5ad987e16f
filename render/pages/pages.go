// Package pages renders the pages of a gallery for people: one for each extension, publisher,
// category and tag, lists by letter and by date, and the texts around them.
//
//	index.html               home: search, recommended and popular extensions, categories
//	item/acme.notes.html     an extension
//	item/index.html          the address that editors open, see [Site.Find]
//	publishers/acme.html     the extensions of a publisher
//	categories/themes.html   those of a category
//	tags/go.html             those with a tag
//	letters/a.html           those whose names begin with a letter
//	recent/1.html            those that were updated last
//	about/editors.html       how to point an editor to the gallery
//	about/messages.html      what editors say if something is wrong, and what to do
//	about/report.html        what was refused when the gallery was built
//	about/new.html           what was added, updated, removed and blocked, by day
//	404.html                 no such page
//	gallery.css gallery.js   the style sheet and the script of all pages
//	statistics/00.json …     numbers that the script adds to pages
//	search/…                 what the script searches if no server answers, see searchdata
//	feed.atom                the newest versions
//	sitemap.xml robots.txt   for search engines
//
// All names are in lower case. Pages contain only relative addresses, so they work at any path, and
// they work without the script: that adds the search, buttons that copy, and numbers that change
// every night. No page has code or styles in it, see headers.PagePolicy.
//
// The package gets plain data and knows nothing of the catalogue. The same data gives the same
// bytes.
package pages

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"html/template"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"galbuild/build/blob"
	"galbuild/build/headers"
)

//go:embed templates/*.html
var files embed.FS

// Style is the style sheet, which is served at StylePath.
//
//go:embed gallery.css
var Style []byte

//go:embed gallery.js
var script []byte

// Script is the script without its comments, which is served at ScriptPath.
var Script = comments.ReplaceAll(script, nil)

// comments matches the lines of the script that are only a comment.
var comments = regexp.MustCompile(`(?m)^ *//.*\n`)

// Icon is the icon of the pages, which is served at IconPath.
//
//go:embed favicon.svg
var Icon []byte

// Paths of files.
const (
	HomePath       = "index.html"
	FindPath       = "item/index.html"
	CategoriesPath = "categories/index.html"
	EditorsPath    = "about/editors.html"
	MessagesPath   = "about/messages.html"
	ReportPath     = "about/report.html"
	NewPath        = "about/new.html"
	NotFoundPath   = "404.html"
	StylePath      = "gallery.css"
	ScriptPath     = "gallery.js"
	IconPath       = "favicon.svg"
	FeedPath       = "feed.atom"
	SitemapPath    = "sitemap.xml"
	RobotsPath     = "robots.txt"
)

// ExtensionPath returns the path of the page of an extension, by its id in any case.
func ExtensionPath(id string) string { return "item/" + strings.ToLower(id) + ".html" }

// PublisherPath returns the path of the page of a publisher, by its name in any case.
func PublisherPath(name string) string { return "publishers/" + strings.ToLower(name) + ".html" }

// CategoryPath returns the path of the page of a category, in any case.
func CategoryPath(name string) string { return "categories/" + slug(name) + ".html" }

// TagPath returns the path of the page of a tag, in any case.
func TagPath(name string) string { return "tags/" + slug(name) + ".html" }

// LetterPath returns the path of a list by letter, see [ByLetter].
func LetterPath(key string) string { return "letters/" + slug(key) + ".html" }

// RecentPath returns the path of a page, from 1, of the list by date.
func RecentPath(page int) string { return fmt.Sprintf("recent/%d.html", page) }

// slug returns a name for a file that differs for any two texts that differ other than in case.
// Letters, digits, '-' and '_' stay, a space becomes '-'.
func slug(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "~%x", r)
		}
	}
	return b.String()
}

// Site is what all pages of a gallery have in common.
type Site struct {
	Title   string // of the gallery; "" is "Extensions"
	Contact string // address of a page, or mailto: and an address; "" for none
	// BaseURL is the address of the gallery, without a slash at the end. It is only in texts
	// that people copy, and for previews of links. "" if it is not known: the script fills it
	// in.
	BaseURL string
	// ContentURL is the address of the files of packages, without a slash at the end; "" if
	// they are below the gallery.
	ContentURL string
	// Logo is the path of the picture in the header, logo.svg or logo.png, see [LogoPath]; ""
	// is the icon.
	Logo                  string
	LogoWidth, LogoHeight int // in pixels, so that the page does not move when it arrives
	// RateURL is the address where people rate an extension, with {id} for its id; "" for none.
	RateURL string
	// Install is the editors for which pages say how to install an extension, by their names,
	// see [EditorNames]. nil is vscode, vscodium and code-server.
	Install []string
}

// A view is what a template gets.
type view struct {
	*Site
	Path        string // of the page
	Root        string // from the page to the home page's folder: "../", or "./"
	Heading     string // of the page, in its title
	Description string
	Image       string // path of a picture for previews of links
	Body        any
}

// templates are the pages by the names of their main elements.
var templates = parse("extension", "list", "categories", "home", "find", "missing", "editors", "messages", "report", "new")

func parse(names ...string) map[string]*template.Template {
	all := template.Must(template.New("").Funcs(functions).ParseFS(files, "templates/*.html"))
	pages := make(map[string]*template.Template, len(names))
	for _, name := range names {
		page := template.Must(all.Clone())
		template.Must(page.New("main").Parse(`{{template "` + name + `" .}}`))
		pages[name] = page
	}
	return pages
}

var functions = template.FuncMap{
	"segment": url.PathEscape, "lower": strings.ToLower, "initial": initial, "tile": tile, "plural": plural, "host": host, "size": size, "shard": shard,
	"category": CategoryPath, "tag": TagPath,
}

// render returns a page. name is the template of its main element.
func (s *Site) render(name string, v view) []byte {
	v.Site = s
	if v.Root == "" {
		v.Root = "./"
		if strings.Contains(v.Path, "/") {
			v.Root = "../"
		}
	}
	var b bytes.Buffer
	if err := templates[name].ExecuteTemplate(&b, "page.html", v); err != nil {
		panic(err) // views are plain data, and writing to memory does not fail
	}
	return b.Bytes()
}

// Name returns the title of the gallery.
func (s *Site) Name() string { return cmp.Or(s.Title, "Extensions") }

// A part of a view is what a template for a part of a page gets.
type part struct {
	View     view
	Card     Card
	Size     int // of the icon, in pixels
	Cards    []Card
	List     []Related
	Versions []Version
	Text     Text
	Parts    []Part
	Label    string
}

// With and the functions after it return the view with the data of one part of the page.
func (v view) With(c Card, size int) part        { return part{View: v, Card: c, Size: size} }
func (v view) Cards(c []Card) part               { return part{View: v, Cards: c} }
func (v view) Those(r []Related) part            { return part{View: v, List: r} }
func (v view) Rows(r []Version) part             { return part{View: v, Versions: r} }
func (v view) Text(t Text) part                  { return part{View: v, Text: t} }
func (v view) Parts(p []Part, label string) part { return part{View: v, Parts: p, Label: label} }

// Policy returns the Content-Security-Policy of pages.
func (v view) Policy() string { return headers.PagePolicy(v.ContentURL) }

// PageTitle returns the title of the page.
func (v view) PageTitle() string {
	if v.Heading == "" {
		return v.Name()
	}
	return v.Heading + " · " + v.Name()
}

// Link returns the address of a page or file of the gallery, by its path.
func (v view) Link(path string) string { return v.Root + escapePath(path) }

// Asset returns the address of a file of a package, by its path below the gallery.
func (v view) Asset(path string) string {
	if v.ContentURL != "" {
		return v.ContentURL + "/" + escapePath(path)
	}
	return v.Link(path)
}

// Absolute returns the address of a path with the gallery's, or "" if that is not known.
func (v view) Absolute(path string) string {
	if v.BaseURL == "" {
		return ""
	}
	return v.BaseURL + "/" + escapePath(path)
}

// Preview returns the address of the picture for previews of links, or "" if there is none or its
// address is not known.
func (v view) Preview() string {
	switch {
	case v.Image == "":
		return ""
	case v.ContentURL != "":
		return v.Asset(v.Image)
	}
	return v.Absolute(v.Image)
}

// StyleHash and ScriptHash are in the addresses of both files, so that a cache cannot mix two
// versions.
func (view) StyleHash() string  { return short(Style) }
func (view) ScriptHash() string { return short(Script) }

func short(b []byte) string {
	ref := blob.Sum(b)
	return hex.EncodeToString(ref[:4])
}

// escapePath escapes the parts of a path between slashes.
func escapePath(path string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

// initial returns the letter that stands for an extension without an icon.
func initial(name string) string {
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return string(unicode.ToUpper(r))
		}
	}
	return "·"
}

// tile returns the number of the colour of that letter.
func tile(id string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(strings.ToLower(id)))
	return h.Sum32() % 6
}

// host returns an address without its scheme.
func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return strings.TrimPrefix(cmp.Or(u.Host, u.Opaque), "www.")
}

// plural returns a number with a noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return group(n) + " " + noun + "s"
}

// group returns a number with commas between groups of three digits.
func group(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// size returns a number of bytes for people.
func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d bytes", n)
	case n < 1_000_000:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// clip returns at most n characters of a text on one line.
func clip(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
