// Package vsix reads a .vsix package within limits: its metadata, the files that editors request
// by type, and all other files.
//
// A .vsix is a zip archive with extension.vsixmanifest, [Content_Types].xml and the files of the
// extension below extension/. Packages are not trusted: sizes are counted, checksums are computed
// and names are checked.
//
// # Limits
//
// [LimitTable] lists what is limited, and [Limits.Set] changes a limit. A message names what is
// limited, the number found and the limit. Memory depends on the directory and the manifests, not
// on the files: some MiB, and at most 200 MiB at the limits.
//
// # What is refused
//
// A package is refused if no editor could install it, or if programs could read it differently.
// Editors read packages with yauzl (https://github.com/thejoshwolfe/yauzl) and JSON.parse, and
// unpack the entries below extension/. A message has the reason. These are refused:
//
//   - a file that is not a zip archive, is cut off, is followed by other bytes, or is preceded
//     by bytes that are not included in its offsets;
//   - end records that contradict each other or give another position, size or number of
//     entries than the directory has, and offsets outside of the archive;
//   - entries whose local header or data descriptor has another name, method, size or
//     checksum than the directory, and entries that share bytes of the archive;
//   - an Info-ZIP Unicode Path field that gives an entry another name;
//   - encrypted entries, other methods than stored and deflated;
//   - wrong checksums or sizes (found by Walk, or by Open in the files it needs);
//   - two entries that editors unpack to the same file, or two names of package.json for
//     macOS or Windows (two names of another file are a warning);
//   - names that are absolute, contain .., begin with a drive letter, contain control
//     characters, or are marked as UTF-8 but are not; special files;
//   - symbolic links out of the package, or out of extension/ if they are in it: absolute
//     ones, and those that leave it with .., directly or through another link;
//   - two entries of one name, a name that is both a file and a folder;
//   - no entry called exactly extension/package.json, or one with a byte order mark, one
//     that is not a JSON object, or one without a publisher, name or version that is a string;
//   - a package that every editor refuses after the download, such as one without
//     engines.vscode: see manifest.Package.CheckEditors;
//   - an id or platform that cannot be part of a path; a target platform that no editor
//     requests; a version that is not semver, or that no editor parses because a number is above
//     2^53-1; another version in extension.vsixmanifest; a damaged extension.vsixmanifest.
//
// Mistakes in the metadata that a gallery lists are corrected, as described below. Mistakes that
// editors read in the .vsix file itself cannot be corrected.
//
// # What is accepted
//
// Backslashes in names are slashes. Names that are not marked as UTF-8 are read as CP437, as zip
// prescribes and editors do. Names in manifests are matched exactly or, if no entry matches,
// without regard to case. Directory entries, comments, zip64 and data descriptors are
// accepted. An entry whose name does not end in a slash is a file, whatever its mode. A
// symbolic link is a small file with its target as text, as editors unpack it, with a warning.
// For the documents see package manifest.
//
// Publisher and name are those of package.json, because editors compare these with the response
// of a gallery. Engine, dependencies, pack, kinds, localized languages, proposed interfaces and
// whether it runs in the browser are those of package.json too, because editors read it. If the
// XML has other values, there is a warning. Everything else is taken from the XML, and completed
// from package.json: properties that editors read, display name, description, categories; assets
// if it lists none; the tag __web_extension if there is a browser entry point. Without the XML,
// all of it is derived from package.json.
//
// If a translation has comments for translators, vsce writes "[object Object]" into the XML. In
// names, descriptions, categories, tags and properties, this is replaced by the text of
// package.json and package.nls.json, with a warning.
//
// An asset is left out, with a warning, if its entry is missing or a symbolic link, if its type
// cannot be the name of a file or is one of the gallery itself, or if it is an SVG icon, which
// editors do not show.
//
// There are also warnings about a display name with control, bidirectional, invisible or
// look-alike characters, and about bytes of the archive that belong to no entry.
package vsix

import (
	"fmt"
	"io"
	"runtime/debug"
	"time"
	"unicode/utf8"

	"galbuild/build/catalog"
	"galbuild/build/pagedata"
)

// Package is an opened package. Its methods read from the reader that was passed to [Open].
type Package struct {
	Publisher, Name, Version string             // as package.json writes them
	Platform                 string             // target platform, lower case; "" is universal
	DisplayName, Description string             // one line, translated; DisplayName is never empty
	Categories, Tags         []string           // each once, in the order of the package
	Contributed              []string           // texts of contributions for the search, see manifest.Package.Contributed
	Licence                  string             // of package.json, as an SPDX expression; "" if it is not one
	Preview, PreRelease      bool               // as in the XML; Preview also as in package.json
	Properties               []catalog.Property // each key once, in the order of the package
	Dependencies, Pack       []string           // ids of extensionDependencies and extensionPack, lower case
	Web                      bool               // runs in the browser: Tags contains __web_extension
	Theme                    bool               // contributes colour, file icon or product icon themes
	Page                     pagedata.Document  // what the page of the extension shows, besides the other fields
	Modified                 time.Time          // time of the newest entry in UTC; zero if no entry has one after 1980
	Assets                   []Asset            // sorted by type; neither the package itself nor signatures
	Warnings                 []string           // mistakes that do not prevent the use of the package

	archive *archive
	texts   map[string][]byte // verified files, by name; package.json as served: UTF-8 without a byte order mark
}

// Asset is an entry that editors request by its type, such as
// Microsoft.VisualStudio.Services.Icons.Default.
type Asset struct {
	Type      string
	Entry     string // Entry.Name, as in Walk
	MediaType string
}

// FormatError is the reason why a package is refused. Errors of other types come from the reader
// of the package.
type FormatError struct {
	Entry  string // name of the entry, or "" for the package as a whole
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
	return &FormatError{clip(entry), clip(fmt.Sprintf(format, args...))}
}

// clip shortens a text from a package for a message.
func clip(s string) string {
	const maxLen = 500 // bytes
	if len(s) <= maxLen {
		return s
	}
	end := maxLen
	for end > maxLen-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// Open reads the directory and the manifests of the package in r, which has size bytes. It does
// not read the other files; [Package.Walk] verifies them. Errors are of type *FormatError, except
// for those of r.
func Open(r io.ReaderAt, size int64, l Limits) (*Package, error) {
	return open(r, size, l, openArchive)
}

func open(r io.ReaderAt, size int64, l Limits, openArchive func(io.ReaderAt, int64, Limits) (*archive, error)) (p *Package, err error) {
	defer RecoverPanic(&err)
	l = l.WithDefaults()
	a, err := openArchive(r, size, l)
	if err != nil {
		return nil, err
	}
	d, err := readDocuments(a, l)
	if err != nil {
		return nil, err
	}
	return d.describe(a, l)
}

// A PanicError is a bug in galbuild that occurred with a package. The package is refused, and the
// others are built.
type PanicError struct {
	Value any
	Stack []byte
}

// Error implements error.
func (e *PanicError) Error() string {
	return clip(fmt.Sprintf("internal error in galbuild while it read the package: %v", e.Value))
}

// RecoverPanic sets *err to a *PanicError if the calling function panics. It must be deferred.
func RecoverPanic(err *error) {
	if value := recover(); value != nil {
		*err = &PanicError{value, debug.Stack()}
	}
}

func (p *Package) warn(format string, args ...any) {
	p.Warnings = append(p.Warnings, clip(fmt.Sprintf(format, args...)))
}
