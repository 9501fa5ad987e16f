//go:build e2e

package manifest

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// vsceRepositories returns the repositories that the real vsce derives from the texts.
func vsceRepositories(t *testing.T, texts []string) []repository {
	t.Helper()
	var jobs []any
	for _, text := range texts {
		jobs = append(jobs, text)
	}
	var results []*struct{ URL, Issues, Readme string }
	runVsce(t, jobs, &results)
	var all []repository
	for i, a := range results {
		if a == nil {
			all = append(all, repository{url: texts[i]})
		} else {
			all = append(all, repository{a.URL, a.Issues, a.Readme})
		}
	}
	return all
}

// TestRepositoriesRecorded compares testdata/repositories.txt with the real vsce. With -update, it
// rewrites the file.
func TestRepositoriesRecorded(t *testing.T) {
	var texts []string
	rows := repositoryRows(t)
	for _, row := range rows {
		texts = append(texts, row.text)
	}
	var file strings.Builder
	for i, r := range vsceRepositories(t, texts) {
		if r != rows[i].want && !*update {
			t.Errorf("%q is %q, recorded %q", texts[i], r, rows[i].want)
		}
		file.WriteString(strconv.Quote(texts[i]))
		if r.issues != "" {
			file.WriteString("\t" + strconv.Quote(r.url) + "\t" + strconv.Quote(r.issues) + "\t" + strconv.Quote(r.readme))
		}
		file.WriteString("\n")
	}
	if *update {
		if err := os.WriteFile("testdata/repositories.txt", []byte(file.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRepositoriesRandom compares random repositories with the real vsce.
func TestRepositoriesRandom(t *testing.T) {
	parts := strings.Fields(`github: gitlab: gist: bitbucket: sourcehut: https:// http:// git:// ssh:// git+ssh:// git+https:// // / / / : @ # ? . .. %20 %2F .git
		git@ user:tok@ tok@ www. github.com github.com gitlab.com bitbucket.org gist.github.com git.sr.ht code.example :22 :443 o r o r ~o a.b a-b_c tree main - blob get raw archive issues archive.tar.gz`)
	random := rand.New(rand.NewPCG(1, 2))
	var texts []string
	for range 20000 {
		var b strings.Builder
		for range 1 + random.IntN(12) {
			b.WriteString(parts[random.IntN(len(parts))])
		}
		texts = append(texts, b.String())
	}
	hosted := 0
	for i, want := range vsceRepositories(t, texts) {
		if want.issues != "" {
			hosted++
		}
		if got := parseRepository(texts[i]); got != want && !want.incomplete() {
			t.Errorf("%q:\n%q, vsce has\n%q", texts[i], got, want)
		}
	}
	if hosted < 1000 {
		t.Errorf("%d of %d on known hosts only", hosted, len(texts))
	}
}
