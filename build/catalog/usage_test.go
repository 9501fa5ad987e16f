package catalog

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func number(n int64) *int64 { return &n }

// counter returns the name of a test's counter.
func counter(n int) string { return fmt.Sprintf("%016x", n) }

// TestUsage writes and reads usage of extensions with statistics, without any, and of one that the
// catalogue does not have. It is in the main file only.
func TestUsage(t *testing.T) {
	c := withStatistics(t, &Statistics{Install: 1}, nil)
	_, _, plain := inChunks(t, c)
	rating := 4.5
	c.Counted = []CountedFile{{"2026-11-29.0123456789abcdef.jsonl", 4711, "2026-11-29"}, {"log.ab-12.jsonl", 0, "2026-11-28"}}
	c.Usage = []Usage{
		{ID: "acme.a", Imported: &Imported{Install: number(0), AverageRating: &rating}},
		{ID: "acme.b", Counts: []Counts{{Counter: counter(1), Downloads: 3}, {Counter: counter(2), Installs: 5, Day: "2026-11-29", Days: []int64{3, 0, 2}}}},
		{ID: "acme.gone", Counts: []Counts{{Counter: counter(1), Uninstalls: 1}}},
	}
	got, head, lines := inChunks(t, c)
	if !reflect.DeepEqual(got, c) {
		t.Errorf("got %+v, want %+v", got, c)
	}
	const want = `{"galbuild":4,"counted":2,"statistics":3,"chunks":1,"render":1}
{"file":"2026-11-29.0123456789abcdef.jsonl","bytes":4711,"day":"2026-11-29"}
{"file":"log.ab-12.jsonl","bytes":0,"day":"2026-11-28"}
{"id":"acme.a","runs":[{"versions":1,"statistics":{"install":1}},{"versions":1}],"imported":{"install":0,"averagerating":4.5}}
{"id":"acme.b","counts":[{"counter":"0000000000000001","downloads":3},{"counter":"0000000000000002","installs":5,"day":"2026-11-29","days":[3,0,2]}]}
{"id":"acme.gone","counts":[{"counter":"0000000000000001","uninstalls":1}]}
`
	if !strings.HasPrefix(head, want) {
		t.Errorf("the head is\n%s\nwant\n%s", head, want)
	}
	if lines != plain {
		t.Errorf("usage changed the lines of extensions: %s", lines)
	}
	var whole bytes.Buffer
	if err := c.Write(&whole); err != nil {
		t.Fatal(err)
	}
	if got, err := Read(bytes.NewReader(whole.Bytes())); err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("the whole catalogue is %+v, %v, want %+v", got, err, c)
	}
	for old, test := range map[string]struct{ new, want string }{
		`"bytes":4711`:                    {`"bytes":-1`, "line 2: counted: bytes: want a number of at least 0, found -1"},
		`"file":"log.ab`:                  {`"file":"../log.ab`, "line 3: counted: file: want a name"},
		`"file":"log.ab-12.jsonl"`:        {`"file":"1.jsonl"`, "line 3: counted: 1.jsonl follows 2026-11-29."},
		`"day":"2026-11-28"`:              {`"day":"2026-13-28"`, "line 3: counted: day: want one such as 2026-11-29"},
		`"averagerating":4.5`:             {`"averagerating":5.5`, "line 4: statistics: acme.a: imported: want an average rating of 0 to 5"},
		`"downloads":3`:                   {`"downloads":-3`, "line 5: statistics: acme.b: counts: want a number from 0"},
		`"installs":5`:                    {`"installs":9007199254740992`, "acme.b: counts: want a number from 0"},
		`"counter":"0000000000000002"`:    {`"counter":"0000000000000001"`, "acme.b: counts: 0000000000000001 follows 0000000000000001"},
		`"counter":"0000000000000001","u`: {`"counter":"x","u`, "acme.gone: counts: counter: want 16 hexadecimal digits"},
		`"days":[3,0,2]`:                  {`"days":[0,0,2]`, "days: the first and the last one need an install"},
		`,"days":[3,0,2]`:                 {``, "day and days: want both or neither"},
		`"days":[3,0,2`:                   {`"days":[3` + strings.Repeat(",1", RecentDays), "31 days, more than the limit of 30"},
		`"counts":[{"counter":"000000000000` + `0001","uninstalls":1}]`: {`"counts":[]`, "acme.gone: the line has nothing but the id"},
	} {
		text := strings.Replace(whole.String(), old, test.new, 1)
		if _, err := Read(strings.NewReader(text)); text == whole.String() || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.new, err, test.want)
		}
	}
}

