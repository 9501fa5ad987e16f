package site

import (
	"errors"
	"iter"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/history"
)

// CheckNewer returns an error, which may be a [*history.OlderError], if the content of the sender
// is not newer than what was copied into the site at root from the same history before. It is not
// an error to copy the newest content again if the site would not change, because the catalogue c
// of the copy is current already.
func CheckNewer(root string, sender *history.Sender, c *catalog.Catalog) error {
	current, entries, err := readLog(root)
	if err != nil {
		return err
	}
	err = history.CheckNewer(entries, sender)
	older, ok := errors.AsType[*history.OlderError](err)
	if ok && older.Copied.Number == sender.Number && older.Copied.Root == sender.Root && isCurrent(root, current, c) {
		return nil
	}
	return err
}

// LastImported returns the name of the generation that the site at root has copied last from
// another site or target, or "" if there is none. What the site serves is that generation, or was
// made of it and may have been changed.
func LastImported(root string) (generation string, err error) {
	_, entries, err := readLog(root)
	if err != nil {
		return "", err
	}
	for e, err := range entries {
		if err != nil {
			return "", err
		}
		if e.Sender != nil {
			return e.Sender.Generation, nil
		}
	}
	return "", nil
}

// readLog returns the current generation of the site at root, and the entries of its history, the
// latest first. There are none if the site has no generation.
func readLog(root string) (Current, iter.Seq2[*history.Entry, error], error) {
	current, named, err := ReadCurrentHead(root)
	if err != nil || named.IsZero() {
		return current, Entries(nil, history.Head{}), err
	}
	files := FilesIn(root)
	head, err := ReadHead(files, current, named)
	return current, Entries(files, head), err
}

// isCurrent reports whether c is the catalogue of the generation g of the site at root. It compares
// the files that c would have, apart from pages and the chunks of the index, which are derived from
// it.
func isCurrent(root string, g Current, c *catalog.Catalog) bool {
	current, files, err := ReadMain(root, g)
	chunks := c.Chunks()
	if err != nil || len(files) != len(chunks) {
		return false
	}
	for i := range chunks {
		lines, err := CompressLines(chunks[i])
		if err != nil || blob.Sum(lines) != files[i].Lines.SHA256 {
			return false
		}
	}
	same := *c
	same.Derived = current.Derived
	main, err := CompressMain(&same, files)
	return err == nil && blob.Sum(main) == g.Catalog
}
