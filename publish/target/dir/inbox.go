package dir

import (
	"io"
	"io/fs"
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

// isLink reports whether a file is a symbolic link. An author can make one to a file that only the
// builder can read.
func isLink(file string) bool {
	info, err := os.Lstat(file)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}
