package vsix

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/klauspost/compress/zip"
)

// archive is a zip whose directory was found to be sound.
//
// The directory is read by klauspost/compress/zip rather than archive/zip: its
// NameDecoder sees each entry as it is read, so that a directory of millions
// is refused before it is in memory, and its inflate is the faster one.
type archive struct {
	files    []file
	exact    map[string]int // by clean name
	folded   map[string]int // by lower-case name; the first of several
	modified time.Time
	warnings []string
}

// file is a regular file in an archive.
type file struct {
	name string // clean
	zip  *zip.File
}

func (f *file) size() int64 { return int64(f.zip.UncompressedSize64) }

func openArchive(r io.ReaderAt, size int64, l Limits) (*archive, error) {
	if size > l.PackageBytes {
		return nil, refuse("", "package has %d bytes, more than the limit of %d", size, l.PackageBytes)
	}
	if err := sniff(r, size); err != nil {
		return nil, err
	}
	z, err := zip.NewReaderWithOptions(r, size, zip.ReaderOptions{NameDecoder: directoryGuard(l.Entries)})
	if err != nil {
		return nil, directoryError(err)
	}
	if err := checkEnd(r, size, len(z.Comment)); err != nil {
		return nil, err
	}
	if err := checkSizes(z.File, size, l); err != nil {
		return nil, err
	}
	a := &archive{exact: make(map[string]int, len(z.File)), folded: make(map[string]int, len(z.File))}
	for _, f := range z.File {
		if err := a.add(f); err != nil {
			return nil, err
		}
	}
	return a, a.checkFolders()
}

// directoryError tells damage from failure to read.
func directoryError(err error) error {
	var refused *FormatError
	switch {
	case errors.As(err, &refused):
		return refused
	case errors.Is(err, zip.ErrFormat), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF),
		strings.HasPrefix(err.Error(), "zip: "):
		return refuse("", "zip archive is cut off or damaged: its directory cannot be read")
	}
	return fmt.Errorf("read the zip directory: %w", err)
}

// directoryGuard returns a check of each entry while the directory is read; it
// also decodes names in the encoding of old archives.
func directoryGuard(entries int) func(*zip.FileHeader) error {
	var count, bytes int
	return func(h *zip.FileHeader) error {
		count++
		if count > entries {
			return refuse("", "more than %d entries, the limit", entries)
		}
		bytes += len(h.Name) + len(h.Extra) + len(h.Comment)
		if bytes > directoryBytes {
			return refuse("", "zip directory has more than %d bytes, the limit", directoryBytes)
		}
		h.Name = decodeName(h.Name, h.Flags)
		return nil
	}
}

// checkEnd refuses an archive that goes on after its end, as editors do.
func checkEnd(r io.ReaderAt, size int64, comment int) error {
	const endBytes = 22
	var signature [4]byte
	if _, err := r.ReadAt(signature[:], max(size-endBytes-int64(comment), 0)); err != nil {
		return fmt.Errorf("read the end of the zip archive: %w", err)
	}
	if string(signature[:]) != "PK\x05\x06" {
		return refuse("", "other bytes follow the end of the zip archive; editors refuse that")
	}
	return nil
}

// checkSizes holds what the directory claims against the limits. The claims are
// bounds from here on: reading stops where an entry exceeds its own.
func checkSizes(files []*zip.File, size int64, l Limits) error {
	var packed, unpacked uint64
	for _, f := range files {
		switch {
		case f.UncompressedSize64 > uint64(l.EntryBytes):
			return refuse(f.Name, "%d bytes unpacked, more than the limit of %d", f.UncompressedSize64, l.EntryBytes)
		case f.CompressedSize64 > uint64(size):
			return refuse(f.Name, "%d bytes packed, more than the package's %d: the archive is cut off or damaged", f.CompressedSize64, size)
		case f.UncompressedSize64 > ratioFrom && f.UncompressedSize64/uint64(l.Ratio) > f.CompressedSize64:
			return refuse(f.Name, "%d bytes packed unpack to %d, more than the limit of %d times",
				f.CompressedSize64, f.UncompressedSize64, l.Ratio)
		}
		packed += f.CompressedSize64
		unpacked += f.UncompressedSize64
		if unpacked > uint64(l.UnpackedBytes) {
			return refuse("", "entries unpack to %d bytes and more, more than the limit of %d", unpacked, l.UnpackedBytes)
		}
	}
	if packed > uint64(size) {
		return refuse("", "entries claim %d bytes of a package of %d: they overlap", packed, size)
	}
	return nil
}

// add takes an entry into the archive.
func (a *archive) add(f *zip.File) error {
	name, err := cleanName(f.Name)
	if err != nil {
		return err
	}
	if err := checkKind(f); err != nil {
		return err
	}
	if isFolder(f) {
		return nil
	}
	if _, again := a.exact[name]; again {
		return refuse(name, "occurs twice, so it is ambiguous")
	}
	folded := strings.ToLower(name)
	if i, ok := a.folded[folded]; ok {
		a.warnings = append(a.warnings, fmt.Sprintf("entries %q and %q differ only in case", a.files[i].name, name))
	} else {
		a.folded[folded] = len(a.files)
	}
	a.exact[name] = len(a.files)
	a.files = append(a.files, file{name, f})
	// 1980 is zip's way to say never, and 2107 the last year it knows; other fields may claim any.
	if t := f.Modified.UTC(); t.Year() > 1980 && t.Year() <= 2107 && t.After(a.modified) {
		a.modified = t
	}
	return nil
}

func isFolder(f *zip.File) bool {
	return strings.HasSuffix(f.Name, "/") || strings.HasSuffix(f.Name, `\`) || f.Mode().IsDir() && f.UncompressedSize64 == 0
}

// methods are names for what archives were seen to use.
var methods = map[uint16]string{
	1: "shrink", 6: "implode", 9: "deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 98: "PPMd", 99: "AES",
}

// checkKind refuses what is not a plain file or folder.
func checkKind(f *zip.File) error {
	const encrypted = 1 | 1<<6 | 1<<13 // entry, strongly, directory
	switch mode := f.Mode(); {
	case f.Flags&encrypted != 0:
		return refuse(f.Name, "encrypted")
	case isFolder(f):
		return nil
	case mode&fs.ModeSymlink != 0:
		return refuse(f.Name, "symbolic link")
	case mode.Type() != 0:
		return refuse(f.Name, "special file (mode %v)", mode)
	case f.Method != zip.Store && f.Method != zip.Deflate:
		if name, known := methods[f.Method]; known {
			return refuse(f.Name, "compressed by %s; editors read stored and deflated entries only", name)
		}
		return refuse(f.Name, "compressed by unknown method %d", f.Method)
	}
	return nil
}

// find returns the file of that name, else one that differs in case.
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
