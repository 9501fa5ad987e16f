package site

import (
	"crypto/sha256"
	"errors"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/history"
)

// CheckNewer returns an error, which may be a [*history.OlderError], if the content of the sender
// is not newer than what was copied into the site at root from the same history before. It is not
// an error to copy the newest content again if the site would not change, because the catalogue c
// of the copy is current already.
func CheckNewer(root string, sender *history.Sender, c *catalog.Catalog) error {
	current, named, err := ReadCurrentHead(root)
	if err != nil || named.IsZero() {
		return err
	}
	files := FilesIn(root)
	head, err := ReadHead(files, current, named)
	if err != nil {
		return err
	}
	err = history.CheckNewer(Entries(files, head), sender)
	older, ok := errors.AsType[*history.OlderError](err)
	if ok && older.Copied.Number == sender.Number && older.Copied.Root == sender.Root && isCurrent(current, c) {
		return nil
	}
	return err
}

// isCurrent reports whether c is the catalogue of a generation.
func isCurrent(g Current, c *catalog.Catalog) bool {
	h := sha256.New()
	return WriteCatalog(h, c) == nil && blob.Ref(h.Sum(nil)) == g.Catalog
}
