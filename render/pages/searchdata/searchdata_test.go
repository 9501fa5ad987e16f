package searchdata_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"galbuild/render/pages"
	"galbuild/render/pages/searchdata"
)

// A gallery is files, and what was loaded of them.
type gallery struct {
	t      testing.TB
	files  map[string][]byte
	parsed map[string]any
	loaded map[string]bool
}

// load returns a file. One that does not exist is empty.
func load[T any](g *gallery, path string) *T {
	g.t.Helper()
	g.loaded[path] = true
	if v, ok := g.parsed[path]; ok {
		return v.(*T)
	}
	v := new(T)
	if text, ok := g.files[path]; ok {
		if err := json.Unmarshal(text, v); err != nil {
			g.t.Fatalf("%s: %v", path, err)
		}
	}
	g.parsed[path] = v
	return v
}

// bytes returns how many bytes were loaded.
func (g *gallery) bytes() (n int) {
	for path := range g.loaded {
		n += len(g.files[path])
	}
	return n
}

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

func number(s string) (n int) {
	for i := range len(s) {
		n = 64*n + strings.IndexByte(digits, s[i])
	}
	return n
}

// A hit is a result.
type hit struct {
	record string
	score  float64
}

// mostWords is how many words of a text the script searches for.
const mostWords = 5

// search does what the script of the pages does. It returns the ids of the first 24 results, how
// many there are, and whether there may be more.
func (g *gallery) search(text string) (ids []string, total int, more bool) {
	words := searchdata.Words(text)
	words = words[:min(len(words), mostWords)]
	hits, rests := make([]map[string]hit, len(words)), make([]map[string]bool, len(words))
	more = true
	for i, word := range words {
		hits[i], rests[i] = g.term(word)
		more = more && len(rests[i]) > 0
	}
	found := map[string]hit{}
	for _, some := range hits {
		for key, h := range some {
			sum, all := 0.0, true
			for i := range words {
				x, ok := hits[i][key]
				sum += x.score
				all = all && (ok || rests[i][key[:4]])
			}
			if all {
				found[key] = hit{h.record, sum * (1 + 3.9*float64(number(h.record[6:7]))/63)}
			}
		}
	}
	keys := make([]string, 0, len(found))
	for key := range found {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(found[b].score, found[a].score), strings.Compare(a, b))
	})
	for _, key := range keys[:min(len(keys), 24)] {
		cards := load[map[string]struct{ ID string }](g, fmt.Sprintf("search/cards/%03x.json", number(key[:2])>>2))
		ids = append(ids, (*cards)[key].ID)
	}
	return ids, len(keys), more
}

// term returns the extensions with terms that a word finds, by their keys, and the beginnings of
// the keys of others.
func (g *gallery) term(word string) (map[string]hit, map[string]bool) {
	h := fnv.New32a()
	h.Write([]byte(string([]rune(word)[:min(3, len([]rune(word)))])))
	file := load[struct {
		Documents string
		Terms     map[string]json.RawMessage
	}](g, fmt.Sprintf("search/terms/%02x.json", byte(h.Sum32())))
	hits, rest := map[string]hit{}, map[string]bool{}
	for term, value := range file.Terms {
		if term != word && (len([]rune(word)) < 3 || !strings.HasPrefix(term, word)) {
			continue
		}
		lists := make([]string, 2)
		if json.Unmarshal(value, &lists[0]) != nil && json.Unmarshal(value, &lists) != nil {
			g.t.Fatalf("%s: %s", term, value)
		}
		for list := lists[0]; list != ""; list = list[4:] {
			at := 15 * number(list[:3])
			record := file.Documents[at : at+15]
			score := float64(number(list[3:4])) * float64(len(word)) / float64(len(term))
			hits[record[:6]] = hit{record, max(score, hits[record[:6]].score)}
		}
		for list := lists[1]; list != ""; list = list[4:] {
			rest[list[:4]] = true
		}
	}
	return hits, rest
}

func open(t testing.TB, records []searchdata.Record) *gallery {
	return &gallery{t, searchdata.Files(records), map[string]any{}, map[string]bool{}}
}

// sample are extensions whose order in results is known.
func sample() []searchdata.Record {
	record := func(id, name, categories, tags string, installs int64) searchdata.Record {
		publisher, _, _ := strings.Cut(id, ".")
		return searchdata.Record{
			Card: pages.Card{ID: id, Name: name, Publisher: publisher + " Ltd", Version: "1.0.0", Updated: "2026-11-20", Description: "About " + name}, PublisherName: publisher,
			Categories: strings.Split(categories, ","), Tags: strings.Fields(tags), Installs: installs, Published: "2025-01-31",
		}
	}
	all := []searchdata.Record{
		record("Acme.notes", "Acme Notes", "Other", "todo markdown", 4711),
		record("globex.todo", "Todo", "Other", "", 10), // updated last
		record("globex.python", "Python", "Programming Languages", "python", 1_000_000),
		record("globex.python-env", "Python Environments", "Programming Languages", "venv", 1_000_000),
		record("initech.gitlens", "GitLens", "SCM Providers", "git", 5),
		record("initech.word-count", "Word Count", "Other", "_hidden", 0),
		record("initech.cpp", "C++ and C#", "Programming Languages", "c++ c#", 0),
		record("initech.bar", "Café 漢字メモ", "Other", "", 0),
	}
	all[1].Updated = "2026-11-21"
	return all
}

