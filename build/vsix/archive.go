package vsix

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/klauspost/compress/zip"

	"galbuild/build/visible"
)

// archive is a zip archive with a valid directory.
//
// directory.go and local.go check the directory and the local headers first, so that all programs
// read them in the same way. Then klauspost/compress/zip reads the directory. It is used instead
// of archive/zip because it decompresses faster.
type archive struct {
	reader   io.ReaderAt
	files    []file
	folders  []string       // clean names of folder entries
	exact    map[string]int // by clean name
	folded   map[string]int // by lower-case name; of several equal names, the first
	modified time.Time
	warnings []string
}

// file is a file in an archive, or a symbolic link.
type file struct {
	name   string // clean
	zip    *zip.File
	reader io.ReaderAt // of the archive
	data   int64       // position of the data in it
}

func (f *file) size() int64 { return int64(f.zip.UncompressedSize64) }

func (f *file) isLink() bool { return f.zip.Mode()&fs.ModeSymlink != 0 }

func openArchive(r io.ReaderAt, size int64, l Limits) (*archive, error) {
	if size > l.PackageBytes {
		return nil, refuse("", "package has %d bytes, more than the limit of %d", size, l.PackageBytes)
	}
	if err := sniff(r, size); err != nil {
		return nil, err
	}
	r = io.NewSectionReader(r, 0, size) // keeps offsets within the archive
	headers, unused, err := readHeaders(r, size, l)
	if err != nil {
		return nil, err
	}
	files, err := listEntries(r, size, headers)
	if err != nil {
		return nil, err
	}
	a := &archive{
		reader: r,
		exact:  make(map[string]int, len(files)), folded: make(map[string]int, len(files)),
	}
	if unused > 0 {
		a.warn("%d bytes of the package belong to no entry: editors ignore them, but other programs may not",
			unused)
	}
	for i, f := range files {
		if err := a.add(f, &headers[i], l); err != nil {
			return nil, err
		}
	}
	if err := a.checkFolders(); err != nil {
		return nil, err
	}
	if err := a.checkInstalled(); err != nil {
		return nil, err
	}
	return a, a.checkLinks(l)
}

// readHeaders reads and checks the headers of all entries. It also returns the number of bytes
// before the directory that belong to no entry.
func readHeaders(r io.ReaderAt, size int64, l Limits) (headers []header, unused uint64, err error) {
	end, err := readEnd(r, size)
	if err != nil {
		return nil, 0, err
	}
	if headers, err = readDirectory(r, end, l); err != nil {
		return nil, 0, err
	}
	if err := checkSizes(headers, l); err != nil {
		return nil, 0, err
	}
	unused, err = checkLocals(r, headers, end.offset)
	return headers, unused, err
}

func (a *archive) warn(format string, args ...any) {
	a.warnings = append(a.warnings, clip(fmt.Sprintf(format, args...)))
}

// listEntries returns the entries as the library reads them, with dates and modes, but with the
// names that editors use.
func listEntries(r io.ReaderAt, size int64, headers []header) ([]*zip.File, error) {
	next := 0
	decode := func(h *zip.FileHeader) error {
		if next == len(headers) {
			return refuse("", "the directory has more entries than the end record of the zip archive gives")
		}
		h.Name = headers[next].name
		next++
		return nil
	}
	z, err := zip.NewReaderWithOptions(r, size, zip.ReaderOptions{NameDecoder: decode})
	if err != nil {
		return nil, directoryError(err)
	}
	if len(z.File) != len(headers) {
		return nil, refuse("", "the directory has %d entries, but the end record of the zip archive gives %d",
			len(z.File), len(headers))
	}
	for i, f := range z.File {
		if h := &headers[i]; f.UncompressedSize64 != h.uncompressed || f.CompressedSize64 != h.compressed ||
			f.Flags != h.flags || f.Method != h.method {
			return nil, refuse(f.Name, "its header is ambiguous: programs read it in different ways")
		}
	}
	return z.File, nil
}

// directoryError distinguishes a damaged archive from a failure to read.
func directoryError(err error) error {
	if refused, ok := errors.AsType[*FormatError](err); ok {
		return refused
	}
	if errors.Is(err, zip.ErrFormat) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		strings.HasPrefix(err.Error(), "zip: ") {
		return refuse("", "zip archive is cut off or damaged: its directory cannot be read")
	}
	return fmt.Errorf("read the zip directory: %w", err)
}

