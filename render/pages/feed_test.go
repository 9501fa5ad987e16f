package pages_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"galbuild/render/pages"
)

type link struct {
	Rel  string `xml:"rel,attr"`
	Href string `xml:"href,attr"`
}

type parsedFeed struct {
	XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string   `xml:"id"`
	Title   string   `xml:"title"`
	Updated string   `xml:"updated"`
	Links   []link   `xml:"link"`
	Entries []struct {
		ID      string `xml:"id"`
		Title   string `xml:"title"`
		Updated string `xml:"updated"`
		Author  string `xml:"author>name"`
		Link    link   `xml:"link"`
		Summary string `xml:"summary"`
	} `xml:"entry"`
}

func parseFeed(t *testing.T, text []byte) (f parsedFeed) {
	t.Helper()
	if err := xml.Unmarshal(text, &f); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return f
}

func TestFeed(t *testing.T) {
	var releases []pages.Release
	for i := range 60 {
		releases = append(releases, pages.Release{
			ID: fmt.Sprintf("Acme.n%d", i), Name: "N\x01 <&>", Publisher: "Acme", Version: "1.0.0", Description: "Text\x00 & more",
			Date: time.Date(2026, 1, 1+i/2, 12, 0, 0, 999, time.FixedZone("", 3600)),
		})
	}
	relative, absolute := new(pages.Site).Feed(releases), (&pages.Site{BaseURL: "https://tools.example/gallery"}).Feed(releases)
	f, g := parseFeed(t, relative), parseFeed(t, absolute)
	if len(f.Entries) != 50 || f.Updated != "2026-01-30T11:00:00Z" || f.Title != "New in Extensions" {
		t.Errorf("%d entries, %+v", len(f.Entries), f)
	}
	first := f.Entries[0]
	if first.Title != "N <&> 1.0.0" || first.Author != "Acme" || first.Summary != "Text & more" || first.Link.Href != "item/acme.n58.html" || first.Updated != f.Updated {
		t.Errorf("%+v", first)
	}
	ids := map[string]bool{f.ID: true}
	for i, e := range f.Entries {
		if ids[e.ID] || !strings.HasPrefix(e.ID, "urn:uuid:") || e.ID != g.Entries[i].ID {
			t.Errorf("the id %s is used twice, or is another one at another address: %s", e.ID, g.Entries[i].ID)
		}
		ids[e.ID] = true
	}
	if f.Links[0] != (link{"self", "feed.atom"}) || g.Links[0] != (link{"self", "https://tools.example/gallery/feed.atom"}) ||
		g.Entries[0].Link.Href != "https://tools.example/gallery/item/acme.n58.html" {
		t.Errorf("%+v, %+v", f.Links, g.Links)
	}
	slices.Reverse(releases)
	if string(new(pages.Site).Feed(releases)) != string(relative) {
		t.Error("releases in another order give another feed")
	}
	if f := parseFeed(t, new(pages.Site).Feed(nil)); f.Updated != "1970-01-01T00:00:00Z" || f.ID == "" {
		t.Errorf("%+v", f)
	}
}

func TestNew(t *testing.T) {
	var days []pages.Day
	for i := range 40 {
		days = append(days, pages.Day{Date: fmt.Sprintf("2026-%02d-%02d", 1+i/28, 1+i%28), Added: []pages.Change{{ID: "acme.x", Name: "X"}}})
	}
	days = append(days, pages.Day{Date: "2026-12-01"}, pages.Day{
		Date: "2026-11-30", Updated: []pages.Change{{ID: "b.b", Name: "b"}, {ID: "A.a", Name: "A", Versions: []string{"2.0.0", "1.9.0"}}},
		Blocked: []pages.Change{{ID: "mallory.x", Name: "Miner", Reason: "It mines.", Gone: true}},
	})
	text := string(new(pages.Site).New(days))
	for want, n := range map[string]int{
		"<h2>": 30, "2026-12-01": 0, "2026-01-11": 0, "2026-01-12": 2, `href="../item/a.a.html"`: 1, ">1.9.0<": 1, "mallory.x.html": 0, "It mines.": 1, "Updated <": 1, "Removed <": 0,
	} {
		if got := strings.Count(text, want); got != n {
			t.Errorf("%q is there %d times, want %d", want, got, n)
		}
	}
	if !(strings.Index(text, "2026-11-30") < strings.Index(text, "2026-02-01")) || !(strings.Index(text, "a.a.html") < strings.Index(text, "b.b.html")) {
		t.Error("the order is not by date and name")
	}
	if text := string(new(pages.Site).New(nil)); !strings.Contains(text, "Nothing has changed.") {
		t.Error(text)
	}
}

func TestCrawl(t *testing.T) {
	s := &pages.Site{BaseURL: "https://tools.example/gallery"}
	want := xml.Header + `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
 <url>
  <loc>https://tools.example/gallery/</loc>
 </url>
 <url>
  <loc>https://tools.example/gallery/item/acme.notes.html</loc>
  <lastmod>2026-11-20</lastmod>
 </url>
 <url>
  <loc>https://tools.example/gallery/tags/c~2b~2b.html</loc>
 </url>
</urlset>
`
	if got := string(s.Sitemap([]pages.Location{{"tags/c~2b~2b.html", ""}, {"item/acme.notes.html", "2026-11-20"}, {"index.html", ""}})); got != want {
		t.Errorf("got %s", got)
	}
	if got := strings.Count(string(s.Sitemap(make([]pages.Location, 60_000))), "<loc>"); got != 50_000 {
		t.Errorf("%d pages", got)
	}
	if got := new(pages.Site).Sitemap([]pages.Location{{Path: "index.html"}}); got != nil {
		t.Errorf("without a base URL: %s", got)
	}
	robots := string(s.Robots())
	for _, line := range []string{"User-agent: *\n", "\nDisallow: /gallery/blobs/\n", "\nDisallow: /gallery/assets/\n", "\nDisallow: /gallery/files/\n", "\nDisallow: /gallery/api/\n",
		"\nAllow: /gallery/\n", "\nSitemap: https://tools.example/gallery/sitemap.xml\n"} {
		if !strings.Contains(robots, line) {
			t.Errorf("there is no %q in\n%s", line, robots)
		}
	}
	if robots := string(new(pages.Site).Robots()); strings.Contains(robots, "Sitemap") || !strings.Contains(robots, "Disallow: /blobs/\n") {
		t.Error(robots)
	}
}

func TestStatistics(t *testing.T) {
	files := pages.Statistics(map[string]pages.Statistic{"Acme.Notes": {4711, 4.5, 12}, "acme.none": {}})
	if len(files) != 64 {
		t.Errorf("%d files", len(files))
	}
	if got := string(files[pages.StatisticsPath("acme.notes")]); got != `{"acme.notes":{"installs":4711,"rating":4.5,"ratings":12}}`+"\n" {
		t.Error(got)
	}
	all := 0
	for path, text := range files {
		var shard map[string]pages.Statistic
		if err := json.Unmarshal(text, &shard); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		all += len(shard)
	}
	if all != 1 {
		t.Errorf("%d extensions", all)
	}
}
