package render

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/render/pages"
)

// addExtensions adds the page of each extension.
func (p *planner) addExtensions() error {
	for i := range p.shown {
		s := &p.shown[i]
		e := p.extension(s)
		var read []catalog.File // what the page is made from in addition
		for _, kind := range []string{catalog.DetailsAsset, catalog.ChangelogAsset, catalog.PageAsset} {
			if a := s.newest.Asset(kind); a != nil {
				read = append(read, a.File)
			}
		}
		key, err := keyOf(e, read, s.newest.Files, p.site)
		if err != nil {
			return err
		}
		p.planned = append(p.planned, planned{pages.ExtensionPath(e.ID), key, func(ctx context.Context) ([]byte, error) {
			err := p.complete(ctx, s, e)
			return p.site.Extension(e), err
		}})
	}
	return nil
}

// Sizes of lists.
const (
	homeCards   = 12 // in each part of the home page
	recentPages = 10
	recentCards = 30 // on each of these pages
	tagCards    = 2  // extensions from which on a tag has a page
)

// addLists adds the pages with lists of extensions.
func (p *planner) addLists() error {
	letters, err := p.addLetters()
	if err != nil {
		return err
	}
	publishers := p.grouped(func(s *shown) []string { return []string{s.Publisher.Name} })
	for _, g := range publishers {
		of := p.shown[g.members[0]]
		l := &pages.List{Path: pages.PublisherPath(g.name), Kind: "Publisher", Title: of.card.Publisher, Cards: p.cards(g.members)}
		if of.Publisher.Verified {
			l.Domain = of.Publisher.Domain
		}
		if err := p.addList(l); err != nil {
			return err
		}
	}
	categories, err := p.addTopics("Category", pages.CategoryPath, 1, func(s *shown) []string { return s.newest.Categories })
	if err != nil {
		return err
	}
	tags, err := p.addTopics("Tag", pages.TagPath, tagCards, func(s *shown) []string { return s.newest.VisibleTags() })
	if err != nil {
		return err
	}
	index := &pages.Categories{Categories: categories, Tags: mostCommon(tags)}
	if err := p.addPage(pages.CategoriesPath, func() []byte { return p.site.Categories(index) }, index); err != nil {
		return err
	}
	recent, err := p.addRecent()
	if err != nil {
		return err
	}
	return p.addHome(recent, categories, letters)
}

// addList adds a page with a list.
func (p *planner) addList(l *pages.List) error {
	return p.addPage(l.Path, func() []byte { return p.site.List(l) }, l)
}

// cards returns the cards of extensions, sorted by name.
func (p *planner) cards(numbers []int) []pages.Card {
	cards := make([]pages.Card, len(numbers))
	for i, n := range numbers {
		cards[i] = p.shown[n].card
	}
	pages.SortByName(cards)
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
func (p *planner) addLetters() ([]pages.Part, error) {
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
		index := slices.Clone(parts)
		index[i].Current = true
		if err := p.addList(&pages.List{Path: parts[i].Path, Kind: "All extensions", Title: l.Label(), Index: index, Cards: l.Cards}); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// addTopics adds the pages of categories or tags that at least so many extensions have, and returns
// links to them.
func (p *planner) addTopics(kind string, path func(string) string, atLeast int, names func(*shown) []string) (all []pages.Part, err error) {
	for _, g := range p.grouped(names) {
		if len(g.members) < atLeast || !hasPage(path(g.name)) {
			continue
		}
		l := &pages.List{Path: path(g.name), Kind: kind, Title: g.name, Cards: p.cards(g.members)}
		if err := p.addList(l); err != nil {
			return nil, err
		}
		all = append(all, pages.Part{Label: g.name, Path: l.Path, Count: len(g.members)})
	}
	return all, nil
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
func (p *planner) addRecent() ([]int, error) {
	order := indices(len(p.shown))
	slices.SortStableFunc(order, func(a, b int) int { return p.shown[b].Updated.Compare(p.shown[a].Updated) })
	recent := order[:min(len(order), recentPages*recentCards)]
	number := 0
	for part := range slices.Chunk(recent, recentCards) {
		number++
		l := &pages.List{Path: pages.RecentPath(number), Title: "Recently updated"}
		for _, i := range part {
			l.Cards = append(l.Cards, p.shown[i].card)
		}
		if number > 1 {
			l.Earlier = pages.RecentPath(number - 1)
		}
		if number*recentCards < len(recent) {
			l.Later = pages.RecentPath(number + 1)
		}
		if err := p.addList(l); err != nil {
			return nil, err
		}
	}
	if number == 0 {
		return nil, p.addList(&pages.List{Path: pages.RecentPath(1), Title: "Recently updated"})
	}
	return recent, nil
}

func indices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// addHome adds the home page, and the pages that list all letters.
func (p *planner) addHome(recent []int, categories, letters []pages.Part) error {
	home := &pages.Home{Count: len(p.shown), Categories: categories, Letters: letters, Popular: p.most(func(f catalog.Figures) int64 { return f.Installs }), Trending: p.most(func(f catalog.Figures) int64 { return f.Trending.Week })}
	for _, i := range recent[:min(len(recent), homeCards)] {
		home.Recent = append(home.Recent, p.shown[i].card)
	}
	home.Recommended = p.byID(p.policy.Recommended)
	home.Featured = p.byID(slices.Concat(p.policy.Featured, p.catalog.Featured))
	if err := p.addPage(pages.HomePath, func() []byte { return p.site.Home(home) }, home); err != nil {
		return err
	}
	if err := p.addPage(pages.FindPath, func() []byte { return p.site.Find(letters) }, letters); err != nil {
		return err
	}
	return p.addPage(pages.NotFoundPath, func() []byte { return p.site.NotFound("", letters) }, letters)
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
