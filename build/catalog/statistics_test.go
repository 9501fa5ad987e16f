package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// withStatistics returns acme.a with these statistics of its versions, newest first, and acme.b
// without any.
func withStatistics(t testing.TB, all ...*Statistics) *Catalog {
	t.Helper()
	_, extensions := twoLines(t)
	e := &extensions[0]
	v := e.Versions[0]
	e.Versions = nil
	for i, s := range all {
		v.Version = fmt.Sprintf("1.0.%d", len(all)-i)
		v.setStatistics(s)
		e.Versions = append(e.Versions, v)
		v.Sidecar = nil
	}
	e.SetStatistics()
	return &Catalog{Settings: Settings{Render: 1}, Extensions: extensions}
}

// inChunks writes a catalogue as a head and one chunk, and reads it again. It returns the lines of
// the head and of the chunk.
func inChunks(t testing.TB, c *Catalog) (got *Catalog, head, lines string) {
	t.Helper()
	var h, l bytes.Buffer
	if err := c.WriteMain(&h, filesOf("")); err != nil {
		t.Fatal(err)
	}
	if err := (Chunk{Extensions: c.Extensions}).WriteLines(&l); err != nil {
		t.Fatal(err)
	}
	head, lines = h.String(), l.String()
	got, files, err := ReadMain(&h)
	if err != nil {
		t.Fatal(err)
	}
	all, err := ReadLines(&l)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.AddChunks(files, [][]Extension{all}); err != nil {
		t.Fatal(err)
	}
	return got, head, lines
}

// TestStatistics has statistics of some versions. They are only in the main file of a catalogue,
// and reading adds them to the versions and to the extension.
func TestStatistics(t *testing.T) {
	one, same, two, zero := &Statistics{Install: 1}, &Statistics{Install: 1}, &Statistics{Install: 4711, AverageRating: 4.5, RatingCount: 12}, &Statistics{}
	_, _, plain := inChunks(t, withStatistics(t, nil, nil, nil, nil))
	for name, tt := range map[string]struct {
		all  []*Statistics
		want string // line of the head
	}{
		"one":       {[]*Statistics{two, two, two, two}, `{"id":"acme.a","runs":[{"versions":4,"statistics":{"install":4711,"averagerating":4.5,"ratingcount":12}}]}`},
		"equal":     {[]*Statistics{one, same, one, same}, `{"id":"acme.a","runs":[{"versions":4,"statistics":{"install":1}}]}`},
		"different": {[]*Statistics{nil, one, same, two}, `{"id":"acme.a","runs":[{"versions":1},{"versions":2,"statistics":{"install":1}},{"versions":1,"statistics":{"install":4711,"averagerating":4.5,"ratingcount":12}}]}`},
		"none last": {[]*Statistics{one, nil, nil, nil}, `{"id":"acme.a","runs":[{"versions":1,"statistics":{"install":1}},{"versions":3}]}`},
		"zero":      {[]*Statistics{zero, nil, nil, nil}, `{"id":"acme.a","runs":[{"versions":1,"statistics":{}},{"versions":3}]}`},
	} {
		c := withStatistics(t, tt.all...)
		before, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		got, head, lines := inChunks(t, c)
		if !reflect.DeepEqual(got, c) {
			t.Errorf("%s: got %+v, want %+v", name, got, c)
		}
		if !strings.HasPrefix(head, `{"galbuild":4,"statistics":1,"chunks":1,"render":1}`+"\n"+tt.want+"\n") {
			t.Errorf("%s: the head is %s", name, head)
		}
		if lines != plain {
			t.Errorf("%s: the lines are %s, want %s", name, lines, plain)
		}
		if after, err := json.Marshal(c); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s: writing changed the catalogue", name)
		}
		var whole bytes.Buffer
		if err := c.Write(&whole); err != nil {
			t.Fatal(err)
		}
		if got, err := Read(&whole); err != nil || !reflect.DeepEqual(got, c) {
			t.Errorf("%s: the whole catalogue is %+v, %v, want %+v", name, got, err, c)
		}
	}
}

// TestSetStatistics checks that an extension has the statistics of the newest version that has any.
func TestSetStatistics(t *testing.T) {
	one, two := &Statistics{Install: 1}, &Statistics{Install: 2}
	for _, tt := range []struct {
		all  []*Statistics
		want *Statistics
	}{
		{[]*Statistics{one, two}, one},
		{[]*Statistics{nil, two, one}, two},
		{[]*Statistics{nil, nil}, nil},
	} {
		e := withStatistics(t, tt.all...).Extensions[0]
		e.Statistics = &Statistics{Install: 3}
		if e.SetStatistics(); e.Statistics != tt.want {
			t.Errorf("got %+v, want %+v", e.Statistics, tt.want)
		}
	}
}

