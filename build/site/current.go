package site

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"galbuild/build/blob"
)

// Names of the files of a generation, and the path of the file that names the current one.
const (
	CurrentPath = "index/CURRENT"
	CatalogName = "catalog.jsonl.zst"
	IndexName   = "gallery.v1.idx"
	// PrivateDir is the folder with the private parts of records, in one file for each
	// generation that has some. Nothing in it may be served.
	PrivateDir = "private/"
)

// Current is the name of the current generation with the hashes of its files.
//
// Its file, index/CURRENT, has the format of sha256sum, so that `sha256sum -c index/CURRENT` in
// the folder of the site verifies the generation:
//
//	<64 hex digits>  index/<generation>/catalog.jsonl.zst
//	<64 hex digits>  index/<generation>/gallery.v1.idx
//	<64 hex digits>  private/<generation>.jsonl.zst
//
// The third line is missing if the generation has no private parts of records.
type Current struct {
	Generation string // 16 hex digits, from the hashes of its files
	Catalog    blob.Ref
	Index      blob.Ref
	Private    blob.Ref // zero if there is no such file
}

// MakeCurrent returns the generation with these files, the last of which is zero if there is none.
// Its name is derived from their hashes, so the same content has the same name in every site.
func MakeCurrent(catalog, index, private blob.Ref) Current {
	all := slices.Concat(catalog[:], index[:])
	if !private.IsZero() {
		all = append(all, private[:]...)
	}
	sum := blob.Sum(all)
	return Current{Generation: hex.EncodeToString(sum[:8]), Catalog: catalog, Index: index, Private: private}
}

// IsZero reports whether there is no generation.
func (c Current) IsZero() bool { return c.Generation == "" }

// CatalogPath returns the catalogue's path relative to the site.
func (c Current) CatalogPath() string { return "index/" + c.Generation + "/" + CatalogName }

// IndexPath returns the index's path relative to the site.
func (c Current) IndexPath() string { return "index/" + c.Generation + "/" + IndexName }

// PrivatePath returns the path of the file with the private parts of records, relative to the site.
func (c Current) PrivatePath() string { return PrivateDir + c.Generation + ".jsonl.zst" }

// A File is a file of a generation.
type File struct {
	Path   string
	SHA256 blob.Ref
}

// Files returns the files of the generation.
func (c Current) Files() []File {
	files := []File{{c.CatalogPath(), c.Catalog}, {c.IndexPath(), c.Index}}
	if !c.Private.IsZero() {
		files = append(files, File{c.PrivatePath(), c.Private})
	}
	return files
}

// Bytes returns the text of CURRENT.
func (c Current) Bytes() (text []byte) {
	for _, f := range c.Files() {
		text = fmt.Appendf(text, "%s  %s\n", f.SHA256, f.Path)
	}
	return text
}

var currentText = regexp.MustCompile(`^([0-9a-f]{64})  index/([0-9a-f]{16})/` + regexp.QuoteMeta(CatalogName) +
	`\n([0-9a-f]{64})  index/([0-9a-f]{16})/` + regexp.QuoteMeta(IndexName) +
	`\n(?:([0-9a-f]{64})  private/([0-9a-f]{16})\.jsonl\.zst\n)?$`)

// ParseCurrent parses the text of CURRENT. It refuses every text that Bytes does not return, such
// as one that was copied incompletely or edited.
func ParseCurrent(text []byte) (Current, error) {
	m := currentText.FindSubmatch(text)
	if m == nil {
		return Current{}, errors.New(CurrentPath + ": not two or three lines of the form \"<sha256>  index/<generation>/<file>\"")
	}
	var refs [3]blob.Ref
	for i := range refs {
		if digits := m[1+2*i]; digits != nil {
			if err := refs[i].UnmarshalText(digits); err != nil {
				return Current{}, err
			}
		}
	}
	c := MakeCurrent(refs[0], refs[1], refs[2])
	if string(c.Bytes()) != string(text) {
		return Current{}, fmt.Errorf("%s: generation %s does not match its hashes, want %s", CurrentPath, m[2], c.Generation)
	}
	return c, nil
}
