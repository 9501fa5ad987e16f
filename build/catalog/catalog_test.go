package catalog_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"galbuild/build/catalog"
)

func TestSortVersions(t *testing.T) {
	want := []string{"2.0.0", "2.0.0-rc.1", "1.10.0@linux-x64", "1.10.0@win32-x64", "1.10.0", "1.9.0", "1.0.0+b", "1.0.0+a"}
	var versions []catalog.Version
	for _, w := range want {
		v, platform, _ := strings.Cut(w, "@")
		versions = append(versions, catalog.Version{Version: v, Platform: platform})
	}
	for range 10 {
		slices.Reverse(versions)
		versions = append(versions[3:], versions[:3]...)
		catalog.SortVersions(versions)
		for i, v := range versions {
			if got := strings.TrimSuffix(v.Version+"@"+v.Platform, "@"); got != want[i] {
				t.Fatalf("place %d has %s, want %s", i, got, want[i])
			}
		}
	}
}

func TestReadRefuses(t *testing.T) {
	const header = `{"galbuild":1,"render":1}` + "\n"
	line := func(publisher, name string) string {
		return fmt.Sprintf(`{"publisher":{"name":%q},"name":%q,"versions":[{"version":"1.0.0"}]}`+"\n", publisher, name)
	}
	for name, test := range map[string]struct{ text, want string }{
		"empty":        {"", "header"},
		"other format": {`{"galbuild":2}` + "\n", "format 2, this program reads 1"},
		"cut off":      {header + `{"publisher"`, "line 2"},
		"out of order": {header + line("b", "b") + line("A", "a"), "line 3: a.a stands behind b.b"},
		"twice":        {header + line("a", "a") + line("A", "A"), "line 3: a.a stands behind a.a"},
		"no version":   {header + `{"publisher":{"name":"a"},"name":"b","versions":[]}` + "\n", "a.b has no version"},
	} {
		_, err := catalog.Read(strings.NewReader(test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	c, err := catalog.Read(strings.NewReader(header + line("A", "a") + line("b", "b")))
	if err != nil || len(c.Extensions) != 2 || c.Find("a.a") == nil || c.Find("a.b") != nil {
		t.Errorf("a good catalogue: %v, %v", c, err)
	}
}
