package pages

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// List is a page with extensions.
type List struct {
	Path    string
	Kind    string // what the list is of: "Publisher", "Category", "Tag", or ""
	Title   string
	Note    string
	Domain  string // of a publisher, if it is verified
	Index   []Part // the lists of the same kind, of which this is one
	Cards   []Card
	Earlier string // path of the page before, "" for none
	Later   string // path of the page after, "" for none
}

// Part is a link to a list.
type Part struct {
	Label, Path string
	Count       int // 0 is not shown
	Current     bool
}

// List returns the page of a list.
func (s *Site) List(l *List) []byte {
	if !isLink(l.Domain) {
		l.Domain = ""
	}
	description := plural(len(l.Cards), "extension") + ": " + l.Title
	return s.render("list", view{Path: l.Path, Heading: l.Title, Description: description, Body: l})
}

// Categories is the page with all categories, and tags that are common.
type Categories struct{ Categories, Tags []Part }

// Categories returns that page.
func (s *Site) Categories(c *Categories) []byte {
	return s.render("categories", view{Path: CategoriesPath, Heading: "Categories", Description: "Extensions by category and tag", Body: c})
}

// Home is the first page.
type Home struct {
	Count                int // of extensions
	Recommended, Popular []Card
	Trending             []Card // installed most often in the last seven days
	Featured, Recent     []Card
	Categories, Letters  []Part
}

// Home returns the first page.
func (s *Site) Home(h *Home) []byte {
	return s.render("home", view{Path: HomePath, Description: plural(h.Count, "extension") + " for VS Code, code-server and VSCodium", Body: h})
}

// Find returns the page at the address that editors open, /item?itemName=acme.notes. The script
// goes from there to the page of the extension. A server that reads queries sends that page
// instead.
func (s *Site) Find(letters []Part) []byte {
	return s.render("find", view{Path: FindPath, Heading: "Extension", Description: "Find an extension by its id", Body: letters})
}

// NotFound returns the page for an address that has none. root is the path of the gallery on its
// host, such as "/gallery/", because the address may have any depth; "" if the gallery is at the
// root.
func (s *Site) NotFound(root string, letters []Part) []byte {
	return s.render("missing", view{Path: NotFoundPath, Root: cmp.Or(root, "/"), Heading: "Not found", Description: "There is no such page", Body: letters})
}

// A Letter is a list of extensions whose names begin with the same letter, or with the same two.
type Letter struct {
	Key   string // "a", "ab", or "0" for names that begin with anything else
	Cards []Card
}

// mostOfLetter is the number of extensions from which the list of a letter is divided by the second
// letter.
const mostOfLetter = 200

// ByLetter divides extensions by the first letter of their names, and sorts them by name. A new
// extension changes only the list that it is in.
func ByLetter(cards []Card) []Letter {
	groups := map[string][]Card{}
	for _, c := range cards {
		groups[letters(c.Name, 1)] = append(groups[letters(c.Name, 1)], c)
	}
	var all []Letter
	for key, group := range groups {
		if len(group) <= mostOfLetter || key == other {
			all = append(all, Letter{key, group})
			continue
		}
		second := map[string][]Card{}
		for _, c := range group {
			second[letters(c.Name, 2)] = append(second[letters(c.Name, 2)], c)
		}
		for key, group := range second {
			all = append(all, Letter{key, group})
		}
	}
	slices.SortFunc(all, func(a, b Letter) int { return strings.Compare(a.Key, b.Key) })
	for _, l := range all {
		SortByName(l.Cards)
	}
	return all
}

// other is the key of names that do not begin with a letter.
const other = "0"

// letters returns the first n characters of a name in lower case, up to the first that is not a
// letter. If there is none, it returns other.
func letters(name string, n int) string {
	var key strings.Builder
	for _, r := range strings.ToLower(name) {
		if !unicode.IsLetter(r) || utf8.RuneCountInString(key.String()) == n {
			break
		}
		key.WriteRune(r)
	}
	return cmp.Or(key.String(), other)
}

// SortByName sorts extensions by name, in any case, and then by id.
func SortByName(cards []Card) {
	sorted := make([]Card, 0, len(cards))
	for _, i := range OrderByName(len(cards), func(i int) *Card { return &cards[i] }) {
		sorted = append(sorted, cards[i])
	}
	copy(cards, sorted)
}

// OrderByName returns the numbers from 0 to n-1 in the order of the names of their cards.
func OrderByName(n int, card func(int) *Card) []int {
	keys, order := make([]string, n), make([]int, n)
	for i := range order {
		c := card(i)
		keys[i], order[i] = strings.ToLower(c.Name+"\x00"+c.ID), i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(keys[a], keys[b]) })
	return order
}

// Label returns the letters as they are in links.
func (l Letter) Label() string {
	if l.Key == other {
		return "0–9"
	}
	first, n := utf8.DecodeRuneInString(l.Key)
	return string(unicode.ToUpper(first)) + l.Key[n:]
}
