package query

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"testing"
)

// TestOperators reads texts with the operators that people type into editors.
func TestOperators(t *testing.T) {
	for text, want := range map[string]string{
		`@category:themes`:                                     `category="themes"`,
		`@category:"Programming Languages" rust`:               `category="Programming Languages" text="rust"`,
		`rust @category:"Programming Languages"lint`:           `category="Programming Languages" text="rust lint"`,
		`category:"themes" dark`:                               `category="themes" text="dark"`,
		`category:themes category:"THEMES" @category:snippets`: `category="themes" category="snippets"`,
		`@tag:foo bar`:                                         `tag="foo" text="bar"`,
		`tag:"__web_extension" @TAG:icon-theme`:                `tag="__web_extension" tag="icon-theme"`,
		`@ext:.tsx`:                                            `tag="__ext_tsx" tag="__ext_.tsx" tag="tsx"`,
		`@ext:tsx react`:                                       `tag="__ext_tsx" tag="__ext_.tsx" tag="tsx" text="react"`,
		`ext:d.ts`:                                             `tag="__ext_d.ts" tag="__ext_.d.ts" tag="d.ts"`,
		`@id:acme.hello @id:acme.two`:                          `name="acme.hello" name="acme.two"`,
		`@popular`:                                             `sort=installs`,
		`@popular rust`:                                        `text="rust" sort=installs`,
		`@recentlyPublished`:                                   `sort=released`,
		`@sort:rating rust`:                                    `text="rust" sort=weighted-rating`,
		`@sort:name-asc rust`:                                  `text="rust" sort=title`,
		`rust @sort:installs`:                                  `text="rust" sort=installs`,
		`@sort:updateDate`:                                     `sort=updated`,
		`@sort:publishedDate`:                                  `sort=released`,
		`@sort:nosuch rust`:                                    `text="rust"`,
		`@featured rust`:                                       `featured text="rust"`,
		`featured rust`:                                        `text="featured rust"`,
		`@web`:                                                 `tag="__web_extension"`,
		`@recommended`:                                         ``,
		`@recommended:workspace rust`:                          `text="rust"`,
		`@installed @builtin @enabled @disabled @outdated @updates @deprecated @workspaceUnsupported @feature:x rust`: `text="rust"`,
		// still being typed
		`@category:`: ``, `@category`: ``, `@tag: rust`: `text="rust"`, `@ext:.`: ``, `@id:`: ``, `@sort:`: ``, `@`: `text="@"`, `@cat`: `text="@cat"`,
		`@category:"Programming`: `category="Programming"`, `@category:"Programming Lang`: `category="Programming" text="Lang"`,
		// texts
		`category:`: `text="category:"`, `tag`: `text="tag"`, `sort:name`: `text="sort:name"`, `id:acme.hello`: `text="id:acme.hello"`,
		`"@category:themes" x`: `text="\"@category:themes\" x"`, `"a @tag:b c"`: `text="\"a @tag:b c\""`, `x"@tag:b"`: `text="x\"@tag:b\""`,
		`publisher:"Red Hat" @tag:x yaml`: `tag="x" text="publisher:\"Red Hat\"  yaml"`, `@publisher:redhat`: `text="@publisher:redhat"`,
		`@unknown rust`: `text="@unknown rust"`, `@unknown:x rust`: `text="@unknown:x rust"`, `@types/node`: `text="@types/node"`, `a@tag:b`: `text="a@tag:b"`,
		`std::string`: `text="std::string"`, `C:\x`: `text="C:\\x"`,
	} {
		q := parse(t, body([]string{criterion(10, text)}))
		if got := strings.TrimSuffix(q.String(), "flags=0x0"); strings.TrimSpace(got) != want {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
}

// TestOperatorsOrder has a text that names an order, next to one that the client set.
func TestOperatorsOrder(t *testing.T) {
	for order, want := range map[int]Sort{0: Title, 4: Title} {
		for _, form := range []string{
			`{"filters":[{"criteria":[{"filterType":10,"value":"@sort:name x"}],"sortBy":%d},{"sortBy":6}]}`,
			`{"filters":[{"sortBy":%d,"criteria":[{"filterType":10,"value":"@sort:name x"}]},{"sortBy":6}]}`,
		} {
			q := parse(t, fmt.Appendf(nil, form, order))
			if q.Filters[0].Sort != want || q.Filters[1].Sort != AverageRating {
				t.Errorf("sortBy %d: got %s and %s", order, q.Filters[0].Sort, q.Filters[1].Sort)
			}
		}
	}
}

// TestOperatorsAreLimited has more operators than a filter may have criteria.
func TestOperatorsAreLimited(t *testing.T) {
	var all []string
	for i := range 20 {
		var text strings.Builder
		for j := range 50 {
			fmt.Fprintf(&text, "@tag:%d @id:a.%d ", 50*i+j, 50*i+j)
		}
		all = append(all, criterion(10, text.String()))
	}
	f := parse(t, body(all)).Filters[0]
	if len(f.Tags) != MaxValues || len(f.Names) != 1000 || len(f.Text) != 0 {
		t.Errorf("got %d tags, %d names, texts %q", len(f.Tags), len(f.Names), f.Text)
	}
	long := parse(t, body([]string{criterion(10, "@tag:"+strings.Repeat("x", 2*MaxLength))})).Filters[0]
	if len(long.Tags) != 1 || len(long.Tags[0]) > MaxLength {
		t.Errorf("got tags %q", long.Tags)
	}
}

func FuzzOperators(f *testing.F) {
	f.Add(`a @tag:"b c"d "e @id:f`)
	f.Fuzz(func(t *testing.T, text string) {
		r := reader{scanner: scanner{text: text}, seed: maphash.MakeSeed()}
		var filter Filter
		r.readText(&filter, text)
		if len(filter.Text) == 1 && strings.ContainsAny(text, "@:") {
			var again Filter
			r.readText(&again, filter.Text[0])
			if !slices.Equal(again.Text, filter.Text) {
				t.Errorf("%q became %q, and that %q", text, filter.Text, again.Text)
			}
		}
	})
}
