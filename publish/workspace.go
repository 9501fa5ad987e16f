package publish

import (
	"os"

	"galbuild/build/site"
)

// A Workspace is a site of no more than what is new, in a temporary folder.
type Workspace struct{ *site.Dir }

// Scratch makes one.
func Scratch() (*Workspace, error) {
	folder, err := os.MkdirTemp("", "galbuild-")
	if err != nil {
		return nil, err
	}
	dir, err := site.Lock(folder)
	if err != nil {
		os.RemoveAll(folder)
		return nil, err
	}
	return &Workspace{dir}, nil
}

// Discard removes it.
func (w *Workspace) Discard() error {
	w.Close()
	return os.RemoveAll(w.Root)
}
