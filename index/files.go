package index

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sort"

	"galbuild/index/segment"
)

// File is a path that a site serves, and the blob with its content.
type File struct {
	Path   string   // relative to the site, slash-separated
	SHA256 [32]byte // of the content; the name of the blob
	Size   int64
	Type   string // media type
}

// Sizes of a record of section file.rec, in bytes, see "File format" in the package comment.
// Records are sorted. The paths themselves are not stored.
const (
	pathHashSize   = 16
	fileRecordSize = pathHashSize + sha256.Size + 16
)

type files struct {
	records []byte
	types   []string
}

func (f *files) len() int { return len(f.records) / fileRecordSize }

func (f *files) record(i int) []byte {
	return f.records[i*fileRecordSize:][:fileRecordSize]
}

// search returns the number of the path's record, or where it would be inserted.
func (f *files) search(want PathHash) (int, bool) {
	i := sort.Search(f.len(), func(i int) bool {
		return bytes.Compare(f.record(i)[:pathHashSize], want[:]) >= 0
	})
	return i, i < f.len() && bytes.Equal(f.record(i)[:pathHashSize], want[:])
}

func (f *files) find(path string) (File, bool) {
	i, ok := f.search(pathHash(path))
	if !ok {
		return File{}, false
	}
	found := f.at(i)
	found.Path = path
	return found, true
}

// at returns the file of record i without its path.
func (f *files) at(i int) File {
	var found File
	rest := f.record(i)[pathHashSize:]
	rest = rest[copy(found.SHA256[:], rest):]
	found.Size = int64(binary.LittleEndian.Uint64(rest))
	found.Type = f.types[binary.LittleEndian.Uint32(rest[8:])]
	return found
}

// PathHash identifies a path: the first 16 bytes of its SHA-256.
type PathHash [pathHashSize]byte

// FileKey identifies a path and its content: a [PathHash] and the SHA-256 of the content.
type FileKey [pathHashSize + sha256.Size]byte

// Key returns the key of the file.
func (f *File) Key() (key FileKey) {
	hash := pathHash(f.Path)
	copy(key[copy(key[:], hash[:]):], f.SHA256[:])
	return key
}

// SHA256 returns the hash of the content.
func (k FileKey) SHA256() [sha256.Size]byte { return [sha256.Size]byte(k[pathHashSize:]) }

// FileKeys yields the keys of all files, ascending.
func (ix *Index) FileKeys() iter.Seq[FileKey] {
	return func(yield func(FileKey) bool) {
		for i := range ix.files.len() {
			if !yield(FileKey(ix.files.record(i)[:len(FileKey{})])) {
				return
			}
		}
	}
}

// HasFile reports whether the index contains the path with the same content.
func (ix *Index) HasFile(key FileKey) bool {
	i, ok := ix.files.search(PathHash(key[:pathHashSize]))
	return ok && bytes.Equal(ix.files.record(i)[:len(key)], key[:])
}

// Files yields all files without their paths, ordered by the hashes of the paths.
func (ix *Index) Files() iter.Seq[File] {
	return func(yield func(File) bool) {
		for i := range ix.files.len() {
			if !yield(ix.files.at(i)) {
				return
			}
		}
	}
}

func pathHash(path string) PathHash {
	sum := sha256.Sum256([]byte(path))
	return PathHash(sum[:pathHashSize])
}

// fileRecord is a record of section file.rec.
type fileRecord [fileRecordSize]byte

func (r *fileRecord) pathHash() []byte { return r[:pathHashSize] }

func (r *fileRecord) mediaType() []byte { return r[fileRecordSize-8:] }

func writeFiles(w *segment.Writer, all iter.Seq[File]) error {
	var records []fileRecord
	types := make(map[string]uint64)
	for f := range all {
		n, ok := types[f.Type]
		if !ok {
			n = uint64(len(types))
			types[f.Type] = n
		}
		records = append(records, newFileRecord(&f, n))
	}
	names := sortTypes(types, records)
	slices.SortFunc(records, func(a, b fileRecord) int { return bytes.Compare(a[:], b[:]) })
	records = slices.Compact(records)
	for i := 1; i < len(records); i++ {
		if path := records[i].pathHash(); bytes.Equal(path, records[i-1].pathHash()) {
			return pathConflict(all, PathHash(path))
		}
	}
	section := w.Stream("file.rec")
	for i := range records {
		if _, err := section.Write(records[i][:]); err != nil {
			return err
		}
	}
	w.Add("file.typ", names)
	return nil
}

func newFileRecord(f *File, mediaType uint64) (r fileRecord) {
	hash := pathHash(f.Path)
	b := append(r[:0], hash[:]...)
	b = append(b, f.SHA256[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(f.Size))
	binary.LittleEndian.AppendUint64(b, mediaType)
	return r
}

// sortTypes renumbers the media types by their sorted order, in the records too, and
// returns them encoded as section file.typ.
func sortTypes(types map[string]uint64, records []fileRecord) (names []byte) {
	sorted := make([]uint64, len(types))
	for i, name := range slices.Sorted(maps.Keys(types)) {
		sorted[types[name]] = uint64(i)
		names = appendString(names, name)
	}
	for i := range records {
		n := records[i].mediaType()
		binary.LittleEndian.PutUint64(n, sorted[binary.LittleEndian.Uint64(n)])
	}
	return names
}

// pathConflict returns an error with the path that has this hash and two different
// contents.
func pathConflict(all iter.Seq[File], of PathHash) error {
	for f := range all {
		if pathHash(f.Path) == of {
			return fmt.Errorf("path %q has two different contents", f.Path)
		}
	}
	return errors.New("a path has two different contents")
}

func openFiles(s *segment.Segment) (files, error) {
	records, err := s.Section("file.rec")
	if err != nil {
		return files{}, err
	}
	names, err := s.Section("file.typ")
	if err != nil {
		return files{}, err
	}
	f := files{records: records}
	for r := textReader(names); len(r) > 0; {
		f.types = append(f.types, string(r.bytes()))
	}
	if len(records)%fileRecordSize != 0 {
		return files{}, fmt.Errorf("%w: section %q: %d bytes, want a multiple of %d", segment.ErrCorrupt, "file.rec", len(records), fileRecordSize)
	}
	for i := range f.len() {
		if n := binary.LittleEndian.Uint32(f.record(i)[fileRecordSize-8:]); uint64(n) >= uint64(len(f.types)) {
			return files{}, fmt.Errorf("%w: section %q: record %d has media type %d of %d", segment.ErrCorrupt, "file.rec", i, n, len(f.types))
		}
	}
	return f, nil
}
