package manifest

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"
)

// A repositoryRow is a line of testdata/repositories.txt: a repository as in package.json, and the
// url, issues and readme that vsce 4.1 derives from it, quoted as in Go and separated by tabs. If
// the host is unknown, the line has only the repository.
type repositoryRow struct {
	text string
	want repository
}

func repositoryRows(t *testing.T) []repositoryRow {
	t.Helper()
	f, err := os.Open("testdata/repositories.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var rows []repositoryRow
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var texts []string
		for column := range strings.SplitSeq(lines.Text(), "\t") {
			text, err := strconv.Unquote(column)
			if err != nil {
				t.Fatalf("%s: %v", column, err)
			}
			texts = append(texts, text)
		}
		row := repositoryRow{texts[0], repository{url: texts[0]}}
		if len(texts) == 4 {
			row.want = repository{texts[1], texts[2], texts[3]}
		}
		rows = append(rows, row)
	}
	return rows
}

// incomplete reports whether vsce wrote null, undefined or nothing for a missing part. Such
// addresses do not exist.
func (r repository) incomplete() bool {
	return strings.Contains(r.url, "/null/") || strings.Contains(r.url, "#undefined") ||
		strings.Contains(r.url, "/.git")
}

func TestRepositories(t *testing.T) {
	rows := repositoryRows(t)
	if len(rows) < 80 {
		t.Fatalf("%d rows only", len(rows))
	}
	for _, row := range rows {
		if got := parseRepository(row.text); got != row.want && !row.want.incomplete() {
			t.Errorf("%q:\n%q, vsce has\n%q", row.text, got, row.want)
		}
	}
}

// TestIncompleteRepositories has repositories for which vsce writes null or undefined.
func TestIncompleteRepositories(t *testing.T) {
	for text, want := range map[string]repository{
		"github:r":                        {url: "github:r"},
		"github://o/r":                    {url: "github://o/r"},
		"o#a/b":                           {url: "o#a/b"},
		"https://github.com/o/r/tree":     {"https://github.com/o/r.git", "https://github.com/o/r/issues", "https://github.com/o/r#readme"},
		"https://github.com/o/r/tree?x=1": {"https://github.com/o/r.git", "https://github.com/o/r/issues", "https://github.com/o/r#readme"},
	} {
		if got := parseRepository(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// FuzzRepository parses any text without a panic. The URLs of known hosts must be https.
func FuzzRepository(f *testing.F) {
	for _, text := range []string{"o/r#x", "git@github.com:o/r", "https://u:p@gitlab.com/g/../s/p.git?x#y", "gist:a", "ssh://%@[git.sr.ht]:1/~o/r"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := parseRepository(text)
		if r.issues == "" && r.url != text || r.issues != "" && !strings.HasPrefix(r.url, "https://") {
			t.Errorf("%q: %q", text, r)
		}
		if (r.issues == "") != (r.readme == "") {
			t.Errorf("%q has issues %q and readme %q", text, r.issues, r.readme)
		}
	})
}
