package catalog

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"galbuild/build/blob"
)

func day(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }

func samplePackage() Package {
	return Package{
		SHA256: blob.Sum([]byte("a")), ID: "acme.notes@1.0.0", Seen: day(2), Licence: "MIT", Signed: true,
		Sources: []Source{
			{URL: "https://host/notes.vsix", Upstream: "https://gallery.example", StatedSHA256: blob.Sum([]byte("a"))},
			{Path: "acme/notes-1.0.0.vsix"},
		},
		Bundled: []Bundled{{Name: "@types/node", Version: "20.1.0", Licence: "MIT"}, {Name: "left-pad", Version: "1.3.0"}},
		Other:   map[string]jsontext.Value{"scan": jsontext.Value(`{"b":1,"a":2}`)},
	}
}

// TestMergePackages merges random lists in random orders: the union must not depend on the order,
// merging a list again must change nothing, and a program must accept what it has merged.
func TestMergePackages(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		a, b, c := randomPackages(random), randomPackages(random), randomPackages(random)
		left := MergePackages(MergePackages(a, b), c)
		for name, got := range map[string][]Package{
			"another grouping":       MergePackages(a, MergePackages(b, c)),
			"another order":          MergePackages(MergePackages(c, b), a),
			"one of the three twice": MergePackages(left, b),
		} {
			if !samePackages(got, left) {
				t.Fatalf("%s: got\n%s, want\n%s", name, text(got), text(left))
			}
		}
		for i := range left {
			if err := left[i].Check(); err != nil {
				t.Fatal(err)
			}
		}
		for _, part := range [][]Package{a, b, c, left} {
			if !IncludesPackages(left, part) {
				t.Fatalf("the union\n%s does not include\n%s", text(left), text(part))
			}
		}
		if got := Packages(slices.Concat(b, c, a)); !samePackages(got, left) {
			t.Fatalf("in one list: got\n%s, want\n%s", text(got), text(left))
		}
		if IncludesPackages(a, b) != samePackages(MergePackages(a, b), a) {
			t.Fatalf("does this include the other?\n%s\n%s", text(a), text(b))
		}
	}
}

// randomPackages returns sorted packages, some of which have more sources together than are kept.
func randomPackages(random *rand.Rand) (all []Package) {
	for n := range 4 {
		if random.IntN(3) == 0 {
			continue
		}
		p := Package{SHA256: blob.Sum([]byte{byte(n)}), ID: "acme.notes@1.0.0", Licence: []string{"", "MIT"}[random.IntN(2)], Signed: random.IntN(2) == 0}
		if random.IntN(2) == 0 {
			p.Seen = day(1 + random.IntN(3))
		}
		for range random.IntN(3) {
			p.Bundled = append(p.Bundled, Bundled{Name: "left-pad", Version: fmt.Sprint(len(p.Bundled), ".0.", random.IntN(3))})
		}
		for range random.IntN(maxSources) {
			p.Sources = append(p.Sources, Source{Path: fmt.Sprintf("%02d.vsix", random.IntN(60))})
			if random.IntN(4) == 0 {
				p.Sources[0].Other = map[string]jsontext.Value{"x": jsontext.Value(fmt.Sprint(random.IntN(2)))}
			}
		}
		p.Sources = mergeSources(p.Sources, nil)
		for _, key := range []string{"x", "y"} {
			if random.IntN(3) == 0 {
				p.Other = mergeOther(p.Other, map[string]jsontext.Value{key: jsontext.Value(fmt.Sprint(random.IntN(2)))})
			}
		}
		all = append(all, p)
	}
	slices.SortFunc(all, ComparePackages)
	return all
}

func samePackages(a, b []Package) bool { return text(a) == text(b) }

