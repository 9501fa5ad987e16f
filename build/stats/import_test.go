package stats

import (
	"fmt"
	"strings"
	"testing"

	"galbuild/build/catalog"
)

// show returns the entries of a file as text: id, line, installs, downloads, average and count.
func show(i *Import) string {
	var all []string
	for _, e := range i.Entries {
		text := fmt.Sprintf("%s:%d", e.ID, e.Line)
		for _, n := range []*int64{e.Imported.Install, e.Imported.Downloads, e.Imported.RatingCount} {
			if n == nil {
				text += " -"
			} else {
				text += fmt.Sprintf(" %d", *n)
			}
		}
		if r := e.Imported.AverageRating; r != nil {
			text += fmt.Sprintf(" %g", *r)
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// TestParseImport has each format, as galleries and their scripts write them.
func TestParseImport(t *testing.T) {
	for text, want := range map[string]string{
		"id,install\nacme.a,5\nAcme.B, 1000 \n": "acme.a:2 5 - -, acme.b:3 1000 - -",
		"\ufeffID;x\n":                          "",
		"id,Installs,Downloads,Rating,Ratings\r\nacme.a,1,2,3.5,4\r\n":                                                   "acme.a:2 1 2 4 3.5",
		"# comment\nid,install,averagerating\nacme.a,,4\nacme.b,,\n":                                                     "acme.a:3 - - - 4",
		"id,install\nacme.a,5\nacme.a,6\n":                                                                               "acme.a:3 6 - -",
		"id,install,downloads\nacme.a,5\n":                                                                               "acme.a:2 5 - -",
		`{"acme.a": {"install": 5}, "ACME.b": {"averagerating": 4.5, "ratingcount": 2}}`:                                 "acme.a:1 5 - -, acme.b:1 - - 2 4.5",
		"{\n\"acme.a\": [{\"statisticName\": \"install\", \"value\": 5.0}],\n\"acme.b\": {\"install\": \"7\"}\n}":        "acme.a:2 5 - -, acme.b:3 7 - -",
		"[{\"id\": \"acme.a\", \"install\": 5},\n {\"publisher\": \"acme\", \"name\": \"b\", \"downloadCount\": 6}]":     "acme.a:1 5 - -, acme.b:2 - 6 -",
		`[{"namespace": "acme", "name": "a", "downloadCount": 9, "averageRating": 4, "reviewCount": 3}]`:                 "acme.a:1 9 - 3 4",
		`{"extensions": [{"publisher": {"publisherName": "acme"}, "extensionName": "a", "statistics": {"install": 3}}]}`: "acme.a:1 3 - -",
		"{\"results\": [{\"extensions\": [\n{\"publisher\": {\"publisherName\": \"acme\"}, \"extensionName\": \"a\", \"statistics\": [{\"statisticName\": \"install\", \"value\": 12.0}, {\"statisticName\": \"weightedRating\", \"value\": 4}]},\n" +
			"{\"publisher\": {\"publisherName\": \"acme\"}, \"extensionName\": \"b\", \"statistics\": [{\"statisticName\": \"ratingcount\", \"value\": 0}]}]}]}": "acme.a:2 12 - -, acme.b:3 - - 0",
		`[{"id": "acme.a", "statistics": null}, {"id": "acme.b", "install": null, "downloads": 1}]`: "acme.b:1 - 1 -",
	} {
		got, err := ParseImport("f", []byte(text))
		if want == "" {
			if err == nil {
				t.Errorf("%s: no error", text)
			}
			continue
		}
		if err != nil || show(got) != want {
			t.Errorf("%s: got %s, %v, want %s", text, show(got), err, want)
		}
	}
}

// TestWrongImports checks that mistakes are named with their lines.
func TestWrongImports(t *testing.T) {
	many := "id,install\n" + strings.Repeat("acme a,1\n", 50)
	for text, want := range map[string]string{
		"":                               "f: the file is empty",
		"id,install\n":                   "f: has no statistics of an extension",
		"name,install\nacme.a,1\n":       "f:1: want a header whose first column is id",
		"id,instal\nacme.a,1\n":          `f:1: there is no column "instal"`,
		"id,install\nacme.a,-1\n":        `f:2: acme.a: install: want a number of at least 0, found "-1"`,
		"id,install\nacme.a,1e300\n":     "f:2: acme.a: install: want a number",
		"id,install\nacme.a,1\nb,1\n":    `f:3: want the id of an extension such as acme.hello, found "b"`,
		"id,install\n\"acme.a,1\n":       "f:2: is not CSV",
		`{"acme.a": 5}`:                  `f:1: want the id of an extension such as acme.hello with its statistics, found "acme.a"`,
		"{\n\"acme\": {\"install\": 5}}": `f:2: want the id of an extension such as acme.hello with its statistics, found "acme"`,
		`{"acme.a": {"install": 5}`:      "f: is not JSON",
		"[\n5]":                          "f:2: want an object with statistics, found 5",
		"[]":                             "f: has no statistics of an extension",
		"{\"acme.a\": {\"rating\": 9}}":  `f:1: acme.a: average: want a number from 0 to 5, found "9"`,
		many:                             "f: and more mistakes",
	} {
		if _, err := ParseImport("f", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: got %v, want %s", text, err, want)
		}
	}
	if _, err := ParseImport("f", []byte(many)); strings.Count(err.Error(), "\n") != maxMistakes {
		t.Errorf("got %v", err)
	}
}

// FuzzParseImport checks that what is accepted can be in a catalogue.
func FuzzParseImport(f *testing.F) {
	f.Add([]byte("id,install,average,count\nacme.a,5,4.5,2\n"))
	f.Add([]byte(`{"acme.a": [{"statisticName": "install", "value": 5.0}], "acme.b": {"rating": 3}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		i, err := ParseImport("f", text)
		if err != nil {
			return
		}
		for _, e := range i.Entries {
			if e.Line < 1 || checkID(e.ID) != nil {
				t.Errorf("got %+v", e)
			}
			for _, n := range []*int64{e.Imported.Install, e.Imported.Downloads, e.Imported.RatingCount} {
				if n != nil && (*n < 0 || *n > 1<<52) {
					t.Errorf("got %d", *n)
				}
			}
			if r := e.Imported.AverageRating; r != nil && !(*r >= 0 && *r <= 5) {
				t.Errorf("got %g", *r)
			}
		}
	})
}

// TestTotals has each source of numbers, and which of them wins or is added.
func TestTotals(t *testing.T) {
	n, low, rating := int64(100), int64(3), 4.5
	sidecar := &catalog.Statistics{Install: 10, AverageRating: 3, RatingCount: 7}
	counts := []catalog.Counts{
		{Counter: "0000000000000001", Downloads: 6, Installs: 5, Day: "2026-11-29", Days: []int64{2, 0, 3}},
		{Counter: "0000000000000002", Installs: 4, Uninstalls: 1, Day: "2026-11-01", Days: []int64{4}},
	}
	for name, tt := range map[string]struct {
		sidecar *catalog.Statistics
		usage   catalog.Usage
		rated   bool
		want    catalog.Figures
	}{
		"nothing": {},
		"sidecar": {sidecar: sidecar, want: catalog.Figures{Installs: 10, Rating: 3, Ratings: 7}},
		"file before sidecar": {sidecar, catalog.Usage{Imported: &catalog.Imported{Install: &n, AverageRating: &rating, RatingCount: &low}}, false,
			catalog.Figures{Installs: 100, Rating: 4.5, Ratings: 3}},
		"file without ratings":  {sidecar, catalog.Usage{Imported: &catalog.Imported{Install: &n}}, false, catalog.Figures{Installs: 100, Rating: 3, Ratings: 7}},
		"file without installs": {sidecar, catalog.Usage{Imported: &catalog.Imported{Downloads: &n}}, false, catalog.Figures{Installs: 10, Downloads: 100, Rating: 3, Ratings: 7}},
		"average and count belong together": {sidecar, catalog.Usage{Imported: &catalog.Imported{AverageRating: &rating}}, false,
			catalog.Figures{Installs: 10, Rating: 4.5}},
		"counted": {nil, catalog.Usage{Counts: counts}, false, catalog.Figures{Installs: 9, Downloads: 6, Trending: catalog.Trending{Day: 2, Week: 5, Month: 9}}},
		"counted and imported": {sidecar, catalog.Usage{Imported: &catalog.Imported{Downloads: &n}, Counts: counts}, false,
			catalog.Figures{Installs: 19, Downloads: 106, Rating: 3, Ratings: 7, Trending: catalog.Trending{Day: 2, Week: 5, Month: 9}}},
		"rated by the policy": {sidecar, catalog.Usage{Imported: &catalog.Imported{AverageRating: &rating, RatingCount: &low}}, true,
			catalog.Figures{Installs: 10, Rating: 2, Ratings: 1}},
	} {
		c := gallery("a")
		e := &c.Extensions[0]
		e.Statistics = tt.sidecar
		tt.usage.ID = "acme.a"
		c.Usage = []catalog.Usage{tt.usage}
		ratings := map[string]catalog.Rating{}
		if tt.rated {
			ratings["acme.a"] = catalog.Rating{Average: 2, Count: 1}
		}
		if got := NewTotals(c, ratings).Of(e); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tt.want)
		}
	}
}
