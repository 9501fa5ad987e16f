package index

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"galbuild/index/query"
)

// wellKnownDocuments returns extensions that people search for, and others with the same
// words in names, tags and descriptions but few installs. A line of the file has an id, a
// title, a publisher's title, thousands of installs, and optionally a description.
func wellKnownDocuments(t testing.TB) []Document {
	t.Helper()
	file, err := os.ReadFile("testdata/wellknown.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var docs []Document
	for line := range strings.Lines(string(file)) {
		part := append(strings.Split(strings.TrimSpace(line), "\t"), "")
		publisher, name, _ := strings.Cut(part[0], ".")
		thousands, err := strconv.ParseInt(part[3], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, Document{ID: part[0], Name: name, Publisher: publisher, PublisherTitle: part[2],
			Title: part[1], Description: part[4], Categories: []string{"Other"}, Installs: 1000 * thousands})
	}
	return docs
}

// similarDocuments returns n invented extensions with words of the well-known ones.
func similarDocuments(wellKnown []Document, n int) []Document {
	r := rand.New(rand.NewPCG(7, 7))
	var all []string
	for i := range wellKnown {
		all = append(all, words(wellKnown[i].Title)...)
	}
	docs := make([]Document, n)
	for i := range docs {
		title := pick(r, all) + " " + pick(r, all) + " " + pick(r, vocabulary)
		name := strings.ReplaceAll(title, " ", "-")
		docs[i] = Document{ID: fmt.Sprintf("crowd%d.%s", i, name), Name: name, Publisher: fmt.Sprint("crowd", i), Title: title,
			Description: pick(r, all) + " and " + pick(r, all), Tags: []string{pick(r, all), pick(r, all), pick(r, all)},
			Installs: int64(r.ExpFloat64() * 1000)}
	}
	return docs
}

// TestRelevance searches for every well-known extension in several ways. The mean
// reciprocal rank of the extension must not be below a floor for each way.
func TestRelevance(t *testing.T) {
	wellKnown := wellKnownDocuments(t)
	ix := open(t, append(similarDocuments(wellKnown, 3000), wellKnown...), nil)
	beginning := func(s string) string {
		r := []rune(s)
		return string(r[:min(len(r), max(4, 2*len(r)/3))])
	}
	plainWord := regexp.MustCompile(`[A-Za-z0-9#+]+`)
	for class, c := range map[string]struct {
		floor float64
		typed func(id, title string) string
	}{
		"name":   {0.995, func(_, title string) string { return title }},
		"id":     {1, func(id, _ string) string { return id }},
		"short":  {0.989, func(id, _ string) string { _, name, _ := strings.Cut(id, "."); return name }},
		"prefix": {0.981, func(_, title string) string { return beginning(title) }},
		"swapped": {0.972, func(_, title string) string {
			w := plainWord.FindAllString(title, -1)
			if len(w) < 2 {
				return ""
			}
			return w[1] + " " + w[0]
		}},
		"typo":      {0.994, mistype},
		"id prefix": {0.93, func(id, _ string) string { return beginning(id) }},
		"id typo":   {0.999, func(id, _ string) string { return mistype(id, id) }},
	} {
		sum, n := 0.0, 0.0
		for i := range wellKnown {
			text := c.typed(wellKnown[i].ID, wellKnown[i].Title)
			if text == "" {
				continue
			}
			n++
			want, _ := ix.Find(wellKnown[i].ID)
			at := slices.Index(ix.Search(nil, &query.Filter{Text: []string{text}, Size: 10}).Hits, want)
			if at >= 0 {
				sum += 1 / float64(at+1)
			}
			if at != 0 {
				t.Logf("%s: %q finds %s at %d", class, text, wellKnown[i].ID, at)
			}
		}
		t.Logf("%s: mean reciprocal rank %.4f of %.0f texts", class, sum/n, n)
		if sum/n < c.floor {
			t.Errorf("%s: got a mean reciprocal rank of %.4f, want %.4f", class, sum/n, c.floor)
		}
	}
}

// mistype makes one edit in the longest word, if it has at least five letters.
func mistype(id, title string) string {
	all := regexp.MustCompile(`[A-Za-z]{5,}`).FindAllString(title, -1)
	if len(all) == 0 {
		return ""
	}
	w := slices.MaxFunc(all, func(a, b string) int { return len(a) - len(b) })
	r := rand.New(rand.NewPCG(uint64(len(id)), uint64(w[0])))
	i := 1 + r.IntN(len(w)-2)
	wrong := []string{w[:i] + w[i+1:], w[:i] + w[i:i+1] + w[i:], w[:i] + w[i+1:i+2] + w[i:i+1] + w[i+2:], w[:i] + "q" + w[i+1:]}
	return strings.Replace(title, w, wrong[r.IntN(4)], 1)
}

func TestSpellings(t *testing.T) {
	ix := open(t, wellKnownDocuments(t), nil)
	for text, id := range map[string]string{
		"c++": "ms-vscode.cpptools", "C#": "ms-dotnettools.csharp", ".net": "ms-dotnettools.vscode-dotnet-runtime",
		"liveserver": "ritwickdey.liveserver", "live-server": "ritwickdey.liveserver", "LIVE SERV": "ritwickdey.liveserver",
		"git lens": "eamodio.gitlens", "lens git": "eamodio.gitlens", "theme material": "equinusocio.vsc-material-theme", "gitlens": "eamodio.gitlens", "中文": "ms-ceintl.vscode-language-pack-zh-hans",
		"portugues": "ms-ceintl.vscode-language-pack-pt-br", "PORTUGUÊS": "ms-ceintl.vscode-language-pack-pt-br",
		"ｐｙｌａｎｃｅ": "ms-python.vscode-pylance", "java script snippets": "xabikos.javascriptsnippets",
		`publisher:"Red Hat" yaml`: "redhat.vscode-yaml", `publisher:redhat`: "redhat.java", `"dev kit"`: "ms-dotnettools.csdevkit",
		"kubernets": "ms-kubernetes-tools.vscode-kubernetes-tools", "kubrenetse": "ms-kubernetes-tools.vscode-kubernetes-tools",
		"python formatter xyzzy": "ms-python.black-formatter", "es7 react": "dsznajder.es7-react-js-snippets",
	} {
		r := ix.Search(nil, &query.Filter{Text: []string{text}})
		want, ok := ix.Find(id)
		if !ok || len(r.Hits) == 0 || r.Hits[0] != want {
			t.Errorf("%q: got %v, want %s (%d) first", text, r.Hits, id, want)
		}
	}
	for _, text := range []string{`"`, `""`, ` " "" `} {
		if r := ix.Search(nil, &query.Filter{Text: []string{text}}); r.Total != ix.Len() {
			t.Errorf("%q: got %d matches, want all: there is nothing to search for", text, r.Total)
		}
	}
	for _, text := range []string{"!!!", `publisher:nobody`, `"kit dev"`, "publisher:redhat docker", "中国"} {
		if r := ix.Search(nil, &query.Filter{Text: []string{text}}); r.Total != 0 {
			t.Errorf("%q: got %v, want nothing", text, r)
		}
	}
}

// TestExactNameWins has titles and names that contain others. One that is typed in full, in
// any case and also without the spaces between its words, precedes those that contain or
// begin with it. So does an id. A name does not match exactly if the text has additional
// spaces.
func TestExactNameWins(t *testing.T) {
	ix := open(t, []Document{
		{ID: "a.native-tools", Name: "native-tools", Title: "React Native Tools", Installs: 9_000_000},
		{ID: "b.exact", Name: "exact", Title: "React Native"},
		{ID: "c.joined", Name: "joined", Title: "ReactNative"},
		{ID: "d.react-native", Name: "react-native", Title: "Something Else", Installs: 1},
		{ID: "p.react-tools", Name: "tools", Publisher: "p", Title: "React Tools", Installs: 9_000_000},
		{ID: "p.react", Name: "one", Publisher: "p", Title: "React"},
	}, nil)
	for text, want := range map[string][]string{
		"react native":           {"b.exact", "d.react-native", "a.native-tools", "c.joined"},
		"React-Native":           {"b.exact", "d.react-native", "a.native-tools", "c.joined"},
		"réact nátive":           {"b.exact", "d.react-native", "a.native-tools", "c.joined"},
		"reactnative":            {"c.joined", "b.exact", "d.react-native", "a.native-tools"},
		`"react native"`:         {"b.exact", "d.react-native", "a.native-tools"},
		"react native @unknown":  {"b.exact", "d.react-native", "a.native-tools", "c.joined"},
		"b.exact":                {"b.exact"},
		"B.EXACT":                {"b.exact"},
		"@b.exact":               {"b.exact"},
		"d react native":         {"d.react-native", "b.exact", "c.joined"},
		"publisher:p react":      {"p.react", "p.react-tools"},
		"publisher:p \"react\"":  {"p.react", "p.react-tools"},
		"@publisher:p @x react":  {"p.react", "p.react-tools"},
		"publisher:p react tool": {"p.react-tools"},
	} {
		var got []string
		for _, h := range ix.Search(nil, &query.Filter{Text: []string{text}}).Hits {
			got = append(got, ix.documentStrings(int(h)).ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestIDsAreNotTitles has an id whose words are the beginning of a title. Only a text that may be
// an id is compared with ids.
func TestIDsAreNotTitles(t *testing.T) {
	ix := open(t, []Document{
		{ID: "redhat.java", Name: "java", Publisher: "redhat", Title: "Java Support by Red Hat", Installs: 20_000_000},
		{ID: "redhat.jvm", Name: "jvm", Publisher: "redhat", Title: "Virtual Machines", Installs: 1_000_000},
		{ID: "c.commons", Name: "commons", Title: "Red Hat Commons", Installs: 1_000_000},
		{ID: "javasdk.one", Name: "one", Publisher: "javasdk", Title: "Red Cap", Tags: []string{"redhat"}, Installs: 10},
	}, nil)
	for text, want := range map[string]string{
		"red hat": "c.commons", "hat red": "c.commons", "redhat.jav": "redhat.java", "@redhat.jav": "redhat.java", "redhat.jv": "redhat.jvm",
		"redhat.jaav": "redhat.java", "rehdat.jv": "redhat.jvm", "REDHAT.JV": "redhat.jvm", "javasd": "javasdk.one", "redhat.": "redhat.java",
	} {
		if got := first(ix, text); got != want {
			t.Errorf("%q: got %s first, want %s", text, got, want)
		}
	}
}

// TestLikenessOfNames has names that are like a text in four ways, with the same installs. The
// first begins with it. The second begins with its two words swapped. The third is the text with
// a mistake. The fourth only contains its words.
func TestLikenessOfNames(t *testing.T) {
	ix := open(t, []Document{
		{ID: "d.begins", Title: "Grid Maker Pro"}, {ID: "c.swapped", Title: "Maker Grid Pro"},
		{ID: "b.mistake", Title: "Gird Maker"}, {ID: "a.contains", Title: "My Grid or Maker"},
	}, nil)
	var got []string
	for _, h := range ix.Search(nil, &query.Filter{Text: []string{"grid maker"}}).Hits {
		got = append(got, ix.documentStrings(int(h)).ID)
	}
	if want := []string{"d.begins", "c.swapped", "b.mistake", "a.contains"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestMisspellingIsAnotherName has a misspelling that is the name of another extension.
// That one is first, and the correctly spelled one is found too.
func TestMisspellingIsAnotherName(t *testing.T) {
	ix := open(t, []Document{
		{ID: "a.jupyter", Name: "jupyter", Title: "Jupyter", Installs: 9_000_000},
		{ID: "b.jupiter", Name: "jupiter", Title: "Jupiter", Installs: 1},
	}, nil)
	planet, _ := ix.Find("b.jupiter")
	notebook, _ := ix.Find("a.jupyter")
	if hits := ix.Search(nil, &query.Filter{Text: []string{"jupiter"}}).Hits; !slices.Equal(hits, []Hit{planet, notebook}) {
		t.Errorf("got %v, want %v", hits, []Hit{planet, notebook})
	}
}

// TestFields finds a word in every field, and fields with more weight first.
func TestFields(t *testing.T) {
	docs := []Document{
		{ID: "a.title", Name: "title", Title: "My Zebra"}, {ID: "b.zebra", Name: "zebra", Title: "By Name Alone"},
		{ID: "c.tag", Name: "tag", Tags: []string{"zebra"}}, {ID: "zebra.publisher", Name: "publisher", Publisher: "zebra"},
		{ID: "e.person", Name: "person", PublisherTitle: "Zebra Inc."}, {ID: "f.category", Name: "category", Categories: []string{"Zebra"}},
		{ID: "g.text", Name: "text", Description: "Counts the stripes of a zebra"}, {ID: "h.none", Name: "none", Title: "Horse"},
	}
	ix := open(t, docs, nil)
	for _, text := range []string{"zebra", "ZEBR", "zebar"} {
		hits := ix.Search(nil, &query.Filter{Text: []string{text}}).Hits
		if len(hits) != 7 {
			t.Fatalf("%q: got %d matches, want 7", text, len(hits))
		}
		if last := ix.documentStrings(int(hits[6])).ID; last != "g.text" {
			t.Errorf("%q: got %s last, want the one that only describes it", text, last)
		}
	}
}

// TestMaxEdits searches for misspelled words. A word may have one edit from five letters
// on, two from nine, counting the longer of the word and the term.
func TestMaxEdits(t *testing.T) {
	ix := open(t, []Document{{ID: "a.a", Title: "Docker"}, {ID: "b.b", Title: "Rust"}, {ID: "c.c", Title: "Kubernetes"}, {ID: "d.d", Title: "Straße Español"}}, nil)
	for text, want := range map[string]int{
		"dockre": 1, "dcker": 1, "docxker": 1, "doxker": 1, "ocker": 1, "dokre": 0, "doxer": 0,
		"rsut": 0, "rusxt": 1, "rus": 1, "ust": 0,
		"kubrenetse": 1, "kubrnets": 1, "ubernetess": 1, "kbrnets": 0,
		"espanlo": 1, "strase": 1, "straß": 1,
	} {
		if got := ix.Search(nil, &query.Filter{Text: []string{text}}).Total; got != want {
			t.Errorf("%q: got %d matches, want %d", text, got, want)
		}
	}
}

// TestRareWordsAreCorrected has a misspelled word in some documents. It is corrected too if
// they are fewer than five.
func TestRareWordsAreCorrected(t *testing.T) {
	for n, want := range map[int]int{4: 5, 5: 5, 6: 6} {
		docs := []Document{{ID: "a.server", Name: "server", Installs: 9}}
		for i := range n {
			docs = append(docs, Document{ID: fmt.Sprintf("b.x%d", i), Title: "My servr"})
		}
		r := open(t, docs, nil).Search(nil, &query.Filter{Text: []string{"servr"}})
		if r.Total != want {
			t.Errorf("%d documents with the word: got %d matches, want %d", n, r.Total, want)
		}
	}
}

// TestPhrasesAreNotRelaxed checks that the words of a phrase are neither corrected, nor
// prefixes, nor omitted if no document has all words.
func TestPhrasesAreNotRelaxed(t *testing.T) {
	ix := open(t, []Document{{ID: "a.a", Title: "Docker Tools"}, {ID: "b.b", Publisher: "b", Title: "Python Tools"}, {ID: "c.c", Title: "LiveServer"}}, nil)
	for text, want := range map[string]int{
		"docker python": 2, `"docker" python`: 1, `"docker" "python"`: 0, `"dockre"`: 0, `"dock"`: 0, `"dockre" tools`: 0,
		`"docker" xyzzyxyzzy`: 1, `"tools"`: 2, `"live"`: 1, `"live server"`: 0, `"docker tools" xyzzyxyzzy`: 1,
		`"python" publisher:b publisher:x`: 1, `publisher:x publisher:b "python"`: 1, `"python" publisher:a`: 0,
	} {
		if got := ix.Search(nil, &query.Filter{Text: []string{text}}).Total; got != want {
			t.Errorf("%s: got %d matches, want %d", text, got, want)
		}
	}
}

// first returns the id of the first hit for a text, or "" if there is none.
func first(ix *Index, text string) string {
	hits := ix.Search(nil, &query.Filter{Text: []string{text}}).Hits
	if len(hits) == 0 {
		return ""
	}
	return ix.documentStrings(int(hits[0])).ID
}

// TestWordTypedInFull searches for a word that is a title or a name. That extension is
// first, even if those that contain the word elsewhere have many more installs.
func TestWordTypedInFull(t *testing.T) {
	for _, word := range []string{"Test", "Code", "Rust", "Java", "C", "C++", "Café", "中文", "Go"} {
		docs := []Document{
			{ID: "begins.one", Name: "one", Title: word + " Runner", Installs: 50_000_000},
			{ID: "begins.two", Name: "two", Title: word + "Script", Installs: 50_000_000},
			{ID: "part.three", Name: "three", Title: "Visual Studio " + word, Installs: 50_000_000},
			{ID: "tags.four", Name: "four", Title: "Other", Tags: []string{word, word + "-x", word + " y"}, Installs: 50_000_000},
			{ID: word + ".five", Name: "five", Publisher: word, PublisherTitle: word, Description: word, Installs: 50_000_000},
			{ID: "full.title", Name: "six", Title: word},
		}
		if got := first(open(t, docs, nil), strings.ToLower(word)); got != "full.title" {
			t.Errorf("%q: got %s first, want the one with this title", word, got)
		}
		docs[5] = Document{ID: "full.title", Name: "six", Title: "⚡️ " + word + "!"}
		if got := first(open(t, docs, nil), word); got != "full.title" {
			t.Errorf("%q: got %s first, want the one with this title and a symbol", word, got)
		}
		docs[5] = Document{ID: "full." + word, Name: word, Title: "Tool"}
		for _, text := range []string{word, strings.ToUpper(word), `"` + word + `"`} {
			if got := first(open(t, docs, nil), text); got != docs[5].ID {
				t.Errorf("%s: got %s first, want the one with this name", text, got)
			}
		}
	}
}

// TestRepeatedTagsAddNoWeight repeats a word in many tags and in all other fields. It has
// less weight than in a title or name.
func TestRepeatedTagsAddNoWeight(t *testing.T) {
	stuffed := Document{ID: "a.stuffed", Name: "stuffed", Title: "Buy This", Publisher: "python", PublisherTitle: "Python Python",
		Description: "Python python python", Categories: []string{"Python"}, Contributed: []string{"Python", "Run Python"}}
	for i := range 500 {
		stuffed.Tags = append(stuffed.Tags, "python", fmt.Sprint("python-", i), fmt.Sprintf("x%d python", i), "__ext_python")
	}
	ix := open(t, []Document{stuffed,
		{ID: "b.title", Name: "title", Title: "One of Very Many Tools for Python and for Other Things of Which There Are a Lot"},
		{ID: "c.one-of-very-many-tools-for-python-and-other-things", Name: "one-of-very-many-tools-for-python-and-other-things", Title: "Tool"},
	}, nil)
	long := stuffed
	long.Title = "The Long Title of an Extension for Python"
	short := Document{ID: "b.short", Title: "My Python"}
	if got := first(open(t, []Document{long, short}, nil), "python"); got != "b.short" {
		t.Errorf("got %s first, want the one with fewer words in its title", got)
	}
	for _, text := range []string{"python", "PYTHON", "pytho", "pyhton", `"python"`} {
		hits := ix.Search(nil, &query.Filter{Text: []string{text}}).Hits
		if len(hits) != 3 || ix.documentStrings(int(hits[2])).ID != "a.stuffed" {
			t.Errorf("%s: got %v, want the one without the word in its title and name last", text, hits)
		}
	}
}

// TestHiddenTagsAreNotSearched checks that hidden tags are found as criteria, but not as
// texts, except for the file types in them.
func TestHiddenTagsAreNotSearched(t *testing.T) {
	ix := open(t, []Document{{ID: "a.a", Tags: []string{"__lp_vscode.java", "__lp-de_vscode.docker", "__web_extension", "__sponsor_extension", "_mine", "__", "__ext_", "lp-de"}},
		{ID: "b.b", Tags: []string{"__ext_tsp", "__EXT_d.ts", "visible"}}}, nil)
	for text, want := range map[string]string{
		"java": "", "docker": "", "web": "", "extension": "", "sponsor": "", "mine": "", "vscode": "", "lp": "a.a", "ext": "", "exttsp": "",
		"__web_extension": "", `"web extension"`: "", `"lp vscode java"`: "", `"web"`: "",
		"tsp": "b.b", "ts": "b.b", `"tsp"`: "b.b", `"d ts"`: "b.b", "visible": "b.b",
	} {
		if got := first(ix, text); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	for _, tag := range []string{"__lp_vscode.java", "__WEB_extension", "_mine", "__ext_tsp"} {
		if got := ix.Search(nil, &query.Filter{Tags: []string{tag}}).Total; got != 1 {
			t.Errorf("tag %s: got %d matches, want 1", tag, got)
		}
	}
}

// TestContributedTexts checks that contributed texts are found after all other fields.
func TestContributedTexts(t *testing.T) {
	ix := open(t, []Document{
		{ID: "a.command", Contributed: []string{"Organize Imports", "pwa-node"}, Installs: 9},
		{ID: "b.text", Description: "Organize your imports", Installs: 9},
		{ID: "c.tag", Tags: []string{"organize", "imports"}, Installs: 9},
	}, nil)
	hits := ix.Search(nil, &query.Filter{Text: []string{"organize import"}}).Hits
	var got []string
	for _, h := range hits {
		got = append(got, ix.documentStrings(int(h)).ID)
	}
	if want := []string{"c.tag", "b.text", "a.command"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for text, want := range map[string]string{"pwa node": "a.command", `"organize imports"`: "a.command", "node": "a.command", `"imports pwa"`: ""} {
		if got := first(ix, text); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// TestUnknownOperators checks that the words of an unknown operator, such as @latest, are
// optional, unless the text has nothing else.
func TestUnknownOperators(t *testing.T) {
	ix := open(t, []Document{
		{ID: "a.python", Title: "Python", Installs: 9_000_000}, {ID: "b.docs", Title: "Latest Python Docs"},
		{ID: "c.latest", Title: "Latest"}, {ID: "d.node", Title: "Node Types", Publisher: "d"},
	}, nil)
	for text, want := range map[string]int{
		"@latest python": 2, "python @latest": 2, "python @latest:yes": 2, `python @latest:"a b"`: 2, "@latest": 2, "@lates": 2, "@nothing python": 2,
		"@nothing": 0, `@latest "python"`: 2, "publisher:d @latest": 1, "@types/node": 1, "python@latest": 1, "@ python": 2, "pythn @latest": 2,
	} {
		if got := ix.Search(nil, &query.Filter{Text: []string{text}}).Total; got != want {
			t.Errorf("%s: got %d matches, want %d", text, got, want)
		}
	}
	for text, want := range map[string]string{"@latest python": "a.python", "@latest": "c.latest", "@latest docs python": "b.docs", "@python": "a.python"} {
		if got := first(ix, text); got != want {
			t.Errorf("%s: got %q first, want %q", text, got, want)
		}
	}
	ix = open(t, []Document{{ID: "x.one", Title: "My Python One"}, {ID: "y.two", Title: "My Python Two Latest"}}, nil)
	for text, want := range map[string]string{"python": "x.one", "@nothing @latest python": "y.two", "@lates python": "x.one"} {
		if got := first(ix, text); got != want {
			t.Errorf("%s: got %q first, want %q", text, got, want)
		}
	}
}

// TestPartsOfWords checks that a camel-case part of a word has less weight than a word.
func TestPartsOfWords(t *testing.T) {
	ix := open(t, []Document{{ID: "a.one", Title: "My JavaScript", Installs: 1000}, {ID: "b.two", Title: "My Java", Installs: 100}}, nil)
	if got := first(ix, "java"); got != "b.two" {
		t.Errorf("got %s first, want the one with the word", got)
	}
}
