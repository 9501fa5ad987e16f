package cmd_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// link matches a relative link of a document: the file, which may be missing, and the heading.
var link = regexp.MustCompile(`\]\(([A-Za-z0-9_./-]*)(?:#([a-z0-9-]+))?\)`)

// TestLinks finds the file and the heading of every relative link in the documents.
func TestLinks(t *testing.T) {
	checked := 0
	for _, file := range repositoryFiles(t, ".md") {
		path := filepath.Join("..", file)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range link.FindAllStringSubmatch(string(text), -1) {
			checked++
			to := path
			if found[1] != "" {
				to = filepath.Join(filepath.Dir(path), found[1])
			}
			if !hasHeading(t, to, found[2]) {
				t.Errorf("%s: the link %s leads nowhere", file, found[0])
			}
		}
	}
	if checked < 10 {
		t.Errorf("only %d links were found", checked)
	}
}

// repositoryFiles returns the files with this extension, as paths from the root of the repository,
// except those in folders named testdata, and what the Makefile and the README's commands write.
func repositoryFiles(t *testing.T, ext string) (files []string) {
	t.Helper()
	written := []string{"bin", "demo", "site"}
	err := fs.WalkDir(os.DirFS(".."), ".", func(file string, d fs.DirEntry, err error) error {
		switch name := path.Base(file); {
		case err != nil:
			return err
		case d.IsDir() && (name == "testdata" || slices.Contains(written, file) || strings.HasPrefix(name, ".") && file != "."):
			return fs.SkipDir
		case path.Ext(file) == ext:
			files = append(files, file)
		}
		return nil
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("files *%s: %q, %v", ext, files, err)
	}
	return files
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
