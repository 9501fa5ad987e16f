package index

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sort"

	"galbuild/index/segment"
)

// File is one path a site serves, and where its bytes are.
type File struct {
	Path   string   // relative to the site, slash-separated
	SHA256 [32]byte // names the blob
	Size   int64
	Type   string // media type
}

// A file's record: the first 16 bytes of the SHA-256 of its path, the SHA-256 of
// its bytes, its size, the number of its media type, four zero bytes. Records
// are sorted; paths themselves are not stored.
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

// search returns the number of the path's record.
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

// at returns the file of record i, but for its path.
func (f *files) at(i int) File {
	var found File
	rest := f.record(i)[pathHashSize:]
	rest = rest[copy(found.SHA256[:], rest):]
	found.Size = int64(binary.LittleEndian.Uint64(rest))
	found.Type = f.types[binary.LittleEndian.Uint32(rest[8:])]
	return found
}

// PathHash stands for a path, which the file does not hold: the first bytes of its
// SHA-256.
type PathHash [pathHashSize]byte

// Paths yields every path, sorted.
func (ix *Index) Paths() iter.Seq[PathHash] {
	return func(yield func(PathHash) bool) {
		for i := range ix.files.len() {
			if !yield(PathHash(ix.files.record(i)[:pathHashSize])) {
				return
			}
		}
	}
}

// HasPath reports whether File would find it.
func (ix *Index) HasPath(path PathHash) bool {
	_, ok := ix.files.search(path)
	return ok
}

// Files yields every file of the index, in no useful order, without its path.
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

func writeFiles(w *segment.Writer, all []File) error {
	types := make(map[string]uint32)
	for i := range all {
		types[all[i].Type] = 0
	}
	var names []byte
	for i, name := range slices.Sorted(maps.Keys(types)) {
		types[name] = uint32(i)
		names = appendString(names, name)
	}
	records := make([]byte, 0, fileRecordSize*len(all))
	sorted, err := sortFiles(all)
	if err != nil {
		return err
	}
	for _, h := range sorted {
		records = append(records, h.hash[:]...)
		records = append(records, h.file.SHA256[:]...)
		records = binary.LittleEndian.AppendUint64(records, uint64(h.file.Size))
		records = binary.LittleEndian.AppendUint64(records, uint64(types[h.file.Type]))
	}
	w.Add("file.rec", records)
	w.Add("file.typ", names)
	return nil
}

type hashedFile struct {
	hash PathHash
	file *File
}

// sortFiles sorts by the hash of the path. Naming a file twice is fine if both
// say the same.
func sortFiles(all []File) ([]hashedFile, error) {
	hashed := make([]hashedFile, len(all))
	for i := range all {
		hashed[i] = hashedFile{pathHash(all[i].Path), &all[i]}
	}
	slices.SortFunc(hashed, func(a, b hashedFile) int {
		return cmp.Or(bytes.Compare(a.hash[:], b.hash[:]), cmp.Compare(a.file.Path, b.file.Path))
	})
	for i := 1; i < len(hashed); i++ {
		a, b := hashed[i-1], hashed[i]
		if a.hash == b.hash && *a.file != *b.file {
			return nil, fmt.Errorf("write index: files %q and %q are one path with two contents", a.file.Path, b.file.Path)
		}
	}
	return slices.CompactFunc(hashed, func(a, b hashedFile) bool { return a.hash == b.hash }), nil
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
		return files{}, fmt.Errorf("%w: section %q: %d bytes are no whole records", segment.ErrCorrupt, "file.rec", len(records))
	}
	for i := range f.len() {
		if n := binary.LittleEndian.Uint32(f.record(i)[fileRecordSize-8:]); uint64(n) >= uint64(len(f.types)) {
			return files{}, fmt.Errorf("%w: section %q: record %d has media type %d of %d", segment.ErrCorrupt, "file.rec", i, n, len(f.types))
		}
	}
	return f, nil
}
