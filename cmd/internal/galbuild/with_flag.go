package galbuild

import (
	"fmt"
	"strings"

	"galbuild/build"
	"galbuild/build/catalog"
)

// A companionFlag is a value of --with: PATH=FILE, or PATH= to drop a companion.
type companionFlag string

// check refuses a value that cannot be one.
func (c companionFlag) check() error {
	path, _, ok := strings.Cut(string(c), "=")
	if !ok || path == "" {
		return fmt.Errorf("--with=%.200s: want PATH=FILE, such as server/linux-x64.tar.gz=vscode-server.tar.gz", string(c))
	}
	if err := catalog.CheckCompanionPath(path); err != nil {
		return fmt.Errorf("--with=%.200s: %w", string(c), err)
	}
	return nil
}

func (c companionFlag) change() build.CompanionChange {
	path, file, _ := strings.Cut(string(c), "=")
	return build.CompanionChange{Path: path, File: file}
}