func text(all []Package) string {
	b, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestMergePackage(t *testing.T) {
	a, b := samplePackage(), samplePackage()
	b.Bundled = append(slices.Clone(a.Bundled), Bundled{Name: "zod", Version: "1.0.0"})
	if got := MergePackages([]Package{a}, []Package{b}); !samePackages(got, []Package{b}) {
		t.Errorf("with another npm package: got %s, want %s", text(got), text([]Package{b}))
	}
	b = samplePackage()
	b.Seen, b.Licence, b.Signed = day(1), "", false
	b.Sources, b.Other = []Source{{Path: "b.vsix"}}, map[string]jsontext.Value{"ticket": jsontext.Value("17")}
	want := samplePackage()
	want.Seen = day(1)
	want.Sources = append(want.Sources, Source{Path: "b.vsix"})
	want.Other["ticket"] = jsontext.Value("17")
	if got := MergePackages([]Package{a}, []Package{b}); !samePackages(got, []Package{want}) {
		t.Errorf("got %s, want %s", text(got), text([]Package{want}))
	}
}

func TestPackageCheck(t *testing.T) {
	for want, change := range map[string]func(*Package){
		"hash is missing":          func(p *Package) { p.SHA256 = blob.Ref{} },
		"lower-case id":            func(p *Package) { p.ID = "Acme.notes@1.0.0" },
		"an id with a version":     func(p *Package) { p.ID = "acme.notes" },
		"four digits":              func(p *Package) { p.Seen = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"licence":                  func(p *Package) { p.Licence = "MIT\n" },
		"an SPDX expression":       func(p *Package) { p.Licence = strings.Repeat("x", MaxLicence+1) },
		"either a path or a URL":   func(p *Package) { p.Sources[0].Path = "x" },
		"want either a path":       func(p *Package) { p.Sources = []Source{{}} },
		"without control":          func(p *Package) { p.Sources[1].Path = "a\x1b[2J" },
		"at most 4096 bytes":       func(p *Package) { p.Sources[1].Path = strings.Repeat("x", MaxSourceText+1) },
		"the same or out of order": func(p *Package) { slices.Reverse(p.Sources) },
		"want a name":              func(p *Package) { p.Bundled[0].Name = "../x" },
		"want a version":           func(p *Package) { p.Bundled[1].Version = "" },
		"left-pad and @types/node": func(p *Package) { slices.Reverse(p.Bundled) },
		"at most 2000 npm":         func(p *Package) { p.Bundled = make([]Bundled, MaxBundled+1) },
		"at most 32 sources":       func(p *Package) { p.Sources = make([]Source, maxSources+1) },
	} {
		p := samplePackage()
		if err := p.Check(); err != nil {
			t.Fatal(err)
		}
		change(&p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestIncludes has a case for each field of a package that another one does not state.
func TestIncludes(t *testing.T) {
	full := Package{
		SHA256: blob.Sum(nil), ID: "acme.notes@1.0.0", Seen: day(2), Sources: []Source{{Path: "a"}, {Path: "b"}},
		Licence: "MIT", Signed: true, Bundled: []Bundled{{Name: "a", Version: "1.0.0"}},
	}
	for name, tt := range map[string]struct {
		change func(p *Package) // of what full must include
		want   bool
	}{
		"the same":      {func(*Package) {}, true},
		"less":          {func(p *Package) { *p = Package{SHA256: p.SHA256, ID: p.ID, Sources: p.Sources[1:]} }, true},
		"later":         {func(p *Package) { p.Seen = day(3) }, true},
		"earlier":       {func(p *Package) { p.Seen = day(1) }, false},
		"a source":      {func(p *Package) { p.Sources = []Source{{Path: "c"}} }, false},
		"a licence":     {func(p *Package) { p.Licence = "X11" }, false},
		"npm packages":  {func(p *Package) { p.Bundled = []Bundled{{Name: "b", Version: "1.0.0"}} }, false},
		"unknown keys":  {func(p *Package) { p.Other = map[string]jsontext.Value{"scan": jsontext.Value("1")} }, false},
		"one more file": {func(p *Package) { p.Sources = append(slices.Clone(p.Sources), Source{Path: "c"}) }, false},
	} {
		other := full
		tt.change(&other)
		if got := full.Includes(&other); got != tt.want {
			t.Errorf("%s: %t, want %t", name, got, tt.want)
		}
		if merged := full.merge(other); tt.want != merged.equal(full) {
			t.Errorf("%s: merged: %+v", name, merged)
		}
	}
	unsigned := full
	unsigned.Signed = false
	if unsigned.Includes(&full) || !full.Includes(&unsigned) || !unsigned.merge(full).Signed {
		t.Error("a signature is lost")
	}
}
