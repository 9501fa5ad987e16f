// Package vsix reads one .vsix: what it is, which of its files editors ask for
// by type, and the files themselves, within stated limits.
//
// A .vsix is a zip archive with extension.vsixmanifest, [Content_Types].xml and
// the extension's files below extension/. Packages come from strangers, so
// nothing the archive says is believed: sizes are counted, checksums computed,
// names checked.
//
// # Limits
//
//	size of the package            2 GiB     Limits.PackageBytes
//	entries                        100,000   Limits.Entries
//	one entry, unpacked            1 GiB     Limits.EntryBytes
//	all entries, unpacked          4 GiB     Limits.UnpackedBytes
//	unpacked to packed, > 1 MiB    200       Limits.Ratio
//	package.json, nls, XML         8 MiB each
//	directory of the archive       64 MiB
//	length of a name               1,024 bytes, 255 between slashes
//
// An error names the limit and the number found. Memory follows the directory
// and the manifests, not the files: some MiB, within 200 MiB at the limits.
//
// # What is refused
//
// A package that no editor could install, or whose meaning depends on who reads
// it. Editors read packages with yauzl (https://github.com/thejoshwolfe/yauzl)
// and JSON.parse. So these are refused, with the reason:
//
//   - what is not a zip archive, is cut off, or is followed by other bytes;
//   - encrypted entries, other methods than stored and deflated;
//   - wrong checksums or sizes (found by Walk, or by Open in the files it needs),
//     and entries that together claim more bytes than the package has;
//   - names that are absolute, climb (..), begin with a drive letter, hold
//     control characters or are not UTF-8 where the archive says so; symbolic
//     links and other special files;
//   - two entries of one name, a name that is both a file and a folder;
//   - no entry called exactly extension/package.json, or one that is no JSON
//     object, or without a name or version that is a string;
//   - no publisher, neither there nor in the XML;
//   - an id or platform that cannot be part of a path; a version that is not
//     semver; another version in the XML; XML that is no XML.
//
// # What is taken
//
// Backslashes in names are slashes. Names that are not UTF-8 are read as CP437,
// as zip prescribes. Names in manifests are matched exactly, else
// without regard to case. Directory entries, comments, zip64, data descriptors
// and the local headers' fields are of no consequence: the central directory
// counts, as it does to editors. For the documents see package manifest.
//
// Publisher and name are those of package.json, which editors compare with what
// a gallery answers. The rest is the XML's, completed from package.json: properties
// that editors read, display name, description, categories; assets if it lists
// none; the tag __web_extension if there is a browser entry point. Without the XML all of it
// follows from package.json.
//
// An asset is dropped, with a warning, if its entry is missing, if its type
// cannot be a file's name, or if it is an icon that is SVG or over 5 MiB, which
// editors do not show.
package vsix

import (
	"fmt"
	"io"
	"time"

	"galbuild/build/catalog"
)

// Package is an opened package. Its methods need the reader it was opened from.
type Package struct {
	Publisher, Name, Version string             // as package.json writes them
	Platform                 string             // target platform, lower case; "" is universal
	DisplayName, Description string             // one line, translated; DisplayName is never empty
	Categories, Tags         []string           // each once, in the package's order
	Preview, PreRelease      bool               //
	Properties               []catalog.Property // each key once, in the package's order
	Dependencies, Pack       []string           // ids of extensionDependencies and extensionPack, lower case
	Web                      bool               // runs in the browser: Tags holds __web_extension
	Theme                    bool               // contributes colour, file icon or product icon themes
	Modified                 time.Time          // newest entry's, UTC; zero if none has a usable one (since 1981)
	Assets                   []Asset            // sorted by type; neither the package itself nor signatures
	Warnings                 []string           // what was odd but taken

	archive     *archive
	packageJSON []byte // as served: UTF-8 without a byte order mark
}

// Asset is an entry that editors ask for by its type, such as
// Microsoft.VisualStudio.Services.Icons.Default.
type Asset struct {
	Type      string
	Entry     string // as Walk names it
	MediaType string
}

// FormatError says why a package is refused. Other errors are those of the
// reader it was read from.
type FormatError struct {
	Entry  string // where, "" for the package as a whole
	Reason string
}

// Error implements error.
func (e *FormatError) Error() string {
	if e.Entry == "" {
		return e.Reason
	}
	return fmt.Sprintf("entry %q: %s", e.Entry, e.Reason)
}

func refuse(entry, format string, args ...any) error {
	return &FormatError{entry, fmt.Sprintf(format, args...)}
}

// Open reads the directory and the manifests of the package in r, which holds
// size bytes. It has not seen the other files: Walk verifies them. Errors are
// of type *FormatError, save those of r.
func Open(r io.ReaderAt, size int64, l Limits) (*Package, error) {
	a, err := openArchive(r, size, l.WithDefaults())
	if err != nil {
		return nil, err
	}
	d, err := readDocuments(a)
	if err != nil {
		return nil, err
	}
	return d.describe(a)
}

func (p *Package) warn(format string, args ...any) {
	p.Warnings = append(p.Warnings, fmt.Sprintf(format, args...))
}
