package publish

import (
	"os"

	"galbuild/build/site"
)

// A Workspace is a temporary site for the content and the generation that a command adds to a
// target.
type Workspace struct{ *site.Dir }

// Scratch creates a workspace in a temporary folder. The caller discards it.
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

// Discard removes the workspace.
func (w *Workspace) Discard() error {
	w.Close()
	return os.RemoveAll(w.Root)
}
