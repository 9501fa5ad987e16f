// Package headers is the only table of the HTTP headers of a site: those of every response, and
// those of each file. galshim and the printed nginx configuration send them, and publish stores
// them with the objects of a target. Media types are in package mediatype.
//
// Every response has the headers of [Every]. Files have this Cache-Control:
//
//	path                    on a server    on a target
//	assets/…/DetailsAsset   five minutes   five minutes  readmes, with the gallery's address
//	assets/ files/ blobs/   immutable      immutable     a version or hash is in the path
//	companions/             five minutes   no-cache      files next to extensions
//	index/NAME              no-cache       no-cache      CURRENT, and notes of publishing
//	index/FOLDER/           immutable      immutable     generations, chunks, heads
//	all others              five minutes   no-cache      pages, their files, files of the API
//
// A package, which is a file assets/…/[PackageAsset], has a Content-Disposition with its usual
// name.
//
// Files in assets/, files/ and blobs/ were written by the authors of packages, and those in
// companions/ come from elsewhere too. Those that a browser could run have a
// Content-Security-Policy, [FilePolicy], if a server sends them. Targets cannot send one: they
// store such files as downloads, and blobs with a type that browsers do not show.
//
// HTML in no folder of the table is a page of the gallery, see [IsPage]. It has [PagePolicy], and a
// Referrer-Policy, so that other sites do not learn who reads about which extension. The gallery's
// other files that a browser could run, its icon and its feeds, have [FilePolicy] too, with which
// browsers show them.
package headers

import (
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"galbuild/build/mediatype"
)

// Values of Cache-Control.
const (
	Immutable  = "public, max-age=31536000, immutable"
	Revalidate = "no-cache"             // caches must revalidate before each use
	ShortLived = "public, max-age=300"  // for files that the next build may replace
	Private    = "private, max-age=300" // for a response that depends on the request's headers
	NoStore    = "no-store"             // for errors: the file may be published soon
)

// Attachment is the Content-Disposition of files that a browser must save and not display.
const Attachment = "attachment"

// NoReferrer is the Referrer-Policy of pages.
const NoReferrer = "no-referrer"

// Names of files in assets/.
const (
	PackageAsset = "Microsoft.VisualStudio.Services.VSIXPackage"
	DetailsAsset = "Microsoft.VisualStudio.Services.Content.Details"
)

// A row of the table has the headers of the files in some folders.
type row struct {
	folders        []string // at the beginning of a path; nil is every path
	direct         bool     // only files directly in the folder
	asset          string   // only files of this name, in the folder of a version
	served, stored string   // Cache-Control
	untrusted      bool     // written by the authors of packages
}

// untrusted is the row of all files that were written by the authors of packages.
var untrusted = row{folders: []string{"assets", "files", "blobs"}, served: Immutable, stored: Immutable, untrusted: true}

// companions is the row of the files that are served next to extensions. They come from elsewhere,
// and the next build may replace one.
var companions = row{folders: []string{"companions"}, served: ShortLived, stored: Revalidate, untrusted: true}

// rows is the table. The first row that matches a path applies to it.
var rows = []row{
	{folders: []string{"assets"}, asset: DetailsAsset, served: ShortLived, stored: ShortLived, untrusted: true},
	untrusted,
	companions,
	{folders: []string{"index"}, direct: true, served: Revalidate, stored: Revalidate},
	{folders: []string{"index"}, served: Immutable, stored: Immutable},
	{served: ShortLived, stored: Revalidate},
}

// rowOf returns the row of a path, which has no slash at its beginning.
func rowOf(file string) *row {
	for i := range rows {
		if rows[i].matches(file) {
			return &rows[i]
		}
	}
	panic("the last row matches every path")
}

func (r *row) matches(file string) bool {
	folder, rest, below := strings.Cut(file, "/")
	switch {
	case r.folders == nil:
		return true
	case !below || !slices.Contains(r.folders, folder):
		return false
	case r.asset != "":
		return isAsset(file, r.asset)
	}
	return !r.direct || !strings.Contains(rest, "/")
}

// isAsset reports whether a path is that of the asset of a version with a name.
func isAsset(file, name string) bool {
	return strings.HasSuffix(file, "/"+name) && strings.Count(file, "/") == 4
}

