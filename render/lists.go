package render

import (
	"cmp"
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/render/pages"
)

// addExtensions adds the page of each extension.
func (p *planner) addExtensions() {
	for i := range p.shown {
		s := &p.shown[i]
		key := func() (catalog.DerivedKey, error) {
			var read []catalog.File // what the page is made from in addition
			for _, kind := range []string{catalog.DetailsAsset, catalog.ChangelogAsset, catalog.PageAsset} {
				if a := s.newest.Asset(kind); a != nil {
					read = append(read, a.File)
				}
			}
			return keyOf(p.extension(s), read, s.newest.Files, p.site)
		}
		p.planned = append(p.planned, planned{pages.ExtensionPath(s.card.ID), key, func(ctx context.Context) ([]byte, error) {
			e := p.extension(s)
			err := p.complete(ctx, s, e)
			return p.site.Extension(e), err
		}})
	}
}

// Sizes of lists.
const (
	homeCards   = 12 // in each part of the home page
	recentPages = 10
	recentCards = 30 // on each of these pages
	tagCards    = 2  // extensions from which on a tag has a page
)

// addLists adds the pages with lists of extensions.
func (p *planner) addLists() {
	letters := p.addLetters()
	for _, g := range p.grouped(func(s *shown) []string { return []string{s.Publisher.Name} }) {
		p.addList(pages.PublisherPath(g.name), func() *pages.List {
			of := &p.shown[g.members[0]]
			l := &pages.List{Kind: "Publisher", Title: of.card.Publisher, Cards: p.cards(g.members)}
			if of.Publisher.Verified {
				l.Domain = of.Publisher.Domain
			}
			return l
		})
	}
	categories := p.addTopics("Category", pages.CategoryPath, 1, func(s *shown) []string { return s.newest.Categories })
	tags := p.addTopics("Tag", pages.TagPath, tagCards, func(s *shown) []string { return s.newest.VisibleTags() })
	index := &pages.Categories{Categories: categories, Tags: mostCommon(tags)}
	addPage(p, pages.CategoriesPath, func() *pages.Categories { return index }, p.site.Categories)
	p.addHome(p.addRecent(), categories, letters)
}

// addList adds a page with a list.
func (p *planner) addList(path string, list func() *pages.List) {
	addPage(p, path, func() *pages.List {
		l := list()
		l.Path = path
		return l
	}, p.site.List)
}

// cards returns the cards of extensions, sorted by name.
func (p *planner) cards(numbers []int) []pages.Card {
	numbers = slices.Clone(numbers)
	slices.SortFunc(numbers, func(a, b int) int { return cmp.Compare(p.shown[a].rank, p.shown[b].rank) })
	cards := make([]pages.Card, len(numbers))
	for i, n := range numbers {
		cards[i] = p.shown[n].card
	}
	return cards
}

// A group is extensions that have something in common.
type group struct {
	name    string // as the first of them has it
	members []int  // numbers of extensions
}

// grouped groups extensions by their names of something, in any case. Groups are sorted by name in
// lower case.
func (p *planner) grouped(names func(*shown) []string) []group {
	all := make(map[string]*group)
	for i := range p.shown {
		for _, name := range names(&p.shown[i]) {
			key := strings.ToLower(name)
			g := all[key]
			if g == nil {
				g = &group{name: name}
				all[key] = g
			}
			if n := len(g.members); n == 0 || g.members[n-1] != i {
				g.members = append(g.members, i)
			}
		}
	}
	var sorted []group
	for _, key := range slices.Sorted(maps.Keys(all)) {
		sorted = append(sorted, *all[key])
	}
	return sorted
}

// addLetters adds the lists by letter, and returns links to them.
func (p *planner) addLetters() []pages.Part {
	cards := make([]pages.Card, len(p.shown))
	for i := range p.shown {
		cards[i] = p.shown[i].card
	}
	letters := pages.ByLetter(cards)
	parts := make([]pages.Part, len(letters))
	for i, l := range letters {
		parts[i] = pages.Part{Label: l.Label(), Path: pages.LetterPath(l.Key)}
	}
	for i, l := range letters {
		p.addList(parts[i].Path, func() *pages.List {
			index := slices.Clone(parts)
			index[i].Current = true
			return &pages.List{Kind: "All extensions", Title: l.Label(), Index: index, Cards: l.Cards}
		})
	}
	return parts
}

