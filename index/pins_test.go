package index

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"galbuild/index/query"
	"galbuild/index/segment"
)

// languages are documents about some programming languages, the most installed first.
func languages() []Document {
	var docs []Document
	for i, title := range []string{"Go", "Golang Tools", "Python", "Python Debugger", "Kubernetes", "K8s Snippets", "单元测试工具", "Test Runner", "Live Server"} {
		name := strings.ReplaceAll(strings.ToLower(title), " ", "-")
		if i == 6 {
			name = "unit"
		}
		d := Document{ID: "Acme." + name, Name: name, Publisher: "Acme", Title: title, Installs: int64(100 - i), Categories: []string{"Other"}, UUID: fmt.Sprint(i)}
		if i%2 == 1 {
			d.Categories = []string{"Linters"}
		}
		docs = append(docs, d)
	}
	return docs
}

// found returns the names of the results of a filter, with a space between them.
func found(ix *Index, f query.Filter) string {
	var names []string
	for _, h := range ix.Search(nil, &f).Hits {
		names = append(names, ix.documentStrings(int(h)).Name)
	}
	return strings.Join(names, " ")
}

func TestPins(t *testing.T) {
	c := contentOf(t, languages(), nil)
	c.Pins = map[string][]string{
		" Python ":     {"acme.LIVE-server", "acme.missing", "acme.python-debugger"},
		"café run":     {"acme.go"},
		"golang":       {"acme.golang-tools", "acme.go"},
		"acme.python":  {"acme.go"},
		"nowhere":      {"acme.go"},
		"missing":      {"acme.missing"},
		"python run":   {"acme.k8s-snippets", "acme.k8s-snippets"},
		"PYTHON   run": {"acme.go"},
		"!":            {"acme.go"},
	}
	ix := openWith(t, c)
	for text, want := range map[string]string{
		"python":                "live-server python-debugger python",
		"PYTHON":                "live-server python-debugger python",
		"python d":              "python-debugger", // another text
		"pytho":                 "python python-debugger",
		`"python"`:              "python python-debugger",
		"publisher:acme python": "python python-debugger",
		"cafe  run":             "go test-runner",
		"golang":                "golang-tools go",
		"acme.python":           "go python python-debugger", // before the document with this id
		"nowhere":               "go",
		"missing":               "",
		"python run":            "go k8s-snippets",
		"!":                     "", // no words
	} {
		for range 2 { // the second time from the cache
			if got := found(ix, query.Filter{Text: []string{text}}); !strings.HasPrefix(got+" ", want+" ") && (want != "" || got != "") {
				t.Errorf("%q: got %q, want %q first", text, got, want)
			}
		}
	}
	for _, tt := range []struct {
		f    query.Filter
		want string
	}{
		{query.Filter{Categories: []string{"other"}}, "live-server python"},
		{query.Filter{Categories: []string{"linters"}}, "python-debugger"},
		{query.Filter{Sort: query.InstallCount}, "python python-debugger live-server"},
		{query.Filter{Page: 2, Size: 1}, "python-debugger"},
	} {
		tt.f.Text = []string{"python"}
		if got := found(ix, tt.f); got != tt.want {
			t.Errorf("%s: got %q, want %q", &tt.f, got, tt.want)
		}
	}
	if r := ix.Search(nil, &query.Filter{Text: []string{"python"}}); r.Total != 3 {
		t.Errorf("got %d results, want 3", r.Total)
	}
	want := "acme python: 0, cafe run: 0, golang: 1 0, nowhere: 0, python: 8 3, python run: 0 5, "
	got := ""
	for _, p := range ix.Pins() {
		got += p.Text + ": " + strings.Trim(fmt.Sprint(p.Hits), "[]") + ", "
	}
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestPinsTakeSteps pins many documents to one text. If a search has no steps left for them, it
// omits them.
func TestPinsTakeSteps(t *testing.T) {
	docs := randomDocuments(rand.New(rand.NewPCG(1, 2)), 2000)
	c := contentOf(t, docs, nil)
	c.Pins = map[string][]string{"python": nil}
	for i := range docs {
		c.Pins["python"] = append(c.Pins["python"], docs[i].ID)
	}
	ix := openWith(t, c)
	f := query.Filter{Text: []string{"python"}}
	all := ix.Search(nil, &f)
	if all.Total != len(docs) {
		t.Fatalf("got %d results, want all %d", all.Total, len(docs))
	}
	for i, h := range all.Hits {
		if want, _ := ix.Find(docs[i].ID); h != want {
			t.Fatalf("result %d: got %d, want %d", i, h, want)
		}
	}
	ix.cache.remove("python")
	work := NewWork(t.Context())
	work.steps = requestSteps - 2500
	if few := ix.Search(work, &f); !work.incomplete || few.Total == 0 || few.Total == len(docs) {
		t.Errorf("got %d results, incomplete %t", few.Total, work.incomplete)
	}
}

// TestPinsInFile compares the bytes of the pin sections with the package comment.
func TestPinsInFile(t *testing.T) {
	c := contentOf(t, languages(), nil)
	c.Pins = map[string][]string{"b  A": {"acme.python", "acme.go"}, "a": {"acme.golang-tools"}}
	s, err := segment.Parse(c.decompressed(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"pin.text": "ab a",
		"pin.ends": "\x01\x00\x00\x00\x03\x00\x00\x00",
		"pin.list": "\x01\x00\x00\x00\x02\x00\x00\x00",
		"pin.docs": "\x01\x00\x00\x00\x01\x00\x00\x00\xfe\xff\xff\xff",
	} {
		if got, err := s.Section(name); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
	if none := openWith(t, contentOf(t, languages(), nil)); len(none.Pins()) > 0 {
		t.Errorf("got pins %v of an index without pins", none.Pins())
	}
}

// TestPinsAreChecked opens an index that pins a document that it does not have.
func TestPinsAreChecked(t *testing.T) {
	c := contentOf(t, languages(), nil)
	c.Pins = map[string][]string{"a": {"acme.go"}}
	b := c.decompressed(t)
	s, err := segment.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	docs, _ := s.Section("pin.docs")
	docs[0] = byte(len(c.Documents))
	if _, err := openSegment(fixChecksum(b), c.chunks.source); err == nil || !strings.Contains(err.Error(), `section "pin.docs" contains document 9 of 9`) {
		t.Errorf("got %v", err)
	}
}

func TestSynonyms(t *testing.T) {
	c := contentOf(t, languages(), nil)
	c.Synonyms = [][]string{{"go", "Golang"}, {"kubernetes", "k8s"}, {"kube", "K8S"}, {"测试", "test"}}
	ix := openWith(t, c)
	for text, want := range map[string]string{
		"go":            "go golang-tools",
		"golang":        "go golang-tools",
		"k8s":           "kubernetes k8s-snippets",
		"kubernetes":    "kubernetes k8s-snippets",
		"kube":          "kubernetes k8s-snippets",
		"kuber":         "kubernetes k8s-snippets", // the beginning of a synonym
		"kubernets":     "kubernetes k8s-snippets", // misspelled
		"k8s snippets":  "k8s-snippets",
		"kube snippets": "k8s-snippets",
		"test":          "unit test-runner",
		"测试":            "unit test-runner",
		"单元测试":          "unit",
		`"k8s"`:         "kubernetes k8s-snippets",
		`"kube snip"`:   "",
		"python":        "python python-debugger",
	} {
		if got := found(ix, query.Filter{Text: []string{text}}); !sameWords(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := found(ix, query.Filter{Text: []string{"golang"}}); got != "go golang-tools" {
		t.Errorf("got %q, want the name that is a synonym first", got)
	}
	if got := found(ix, query.Filter{DisplayNames: []string{"golang"}}); got != "" {
		t.Errorf("got %q for an exact criterion", got)
	}
}

func sameWords(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// TestSynonymsAreEqual searches for each of two synonyms, with other words. The results and their
// order are the same. The synonym is in quotation marks, so that it is not part of a compact name.
func TestSynonymsAreEqual(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	c := contentOf(t, randomDocuments(r, 400), nil)
	c.Synonyms = [][]string{{"docker", "снег"}}
	ix, before := openWith(t, c), openWith(t, contentOf(t, c.Documents, nil))
	more := 0
	for range 200 {
		word := pick(r, vocabulary)
		if strings.EqualFold(word, "docker") || strings.EqualFold(word, "снег") {
			continue // the text would repeat it
		}
		a, b := query.Filter{Text: []string{`"docker" ` + word}, Size: 500}, query.Filter{Text: []string{`"снег" ` + word}, Size: 500}
		got, want := ix.Search(nil, &a), ix.Search(nil, &b)
		if !slices.Equal(got.Hits, want.Hits) || got.Total == 0 {
			t.Fatalf("%q: got %d, want %d", a.Text, got.Hits, want.Hits)
		}
		if before.Search(nil, &a).Total < got.Total {
			more++
		}
	}
	if more < 10 {
		t.Errorf("only %d texts found more", more)
	}
}

func TestSynonymsAreWords(t *testing.T) {
	for _, word := range []string{"two words", "", "-", "live-server"} {
		c := contentOf(t, languages(), nil)
		c.Synonyms = [][]string{{"one", word}}
		if err := Write(new(bytes.Buffer), c.Content); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("synonym %q: want one word", word)) {
			t.Errorf("%q: got %v", word, err)
		}
	}
}
