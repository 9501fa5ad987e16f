package vsix

import (
	"fmt"
	"strings"
	"testing"

	"galbuild/build/catalog"
)

func TestBundledLimits(t *testing.T) {
	var b Bundled
	entry := Entry{Name: "extension/node_modules/a/package.json", Size: maxBundledJSON}
	for n := range catalog.MaxBundled {
		if !b.Wants(entry) {
			t.Fatalf("package %d is not read", n)
		}
		b.Add(entry, fmt.Appendf(nil, `{"name":"a","version":"1.0.%d"}`, n))
	}
	if b.Wants(entry) || len(b.Packages()) != catalog.MaxBundled {
		t.Errorf("%d packages are recorded", len(b.Packages()))
	}
	if large := (Entry{Name: entry.Name, Size: maxBundledJSON + 1}); new(Bundled).Wants(large) {
		t.Error("a package.json above the limit is read")
	}
}

// TestBundledTexts checks that every npm package that is recorded is one that a catalogue accepts.
func TestBundledTexts(t *testing.T) {
	for text, want := range map[string]string{
		`{"name":"b","version":"1.0.0","license":"Apache-2.0"}`:         "{b 1.0.0 Apache-2.0}",
		`{"name":7,"version":"1.0.0","license":{"type":"MIT"}}`:         "{a 1.0.0 }",
		`{"name":"b\u001b","version":"1.0.0"}`:                          "{a 1.0.0 }",
		`{"name":"b","version":"1 0"}`:                                  "",
		`{"name":"b"}`:                                                  "",
		`{"name":"` + strings.Repeat("b", 215) + `","version":"1.0.0"}`: "{a 1.0.0 }",
		`["b"]`: "",
	} {
		var b Bundled
		b.Add(Entry{Name: "extension/node_modules/a/package.json"}, []byte(text))
		if got := strings.Trim(fmt.Sprint(b.Packages()), "[]"); got != want {
			t.Errorf("%.80s: got %q, want %q", text, got, want)
		}
	}
}
