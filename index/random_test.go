package index

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"

	"galbuild/index/query"
)

var vocabulary = strings.Fields(`Python python Pylance Pretty Prettier Live Server LiveServer GitLens Git Lens
	C++ C# .NET vue.js Vue Café cafe naïve 简体中文 中文 日本語 Docker dockerfile Markdown markdownlint theme Theme
	dark Material Icons TypeScript JavaScript javascripts Kelvin Straße снег Снег one two three four five
	serve servers linter lintr __web_extension __ext_vue __ext_d.ts __lp_vscode.go Go go3 XMLTools`)

var somePlatforms = []string{"universal", "linux-x64", "win32-x64", "plan9-mips"}
var someCommands = []string{"Run Test", "Open the Live Server", "pwa-node", "TypeScript: Restart", "中文 Docker"}
var someCategories = []string{"Themes", "Programming Languages", "Languages", "languages", "Linters", "Machine Learning"}

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

func randomPhrase(r *rand.Rand, most int) string {
	all := make([]string, r.IntN(most+1))
	for i := range all {
		all[i] = pick(r, vocabulary)
	}
	return strings.Join(all, pick(r, []string{" ", "-", " – "}))
}

func pickSome(r *rand.Rand, from []string) []string {
	var all []string
	for range r.IntN(3) {
		all = append(all, pick(r, from))
	}
	return all
}

func randomDocuments(r *rand.Rand, n int) []Document {
	docs := make([]Document, n)
	for i := range docs {
		publisher := pick(r, []string{"acme", "ACME-Tools", "Ünï", "ms"})
		name := fmt.Sprintf("%s-%d", pick(r, vocabulary), i)
		docs[i] = Document{
			ID: publisher + "." + name, Name: name, Publisher: publisher,
			UUID:           fmt.Sprintf("%08X-0000-5000-8000-%012x", r.Uint32(), i),
			PublisherTitle: pick(r, []string{"", "Acme Corp", "Microsoft", "acme"}),
			Title:          randomPhrase(r, 3), Description: randomPhrase(r, 8),
			Categories: pickSome(r, someCategories), Tags: pickSome(r, vocabulary), Platforms: pickSome(r, somePlatforms),
			Contributed: pickSome(r, someCommands),
			Flags: uint32(r.IntN(2))*query.Public | uint32(r.IntN(2))*query.Preview | query.Validated |
				uint32(max(0, r.IntN(12)-10))*query.Unpublished,
			Featured: r.IntN(5) == 0, Installs: int64(r.IntN(4) * r.IntN(1000)),
			Rating: float64(r.IntN(11)) / 2, Ratings: int64(r.IntN(40)),
			Updated: int64(r.IntN(9)), Released: int64(r.IntN(9)) - 4,
		}
		d := &docs[i]
		d.Use = Use{Downloads: d.Installs % 7, Daily: d.Installs % 2, Weekly: d.Installs % 3, Monthly: d.Installs % 5}
	}
	return docs
}

// testPayloads returns payloads that depend on the id of the document only.
func testPayloads(d *Document) Payloads {
	h := fnv.New64()
	h.Write([]byte(d.ID))
	r := rand.New(rand.NewPCG(h.Sum64(), 1))
	p := Payloads{randomPayload(r), randomPayload(r)}
	if r.IntN(2) == 0 {
		p[All] = p[Latest]
	}
	return p
}

func randomPayload(r *rand.Rand) Payload {
	p := Payload{JSON: bytes.Repeat([]byte("x"), r.IntN(30)), Deflated: bytes.Repeat([]byte("z"), r.IntN(10))}
	for at := 0; at <= len(p.JSON); at += r.IntN(20) {
		p.Placeholders = append(p.Placeholders, uint32(at))
	}
	return p
}

func randomFilter(r *rand.Rand, docs []Document) *query.Filter {
	f := &query.Filter{Page: r.IntN(4), Size: r.IntN(12)}
	f.Sort = []query.Sort{0, 0, 0, 0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 12}[r.IntN(14)]
	f.Order = query.Order(r.IntN(3))
	d := &docs[r.IntN(len(docs))]
	chance := func(n int, change func()) {
		if r.IntN(n) == 0 {
			change()
		}
	}
	chance(6, func() { f.Tags = append(pickSome(r, vocabulary), "none") })
	chance(9, func() { f.DisplayNames = []string{strings.ToUpper(d.Title), "x"} })
	chance(6, func() { f.IDs = []string{strings.ToLower(d.UUID), "", docs[0].ID} })
	chance(6, func() { f.Names = []string{strings.ToUpper(d.ID), "no.such", d.UUID} })
	chance(6, func() { f.Categories = append(pickSome(r, someCategories), "THEMES") })
	chance(6, func() { f.Targets = []string{pick(r, append(somePlatforms, "microsoft.visualstudio.code", "Other"))} })
	chance(9, func() { f.Platforms = append(pickSome(r, somePlatforms), "LINUX-ARM64") })
	chance(9, func() { f.Featured = true })
	chance(4, func() { f.Exclude = query.Unpublished })
	chance(9, func() { f.Exclude |= query.Preview | 1<<31 })
	chance(9, func() { f.Include = query.Public | query.Validated })
	chance(9, func() { f.Publishers = []string{"Acme", "MS"} })
	chance(9, func() { f.PublisherTitles = []string{"microsoft"} })
	chance(9, func() { f.ShortNames = []string{strings.ToUpper(d.Name)} })
	chance(2, func() { f.Text = []string{randomText(r, d)} })
	chance(20, func() { f.Text = append(f.Text, randomText(r, d)) })
	return f
}

func randomText(r *rand.Rand, d *Document) string {
	s := []rune(pick(r, []string{randomPhrase(r, 3), d.Title, d.ID, d.Name, `"` + randomPhrase(r, 2) + `"`, pick(r, vocabulary), pick(r, someCommands)}))
	if n := len(s); n > 2 && r.IntN(2) == 0 {
		i := 1 + r.IntN(n-1)
		switch r.IntN(4) {
		case 0:
			s = s[:i]
		case 1:
			s = append(s[:i-1], s[i:]...)
		case 2:
			s[i-1], s[i] = s[i], s[i-1]
		case 3:
			s[i] = 'q'
		}
	}
	return pick(r, []string{"", "", "", `publisher:"acme corp" `, "PUBLISHER:ms ", "@publisher:ms ", "@", "@docker ", "@x:Live "}) + string(s)
}
