package query

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// body returns a query with these filters, each a list of criteria.
func body(filters ...[]string) []byte {
	var all []string
	for _, criteria := range filters {
		all = append(all, `{"criteria":[`+strings.Join(criteria, ",")+`]}`)
	}
	return []byte(`{"filters":[` + strings.Join(all, ",") + `]}`)
}

func criterion(kind int, value string) string {
	return fmt.Sprintf(`{"filterType":%d,"value":%q}`, kind, value)
}

// criteria returns n criteria of this type with different values.
func criteria(kind, n int, prefix string) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = criterion(kind, fmt.Sprint(prefix, i))
	}
	return all
}

func parse(t *testing.T, body []byte) Query {
	t.Helper()
	q, err := Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// valueTypes are the types with a list of values, except ids, names and texts.
var valueTypes = []int{1, 2, 5, 8, 18, 19, 23, 24}

// TestValuesAreLimited has more values of each type than a filter may have.
func TestValuesAreLimited(t *testing.T) {
	for _, kind := range valueTypes {
		f := parse(t, body(criteria(kind, MaxValues+1, "v"))).Filters[0]
		if got := len(*f.list(int64(kind))); got != MaxValues {
			t.Errorf("type %d: got %d values, want %d", kind, got, MaxValues)
		}
	}
	if f := parse(t, body(criteria(10, MaxTexts+1, "v"))).Filters[0]; len(f.Text) != MaxTexts {
		t.Errorf("got %d texts, want %d", len(f.Text), MaxTexts)
	}
	var filters [][]string
	for i := range MaxFilters + 1 {
		filters = append(filters, criteria(1, 20, fmt.Sprint(i)))
	}
	q := parse(t, body(filters...))
	if len(q.Filters) != MaxFilters {
		t.Errorf("got %d filters, want %d", len(q.Filters), MaxFilters)
	}
	total := 0
	for i := range q.Filters {
		total += len(slices.DeleteFunc(q.Filters[i].Tags, func(tag string) bool { return tag == "" }))
	}
	if total != MaxQueryValues {
		t.Errorf("got %d values in all filters, want %d", total, MaxQueryValues)
	}
}

// TestNamesAreLimited has more ids and names in all filters together than a query may have.
// Each page holds all names of its filter.
func TestNamesAreLimited(t *testing.T) {
	q := parse(t, body(criteria(7, MaxNames-10, "a.b"), append(criteria(4, 20, "c.d"), criteria(7, 5, "e.f")...), criteria(7, 3, "g.h")))
	want := []struct{ ids, names int }{{0, MaxNames - 10}, {10, 1}, {0, 1}}
	for i, w := range want {
		f := &q.Filters[i]
		if len(f.IDs) != w.ids || len(f.Names) != w.names {
			t.Errorf("filter %d: got %d ids and %d names, want %d and %d", i, len(f.IDs), len(f.Names), w.ids, w.names)
		}
		if f.Size != max(DefaultPageSize, w.ids+w.names) {
			t.Errorf("filter %d: got size %d", i, f.Size)
		}
	}
	if names := q.Filters[2].Names; !slices.Equal(names, []string{""}) {
		t.Errorf("got names %q, want only the empty one, which matches nothing", names)
	}
}

// TestDroppedValuesMatchNothing has filters whose only value exceeds the limits of the
// query. They must not match everything.
func TestDroppedValuesMatchNothing(t *testing.T) {
	var full []string
	for i := range MaxQueryValues / MaxValues {
		full = append(full, criteria(valueTypes[i%len(valueTypes)], MaxValues, fmt.Sprint(i, "x"))...)
	}
	half := len(full) / 2
	for _, kind := range valueTypes {
		q := parse(t, body(full[:half], full[half:], []string{criterion(kind, "one more")}))
		if got := *q.Filters[2].list(int64(kind)); !slices.Equal(got, []string{""}) {
			t.Errorf("type %d: got %q, want the empty value", kind, got)
		}
	}
	long := strings.Repeat("x", MaxLength-8)
	q := parse(t, body(criteria(7, MaxBytes/MaxLength+10, long), criteria(1, 3, long)))
	if got := q.Filters[1].Tags; !slices.Equal(got, []string{""}) {
		t.Errorf("beyond %d bytes: got %d tags, want the empty one", MaxBytes, len(got))
	}
}

// TestRepeatedValuesCountOnce repeats values in another case, and with white space.
func TestRepeatedValuesCountOnce(t *testing.T) {
	for _, n := range []int{2, linearLimit, linearLimit + 1, 3 * linearLimit} {
		for _, kind := range valueTypes {
			all := append(criteria(kind, n, "straßeK"), criteria(kind, n, " STRAßE\u212a")...)
			f := parse(t, body(append(all, criterion(kind, "last")))).Filters[0]
			if list := *f.list(int64(kind)); len(list) != n+1 || list[n] != "last" {
				t.Errorf("type %d: got %d values of %d different ones", kind, len(list), n+1)
			}
		}
	}
	f := parse(t, body([]string{criterion(10, "a"), criterion(10, " A "), criterion(10, "b")})).Filters[0]
	if !slices.Equal(f.Text, []string{"a", "b"}) {
		t.Errorf("got texts %q", f.Text)
	}
}

// TestRepeatedNamesDoNotCount has as many different ids and names as a query may have, each
// three times, and one more.
func TestRepeatedNamesDoNotCount(t *testing.T) {
	tags := criteria(1, 2*linearLimit, "tag")
	ids, names := criteria(4, MaxNames/2, "straßeK"), criteria(7, MaxNames/2, "straßeK")
	again := append(criteria(4, MaxNames/2, " STRAßE\u212a"), criteria(7, MaxNames/2, "STRAßE\u212a ")...)
	more := []string{criterion(4, "one.more"), criterion(7, "one.more")}
	f := parse(t, body(slices.Concat(tags, ids, ids, names, again, more))).Filters[0]
	for name, list := range map[string][]string{"ids": f.IDs, "names": f.Names} {
		if len(list) != MaxNames/2 || list[0] != "straßeK0" || list[len(list)-1] != fmt.Sprint("straßeK", MaxNames/2-1) {
			t.Errorf("got %d %s, from %q to %q", len(list), name, list[0], list[len(list)-1])
		}
	}
	long := strings.Repeat("x", MaxLength-8)
	f = parse(t, body(slices.Concat(criteria(7, 800, long), criteria(7, 800, long), criteria(7, 200, "y")))).Filters[0]
	if len(f.Names) != 1000 {
		t.Errorf("got %d names, want 1000 that are shorter than %d bytes together", len(f.Names), MaxBytes)
	}
}

// TestLongValuesAreTruncated truncates a value between two characters, whether or not it is
// written with escapes.
func TestLongValuesAreTruncated(t *testing.T) {
	for _, value := range []string{strings.Repeat("é", MaxLength), strings.Repeat(`\u00e9`, MaxLength), strings.Repeat(`\ud83d\ude00`, MaxLength), strings.Repeat(`\\`, 5*MaxLength)} {
		for _, kind := range []int{1, 7, 10} {
			q := parse(t, []byte(fmt.Sprintf(`{"filters":[{"criteria":[{"filterType":%d,"value":"%s"},{"filterType":9}],"pageSize":7}],"flags":3}`, kind, value)))
			f := q.Filters[0]
			got := slices.Concat(f.Tags, f.Names, f.Text)
			if len(got) != 1 || len(got[0]) > MaxLength || len(got[0]) <= MaxLength-utf8.UTFMax || !utf8.ValidString(got[0]) {
				t.Fatalf("type %d: got %q", kind, got)
			}
			if !f.Featured || f.Size != 7 || q.Flags != 3 || q.Truncated {
				t.Errorf("type %d: the values after it are lost: %s", kind, q)
			}
		}
	}
}

// TestMaxSize compares the largest page of a list with that of ids.
func TestMaxSize(t *testing.T) {
	list, named := Filter{}, Filter{IDs: make([]string, 3000)}
	if list.Named() || !named.Named() {
		t.Errorf("named: %t and %t", list.Named(), named.Named())
	}
	if list.MaxSize() != MaxPageSize || named.MaxSize() != 3000 {
		t.Errorf("got sizes %d and %d", list.MaxSize(), named.MaxSize())
	}
}

// TestParseMemory parses bodies of 4 MB. Parse allocates little more than a copy of the
// body.
func TestParseMemory(t *testing.T) {
	const size = 4 << 20
	repeat := func(s string) string { return strings.Repeat(s, size/len(s)) }
	for name, text := range map[string]string{
		"keys":            `{` + repeat(`"a":1,`) + `"b":1}`,
		"escapes":         `{"filters":[{"criteria":[{"filterType":10,"value":"` + repeat(`\u00e9`) + `"}]}]}`,
		"backslashes":     `{"filters":[{"criteria":[{"filterType":7,"value":"` + repeat(`\\`) + `"}]}]}`,
		"skipped escapes": `{"x":[` + repeat(`"\n",`) + `1]}`,
		"open string":     `{"filters":[{"criteria":[{"filterType":10,"value":"` + repeat(`\"`),
		"names":           `{"filters":[{"criteria":[` + repeat(`{"filterType":7,"value":"a.b"},`) + `{}]}]}`,
		"filters":         `{"filters":[` + repeat(`{"criteria":[{"filterType":7,"value":"a.b"}]},`) + `{}]}`,
		"brackets":        `{"filters":[{"criteria":` + repeat(`[`),
		"digits":          `{"filters":[{"pageSize":` + repeat(`9`) + `}]}`,
		"different":       string(body(criteria(7, 110_000, "a.b"))),
	} {
		body := []byte(text)
		if len(body) < size*9/10 {
			t.Fatalf("%s: only %d bytes", name, len(body))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := Parse(body); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > size+2<<20 {
			t.Errorf("%s: %d bytes were allocated to parse %d", name, got, len(body))
		}
	}
}
