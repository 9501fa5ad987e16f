package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	markdowntext "github.com/yuin/goldmark/text"

	"galbuild/build"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/collect/lock"
	"galbuild/build/decision"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func date(n int) time.Time { return time.Date(2026, 11, n, 12, 0, 0, 0, time.UTC) }

// version returns a version whose package has the content of its name, unless another one is given.
func version(name, content string) catalog.Version {
	return catalog.Version{
		Version: name, DisplayName: "Hello", Updated: date(1), Licence: "MIT",
		Package: catalog.File{Ref: blob.Sum([]byte(name + content)), Size: 4711},
	}
}

func extensionOf(name string, versions ...catalog.Version) catalog.Extension {
	return catalog.Extension{
		Publisher: catalog.Publisher{Name: "acme", DisplayName: "Acme Ltd.", Domain: "https://acme.example", Verified: true},
		Name:      name, Versions: versions,
	}
}

// sample returns input with something of everything.
func sample(t *testing.T) Input {
	t.Helper()
	hello := version("1.2.0", "")
	hello.Signed = true
	linux := version("1.2.0", "linux")
	linux.Platform = "linux-x64"
	from := &catalog.Catalog{
		Settings:   catalog.Settings{Render: 1, BaseURL: "http://old.example"},
		Extensions: []catalog.Extension{extensionOf("gone", version("1.0.0", "")), extensionOf("hello", version("1.1.0", ""), version("1.0.0", "")), extensionOf("old", version("2.0.0", ""), version("1.0.0", ""))},
	}
	to := &catalog.Catalog{
		Settings: catalog.Settings{Render: 2, BaseURL: "http://new.example"},
		Extensions: []catalog.Extension{
			extensionOf("hello", hello, linux, version("1.1.0", ""), version("1.0.0", "other content")),
			extensionOf("notes", version("0.1.0", "")),
			extensionOf("old", version("2.0.0", "")),
		},
		Dropped: []catalog.Dropped{{Since: date(2), Version: catalog.Version{Publisher: "acme", Name: "old", Version: "1.0.0"}}},
	}
	subject, err := catalog.ParseSubject("acme.evil")
	if err != nil {
		t.Fatal(err)
	}
	to.Records, err = decision.Add(nil, decision.Author{By: "alice", Reason: "stolen", When: date(3)}, decision.Blocked, []catalog.Subject{subject}, "")
	if err != nil {
		t.Fatal(err)
	}
	return Input{
		From: from, To: to,
		Lock: &lock.Lock{Entries: []lock.Entry{{ID: "Acme.Hello", Version: "1.2.0", WantedBy: []string{"list.txt", "acme.pack"}, Upstream: "https://open-vsx.org", Access: "restricted"}}},
		Build: &build.Report{
			Excluded: []build.Excluded{
				{ID: "acme.bad@1.0.0", Kind: build.KindQuarantine, Rule: "vet.executable", Reason: "a new program", SHA256: blob.Sum(nil), Findings: []catalog.Finding{{Rule: "executable", Severity: "medium", Detail: "a new program", File: "bin/x`y"}}},
				{ID: "acme.evil@1.0.0", Kind: "blocked", Reason: "stolen"},
				{ID: "acme.young@3.0.0", Kind: "policy", Rule: "minimumAge", Until: date(30), Reason: "it is younger than 7d"},
			},
			Refused: []build.Problem{{File: "b.vsix", Reason: "is not a zip file"}},
			Findings: []build.Found{{ID: "acme.notes@0.1.0", Findings: []catalog.Finding{
				{Rule: "new-host", Severity: "low", Detail: "it contacts a new host", File: "dist/main.js", Line: 7, Evidence: "https://host.example"},
				{Rule: "hidden-characters", Severity: "high", Detail: "invisible characters in code"},
			}}},
			Missing: []build.Missing{{Extension: "acme.notes", Version: "0.1.0", Needs: "acme.base", Kind: "dependency"}},
		},
		Changelog: func(v *catalog.Version) (string, error) {
			return "# Log\n## [1.2.0]\n- new: ```` and <b>\n## 1.1.0\n- old\n", nil
		},
		Withdrawn: []Withdrawn{{ID: "acme.gone@1.0.0", When: date(4), Still: true}, {ID: "acme.old@2.0.0"}},
		Held:      []Held{{ID: "acme.hello@2.0.0", Until: date(29), Rule: "minimumAge", Reason: "it is younger than 7d"}},
		Refused:   []build.Problem{{File: "acme.lost@1.0.0", Reason: "its SHA-256 differs"}},
		Missing:   []Missing{{ID: "acme.base", Chain: []string{"list.txt", "acme.pack", "acme.notes"}, Kind: "dependency", Reason: "no upstream has it"}},
	}
}