// TestSearch searches as the script does.
func TestSearch(t *testing.T) {
	g := open(t, sample())
	for text, want := range map[string]string{
		"todo":            "globex.todo Acme.notes", // a name before a tag
		"tod":             "globex.todo Acme.notes",
		"python":          "globex.python globex.python-env",
		"PYTHON lang":     "globex.python globex.python-env",
		"python venv":     "globex.python-env",
		"acme.notes":      "Acme.notes",
		"notes acme todo": "Acme.notes",
		"lens":            "initech.gitlens",
		"wordcount":       "initech.word-count",
		"wordc":           "initech.word-count",
		"c++":             "initech.cpp",
		"c#":              "initech.cpp",
		"c":               "",
		"cafe":            "initech.bar",
		"CAFÉ":            "initech.bar",
		"漢字":              "",
		"漢字メ":             "initech.bar",
		"hidden":          "",
		"gi":              "",
		"git":             "initech.gitlens",
		"python todo":     "",
		"globex ltd todo": "globex.todo",
		"...":             "",
	} {
		ids, total, _ := g.search(text)
		if got := strings.Join(ids, " "); got != want || total != len(ids) {
			t.Errorf("%q finds %q, %d, want %q", text, got, total, want)
		}
	}
}

// TestChange changes one extension, and counts the files that change.
func TestChange(t *testing.T) {
	records := generated(3000)
	before := searchdata.Files(records)
	shuffled := slices.Clone(records)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	if changes := changed(before, searchdata.Files(shuffled)); len(changes) > 0 {
		t.Errorf("other files in another order: %q", changes)
	}
	for name, change := range map[string]func(*searchdata.Record){
		"description": func(r *searchdata.Record) { r.Description = "new" },
		"version":     func(r *searchdata.Record) { r.Version, r.Updated = "9.0.0", "2026-11-30" },
		"installs":    func(r *searchdata.Record) { r.Installs = r.Installs*3 + 1 },
	} {
		records := slices.Clone(records)
		change(&records[1234])
		cards, terms := 0, 0
		for _, path := range changed(before, searchdata.Files(records)) {
			if strings.HasPrefix(path, "search/cards/") {
				cards++
			} else if strings.HasPrefix(path, "search/terms/") {
				terms++
			}
		}
		want := map[string][2]int{"description": {1, 0}, "version": {1, 20}, "installs": {0, 20}}[name]
		if cards != want[0] || terms > want[1] {
			t.Errorf("%s: %d files of cards and %d of terms have changed", name, cards, terms)
		}
	}
	more := append(slices.Clone(records), sample()[0])
	if n := len(changed(before, searchdata.Files(more))); n > 12 {
		t.Errorf("one more extension changes %d files", n)
	}
}

func changed(before, after map[string][]byte) (paths []string) {
	for path, text := range after {
		if !bytes.Equal(text, before[path]) {
			paths = append(paths, path)
		}
	}
	return paths
}

// topics are words of generated names and tags, of which the first are the most common.
var topics = strings.Fields(`theme dark color snippets language python javascript react light syntax git vscode code formatter linter
	icons vue java rust go docker test debug html css json yaml markdown sql php ruby kotlin swift latex kubernetes terraform ansible
	angular svelte node typescript deno eslint prettier spell tabs bracket pair colorizer minimap explorer tree view status bar remote
	ssh jupyter notebook data viewer pdf csv excel image preview todo highlight bookmark project manager live server share copilot chat
	assistant completion intellisense template generator boilerplate pack extension keymap vim emacs sublime atom neon night owl
	dracula monokai solarized nord gruvbox material ocean forest winter summer pastel cobalt synthwave`)

// generated returns n extensions. Some words are in more of them than in any gallery.
func generated(n int) []searchdata.Record {
	r := rand.New(rand.NewPCG(15, 3))
	topic := func() string { return topics[int(float64(len(topics))*r.Float64()*r.Float64())] }
	categories := []string{"Themes", "Programming Languages", "Snippets", "Other", "Formatters", "Linters", "Debuggers", "Extension Packs", "Visualization", "AI"}
	all := make([]searchdata.Record, n)
	for i := range all {
		name := []string{topic(), topic()}
		if r.IntN(3) == 0 {
			name = append(name, fmt.Sprintf("x%d", r.IntN(n)))
		}
		publisher := fmt.Sprintf("publisher-%d", r.IntN(n/2))
		id := fmt.Sprintf("%s.%s-%d", publisher, strings.Join(name, "-"), i)
		all[i] = searchdata.Record{
			Card: pages.Card{
				ID: id, Name: strings.Join(name, " "), Publisher: publisher, Version: fmt.Sprintf("1.%d.0", r.IntN(40)), Updated: fmt.Sprintf("2026-%02d-%02d", r.IntN(12)+1, r.IntN(28)+1),
				Description: strings.Repeat("A description of usual length. ", 5), Icon: "assets/" + strings.ReplaceAll(id, ".", "/") + "/1.0.0/Microsoft.VisualStudio.Services.Icons.Default",
			},
			PublisherName: publisher, Categories: []string{categories[r.IntN(r.IntN(len(categories))+1)]}, Installs: int64(1e7 * r.Float64() * r.Float64() * r.Float64() * r.Float64()),
			Published: fmt.Sprintf("2025-%02d-01", r.IntN(12)+1), Rating: 1 + 4*r.Float64(), Ratings: int64(r.IntN(200)),
		}
		for range r.IntN(12) {
			all[i].Tags = append(all[i].Tags, topic())
		}
	}
	return all
}