// checkSizes checks the sizes in the directory. Walk refuses an entry that has more bytes than its
// size in the directory.
func checkSizes(headers []header, l Limits) error {
	var total uint64
	for i := range headers {
		h := &headers[i]
		switch {
		case h.uncompressed > uint64(l.EntryBytes):
			return refuse(h.name, "has %d uncompressed bytes, more than the limit of %d", h.uncompressed, l.EntryBytes)
		case h.uncompressed > ratioFrom && h.uncompressed/uint64(l.Ratio) > h.compressed:
			return refuse(h.name, "%d compressed bytes expand to %d, more than the limit of %d times",
				h.compressed, h.uncompressed, l.Ratio)
		case h.method == zip.Store && h.compressed != h.uncompressed && h.flags&flagEncrypted == 0:
			return refuse(h.name, "is stored without compression, with %d compressed and %d uncompressed bytes; "+
				"editors refuse such a package", h.compressed, h.uncompressed)
		}
		total += h.uncompressed
		if total > uint64(l.UnpackedBytes) {
			return refuse("", "the entries have at least %d uncompressed bytes, more than the limit of %d",
				total, l.UnpackedBytes)
		}
	}
	return nil
}

// add checks an entry and adds it to the archive.
func (a *archive) add(f *zip.File, h *header, l Limits) error {
	name, err := cleanName(f.Name, l)
	if err != nil {
		return err
	}
	if err := checkKind(f); err != nil {
		return err
	}
	if isFolder(f) {
		a.folders = append(a.folders, name)
		return nil
	}
	for _, finding := range visible.Hidden(name) {
		a.warn("entry %q: %s", name, finding)
	}
	if err := a.checkEncoding(h); err != nil {
		return err
	}
	if _, duplicate := a.exact[name]; duplicate {
		return refuse(name, "occurs twice, so it is ambiguous")
	}
	if folded := strings.ToLower(name); !has(a.folded, folded) {
		a.folded[folded] = len(a.files)
	}
	a.exact[name] = len(a.files)
	a.files = append(a.files, file{name, f, a.reader, int64(h.data)})
	// An entry without a date has the year 1980. Dates after 2107 can only be in extra fields.
	if t := f.Modified.UTC(); t.Year() > 1980 && t.Year() <= 2107 && t.After(a.modified) {
		a.modified = t
	}
	return nil
}

func has[K comparable, V any](m map[K]V, key K) bool {
	_, ok := m[key]
	return ok
}

// isFolder reports whether an entry is a folder: its name ends with a slash. Like editors, it
// ignores the mode.
func isFolder(f *zip.File) bool { return strings.HasSuffix(f.Name, "/") }

// methods are the names of compression methods that occur in archives.
var methods = map[uint16]string{
	1: "shrink", 6: "implode", 9: "deflate64", 12: "bzip2", 14: "LZMA",
	93: "Zstandard", 95: "xz", 98: "PPMd", 99: "AES",
}

// checkKind refuses entries that are not regular files, folders or symbolic links.
func checkKind(f *zip.File) error {
	switch mode := f.Mode(); {
	case f.Flags&flagEncrypted != 0:
		return refuse(f.Name, "is encrypted")
	case isFolder(f):
		return nil
	case mode.Type() != 0 && mode.Type() != fs.ModeSymlink && !(mode.IsDir() && f.UncompressedSize64 == 0):
		return refuse(f.Name, "is a special file (mode %v)", mode)
	case f.Method != zip.Store && f.Method != zip.Deflate:
		if name, known := methods[f.Method]; known {
			return refuse(f.Name, "is compressed with %s; editors read stored and deflated entries only", name)
		}
		return refuse(f.Name, "is compressed with the unknown method %d", f.Method)
	}
	return nil
}

// find returns the file of that name, or the first whose name differs only in case.
func (a *archive) find(name string) (*file, bool) {
	i, ok := a.exact[name]
	if !ok {
		i, ok = a.folded[strings.ToLower(name)]
	}
	if !ok {
		return nil, false
	}
	return &a.files[i], true
}

// names lists the files in archive order.
func (a *archive) names() []string {
	names := make([]string, len(a.files))
	for i, f := range a.files {
		names[i] = f.name
	}
	return names
}
