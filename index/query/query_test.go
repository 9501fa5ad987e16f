package query

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestRecorded parses bodies recorded from VS Code 1.96 and 1.139.
func TestRecorded(t *testing.T) {
	want := map[string]string{
		"category": `category="themes" target="Microsoft.VisualStudio.Code" exclude=4096 flags=0x3b6`,
		"ids":      `id="acme.plain" id="acme.pre" id="acme.webext" target="Microsoft.VisualStudio.Code" exclude=4096 size=3 flags=0x3b6`,
		"install":  `name="acme.webext" target="Microsoft.VisualStudio.Code" exclude=4096 size=1 flags=0x3b6`,
		"names":    `name="acme.plain" name="acme.base" target="Microsoft.VisualStudio.Code" exclude=4096 size=2 flags=0x3b6`,
		"picker":   `id="acme.plain" target="Microsoft.VisualStudio.Code" exclude=4096 size=1 flags=0x37`,
		"popular":  `target="Microsoft.VisualStudio.Code" exclude=4096 sort=installs flags=0x3b6`,
		"release":  `id="acme.pre" target="Microsoft.VisualStudio.Code" exclude=4096 size=1 flags=0x3b6`,
		"text":     `target="Microsoft.VisualStudio.Code" text="zebrafish-plain" exclude=4096 flags=0x3b6`,
		"versions": `name="acme.needsbase" target="Microsoft.VisualStudio.Code" exclude=4096 size=1 flags=0x1b7`,
	}
	all, err := filepath.Glob("testdata/*.json")
	if err != nil || len(all) != len(want) {
		t.Fatalf("got %d recorded bodies (%v), want %d", len(all), err, len(want))
	}
	for _, path := range all {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		q, err := Parse(body)
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		if err != nil || q.String() != want[name] {
			t.Errorf("%s:\n got %s, %v\nwant %s", name, q, err, want[name])
		}
	}
}

func TestParseIsLenient(t *testing.T) {
	for body, want := range map[string]string{
		`{}`:                              `flags=0x0`,
		` {"filters":[]}`:                 `flags=0x0`,
		"\ufeff{\"flags\":1}":             `flags=0x1`,
		`{"filters":7}`:                   `flags=0x0`,
		`{"filters":[1,null,{}]}`:         `flags=0x0`,
		`{"filters":[{},{"pageSize":3}]}`: `; size=3 flags=0x0`,
		`{"filters":[{"criteria":[{"filterType":"7","value":"a.b"}],"pageSize":"9","sortBy":"4","pageNumber":"2"}],"flags":"950"}`:     `name="a.b" sort=installs page=2 size=9 flags=0x3b6`,
		`{"filters":[{"criteria":[{"filterType":9},{"filterType":10},{"filterType":99,"value":"x"},{"filterType":1,"value":" a "}]}]}`: `tag="a" featured flags=0x0`,
		`{"filters":[{"criteria":[{"filterType":7},{"filterType":4,"value":""}]}]}`:                                                    `id="" name="" flags=0x0`,
		`{"filters":[{"criteria":[{"filterType":12,"value":4096},{"filterType":12,"value":"1"},{"filterType":13,"value":"x"}]}]}`:      `exclude=4097 flags=0x0`,
		`{"filters":[{"pageSize":99999,"pageNumber":-3,"sortBy":5,"sortOrder":2}]}`:                                                    `sort=released order=2 size=1000 flags=0x0`,
		`{"filters":[{"pageNumber":1e999}]}`:                                        `page=2147483647 flags=0x0`,
		`{"filters":[{"pageSize":-1,"pageNumber":1e99,"sortBy":77,"sortOrder":9}]}`: `page=2147483647 flags=0x0`,
		`{"filters":[{"criteria":[{"filterType":23,"value":"linux-x64"},{"filterType":24,"value":"n"},{"filterType":18,"value":"p"},{"filterType":19,"value":"P"},{"filterType":2,"value":"T"}]}]}`: `title="T" publisher="p" publisher-title="P" platform="linux-x64" short-name="n" flags=0x0`,
		`{"filters":[{"criteria":[{"filterType":10,"value":"é\"}"}]}],"flags":1}`:                                                                                                  `text="é\"}" flags=0x1`,
		`{"filters":[{"criteria":[{"value":{"x":[1,"]\""]},"filterType":4},{"filterType":7,"value":null},{"value":12.5,"filterType":10}],"x":[{"pageSize":7}],"pageNumber":2.0}]}`: `id="{\"x\":[1,\"]\\\"\"]}" name="" text="12.5" page=2 flags=0x0`,
		`{"filters":[{"pageSize":"9"`:              `size=9 flags=0x0`, // truncated after a complete string
		`{"filters":[{"pageSize":3},],,"flags":1`:  `size=3 flags=0x0`,
		`{"filters":[{"pageSize":3}}],"flags":1}`:  `size=3 flags=0x0`,
		`{"fil\u0074ers":[{"pageSize":3}],"a":{}}`: `size=3 flags=0x0`,
	} {
		q, err := Parse([]byte(body))
		if err != nil || q.String() != want {
			t.Errorf("%s:\n got %s, %v\nwant %s", body, q, err, want)
		}
	}
}