// pattern returns a regular expression for the beginning of a URL's path.
func (r *row) pattern() string {
	switch {
	case r.folders == nil:
		return ""
	case r.direct:
		return "/" + r.folders[0] + "/[^/]*$"
	case r.asset != "":
		return "/" + r.folders[0] + "/[^/]+/[^/]+/[^/]+/" + regexp.QuoteMeta(r.asset) + "$"
	case len(r.folders) == 1:
		return "/" + r.folders[0] + "/"
	}
	return "/(?:" + strings.Join(r.folders, "|") + ")/"
}

// A Rule is a row of the table for a server that matches paths with regular expressions. The first
// rule that matches a path applies.
type Rule struct {
	Pattern string // for the beginning of a path, which starts with a slash
	Cache   string // Cache-Control
}

// Rules returns the table for servers.
func Rules() []Rule {
	var all []Rule
	for i := range rows {
		all = append(all, Rule{rows[i].pattern(), rows[i].served})
	}
	return all
}

// Untrusted returns the pattern of files that were written by the authors of packages, and of
// companions.
func Untrusted() string {
	return (&row{folders: slices.Concat(untrusted.folders, companions.folders)}).pattern()
}

// Details returns the pattern of readmes, see [IsDetails].
func Details() string { return rows[0].pattern() }

// IsDetails reports whether a path is that of the readme that editors show. It may contain the
// address of the gallery, which changes while the version does not.
func IsDetails(file string) bool { return rows[0].matches(file) }

// IsPage reports whether a path is that of a page of the gallery.
func IsPage(file string) bool { return strings.HasSuffix(file, ".html") && rowOf(file).folders == nil }

// IsImmutable reports whether the content of a path never changes.
func IsImmutable(file string) bool { return rowOf(file).stored == Immutable }

// File is the headers of a file.
type File struct {
	Type        string
	Cache       string
	Disposition string // "" for none
	Policy      string // Content-Security-Policy; "" for none
	Referrer    string // Referrer-Policy; "" for none
}

// Served returns the headers with which a server sends a file of a site. contentURL is the address
// of the files of packages, or "" if it is the gallery's.
func Served(file, mediaType, contentURL string) File {
	r := rowOf(file)
	f := File{Type: mediaType, Cache: r.served}
	switch {
	case IsPage(file):
		f.Policy, f.Referrer = PagePolicy(contentURL)+NoFrames, NoReferrer
	case mediatype.Active(mediaType):
		f.Policy = FilePolicy
	}
	if name, ok := packageName(file); ok {
		f.Disposition = mime.FormatMediaType(Attachment, map[string]string{"filename": name})
	}
	return f
}

// Stored returns the headers with which a target stores a file of a site.
func Stored(file, mediaType string) File {
	r := rowOf(file)
	f := File{Type: mediaType, Cache: r.stored}
	switch {
	case strings.HasPrefix(file, "blobs/"):
		f.Type = mediatype.Octets // whatever the content, browsers never open it as a document
	case r.untrusted && mediatype.Attached(mediaType):
		f.Disposition = Attachment
	}
	return f
}

// packageName returns the usual name of the file of a package. It returns false if the path is not
// that of a package.
func packageName(file string) (string, bool) {
	if !isAsset(file, PackageAsset) { // nearly all files
		return "", false
	}
	part := strings.Split(file, "/")
	return part[1] + "." + part[2] + "-" + part[3] + ".vsix", true
}

// Set adds the headers of a file to those of a response.
func (f File) Set(h http.Header) {
	h.Set("Content-Type", f.Type)
	h.Set("Cache-Control", f.Cache)
	if f.Disposition != "" {
		h.Set("Content-Disposition", f.Disposition)
	}
	if f.Policy != "" {
		h.Set("Content-Security-Policy", f.Policy)
	}
	if f.Referrer != "" {
		h.Set("Referrer-Policy", f.Referrer)
	}
}

// SetError replaces the headers of a file by those of an error.
func SetError(h http.Header) {
	for _, name := range []string{"Accept-Ranges", "Content-Disposition", "Content-Encoding", "Content-Length", "Content-Security-Policy", "Etag", "Referrer-Policy"} {
		h.Del(name)
	}
	h.Set("Cache-Control", NoStore)
}
