package galbuild

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"galbuild/build/pack/npm"
	"galbuild/build/site"
	"galbuild/cmd/internal/addresses"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/usage"
)

// content is what publish publishes: a site, packages or an extension.
type content struct {
	site      string   // the folder of a site
	packages  []string // sources, as for add
	extension string   // the folder of an extension
	version   string   // its next version; "" is the version in package.json
}

// classify returns what the arguments of publish name:
//
//	(none)             the site in the folder site, or else the extension in the current folder
//	FOLDER             a site, an extension, or the packages in the folder
//	VERSION            the extension in the current folder
//	FOLDER VERSION     an extension
//	SOURCE…            packages
//
// A folder with package.json and packages is an extension only if package.json has engines.vscode:
// a folder of packages can have a package.json for other reasons.
func classify(args []string) (content, error) {
	if dir, version, ok := asExtension(args); ok {
		return content{extension: dir, version: version}, nil
	}
	if err := checkVersion(args); err != nil {
		return content{}, err
	}
	if len(args) == 0 {
		args = []string{targets.DefaultFolder}
	}
	root := args[0]
	switch {
	case len(args) > 1:
	case isSite(root):
		return content{site: root}, nil
	case isFolder(root) && !hasPackages(root) && !isPackagePath(root):
		return content{}, hint.Add(fmt.Errorf("%s is not a site: it has no %s%s", root, site.CurrentPath, similarIfMissing(root)),
			"galbuild SOURCE… -o %s builds one; an extension's folder has a %s", root, packageJSON)
	}
	return content{packages: args}, nil
}

// asExtension returns the folder of an extension and its next version, if the arguments name
// one.
func asExtension(args []string) (dir, version string, ok bool) {
	var two [2]string
	switch n := copy(two[:], args); {
	case len(args) > n, n == 0 && isSite(targets.DefaultFolder):
		return "", "", false
	case n == 2 && !isVersion(two[1]):
		return "", "", false
	}
	dir, version = dirAndVersion(two[0], two[1])
	return dir, version, isExtension(dir) && !isSite(dir) && (!hasPackages(dir) || isForEditors(dir))
}

// isVersion reports whether an argument is the next version of an extension, perhaps one with a
// mistake in it, such as 1.2.
func isVersion(arg string) bool {
	if npm.IsVersion(arg) {
		return true
	}
	_, err := os.Stat(arg)
	return err != nil && strings.Trim(arg, ".0123456789") == ""
}

// isForEditors reports whether package.json has engines.vscode.
func isForEditors(dir string) bool {
	folder := npm.Folder{Path: dir}
	pkg, err := folder.Read()
	return err == nil && pkg.Engine != ""
}

// checkVersion returns an error if there is a version and no extension that could have it.
func checkVersion(args []string) error {
	n := len(args)
	if n == 0 || n > 2 || !npm.IsVersion(args[n-1]) {
		return nil
	}
	if _, err := os.Lstat(args[n-1]); err == nil {
		return nil
	}
	if n == 1 {
		return needExtension(".")
	}
	return needExtension(args[0])
}

// otherContent returns what an argument of publish is if it names what to publish, or "".
func otherContent(arg string) string {
	if npm.IsVersion(arg) {
		return "a version"
	}
	return otherSource(arg)
}

func isSite(folder string) bool { return targets.IsSite(folder) }

// similarIfMissing returns suggestions for a path that does not exist, or "".
func similarIfMissing(path string) string {
	if _, err := os.Stat(path); err == nil {
		return ""
	}
	return usage.SimilarFiles(path)
}

// isFolder reports whether an argument is a folder, or a path that does not exist. Globs,
// addresses, lists and standard input are not paths.
func isFolder(arg string) bool {
	info, err := os.Stat(arg)
	if err == nil {
		return info.IsDir()
	}
	return errors.Is(err, fs.ErrNotExist) && addresses.Scheme(arg) == "" && !strings.ContainsAny(arg, "*?[{") && arg[0] != '@' && arg != "-"
}

func hasPackages(folder string) bool {
	found, _ := fs.Glob(os.DirFS(folder), "*.vsix") // without folder in the pattern, whose name can contain *
	return len(found) > 0
}