// TestMergeUsage merges the usage of two catalogues in both orders. Counts of the same counter are
// the larger ones, and those of different counters stay apart, so that no count is added twice.
func TestMergeUsage(t *testing.T) {
	a := []Usage{
		{ID: "acme.a", Imported: &Imported{Install: number(1)}, Counts: []Counts{
			{Counter: counter(1), Downloads: 9, Installs: 6, Day: "2026-11-29", Days: []int64{2, 4}},
			{Counter: counter(3), Downloads: 1},
		}},
		{ID: "acme.b", Counts: []Counts{{Counter: counter(1), Uninstalls: 2}}},
	}
	b := []Usage{
		{ID: "acme.a", Imported: &Imported{Install: number(2)}, Counts: []Counts{
			{Counter: counter(1), Downloads: 7, Installs: 7, Day: "2026-11-30", Days: []int64{1, 1, 4, 1}},
			{Counter: counter(2), Installs: 5},
		}},
		{ID: "acme.c", Imported: &Imported{Install: number(3)}},
	}
	merged := MergeUsage(a, b)
	want := []Counts{
		{Counter: counter(1), Downloads: 9, Installs: 7, Day: "2026-11-30", Days: []int64{1, 2, 4, 1}},
		{Counter: counter(2), Installs: 5}, {Counter: counter(3), Downloads: 1},
	}
	if !reflect.DeepEqual(merged[0].Counts, want) || *merged[0].Imported.Install != 1 || len(merged) != 3 {
		t.Errorf("got %+v", merged)
	}
	other := MergeUsage(b, a)
	if *other[0].Imported.Install != 2 {
		t.Errorf("the imported statistics are those of the second list: %+v", other[0])
	}
	other[0].Imported = merged[0].Imported
	if !reflect.DeepEqual(other, merged) || !reflect.DeepEqual(MergeUsage(merged, a), merged) {
		t.Errorf("the order matters: %+v and %+v", merged, other)
	}
	if !IncludesUsage(merged, a) || !IncludesUsage(merged, b) || IncludesUsage(a, b) || IncludesUsage(b, a) || IncludesUsage(nil, a) {
		t.Error("IncludesUsage is wrong")
	}
	counted := MergeCounted([]CountedFile{{"a", 5, "2026-11-28"}, {"b", 1, "2026-11-28"}}, []CountedFile{{"a", 9, "2026-11-29"}, {"c", 1, "2026-11-28"}})
	if want := []CountedFile{{"a", 9, "2026-11-29"}, {"b", 1, "2026-11-28"}, {"c", 1, "2026-11-28"}}; !slices.Equal(counted, want) {
		t.Errorf("got %+v", counted)
	}
	if !IncludesCounted(counted, counted[:1]) || IncludesCounted(counted[:1], counted) || IncludesCounted([]CountedFile{{"a", 5, ""}}, counted[:1]) {
		t.Error("IncludesCounted is wrong")
	}
	imported := WithImported(merged, map[string]*Imported{"acme.d": {Install: number(4)}})
	if len(imported) != 3 || imported[0].Imported != nil || !reflect.DeepEqual(imported[0].Counts, want) || imported[2].ID != "acme.d" {
		t.Errorf("got %+v", imported)
	}
}

// TestAddCounts adds counts of days out of order. Only the installs of recent days are kept by day,
// and the catalogue that shares the counts does not change.
func TestAddCounts(t *testing.T) {
	before := Usage{ID: "acme.a", Counts: []Counts{{Counter: counter(1), Installs: 4, Day: "2026-11-29", Days: []int64{4}}}}
	u := before
	u.Add(counter(1), map[string]int64{"2026-11-20": 2}, map[string]int64{"2026-11-28": 1, "2026-10-01": 8}, nil)
	u.Add(counter(1), nil, map[string]int64{"2026-12-01": 3}, map[string]int64{"2026-12-01": 1})
	u.Add(counter(0), map[string]int64{"2026-11-20": 2}, nil, nil)
	want := []Counts{
		{Counter: counter(0), Downloads: 2},
		{Counter: counter(1), Downloads: 2, Installs: 16, Uninstalls: 1, Day: "2026-12-01", Days: []int64{3, 0, 4, 1}},
	}
	if !reflect.DeepEqual(u.Counts, want) {
		t.Errorf("got %+v, want %+v", u.Counts, want)
	}
	if before.Counts[0].Installs != 4 || len(before.Counts) != 1 || len(before.Counts[0].Days) != 1 {
		t.Errorf("the counts before have changed: %+v", before.Counts)
	}
	if n := u.Counts[1].InstallsSince("2026-11-29"); n != 7 {
		t.Errorf("%d installs since then, want 7", n)
	}
	u.Add(counter(1), map[string]int64{"2026-11-20": 1 << 62}, map[string]int64{"2027-11-20": 1 << 60}, nil)
	if err := u.check(); err != nil || u.Counts[1].Days[0] != maxUsage {
		t.Errorf("after very large counts: %+v, %v", u.Counts, err)
	}
}
