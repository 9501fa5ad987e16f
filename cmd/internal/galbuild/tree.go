package galbuild

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A treeFile is a file to be shown in a tree. A size of 0 is not shown.
type treeFile struct {
	Path string `json:"path"` // slashed
	Size int64  `json:"size"` // in bytes
}

// treeLines is how many lines a tree has unless all of it was asked for.
const treeLines = 35

// largeShare is which part of all bytes makes a file worth a remark.
const largeShare = 0.85

// A branch is a folder of a tree.
type branch struct {
	files   map[string]int64
	folders map[string]*branch
	count   int   // of all files below
	size    int64 // of all files below, in bytes
}

// drawTree returns the lines of a tree of files below a root, as vsce shows it:
// files before folders, each sorted. Folders are left closed below the depth at
// which there would be more than limit lines; 0 is no limit. The first file that is
// most of all bytes is named in an additional line.
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

// depthWithin returns how deep one can go so that, with a line for the root, there
// are no more than so many lines. The first level is always shown.
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

// A tree is one being drawn.
type tree struct {
	depth  int // of the last folders that are opened
	lines  []string
	closed bool // one was not
}

func (t *tree) draw(b *branch, depth int, prefix string) {
	left := b.children()
	joint := func() (string, string) {
		if left--; left == 0 {
			return prefix + "└─ ", prefix + "   "
		}
		return prefix + "├─ ", prefix + "│  "
	}
	for _, name := range slices.Sorted(maps.Keys(b.files)) {
		here, _ := joint()
		size := ""
		if b.files[name] > 0 {
			size = "[" + kilobytes(b.files[name]) + "]"
		}
		t.lines = append(t.lines, here+name+" "+size)
	}
	for _, name := range slices.Sorted(maps.Keys(b.folders)) {
		here, below := joint()
		t.drawFolder(b.folders[name], depth, here+name+"/", below)
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

// kilobytes writes a size as vsce does, in units of 1024 with up to two decimals:
// "0.5 KB", "1.58 MB".
func kilobytes(n int64) string {
	unit, hundredth := "KB", 10.24
	if n > 1<<20 {
		unit, hundredth = "MB", 10485.76
	}
	size := math.Floor(float64(n)/hundredth+0.5) / 100
	return strconv.FormatFloat(size, 'f', -1, 64) + " " + unit
}
