package stats

import (
	"math"

	"galbuild/build/catalog"
)

// Totals adds up the statistics of a catalogue by these rules:
//
//   - Installs are those that were imported plus those that were counted. So are downloads.
//   - Imported installs are those of the file that a build was given, if it states any for the
//     extension, or else those of the newest version whose sidecar states any.
//   - The rating is that of the file of ratings of the policy, if it lists the extension; or else
//     the imported one, in the same order.
//   - Trending extensions are those with most counted installs in the last day, 7 days or 30 days.
//     The last day is the last one on which the gallery has counted an install. Imported statistics
//     have no days.
type Totals struct {
	usage            map[string]catalog.Usage
	ratings          map[string]catalog.Rating
	day, week, month string // first days of trending
}

// NewTotals returns the totals of a catalogue and of the ratings of its policy, by Key.
func NewTotals(c *catalog.Catalog, ratings map[string]catalog.Rating) *Totals {
	t := &Totals{usage: make(map[string]catalog.Usage, len(c.Usage)), ratings: ratings}
	for _, u := range c.Usage {
		t.usage[u.ID] = u
		for i := range u.Counts {
			t.day = max(t.day, u.Counts[i].Day)
		}
	}
	if t.day != "" {
		t.week, t.month = before(t.day, 6), before(t.day, 29)
	}
	return t
}

// Day returns the last day with a counted install, or "" if there is none.
func (t *Totals) Day() string { return t.day }

// Sources are the numbers of an extension by their source.
type Sources struct {
	Imported catalog.Figures
	Counted  catalog.Figures // without ratings
	// RatedByPolicy is set if the rating is not the imported one.
	RatedByPolicy bool
	Uninstalls    int64
}

// Of returns the numbers of an extension that the gallery shows.
func (t *Totals) Of(e *catalog.Extension) catalog.Figures {
	s := t.Sources(e)
	f := s.Imported
	f.Installs, f.Downloads, f.Trending = add(f.Installs, s.Counted.Installs), add(f.Downloads, s.Counted.Downloads), s.Counted.Trending
	if s.RatedByPolicy {
		r := t.ratings[e.Key()]
		f.Rating, f.Ratings = r.Average, r.Count
	}
	return f
}

// Sources returns the numbers of an extension by their source.
func (t *Totals) Sources(e *catalog.Extension) (s Sources) {
	key := e.Key()
	u := t.usage[key]
	s.Imported = imported(e.Statistics, u.Imported)
	for i := range u.Counts {
		c := &u.Counts[i]
		s.Counted.Installs, s.Counted.Downloads = add(s.Counted.Installs, c.Installs), add(s.Counted.Downloads, c.Downloads)
		s.Uninstalls = add(s.Uninstalls, c.Uninstalls)
		s.Counted.Trending.Day = add(s.Counted.Trending.Day, c.InstallsSince(t.day))
		s.Counted.Trending.Week = add(s.Counted.Trending.Week, c.InstallsSince(t.week))
		s.Counted.Trending.Month = add(s.Counted.Trending.Month, c.InstallsSince(t.month))
	}
	_, s.RatedByPolicy = t.ratings[key]
	return s
}

// imported returns what is imported, of the file of the build first.
func imported(sidecar *catalog.Statistics, file *catalog.Imported) (f catalog.Figures) {
	if s := sidecar; s != nil {
		f.Installs, f.Rating, f.Ratings = s.Install, s.AverageRating, s.RatingCount
	}
	if file == nil {
		return f
	}
	if file.Install != nil {
		f.Installs = *file.Install
	}
	if file.Downloads != nil {
		f.Downloads = *file.Downloads
	}
	if file.AverageRating != nil || file.RatingCount != nil { // they belong together
		f.Rating, f.Ratings = 0, 0
	}
	if file.AverageRating != nil {
		f.Rating = *file.AverageRating
	}
	if file.RatingCount != nil {
		f.Ratings = *file.RatingCount
	}
	return f
}

// add returns the sum of two counts, or the largest number.
func add(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
