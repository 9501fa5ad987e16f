package publish

import (
	"os"

	"galbuild/build/catalog"
	"galbuild/build/vsix"
)

// PackageKey returns the [catalog.Key] of the package in a file.
func PackageKey(file string, l vsix.Limits) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	p, err := vsix.Open(f, info.Size(), l)
	if err != nil {
		return "", err
	}
	return catalog.Key(p.Publisher, p.Name, p.Version, p.Platform), nil
}
