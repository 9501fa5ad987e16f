package galbuild

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestTree compares trees with those that vsce draws.
func TestTree(t *testing.T) {
	names, err := filepath.Glob("testdata/tree/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("%d recordings, %v", len(names), err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) { testTree(t, name) })
	}
}

func testTree(t *testing.T, name string) {
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Files) != 3 {
		t.Fatalf("%d sections, want 3", len(a.Files))
	}
	var sources []treeFile
	entries := []treeFile{{"extension.vsixmanifest", 0}, {"[Content_Types].xml", 0}}
	for line := range strings.Lines(string(a.Files[0].Data)) {
		var f treeFile
		if _, err := fmt.Sscan(line, &f.Size, &f.Path); err != nil {
			t.Fatal(err)
		}
		sources = append(sources, f)
		entries = append(entries, treeFile{"extension/" + f.Path, f.Size})
	}
	root, _, _ := strings.Cut(string(a.Files[1].Data), "\n")
	for i, files := range [][]treeFile{entries, sources} {
		limit := []int{treeLines, 0}[i]
		lines, closed := drawTree(root, files, limit)
		want := strings.TrimRight(string(a.Files[1+i].Data), "\n")
		if got := strings.Join(lines, "\n"); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", a.Files[1+i].Name, got, want)
		}
		if want := strings.Contains(want, " files) "); closed != want {
			t.Errorf("%s: closed is %v", a.Files[1+i].Name, closed)
		}
	}
}

func TestKilobytes(t *testing.T) {
	// Recorded from vsce 4.1.0.
	for n, want := range map[int64]string{
		0: "0 KB", 5: "0 KB", 6: "0.01 KB", 512: "0.5 KB", 1024: "1 KB", 1618: "1.58 KB",
		1 << 20: "1024 KB", 1<<20 + 1: "1 MB", 3_000_000: "2.86 MB", 5 << 30: "5120 MB",
	} {
		if got := kilobytes(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}

func TestTreeOfNothing(t *testing.T) {
	lines, closed := drawTree("empty", nil, treeLines)
	if len(lines) != 1 || closed {
		t.Errorf("got %q, %v", lines, closed)
	}
}
