package galbuild

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A treeFile is a file in a tree. A size of 0 is not shown.
type treeFile struct {
	Path string `json:"path"` // slash-separated
	Size int64  `json:"size"` // in bytes
}

// treeLines is the largest number of lines of a tree, unless all files are to be shown.
const treeLines = 35

// A file with more than largeShare of all bytes is reported as large.
const largeShare = 0.85

// A branch is a folder of a tree.
type branch struct {
	files   map[string]int64
	folders map[string]*branch
	count   int   // of all files in it
	size    int64 // of all files in it, in bytes
}

// drawTree returns the lines of a tree of files, as vsce shows it: files before folders, each
// sorted. If there would be more than limit lines, the content of deep folders is not shown, and
// closed is true. A limit of 0 means no limit. An additional line names the first large file.
//
// Source: generateFileStructureTree in src/util.ts of
// https://github.com/microsoft/vscode-vsce at 4.1.
func drawTree(root string, files []treeFile, limit int) (lines []string, closed bool) {
	top := grow(files)
	t := tree{depth: math.MaxInt}
	if limit > 0 {
		t.depth = top.depthWithin(limit)
	}
	t.lines = append(t.lines, root)
	t.draw(top, 0, "")
	for _, f := range files {
		if float64(f.Size) > largeShare*float64(top.size) {
			t.lines = append(t.lines, "", fmt.Sprintf("The file %s is large (%s)", f.Path, kilobytes(f.Size)))
			break
		}
	}
	return t.lines, t.closed
}

// grow returns the root of a tree of files.
func grow(files []treeFile) *branch {
	top := newBranch()
	for _, f := range files {
		at := top
		at.size += f.Size
		parts := strings.Split(f.Path, "/")
		for _, part := range parts[:len(parts)-1] {
			if at.folders[part] == nil {
				at.folders[part] = newBranch()
			}
			at = at.folders[part]
			at.count++
			at.size += f.Size
		}
		at.files[parts[len(parts)-1]] = f.Size
	}
	return top
}

func newBranch() *branch {
	return &branch{files: make(map[string]int64), folders: make(map[string]*branch)}
}

// depthWithin returns the largest depth to which a tree with a line for its root has at most this
// number of lines. The first level is always shown.
func (b *branch) depthWithin(lines int) (depth int) {
	level := []*branch{b}
	lines -= 1 + b.children()
	for {
		var next []*branch
		n := 0
		for _, at := range level {
			for _, folder := range at.folders {
				next = append(next, folder)
				n += folder.children()
			}
		}
		if lines -= n; len(next) == 0 || lines < 0 {
			return depth
		}
		level = next
		depth++
	}
}

func (b *branch) children() int { return len(b.files) + len(b.folders) }

// A tree is a tree that is being drawn.
type tree struct {
	depth  int // to which the content of folders is shown
	lines  []string
	closed bool // the content of some folders is not shown
}

func (t *tree) draw(b *branch, depth int, prefix string) {
	rest := b.children()
	prefixes := func() (line, content string) {
		if rest--; rest == 0 {
			return prefix + "└─ ", prefix + "   "
		}
		return prefix + "├─ ", prefix + "│  "
	}
	for _, name := range slices.Sorted(maps.Keys(b.files)) {
		line, _ := prefixes()
		size := ""
		if b.files[name] > 0 {
			size = "[" + kilobytes(b.files[name]) + "]"
		}
		t.lines = append(t.lines, line+name+" "+size)
	}
	for _, name := range slices.Sorted(maps.Keys(b.folders)) {
		line, content := prefixes()
		t.drawFolder(b.folders[name], depth, line+name+"/", content)
	}
}

func (t *tree) drawFolder(b *branch, depth int, line, prefix string) {
	if depth < t.depth {
		t.lines = append(t.lines, line)
		t.draw(b, depth+1, prefix)
		return
	}
	t.closed = true
	files := "files"
	if b.count == 1 {
		files = "file"
	}
	t.lines = append(t.lines, fmt.Sprintf("%s (%d %s) [%s]", line, b.count, files, kilobytes(b.size)))
}

// kilobytes formats a size as vsce does, in units of 1024 bytes with up to two decimals, such as
// "0.5 KB" or "1.58 MB".
func kilobytes(n int64) string {
	unit, hundredth := "KB", 10.24
	if n > 1<<20 {
		unit, hundredth = "MB", 10485.76
	}
	size := math.Floor(float64(n)/hundredth+0.5) / 100
	return strconv.FormatFloat(size, 'f', -1, 64) + " " + unit
}
