package dir

import (
	"io"
	"os"
	"strings"

	"galbuild/build/atomicfile"
	"galbuild/build/site"
)

// inInbox reports whether a key is in the inbox of a site.
func inInbox(key string) bool { return strings.HasPrefix(key, site.InboxDir) }

// submit creates or replaces a file of the inbox. The user may have no right to write elsewhere in
// the directory, and need not wait for builders. So submit takes no lock, and writes the temporary
// file to the folder of the file.
func (t *Target) submit(key string, from io.Reader) error {
	if err := atomicfile.MkdirAll(t.root); err != nil {
		return err
	}
	root, err := os.OpenRoot(t.root)
	if err != nil {
		return err
	}
	defer root.Close()
	return atomicfile.WriteFile(root, key, atomicfile.FileMode, func(f *os.File) error {
		_, err := io.Copy(f, from)
		return err
	})
}