// TestParseTruncated truncates a body at every byte. The complete criteria are read, and a
// number that may lack digits is ignored.
func TestParseTruncated(t *testing.T) {
	const body = `{"filters":[{"criteria":[{"filterType":10,"value":"né"},{"filterType":8,"value":"X"}],"pageNumber":12,"pageSize":50,"sortBy":12}],"assetTypes":[],"flags":439}`
	complete := strings.Index(body, `},{`) + 1
	for size := 1; size < len(body); size++ {
		q, err := Parse([]byte(body[:size]))
		if err != nil || len(q.Filters) != 1 {
			t.Fatalf("%s: got %v, %v", body[:size], q, err)
		}
		if !q.Truncated {
			t.Errorf("%s: not reported as truncated", body[:size])
		}
		f := q.Filters[0]
		if size >= complete && !reflect.DeepEqual(f.Text, []string{"né"}) {
			t.Errorf("%s: got text %q", body[:size], f.Text)
		}
		if f.Page != 1 && f.Page != 12 || f.Size != 50 || f.Sort != Relevance && f.Sort != WeightedRating || q.Flags != 0 && q.Flags != 439 {
			t.Errorf("%s: got %s", body[:size], q)
		}
	}
}

// TestTruncated has bodies that end before their JSON does, or have bytes after it.
func TestTruncated(t *testing.T) {
	for body, cut := range map[string]bool{
		`{}`:                       false,
		" {\"filters\":[{}]} \r\n": false,
		`{"a":"}"`:                 true,
		`{"a":[}`:                  true,
		`{}}`:                      true,
		`{} {}`:                    true,
	} {
		if q, err := Parse([]byte(body)); err != nil || q.Truncated != cut {
			t.Errorf("%s: got cut %t, %v, want %t", body, q.Truncated, err, cut)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, body := range []string{"", " ", "null", "[]", `"x"`, "7", "filters=1", "{filters}", "<html>"} {
		if q, err := Parse([]byte(body)); err == nil {
			t.Errorf("%q: got %s, want an error", body, q)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"filters":[{"criteria":[{"filterType":7,"value":"a.b"}],"pageSize":"9"}],"flags":950}`))
	f.Add([]byte(`{"filters":[{"criteria":[{"filterType":10,"value":"x`))
	f.Add([]byte(strings.Repeat(`{"filters":[`, 50)))
	f.Fuzz(func(t *testing.T, body []byte) {
		q, err := Parse(body)
		if err != nil {
			return
		}
		if len(q.Filters) == 0 || strings.Contains(q.String(), "\n") {
			t.Errorf("got %d filters: %s", len(q.Filters), q)
		}
		for _, f := range q.Filters {
			if f.Page < 1 || f.Size < 1 || f.Size > f.MaxSize() {
				t.Errorf("got page %d of size %d", f.Page, f.Size)
			}
		}
	})
}
