package catalog

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	json2 "github.com/go-json-experiment/json"

	"galbuild/build/blob"
)

// A DerivedFile is a file that was derived from the catalogue and from content of packages: a page,
// what the pages need, the control manifest, a readme with addresses of the gallery, or a
// companion. Its content is a blob, and it is replaced when it changes. The catalogue lists these
// files, so that it commits to them, and so that a copy of the site gets them without deriving them
// again.
type DerivedFile struct {
	Path   string   `json:"path"` // of the site
	SHA256 blob.Ref `json:"sha256"`
	Size   int64    `json:"size"` // in bytes
	// Key identifies what the file was derived from. If it is the same as that of the next
	// generation, the file is, too. It is zero if the file is compared with its content.
	Key DerivedKey `json:"key,omitzero"`
}

// A DerivedKey is the beginning of a SHA-256. As text, it has 16 hexadecimal digits. A key that
// two files have by chance, or because somebody has searched for them, only keeps a page from
// being renewed.
type DerivedKey [8]byte

// MarshalText implements [encoding.TextMarshaler].
func (k DerivedKey) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, k[:]), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (k *DerivedKey) UnmarshalText(text []byte) error {
	if len(text) != 2*len(k) {
		return fmt.Errorf("key %.100q: want %d hexadecimal digits", text, 2*len(k))
	}
	_, err := hex.Decode(k[:], text)
	return err
}

// DerivedFolders returns the folders of a site that contain nothing but derived files, each with a
// slash at its end.
func DerivedFolders() []string {
	return []string{
		"about/", "categories/", CompanionsDir, "item/", "letters/", "publishers/", "recent/", "search/", "statistics/", "tags/",
	}
}

// DerivedNames returns the names that derived files at the top of a site can have.
func DerivedNames() []string {
	return []string{
		"404.html", "control.json", "favicon.svg", "feed.atom", "gallery.css", "gallery.js", "index.html",
		"logo.png", "logo.svg", "robots.txt", "sitemap.xml",
	}
}

// IsDerived reports whether a path of a site can be that of a derived file.
func IsDerived(path string) bool {
	if slices.Contains(DerivedNames(), path) {
		return true
	}
	if strings.HasPrefix(path, AssetsDir) {
		return strings.HasSuffix(path, "/"+DetailsAsset) && strings.Count(path, "/") == 4
	}
	return slices.ContainsFunc(DerivedFolders(), func(folder string) bool { return strings.HasPrefix(path, folder) })
}

// FindDerived returns the file with this path from a sorted list, or nil.
func FindDerived(all []DerivedFile, path string) *DerivedFile {
	i, ok := slices.BinarySearchFunc(all, path, func(f DerivedFile, path string) int { return strings.Compare(f.Path, path) })
	if !ok {
		return nil
	}
	return &all[i]
}

// check refuses invalid values, and a file that does not follow the one with the path before.
func (f *DerivedFile) check(before string) error {
	if err := checkPath(f.Path); err != nil {
		return err
	}
	switch {
	case !IsDerived(f.Path):
		return fmt.Errorf("path %.200q is not that of a derived file", f.Path)
	case f.Path <= before:
		return fmt.Errorf("%q follows %q: duplicate or out of order", f.Path, before)
	case f.SHA256.IsZero():
		return fmt.Errorf("%s: the hash is missing", f.Path)
	case f.Size < 0 || f.Size > f.mostBytes():
		return fmt.Errorf("%s: size: want 0 to %d bytes, found %d", f.Path, f.mostBytes(), f.Size)
	}
	return nil
}

// mostBytes returns the largest size that the file can have.
func (f *DerivedFile) mostBytes() int64 {
	if strings.HasPrefix(f.Path, CompanionsDir) {
		return maxSize
	}
	return maxDerived
}

// maxDerived is the largest size in bytes of a derived file that is not a companion.
const maxDerived = 64 << 20

// readDerived reads the lines of n derived files, the first of which has this number.
func readDerived(lines *bufio.Reader, n, number int) (all []DerivedFile, err error) {
	before := ""
	for end := number + n; number < end; number++ {
		line, err := readLine(lines)
		if err != nil && err != io.EOF {
			return nil, err
		}
		var f DerivedFile
		if err = checkLine(line); err == nil {
			err = json2.Unmarshal(line, &f)
		}
		if err == nil {
			err = f.check(before)
		}
		if err != nil {
			return nil, fmt.Errorf("catalogue line %d: derived: %w", number, err)
		}
		all, before = append(all, f), f.Path
	}
	return all, nil
}
