package site

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/history"
)

// Names of the files of a generation, and the path of the file that names the current one.
const (
	CurrentPath = "index/CURRENT"
	CatalogName = "catalog-main.jsonl.zst"
	IndexName   = "gallery.v2.idx.zst"
	// PrivateDir is the folder with what only auditors need: a main private file for each
	// generation, and the files of packages. Nothing in it may be served.
	PrivateDir = "private/"
	// InboxDir is the folder with the packages that authors submit, see package publish/inbox.
	// It belongs to no generation, and nothing in it may be served.
	InboxDir = "inbox/"
)

// Current is the name of the current generation with the hashes of its files.
//
// The file index/CURRENT names it, and the head of the history, see package
// [galbuild/build/history]. It has the format of sha256sum, so that `sha256sum -c index/CURRENT` in
// the folder of the site verifies the files of the generation:
//
//	<64 hex digits>  index/<generation>/catalog-main.jsonl.zst
//	<64 hex digits>  index/<generation>/gallery.v2.idx.zst
//	<64 hex digits>  private/<generation>.jsonl.zst
//	<64 hex digits>  index/history/<number>-<16 hex digits>.head
//
// The catalogue, the index and the private file contain the hashes of their chunks, so these lines
// commit to all that is served, and to what only auditors need; `galbuild verify` verifies it. The
// third line is missing if the generation has no private parts of records and no packages. The name
// of a generation does not depend on the history: sites with the same content have the same
// generation, and each has a history of its own.
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

// PrivatePath returns the path of the main private file, with the private parts of records,
// relative to the site.
func (c Current) PrivatePath() string { return PrivateDir + c.Generation + ".jsonl.zst" }

// RemainderPath returns the path of the catalogue that remains of an earlier generation after a
// purge, relative to the site. It lacks the versions that were purged. A rollback reads it.
func (c Current) RemainderPath() string { return PrivateDir + c.Generation + ".remainder.jsonl.zst" }

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

// Bytes returns the lines of CURRENT that name the files of the generation.
func (c Current) Bytes() (text []byte) {
	for _, f := range c.Files() {
		text = fmt.Appendf(text, "%s  %s\n", f.SHA256, f.Path)
	}
	return text
}

// Head names the file of a head of the history.
type Head struct {
	Number int64 // of entries
	SHA256 blob.Ref
}

// IsZero reports whether there is no history.
func (h Head) IsZero() bool { return h == Head{} }

// Path returns the path of the file relative to the site.
func (h Head) Path() string { return history.HeadPath(h.Number, h.SHA256) }

// FormatCurrent returns the text of CURRENT.
func FormatCurrent(c Current, h Head) []byte {
	return fmt.Appendf(c.Bytes(), "%s  %s\n", h.SHA256, h.Path())
}

const hexHash = `([0-9a-f]{64})  `

var (
	currentText = regexp.MustCompile(`^` + hexHash + `index/([0-9a-f]{16})/` + regexp.QuoteMeta(CatalogName) +
		`\n` + hexHash + `index/[0-9a-f]{16}/` + regexp.QuoteMeta(IndexName) +
		`\n(?:` + hexHash + `private/[0-9a-f]{16}\.jsonl\.zst\n)?$`)
	indexText = regexp.MustCompile(`  index/[0-9a-f]{16}/(gallery\.v[0-9]{1,9}\.idx(?:\.zst)?)
`)
	headText = regexp.MustCompile(`^` + hexHash + regexp.QuoteMeta(history.HeadDir) + `([1-9][0-9]{0,17})-[0-9a-f]{16}\.head\n$`)
)

// ParseCurrent parses the text of CURRENT: the current generation, and the head of the history. It
// refuses every text that FormatCurrent does not return, such as one that was copied incompletely
// or edited.
func ParseCurrent(text []byte) (Current, Head, error) {
	last := bytes.LastIndexByte(bytes.TrimSuffix(text, []byte("\n")), '\n') + 1
	c, err := ParseGeneration(text[:last])
	if _, all := ParseGeneration(text); err != nil && all != nil {
		return Current{}, Head{}, err
	}
	h, err := ParseHead(text[last:]) // also if only this line is missing
	return c, h, err
}

// ParseHead parses the line of CURRENT that names the head of the history.
func ParseHead(line []byte) (Head, error) {
	m := headText.FindSubmatch(line)
	if m == nil {
		return Head{}, fmt.Errorf("%s: its last line does not name the head of the history, %s<number>-<hash>.head", CurrentPath, history.HeadDir)
	}
	var h Head
	var err error
	if h.Number, err = strconv.ParseInt(string(m[2]), 10, 64); err != nil {
		return Head{}, err
	}
	if err := h.SHA256.UnmarshalText(m[1]); err != nil {
		return Head{}, err
	}
	if want := fmt.Sprintf("%s  %s\n", h.SHA256, h.Path()); string(line) != want {
		return Head{}, fmt.Errorf("%s: the name of the head of the history does not match its hash, want %s", CurrentPath, h.Path())
	}
	return h, nil
}

// ParseGeneration parses the lines that [Current.Bytes] returns, and refuses every other text. The
// error wraps [catalog.ErrFormat] if the index has another format.
func ParseGeneration(text []byte) (Current, error) {
	m := currentText.FindSubmatch(text)
	if m == nil {
		if other := indexText.FindSubmatch(text); other != nil && string(other[1]) != IndexName {
			return Current{}, fmt.Errorf("%s: %w: it names %s, this program reads %s", CurrentPath, catalog.ErrFormat, other[1], IndexName)
		}
		return Current{}, errors.New(CurrentPath + ": not two or three lines of the form \"<sha256>  index/<generation>/<file>\" before that of the head of the history")
	}
	var refs [3]blob.Ref
	for i, digits := range [][]byte{m[1], m[3], m[4]} {
		if digits != nil {
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
