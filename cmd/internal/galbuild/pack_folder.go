package galbuild

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"galbuild/build/pack/npm"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/usage"
)

// packageJSON is the file that every extension's folder has.
const packageJSON = "package.json"

func isExtension(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, packageJSON))
	return err == nil && info.Mode().IsRegular()
}

// needExtension returns an error if dir is not an extension's folder.
func needExtension(dir string) error {
	if isExtension(dir) {
		return nil
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return hint.Add(fmt.Errorf("%s: no such folder%s", dir, usage.SimilarFiles(dir)), "name the extension's folder, or its next version, such as 1.2.3, or major, minor or patch")
	case err != nil:
		return err
	case !info.IsDir():
		return hint.Add(fmt.Errorf("%s is not a folder", dir), "name the folder that has the extension's %s", packageJSON)
	}
	if info, err := os.Stat(filepath.Join(dir, packageJSON)); err == nil {
		return fmt.Errorf("%s is not an extension's folder: its %s is not a file (mode %v)", dir, packageJSON, info.Mode())
	} else if !errors.Is(err, fs.ErrNotExist) {
		return explainPack(err)
	}
	err = fmt.Errorf("%s is not an extension's folder: it has no %s", dir, packageJSON)
	if isSite(dir) {
		return hint.Add(err, "it is a gallery, which galbuild ls-remote -o %s lists", dir)
	}
	return hint.Add(err, "run galbuild in the extension's folder, or name that folder")
}

// dirAndVersion reads the arguments [DIR] [VERSION] as vsce does: a single argument of the form of
// a version is the version. A folder of such a name is written ./1.2.3.
func dirAndVersion(first, second string) (dir, version string) {
	if second == "" && npm.IsVersion(first) {
		return ".", first
	}
	return cmp.Or(first, "."), second
}
