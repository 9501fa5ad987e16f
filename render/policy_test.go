package render

import (
	"bytes"
	"io"
	"maps"
	"os"
	"strings"
	"testing"

	"galbuild/build/catalog"
	"galbuild/build/policy"
	"galbuild/index"
	"galbuild/index/query"
	"galbuild/render/gallery"
)

// presented is a policy for the extensions of sample.
const presented = `{
	// comments are allowed
	"featured": ["Acme.EXT2", "acme.missing"],
	"recommended": ["acme.ext2", "acme.missing", "acme.ext9", "acme.ext1"],
	"deprecated": {"acme.ext1": {"use": "acme.ext2", "reason": "It was merged."}},
	"publishers": {"ACME": {"displayName": "The Acme Company", "domain": "https://acme.example"}},
	"search": {
		"pins": {"Several": ["acme.ext2", "acme.ext1"]},
		"synonyms": [["one", "single"]],
	},
}
`

// openSite opens the index of c, rendered without a site.
func openSite(t *testing.T, c *catalog.Catalog) *index.Index {
	t.Helper()
	var b bytes.Buffer
	chunks := make(map[string][]byte)
	if err := index.Write(&b, derive(t, c, chunks).content); err != nil {
		t.Fatal(err)
	}
	ix, err := index.OpenBytes(b.Bytes(), func(c index.Chunk) ([]byte, io.Closer, error) {
		return chunks[catalog.ChunkDir+c.Name()], io.NopCloser(nil), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

// names returns the names of the results of a filter, joined with spaces.
func names(ix *index.Index, f query.Filter) string {
	docs := make(map[index.Hit]string)
	for h, d := range ix.Documents() {
		docs[h] = d.Name
	}
	var all []string
	for _, h := range ix.Search(nil, &f).Hits {
		all = append(all, docs[h])
	}
	return strings.Join(all, " ")
}

func TestPolicyInIndex(t *testing.T) {
	c := sample(t, newSite(t), 3)
	plain := openSite(t, c)
	c.Policy = presented
	ix := openSite(t, c)
	for name, tt := range map[string]struct {
		f            query.Filter
		before, want string
	}{
		"featured":            {query.Filter{Featured: true}, "Ext0", "Ext0 Ext2"},
		"pinned":              {query.Filter{Text: []string{"several"}}, "Ext0 Ext1 Ext2", "Ext2 Ext1 Ext0"},
		"a synonym":           {query.Filter{Text: []string{"single"}}, "", "Ext0 Ext1 Ext2"},
		"the publisher":       {query.Filter{Text: []string{`publisher:"The Acme Company"`}}, "", "Ext0 Ext1 Ext2"},
		"its title elsewhere": {query.Filter{PublisherTitles: []string{"Acme Inc"}}, "Ext0 Ext1 Ext2", ""},
	} {
		if before, got := names(plain, tt.f), names(ix, tt.f); before != tt.before || got != tt.want {
			t.Errorf("%s: got %q, and %q without a policy; want %q and %q", name, got, before, tt.want, tt.before)
		}
	}
}

// TestPolicyInResponses checks what the payloads of the index, the static responses and the control
// manifest say.
func TestPolicyInResponses(t *testing.T) {
	c := sample(t, newSite(t), 3)
	c.Policy = presented
	c.Extensions = append(c.Extensions, c.Extensions[2])
	c.Extensions[3].Name, c.Extensions[3].Versions = "Ext9", []catalog.Version{{Version: "1.0.0", Platform: oldPlatform}}
	const want = `"publisher":{"publisherId":"p","publisherName":"Acme","displayName":"The Acme Company","domain":"https://acme.example","isDomainVerified":true}`
	ix := openSite(t, c)
	hit, _ := ix.Find("acme.ext0")
	if payload, err := ix.Payload(hit, index.Latest); err != nil || !strings.Contains(string(payload.JSON), want) {
		t.Errorf("no %s in %.300s, %v", want, payload.JSON, err)
	}
	texts := make(map[string]string)
	for f := range Responses(c) {
		texts[f.Path] = string(f.Text)
	}
	maps.Copy(texts, pagesOf(t, newSite(t), c, Known{}))
	if got := texts["api/vscode/acme/ext0/latest"]; !strings.Contains(got, want) {
		t.Errorf("no %s in %.300s", want, got)
	}
	control := `{"deprecated":{"acme.ext1":{"extension":{"id":"Acme.Ext2","displayName":"Ext2"},"additionalInfo":"It was merged."}},"malicious":[]}`
	if got := texts[gallery.ControlPath]; got != control {
		t.Errorf("got  %s\nwant %s", got, control)
	}
	home := texts["index.html"]
	first, second := strings.Index(home, `href="./item/acme.ext2.html"`), strings.Index(home, `href="./item/acme.ext1.html"`)
	if first < 0 || second < first || strings.Index(home, `id="recommended"`) > first {
		t.Errorf("acme.ext2 and acme.ext1 are not recommended in this order: %s", home)
	}
	if _, ok := texts["item/acme.ext9.html"]; ok { // it is for an old platform only, so no query finds it
		t.Error("acme.ext9 has a page")
	}
	if c.Extensions[0].Publisher.DisplayName != "Acme Inc" {
		t.Error("the catalogue was changed")
	}
}

// TestPublishersOfPolicy has publishers of whom the policy says only one thing.
func TestPublishersOfPolicy(t *testing.T) {
	for text, want := range map[string]catalog.Publisher{
		`{"displayName": "Other"}`:              {Name: "Acme", DisplayName: "Other", Domain: "https://claimed.example"},
		`{"domain": "https://acme.example"}`:    {Name: "Acme", DisplayName: "Acme Inc", Domain: "https://acme.example", Verified: true},
		`{"domain": "https://claimed.example"}`: {Name: "Acme", DisplayName: "Acme Inc", Domain: "https://claimed.example", Verified: true},
		`{}`:                                    {Name: "Acme", DisplayName: "Acme Inc", Domain: "https://claimed.example"},
	} {
		c := sample(t, newSite(t), 1)
		c.Extensions[0].Publisher.ID, c.Extensions[0].Publisher.Domain = "", "https://claimed.example"
		c.Policy = `{"publishers": {"acme": ` + text + `}}`
		if got := present(&c.Extensions[0], policy.Of(c)).Publisher; got != want {
			t.Errorf("%s: got %+v, want %+v", text, got, want)
		}
	}
}

// TestPolicyChanges changes the policy of a site. What it says takes effect, and what has no other
// bytes is not written again.
func TestPolicyChanges(t *testing.T) {
	dir := newSite(t)
	c := sample(t, dir, 3)
	first := serve(t, dir, c)
	latest := dir.Path("api/vscode/acme/ext0/latest")
	before, err := os.Stat(latest)
	if err != nil {
		t.Fatal(err)
	}
	c.Policy = `{"recommended": ["acme.ext1"], "deprecated": {"acme.ext2": {}}, "search": {"pins": {"some": ["acme.ext2"]}}}`
	second := serve(t, dir, c)
	if first.Index == second.Index {
		t.Error("the index is the same")
	}
	for path, want := range map[string]string{"index.html": "acme.ext1", "control.json": `"acme.ext2":true`} {
		if got, err := os.ReadFile(dir.Path(path)); err != nil || !strings.Contains(string(got), want) {
			t.Errorf("%s: got %s, %v", path, got, err)
		}
	}
	if after, err := os.Stat(latest); err != nil || !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
		t.Errorf("a response that has not changed was written again: %v", err)
	}
	checkProblems(t, dir, nil)
	c.Policy = ""
	if third := serve(t, dir, c); third.Index != first.Index {
		t.Error("without the policy, the index is another one than before it")
	}
}

// TestVerifyPolicy has a policy that a program with other rules has written.
func TestVerifyPolicy(t *testing.T) {
	dir := newSite(t)
	c := sample(t, dir, 1)
	c.Policy = `{"unheard": 1}`
	serve(t, dir, c)
	checkProblems(t, dir, []string{`catalogue: policy:1: there is no key "unheard"`})
}