func mustNew(t *testing.T, in Input) *Report {
	t.Helper()
	r, err := New(in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestReport compares both forms of a report with golden files.
func TestReport(t *testing.T) {
	r := mustNew(t, sample(t))
	r.Tarball, r.Generation, r.Since = "gallery-2026-11-29.tar.zst", "0123456789abcdef", []string{"1111111111111111", "2222222222222222"}
	document, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string][]byte{"report.md": r.Markdown(), "report.json": document} {
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs, %v:\n%s", file, err, got)
		}
	}
}

// TestHostile checks that texts of packages and upstreams cannot make anything in Markdown, and
// that both forms have no invisible characters.
func TestHostile(t *testing.T) {
	const hostile = "x\n\n# Approved\n| a |\n<script>![i](http://evil.example) http://evil.example www.evil.example [l](javascript:x) a@evil.example `code` ``` **b** ~~s~~ \u202eevil\x1b[31m"
	in := sample(t)
	for i := range in.To.Extensions {
		e := &in.To.Extensions[i]
		e.Publisher.DisplayName, e.Publisher.Domain = hostile, hostile
		for j := range e.Versions {
			e.Versions[j].DisplayName, e.Versions[j].Licence = hostile, hostile
		}
	}
	e := &in.Lock.Entries[0]
	e.WantedBy, e.Upstream, e.Access, e.Licence = []string{hostile}, hostile, hostile, hostile
	for i := range in.Build.Findings {
		in.Build.Findings[i].Findings = []catalog.Finding{{Rule: hostile, Severity: "high", Detail: hostile, File: hostile, Evidence: hostile}}
	}
	in.Changelog = func(*catalog.Version) (string, error) { return "## 1.2.0\n```\n" + hostile, nil }
	in.Missing[0].Reason, in.Missing[0].Chain = hostile, []string{hostile}
	in.Refused[0] = build.Problem{File: hostile, Reason: hostile}
	in.Build.Excluded[0].Findings[0] = catalog.Finding{Rule: hostile, Severity: hostile, Detail: hostile, File: hostile}
	in.Build.Excluded[1].Reason, in.To.Settings.BaseURL = hostile, hostile
	r := mustNew(t, in)
	r.Tarball = "g.tar"
	document, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(document, new(Report)); err != nil {
		t.Error(err)
	}
	source := r.Markdown()
	for _, form := range [][]byte{source, document} {
		if bytes.ContainsAny(form, "\u202e\x1b") {
			t.Errorf("invisible characters in\n%s", form)
		}
	}
	checkMarkdown(t, source)
}

// checkMarkdown checks that a document has only what reports have.
func checkMarkdown(t *testing.T, source []byte) {
	t.Helper()
	headings := 0
	tree := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(markdowntext.NewReader(source))
	err := ast.Walk(tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			if headings++; strings.HasPrefix(string(n.Lines().Value(source)), "Approved") {
				t.Error("a text has made a heading")
			}
		case *ast.Link, *ast.Image, *ast.AutoLink, *ast.RawHTML, *ast.HTMLBlock:
			t.Errorf("a text has made a %s", n.Kind())
		case *ast.Emphasis:
			if got := string(n.FirstChild().(*ast.Text).Segment.Value(source)); got != "with other content than on the other side" {
				t.Errorf("a text has made emphasis: %s", got)
			}
		}
		return ast.WalkContinue, nil
	})
	if err != nil || headings < 10 {
		t.Errorf("%d headings, %v", headings, err)
	}
}

// TestLimits checks that a package and a long list cannot make a report unreadable.
func TestLimits(t *testing.T) {
	in := sample(t)
	found := &in.Build.Findings[0]
	long := strings.Repeat("ä", 10_000)
	for range 1000 {
		found.Findings = append(found.Findings, catalog.Finding{Rule: "x", Severity: "medium", Detail: long, Evidence: long})
		in.Held = append(in.Held, Held{ID: "acme.a@1.0.0", Rule: "minimumAge", Reason: long})
	}
	in.Missing[0].Chain = make([]string, 1000)
	r := mustNew(t, in)
	if got := r.New[0].Versions[0].Findings; len(got) != maxFindings || got[0].Rule != "hidden-characters" || len(got[1].Detail) > 1000 {
		t.Errorf("%d findings, the first is %s", len(got), got[0].Rule)
	}
	if len(r.Missing[0].Chain) != maxChain || len(r.Held) != 1002 {
		t.Errorf("a chain of %d, %d held back", len(r.Missing[0].Chain), len(r.Held))
	}
	md := string(r.Markdown())
	if strings.Count(md, "- `acme.a@1.0.0`") != maxEntries || !strings.Contains(md, "- … and 502 more, which are in the JSON report") {
		t.Errorf("%d entries", strings.Count(md, "- `acme.a@1.0.0`"))
	}
}

func TestCount(t *testing.T) {
	for want, got := range map[string]string{
		"1 extension": count(1, "extension"), "0 extensions": count(0, "extension"), "2,000 new versions": count(2000, "new version"),
		"2 versions in quarantine": count(2, "version in quarantine"), "1 version held back": count(1, "version held back"),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
