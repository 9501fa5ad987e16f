package cmd_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// link matches a relative link of a document: the file, which may be missing, and the heading.
var link = regexp.MustCompile(`\]\(([A-Za-z0-9_./-]*)(?:#([a-z0-9-]+))?\)`)

// TestLinks finds the file and the heading of every relative link in the documents.
func TestLinks(t *testing.T) {
	checked := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "demo" || strings.HasPrefix(d.Name(), ".") && d.Name() != "..") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, found := range link.FindAllStringSubmatch(string(text), -1) {
			checked++
			to := path
			if found[1] != "" {
				to = filepath.Join(filepath.Dir(path), found[1])
			}
			if !hasHeading(t, to, found[2]) {
				t.Errorf("%s: the link %s leads nowhere", path, found[0])
			}
		}
		return nil
	})
	if err != nil || checked < 10 {
		t.Errorf("%d links, %v", checked, err)
	}
}

// hasHeading reports whether a file exists and has the heading with this anchor, if any.
func hasHeading(t *testing.T, path, anchor string) bool {
	info, err := os.Stat(path)
	if err != nil || anchor == "" {
		return err == nil
	}
	if info.IsDir() {
		return false
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if ok && strings.HasPrefix(line, "#") && headingAnchor(title) == anchor {
			return true
		}
	}
	return false
}

// headingAnchor returns the anchor that GitHub gives to a heading.
func headingAnchor(title string) string {
	title = notInAnchors.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
	return strings.ReplaceAll(title, " ", "-")
}

var notInAnchors = regexp.MustCompile(`[^a-z0-9 -]`)