// TestStatisticsOfMany writes and reads catalogues with statistics at random.
func TestStatisticsOfMany(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		c := named(manyKeys(60)...)
		_, like := twoLines(t)
		for i := range c.Extensions {
			e := &c.Extensions[i]
			name, publisher := e.Name, e.Publisher.Name
			*e = like[0]
			e.Name, e.Publisher.Name = name, publisher
			v := e.Versions[0]
			e.Versions = nil
			for j := range 1 + random.IntN(4) {
				v.Version, v.Sidecar = fmt.Sprintf("1.0.%d", 9-j), nil
				if random.IntN(3) == 0 {
					v.Sidecar = &Sidecar{ExtensionID: e.UUID}
				}
				if random.IntN(2) == 0 {
					v.setStatistics(&Statistics{Install: random.Int64N(3), RatingCount: random.Int64N(2)})
				}
				e.Versions = append(e.Versions, v)
			}
			e.SetStatistics()
		}
		if got, head, _ := inChunks(t, c); !reflect.DeepEqual(got.Extensions, c.Extensions) {
			t.Fatalf("the extensions differ from those that were written: %s", head)
		}
	}
}

// TestStatisticsRefuses changes one value at a time of statistics, in a head and in a whole
// catalogue.
func TestStatisticsRefuses(t *testing.T) {
	c := withStatistics(t, &Statistics{Install: 1}, nil, nil)
	var head, whole bytes.Buffer
	if err := c.WriteMain(&head, filesOf("")); err != nil {
		t.Fatal(err)
	}
	if err := c.Write(&whole); err != nil {
		t.Fatal(err)
	}
	const own = `{"id":"acme.a","runs":[{"versions":1,"statistics":{"install":1}},{"versions":2}]}` + "\n"
	for _, tt := range []struct{ old, new, want string }{
		{`"statistics":1,`, `"statistics":-1,`, "statistics: want 0 to"},
		{`"statistics":1,`, `"statistics":2,`, "catalogue line 3: statistics"},
		{`"statistics":1,`, ``, "line 2: "},
		{own, strings.Repeat("[", 1e6) + "\n", "line 2: statistics"},
		{`{"id":"acme.a"`, `{"id":""`, `line 2: statistics: "" follows ""`},
		{`{"id":"acme.a"`, `{"id":"` + strings.Repeat("a", maxID+1) + `"`, "line 2: statistics: want the id"},
		{`{"id":"acme.a"`, `{"id":"acme.A"`, "statistics: there is no extension acme.A"},
		{`{"id":"acme.a"`, `{"id":"zeta.a"`, "statistics: there is no extension zeta.a"},
		{`"versions":2`, `"versions":0`, "line 2: statistics: acme.a: want at least 1 version, found 0"},
		{`"versions":2`, `"versions":1`, "statistics: acme.a: they are of fewer versions than the extension has"},
		{`"versions":2`, `"versions":3`, "statistics: acme.a: they are of more versions than the extension has"},
		{`"install":1`, `"install":-1`, "line 2: statistics: acme.a: statistics: want counts"},
		{`"install":1`, `"install":1,"averagerating":6`, "line 2: statistics: acme.a: statistics: want counts"},
	} {
		for kind, text := range map[string]string{"head": head.String(), "whole": whole.String()} {
			if !strings.Contains(text, tt.old) {
				t.Fatalf("%s is not in %s", tt.old, text)
			}
			if _, err := readEither(kind, strings.Replace(text, tt.old, tt.new, 1), c.Extensions); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: %.80s: %v, want %q", kind, tt.new, err, tt.want)
			}
		}
	}
	doubled := strings.Replace(strings.Replace(head.String(), own, own+own, 1), `"statistics":1,`, `"statistics":2,`, 1)
	if _, err := readEither("head", doubled, c.Extensions); err == nil || !strings.Contains(err.Error(), `line 3: statistics: "acme.a" follows "acme.a"`) {
		t.Errorf("two lines of one extension: %v", err)
	}
}

// readEither reads a whole catalogue, or a head to which it adds extensions without statistics.
func readEither(kind, text string, extensions []Extension) (*Catalog, error) {
	if kind == "whole" {
		return Read(strings.NewReader(text))
	}
	c, files, err := ReadMain(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	var plain []Extension
	for i := range extensions {
		plain = append(plain, *withoutStatistics(&extensions[i]))
	}
	return c, c.AddChunks(files, [][]Extension{plain})
}

// TestStatisticsInLines refuses statistics where chunks would have them.
func TestStatisticsInLines(t *testing.T) {
	lines, _ := twoLines(t)
	for _, tt := range []struct{ old, new string }{
		{`"versions":[`, `"statistics":{"install":1},"versions":[`},
		{`"package":`, `"sidecar":{"statistics":{}},"package":`},
	} {
		line := strings.Replace(lines[0], tt.old, tt.new, 1)
		if _, err := ReadLines(strings.NewReader(line)); line == lines[0] || err == nil || !strings.Contains(err.Error(), "line 1: acme.a: statistics: want them in a line of their own") {
			t.Errorf("%s: %v", tt.new, err)
		}
	}
}

// TestEqualLines compares extensions that differ, in statistics and otherwise.
func TestEqualLines(t *testing.T) {
	a := withStatistics(t, &Statistics{Install: 1}, nil).Extensions
	if b := withStatistics(t, nil, &Statistics{Install: 2}).Extensions; !EqualLines(a, b) {
		t.Error("other statistics make other lines")
	}
	b := slices.Clone(a)
	b[1].Name = "c"
	if EqualLines(a, b) || EqualLines(a, a[:1]) {
		t.Error("other extensions have equal lines")
	}
}
