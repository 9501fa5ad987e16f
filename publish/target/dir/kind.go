package dir

import (
	"fmt"
	"os"

	"galbuild/publish/target"
)

// Kind returns the kind of target that is a directory.
func Kind() target.Kind {
	k := target.Folder()
	k.Open = fromSettings
	return k
}

func fromSettings(s target.Settings, _ target.Env) (target.Target, error) {
	path := s["path"]
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("%s is a file; a site is a folder", path)
	}
	return target.Opened(New(path))
}
