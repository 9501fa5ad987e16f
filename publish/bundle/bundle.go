// Package bundle writes a site to one file for air-gapped transfer, and imports and verifies that
// file.
//
// A bundle is a tar archive of the files of a site. Standard tools unpack it into a site that can
// be served, and verify it:
//
//	SHA256SUMS                    a line for every other file, in the order of the archive
//	blobs/sha256/ab/abcd…         content, each once
//	assets/…  files/…             hard links to blobs
//	api/…  index.html  …          static responses, and pages as hard links to blobs
//	index/chunks/ab/abcd…         the chunks of the generation, each once
//	private/chunks/ab/abcd…       the chunks with packages, if it has some
//	index/<generation>/…          the generation that was current at the time of the export
//	index/history/…               the head of the history of the site, without its entries
//	private/<generation>.…        the main private file of the generation, if it has one
//	index/CURRENT                 last
//
// There are no other entries: no directories, no older generations, and nothing of the work
// directory. Within each of these groups, paths are sorted by their bytes. All entries have the
// date of the newest extension, mode 0644 and no owner; their headers depend only on path, size
// and date, so exports of the same site are identical. (Web servers use dates to detect changed
// files: unpack another generation into another folder, or with tar's -m.) Links are determined by
// content, so a site on a file system without hard links gives the same archive.
//
// A delta leaves out the files that all of certain generations have, its bases, except for those of
// the generation. One more extension changes a few chunks, so that is what a delta has besides its
// content and the generation. It has two more files, after SHA256SUMS:
//
//	BASE.SHA256SUMS               the lines of CURRENT with the files of each base
//	REMOVED.SHA256SUMS            the lines of files that a base has and the site has not
//
// At the root of a site, `sha256sum -c BASE.SHA256SUMS` checks whether the site is at the base. The
// first line of REMOVED.SHA256SUMS has the hash of SITE.SHA256SUMS, which is not in the archive: it
// is the SHA256SUMS of an archive of the whole site. It has the lines of a base, without those of
// its generation and those that are removed, and with those of the delta in the place of others of
// the same paths.
//
// The archive may be compressed as one stream (gallery.tar.gz, gallery.tar.zst), and split into
// parts of the same size (gallery.tar.001 and so on), which `cat gallery.tar.0*` joins. There are
// up to two more files next to it:
//
//	gallery.tar.SHA256SUMS           a line for each part, for `sha256sum -c`
//	gallery.tar.SHA256SUMS.minisig   its signature, if a key was given, for
//	                                 `minisign -V -m gallery.tar.SHA256SUMS -p key.pub`
//
// # Import
//
// [Import] trusts nothing in the archive. It unpacks into the work directory of the site, which is
// on the same file system and not served, and moves the files into the site only after everything
// has been verified: the parts by the listing next to them, each entry by SHA256SUMS, SHA256SUMS by
// CURRENT, the catalogue, the index and their chunks. It reads the archive once. The entries must
// be in the order of SHA256SUMS, and their headers must be byte for byte those that [Export]
// writes. This excludes links to other files, devices, paths outside the site, duplicate paths, and
// data after the end. Content that the site has already is verified too, but not written again.
//
// A site that has decisions or a policy of its own makes another generation of the archive. Its
// history then names the generation that was imported, so that a delta finds its base. The site
// makes the pages and static responses itself, so it needs only the content and the chunks that a
// delta leaves out, and the result is that of importing the whole site. Its own generation has
// other files, so an import stores the chunks and the listing of the archive in the work directory
// for the next delta.
// If the site has deleted content that it would now serve, the delta is refused.
//
// Bits of a gzip or zstd header that do not change the unpacked content are not verified, unless
// there is a listing next to the archive.
package bundle

import "fmt"

// Names of the listings in an archive, and suffixes of the files next to it.
const (
	SumsName     = "SHA256SUMS"
	BaseName     = "BASE.SHA256SUMS"
	RemovedName  = "REMOVED.SHA256SUMS"
	SumsSuffix   = ".SHA256SUMS"
	SignedSuffix = ".minisig"
)

// Limits of what is read.
const (
	maxListing = 512 << 20 // bytes of a listing: some three million files
	maxPath    = 4096      // bytes
	maxElement = 255       // bytes between slashes
	maxHeader  = 64 << 10  // bytes of an entry's tar headers
	maxRatio   = 200       // of uncompressed to compressed size, as for packages
	ratioFrom  = 64 << 20  // uncompressed bytes up to which every ratio is allowed
	maxParts   = 999       // part numbers have three digits
	maxUnknown = 1 << 40   // uncompressed bytes if the size of the archive is unknown
)

// A FormatError describes a part of an archive that [Export] would not write.
type FormatError struct {
	Where  string // a part, an entry or a listing
	Reason string
}

// Error implements error.
func (e *FormatError) Error() string { return e.Where + ": " + e.Reason }

// refuse returns a [FormatError].
func refuse(where, format string, args ...any) error {
	return &FormatError{where, fmt.Sprintf(format, args...)}
}

// Progress is called with the number of bytes that are done and their total, which is 0 if it is
// not known.
type Progress func(done, total int64)
