// Package bundle is a site as one file that can be carried over a gap, and proves
// itself on the other side.
//
// It is a tar archive of the site's files as they lie, so that stock tools unpack
// it into a site that can be served, and prove it:
//
//	SHA256SUMS                    a line for every other file of the archive, in its order
//	blobs/sha256/ab/abcd…         content, once
//	assets/…  files/…             hard links to it
//	api/…  index.html  …          pages, likewise, and answers
//	index/<generation>/…          the generation that counted when it was written
//	index/CURRENT                 last
//
// There is nothing else in it: no folders, no older generations, not the builder's
// desk. Within each of these lines paths are sorted by their bytes. All entries have
// the date of the newest extension, mode 0644 and no owner; what they carry in their
// headers follows from path, size and date. (Web servers tell files apart by their dates:
// unpack another generation into another folder, or with tar's -m.) The same site gives the same bytes. Links
// are by content: a site on a file system without them gives those bytes too.
//
// A delta leaves out what certain generations have, its bases. It has two more files,
// at the beginning, behind SHA256SUMS:
//
//	BASE.SHA256SUMS               the text of CURRENT of each base
//	SITE.SHA256SUMS               what SHA256SUMS would be if nothing were left out
//
// At the root of a site `sha256sum -c BASE.SHA256SUMS` tells whether it has the base,
// and `sha256sum -c SITE.SHA256SUMS` proves all of it when the delta is unpacked there.
//
// The archive may be compressed, gallery.tar.gz or gallery.tar.zst, in one stream, and
// cut into parts of the same size, gallery.tar.001 and so on: `cat gallery.tar.0*` is the
// whole. Beside it stand
//
//	gallery.tar.SHA256SUMS           a line for each part, for `sha256sum -c`
//	gallery.tar.SHA256SUMS.minisig   the signature of that, if a key was given, for
//	                                 `minisign -V -m gallery.tar.SHA256SUMS -p key.pub`
//
// # Reading
//
// [Import] believes nothing. It unpacks into the desk of the site, on the same file
// system, where nobody serves from, and moves files to their places only when every
// byte has been proved: the parts by the file beside them, each entry by SHA256SUMS,
// SHA256SUMS by CURRENT, the catalogue and the index. The archive is read once. The
// entries must come as SHA256SUMS lists them and their headers must be, byte for byte,
// those that [Export] writes: which leaves no room for links to elsewhere, devices,
// climbing paths, a path twice, or anything behind the end. What is known to the site
// already is proved too, but not written again.
//
// Not proved: bits of a gzip or zstd header that change nothing of what is unpacked,
// unless the file beside the archive is there.
package bundle

import "fmt"

// Names of the listings in an archive, and what is added to its own name for those
// beside it.
const (
	SumsName     = "SHA256SUMS"
	BaseName     = "BASE.SHA256SUMS"
	SiteName     = "SITE.SHA256SUMS"
	SumsSuffix   = ".SHA256SUMS"
	SignedSuffix = ".minisig"
)

// Limits of what is read.
const (
	maxListing = 512 << 20 // bytes of a listing: some three million files
	maxPath    = 4096      // bytes
	maxElement = 255       // bytes between slashes
	maxHeader  = 64 << 10  // bytes of an entry's tar headers
	maxRatio   = 200       // unpacked to packed size, as with packages
	ratioFrom  = 64 << 20  // bytes unpacked, up to which any ratio is harmless
	maxParts   = 999       // three digits
	maxUnknown = 1 << 40   // bytes that an archive of unknown size unpacks to
)

// A FormatError says that something is not as Export writes it.
type FormatError struct {
	Where  string // a part, an entry or a listing
	Reason string
}

// Error implements error.
func (e *FormatError) Error() string { return e.Where + ": " + e.Reason }

func refuse(where, format string, args ...any) error {
	return &FormatError{where, fmt.Sprintf(format, args...)}
}

// Progress is told how many bytes of how many are done; total is 0 if nobody knows.
type Progress func(done, total int64)
