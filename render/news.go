package render

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/render/pages"
	"galbuild/render/pages/searchdata"
)

// planData returns what scripts and feed readers load: search data, statistics, what is new, and
// the files for search engines. Each is compared with its content.
func (p *planner) planData() []planned {
	if p.catalog.NoPages {
		return nil
	}
	d := &planner{views: p.views, known: p.known}
	d.addFiles(searchdata.Files(p.records()))
	statistics := make(map[string]pages.Statistic)
	for i := range p.shown {
		f := p.shown[i].figures
		statistics[p.shown[i].card.ID] = pages.Statistic{Installs: f.Installs, Rating: f.Rating, Ratings: f.Ratings}
	}
	d.addFiles(pages.Statistics(statistics))
	d.addFiles(map[string][]byte{pages.FeedPath: p.site.Feed(p.releases()), pages.RobotsPath: p.site.Robots()})
	if sitemap := p.site.Sitemap(p.locations()); sitemap != nil {
		d.addFiles(map[string][]byte{pages.SitemapPath: sitemap})
	}
	addPage(d, pages.NewPath, p.days, p.site.New)
	return d.planned
}

func (p *planner) addFiles(files map[string][]byte) {
	for path, text := range files {
		p.add(path, func() []byte { return text })
	}
}

// records returns what the search without a server finds.
func (p *planner) records() []searchdata.Record {
	records := make([]searchdata.Record, len(p.shown))
	for i := range p.shown {
		s := &p.shown[i]
		records[i] = searchdata.Record{
			Card: s.card, PublisherName: s.Publisher.Name, Tags: s.newest.VisibleTags(), Categories: s.newest.Categories, Published: date(s.Published),
			Installs: s.figures.Installs, Rating: s.figures.Rating, Ratings: s.figures.Ratings,
		}
	}
	return records
}

// feedVersions is how many versions the feed is made of; it has fewer entries.
const feedVersions = 100

// releases returns the versions that the gallery got last.
func (p *planner) releases() (all []pages.Release) {
	type release struct {
		*shown
		*catalog.Version
	}
	var found []release
	for i := range p.shown {
		s := &p.shown[i]
		for j := range s.Versions {
			if v := &s.Versions[j]; j == 0 || v.Version != s.Versions[j-1].Version {
				found = append(found, release{s, v})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b release) int {
		return cmp.Or(seen(b.Version).Compare(seen(a.Version)), b.Version.Updated.Compare(a.Version.Updated))
	})
	for _, r := range found[:min(len(found), feedVersions)] {
		all = append(all, pages.Release{
			ID: r.card.ID, Name: r.card.Name, Publisher: r.card.Publisher, Version: r.Version.Version, Description: r.Version.Description, Date: seen(r.Version),
		})
	}
	return all
}

// seen returns when the gallery got a version.
func seen(v *catalog.Version) time.Time {
	if v.Seen.IsZero() {
		return v.Updated
	}
	return v.Seen
}

// days returns what happened on each day: which versions the gallery got, and which decisions were
// made. Their reasons are private.
func (p *planner) days() []pages.Day {
	all := make(map[string]*pages.Day)
	day := func(t time.Time) *pages.Day {
		d := all[date(t)]
		if d == nil {
			d = &pages.Day{Date: date(t)}
			all[d.Date] = d
		}
		return d
	}
	for i := range p.shown {
		p.shown[i].addVersions(day)
	}
	for i := range p.catalog.Records {
		r := &p.catalog.Records[i]
		c := p.change(r)
		switch d := day(r.When); r.Kind {
		case decision.Removed:
			d.Removed = append(d.Removed, c)
		case decision.Blocked, decision.Malicious:
			d.Blocked = append(d.Blocked, c)
		}
	}
	var days []pages.Day
	for _, key := range slices.Sorted(maps.Keys(all)) {
		days = append(days, *all[key])
	}
	return days
}

// addVersions adds the versions of an extension to the days on which the gallery got them. On the
// first day, the extension itself was added.
func (s *shown) addVersions(day func(time.Time) *pages.Day) {
	byDay := make(map[string]*pages.Change)
	first := ""
	for i := range s.Versions {
		v := &s.Versions[i]
		key := date(seen(v))
		if first == "" || key < first {
			first = key
		}
		c := byDay[key]
		if c == nil {
			c = &pages.Change{ID: s.card.ID, Name: s.card.Name}
			byDay[key] = c
		}
		if !slices.Contains(c.Versions, v.Version) {
			c.Versions = append(c.Versions, v.Version)
		}
	}
	for key, c := range byDay {
		when, err := time.Parse(time.DateOnly, key)
		if err != nil {
			continue // it has no date
		}
		if d := day(when); key == first {
			d.Added = append(d.Added, *c)
		} else {
			d.Updated = append(d.Updated, *c)
		}
	}
}

// change returns what a decision is about.
func (p *planner) change(r *catalog.Record) pages.Change {
	c := pages.Change{ID: r.Subject.Extension, Name: r.Subject.String()}
	if i, ok := p.number[strings.ToLower(r.Subject.Extension)]; ok {
		c.ID, c.Name = p.shown[i].card.ID, p.shown[i].card.Name
	} else {
		c.Gone = true
	}
	if r.Subject.Version != "" {
		c.Versions = []string{r.Subject.Version}
	}
	return c
}

// locations returns the pages for search engines: home, extensions, publishers and categories.
func (p *planner) locations() (all []pages.Location) {
	for i := range p.planned {
		folder, _, below := strings.Cut(p.planned[i].path, "/")
		if path := p.planned[i].path; path == pages.HomePath || below && slices.Contains([]string{"categories", "publishers"}, folder) {
			all = append(all, pages.Location{Path: path})
		}
	}
	for i := range p.shown {
		all = append(all, pages.Location{Path: pages.ExtensionPath(p.shown[i].card.ID), Date: p.shown[i].card.Updated})
	}
	return all
}
