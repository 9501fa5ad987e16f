package galbuild

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/usage"
)

// needSite returns an error if path is not an existing folder. It does not check what is in it.
func needSite(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return hint.Add(fmt.Errorf("%s is not a site: there is no such folder%s", path, usage.SimilarFiles(path)), "galbuild SOURCE… -o %s builds one", path)
	}
	if err == nil && !info.IsDir() {
		return fmt.Errorf("%s is a file; a site is a folder", path)
	}
	return nil
}