// large is a gallery that is made once.
var large = sync.OnceValue(func() []searchdata.Record { return generated(10_000) })

// mostBytes is the most that a search may load.
const mostBytes = 300_000

// TestBytes searches 10,000 extensions for common words, for all that begins with their first
// letters, and for several of them.
func TestBytes(t *testing.T) {
	g := open(t, large())
	queries := []string{"theme", "snippets", "python language", "dark theme", "programming languages", "publisher"}
	for i, word := range topics {
		queries = append(queries, word, word[:min(3, len(word))]+" "+topics[(i+1)%9])
	}
	queries = append(queries, strings.Join(topics[:mostWords], " "))
	r := rand.New(rand.NewPCG(2, 2))
	for range 60 {
		var words []string
		for _, i := range r.Perm(15)[:mostWords] {
			words = append(words, topics[i])
		}
		queries = append(queries, strings.Join(words, " "))
	}
	worst, text := 0, ""
	for _, query := range queries {
		clear(g.loaded)
		_, total, _ := g.search(query)
		if n := g.bytes(); n > worst && total > 0 {
			worst, text = n, query
		}
	}
	total := 0
	for _, file := range g.files {
		total += len(file)
	}
	t.Logf("%d bytes in %d files; the most of one search are %d, of %q", total, len(g.files), worst, text)
	if worst > mostBytes || worst < mostBytes/4 {
		t.Errorf("%q loads %d bytes", text, worst)
	}
}

// TestCommonWords searches for words that more extensions have than a file names.
func TestCommonWords(t *testing.T) {
	records := large()
	g := open(t, records)
	with := func(words ...string) (n int) {
		for _, r := range records {
			all := true
			for _, word := range words {
				all = all && strings.Contains(" "+strings.ToLower(strings.Join(slices.Concat(r.Tags, r.Categories, []string{r.Name}), " ")), " "+word)
			}
			if all {
				n++
			}
		}
		return n
	}
	if _, total, more := g.search("theme"); total < 500 || total >= with("theme") || !more {
		t.Errorf("theme: %d, more: %v, of %d", total, more, with("theme"))
	}
	if _, total, more := g.search("theme dracula"); total != with("theme", "dracula") || more {
		t.Errorf("theme dracula: %d, more: %v, of %d", total, more, with("theme", "dracula"))
	}
}

// TestTop checks the orders of a search without a text.
func TestTop(t *testing.T) {
	g := open(t, sample())
	top := load[map[string]any](g, "search/top.json")
	for order, want := range map[string]string{
		"installs": "globex.python globex.python-env Acme.notes", "name": "Acme.notes initech.cpp initech.bar", "updated": "globex.todo Acme.notes initech.cpp",
	} {
		var ids []string
		for list, _ := (*top)[order].(string); list != ""; list = list[15:] {
			cards := load[map[string]struct{ ID string }](g, fmt.Sprintf("search/cards/%03x.json", number(list[:2])>>2))
			ids = append(ids, (*cards)[list[:6]].ID)
		}
		if got := strings.Join(ids, " "); len(ids) != 8 || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", order, got)
		}
	}
	if n := (*top)["count"]; n != 8.0 {
		t.Errorf("%v extensions", n)
	}
}

// TestSameKey has two ids whose hashes begin with the same 36 bits.
func TestSameKey(t *testing.T) {
	seen := map[[5]byte]string{}
	for i := 0; ; i++ {
		id := fmt.Sprintf("acme.n%d", i)
		hash := sha256.Sum256([]byte(id))
		key := [5]byte(hash[:])
		key[4] &= 0xf0
		first, found := seen[key]
		seen[key] = id
		if !found {
			continue
		}
		g := open(t, []searchdata.Record{{Card: pages.Card{ID: id, Name: "Second"}}, {Card: pages.Card{ID: first, Name: "First"}}})
		for name, want := range map[string]string{"first": first, "second": id} {
			if ids, _, _ := g.search(name); !slices.Equal(ids, []string{want}) {
				t.Errorf("%s finds %q, want %s", name, ids, want)
			}
		}
		return
	}
}

func BenchmarkFiles(b *testing.B) {
	records := generated(10_000)
	for b.Loop() {
		searchdata.Files(records)
	}
}