// addTopics adds the pages of categories or tags that at least so many extensions have, and returns
// links to them.
func (p *planner) addTopics(kind string, path func(string) string, atLeast int, names func(*shown) []string) (all []pages.Part) {
	for _, g := range p.grouped(names) {
		at := path(g.name)
		if len(g.members) < atLeast || !hasPage(at) {
			continue
		}
		p.addList(at, func() *pages.List { return &pages.List{Kind: kind, Title: g.name, Cards: p.cards(g.members)} })
		all = append(all, pages.Part{Label: g.name, Path: at, Count: len(g.members)})
	}
	return all
}

// longestName is the largest length of a file's name on common file systems, in bytes.
const longestName = 255

// hasPage reports whether a page can have this path.
func hasPage(path string) bool {
	return len(path[strings.LastIndexByte(path, '/')+1:]) <= longestName
}

// commonTags is how many tags are listed.
const commonTags = 100

// mostCommon returns the tags that most extensions have, sorted by name.
func mostCommon(tags []pages.Part) []pages.Part {
	common := slices.Clone(tags)
	slices.SortStableFunc(common, func(a, b pages.Part) int { return cmp.Compare(b.Count, a.Count) })
	common = common[:min(len(common), commonTags)]
	slices.SortFunc(common, func(a, b pages.Part) int { return strings.Compare(a.Path, b.Path) })
	return common
}

// addRecent adds the lists by date, and returns the extensions in their order.
func (p *planner) addRecent() []int {
	order := indices(len(p.shown))
	slices.SortStableFunc(order, func(a, b int) int { return p.shown[b].Updated.Compare(p.shown[a].Updated) })
	recent := order[:min(len(order), recentPages*recentCards)]
	parts := slices.Collect(slices.Chunk(recent, recentCards))
	if len(parts) == 0 {
		parts = [][]int{nil} // other pages link to the first one
	}
	for i, part := range parts {
		p.addList(pages.RecentPath(i+1), func() *pages.List {
			l := &pages.List{Title: "Recently updated"}
			for _, n := range part {
				l.Cards = append(l.Cards, p.shown[n].card)
			}
			if i > 0 {
				l.Earlier = pages.RecentPath(i)
			}
			if i+1 < len(parts) {
				l.Later = pages.RecentPath(i + 2)
			}
			return l
		})
	}
	return recent
}

func indices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// addHome adds the home page, and the pages that list all letters.
func (p *planner) addHome(recent []int, categories, letters []pages.Part) {
	home := &pages.Home{
		Count: len(p.shown), Categories: categories, Letters: letters,
		Recommended: p.byID(p.policy.Recommended), Featured: p.byID(slices.Concat(p.policy.Featured, p.catalog.Featured)),
		Popular:  p.most(func(f catalog.Figures) int64 { return f.Installs }),
		Trending: p.most(func(f catalog.Figures) int64 { return f.Trending.Week }),
	}
	for _, i := range recent[:min(len(recent), homeCards)] {
		home.Recent = append(home.Recent, p.shown[i].card)
	}
	addPage(p, pages.HomePath, func() *pages.Home { return home }, p.site.Home)
	all := func() []pages.Part { return letters }
	addPage(p, pages.FindPath, all, p.site.Find)
	root := "/"
	if base, err := url.Parse(p.catalog.BaseURL); err == nil {
		root = base.EscapedPath() + "/"
	}
	addPage(p, pages.NotFoundPath, all, func(letters []pages.Part) []byte { return p.site.NotFound(root, letters) })
}

// byID returns the cards of extensions that have a page, each once.
func (p *planner) byID(ids []string) (cards []pages.Card) {
	seen := make(map[string]bool)
	for _, id := range ids {
		if i, ok := p.number[id]; ok && !seen[id] && len(cards) < homeCards {
			seen[id] = true
			cards = append(cards, p.shown[i].card)
		}
	}
	return cards
}

// most returns the extensions of which a figure is largest.
func (p *planner) most(figure func(catalog.Figures) int64) (cards []pages.Card) {
	of := func(i int) int64 { return figure(p.shown[i].figures) }
	order := slices.DeleteFunc(indices(len(p.shown)), func(i int) bool { return of(i) == 0 })
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(of(b), of(a)) })
	for _, i := range order[:min(len(order), homeCards)] {
		cards = append(cards, p.shown[i].card)
	}
	return cards
}

// addTexts adds the pages that do not depend on extensions.
func (p *planner) addTexts() error {
	editors, err := p.site.Editors()
	if err != nil {
		return err
	}
	p.add(pages.EditorsPath, func() []byte { return editors })
	p.add(pages.MessagesPath, p.site.Messages)
	return nil
}
