package site

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"

	"galbuild/build/blob"
)

// Names of the files of a generation, and the path of the file that names the current one.
const (
	CurrentPath = "index/CURRENT"
	CatalogName = "catalog.jsonl.zst"
	IndexName   = "gallery.v1.idx"
)

// Current is the name of the current generation with the hashes of its files.
//
// Its file, index/CURRENT, has the format of sha256sum, so that `sha256sum -c index/CURRENT` in
// the folder of the site verifies the generation:
//
//	<64 hex digits>  index/<generation>/catalog.jsonl.zst
//	<64 hex digits>  index/<generation>/gallery.v1.idx
type Current struct {
	Generation string // 16 hex digits, from the hashes of its two files
	Catalog    blob.Ref
	Index      blob.Ref
}

// MakeCurrent returns the generation with these two files. Its name is derived from their hashes,
// so the same content has the same name in every site.
func MakeCurrent(catalog, index blob.Ref) Current {
	both := blob.Sum(append(catalog[:], index[:]...))
	return Current{Generation: hex.EncodeToString(both[:8]), Catalog: catalog, Index: index}
}

// IsZero reports whether there is no generation.
func (c Current) IsZero() bool { return c.Generation == "" }

// CatalogPath returns the catalogue's path relative to the site.
func (c Current) CatalogPath() string { return "index/" + c.Generation + "/" + CatalogName }

// IndexPath returns the index's path relative to the site.
func (c Current) IndexPath() string { return "index/" + c.Generation + "/" + IndexName }

// Bytes returns the text of CURRENT.
func (c Current) Bytes() []byte {
	return fmt.Appendf(nil, "%s  %s\n%s  %s\n", c.Catalog, c.CatalogPath(), c.Index, c.IndexPath())
}

var currentText = regexp.MustCompile(`^([0-9a-f]{64})  index/([0-9a-f]{16})/` + regexp.QuoteMeta(CatalogName) +
	`\n([0-9a-f]{64})  index/([0-9a-f]{16})/` + regexp.QuoteMeta(IndexName) + `\n$`)

// ParseCurrent parses the text of CURRENT. It refuses every text that Bytes does not return, such
// as one that was copied incompletely or edited.
func ParseCurrent(text []byte) (Current, error) {
	m := currentText.FindSubmatch(text)
	if m == nil || !bytes.Equal(m[2], m[4]) {
		return Current{}, errors.New(CurrentPath + ": not two lines of the form \"<sha256>  index/<generation>/<file>\"")
	}
	catalog, err := blob.Parse(string(m[1]))
	if err != nil {
		return Current{}, err
	}
	index, err := blob.Parse(string(m[3]))
	if err != nil {
		return Current{}, err
	}
	c := MakeCurrent(catalog, index)
	if c.Generation != string(m[2]) {
		return Current{}, fmt.Errorf("%s: generation %s does not match its hashes, want %s", CurrentPath, m[2], c.Generation)
	}
	return c, nil
}
