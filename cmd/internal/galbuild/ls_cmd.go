package galbuild

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"galbuild/build/pack"
	"galbuild/build/pack/finding"
	"galbuild/build/pack/npm"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
)

type lsCmd struct {
	Dir string `arg:"" optional:"" type:"file" help:"The extension's folder (default: the current one)."`

	Tree                 bool     `help:"Print a tree with sizes."`
	PackagedDependencies []string `name:"packagedDependencies" placeholder:"NAME" group:"Packing:" help:"With yarn, package only these dependencies and what they need."`
	collectFlags
}

// fileList is the JSON document of ls.
type fileList struct {
	Files    []treeFile        `json:"files"`
	Findings []finding.Finding `json:"findings"`
}

// Run lists the files that would be packaged. Like vsce, it runs no scripts and ignores "vsce" in
// package.json.
func (l *lsCmd) Run(ctx context.Context, e *env) error {
	dir := cmp.Or(l.Dir, ".")
	if err := needExtension(dir); err != nil {
		return err
	}
	o, err := l.options(dir)
	if err != nil {
		return err
	}
	o.PackagedDependencies = l.PackagedDependencies
	files, found, err := pack.List(ctx, os.DirFS(dir), o)
	if err != nil {
		return explainRead(dir, err)
	}
	e.printFindings(found)
	if slices.ContainsFunc(found, isError) {
		err = hint.Add(fmt.Errorf("%s cannot be packed", dir), "galbuild package %s lists all errors", dir)
		return errors.Join(err, e.printJSON(newFileList(files, found)))
	}
	if e.json {
		return e.printJSON(newFileList(files, found))
	}
	return l.print(e, dir, files)
}

func newFileList(files []pack.File, found []finding.Finding) fileList {
	return fileList{sourceFiles(files), append([]finding.Finding{}, found...)}
}

func (l *lsCmd) print(e *env, dir string, files []pack.File) error {
	var lines []string
	if l.Tree {
		root := npm.Folder{Path: dir}
		pkg, err := root.Read()
		if err != nil {
			return err
		}
		lines, _ = drawTree(pkg.Name+"-"+pkg.Version+".vsix", sourceFiles(files), 0)
	} else {
		for _, f := range files {
			lines = append(lines, f.Source)
		}
	}
	return terminal.Lines(e.stdout, lines)
}

func sourceFiles(files []pack.File) []treeFile {
	list := []treeFile{}
	for _, f := range files {
		list = append(list, treeFile{f.Source, f.Size})
	}
	return list
}
