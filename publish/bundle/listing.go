package bundle

import (
	"bytes"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
)

// A listing is a list of files with their SHA-256, in the order of an archive. Its text has the
// format of sha256sum.
type listing []line

// A line is a file in a listing.
type line struct {
	ref  blob.Ref
	path string // relative to the site, slash-separated
}

func (l listing) text() []byte {
	var b bytes.Buffer
	for _, x := range l {
		fmt.Fprintf(&b, "%s  %s\n", x.ref, x.path)
	}
	return b.Bytes()
}

// parseListing parses the text of a listing; name is for errors. All paths in the result are safe
// to use below the root of a site, and unique.
func parseListing(name string, text []byte) (listing, error) {
	l := make(listing, 0, bytes.Count(text, []byte("\n")))
	for number := 1; len(text) > 0; number++ {
		x, rest, err := parseLine(text)
		if err == nil {
			err = checkPath(x)
		}
		if err != nil {
			return nil, refuse(name, "line %d: %v", number, err)
		}
		if len(l) > 0 && !before(l[len(l)-1].path, x.path) {
			return nil, refuse(name, "%q follows %q: duplicate or out of order", x.path, l[len(l)-1].path)
		}
		l, text = append(l, x), rest
	}
	return l, nil
}

func parseLine(text []byte) (x line, rest []byte, err error) {
	first, rest, whole := bytes.Cut(text, []byte("\n"))
	const digits = 2 * len(blob.Ref{})
	if !whole || len(first) < digits+2 || string(first[digits:digits+2]) != "  " {
		return line{}, nil, fmt.Errorf("not of the form \"<sha256>  <path>\": %.100q", first)
	}
	if err := x.ref.UnmarshalText(first[:digits]); err != nil {
		return line{}, nil, err
	}
	x.path = string(first[digits+2:])
	return x, rest, nil
}

// checkPath returns an error for a path that does not occur in a site.
func checkPath(x line) error {
	switch {
	case len(x.path) > maxPath || !utf8.ValidString(x.path) || strings.ContainsFunc(x.path, unicode.IsControl) || strings.Contains(x.path, `\`):
		return fmt.Errorf("the path %.100q is too long or has characters that paths of a site never have", x.path)
	case !fs.ValidPath(x.path) || !filepath.IsLocal(filepath.FromSlash(x.path)):
		return fmt.Errorf("the path %q is absolute or leads out of the site", x.path)
	case strings.HasPrefix(x.path, "."):
		return fmt.Errorf("the path %q is hidden or in the work directory", x.path)
	case isBlob(x.path) && x.path != x.ref.Path():
		return fmt.Errorf("the path %q is not that of a blob with this SHA-256", x.path)
	case isChunk(x.path) && x.path != catalog.LinesPath(x.ref) && x.path != catalog.IndexChunkPath(x.ref) && x.path != catalog.PackagesPath(x.ref):
		return fmt.Errorf("the path %q is not that of a chunk with this SHA-256", x.path)
	}
	for element := range strings.SplitSeq(x.path, "/") {
		if len(element) > maxElement {
			return fmt.Errorf("the path %.100q… has %d bytes between slashes, more than the limit of %d", x.path, len(element), maxElement)
		}
	}
	return nil
}

const (
	blobsDir = "blobs/"
	indexDir = "index/"
	apiDir   = "api/"
)

func isBlob(path string) bool { return strings.HasPrefix(path, blobsDir) }

// isChunk reports whether a path is that of a file that generations share, see [catalog.Files].
func isChunk(path string) bool {
	return strings.HasPrefix(path, catalog.ChunkDir) || strings.HasPrefix(path, catalog.PackageDir)
}

// before reports whether a precedes b in an archive. Files follow those that they depend on.
func before(a, b string) bool {
	if x, y := rank(a), rank(b); x != y {
		return x < y
	}
	return a < b
}

func rank(path string) int {
	switch {
	case path == BaseName || path == RemovedName || path == siteName:
		return 0
	case isBlob(path):
		return 1
	case strings.HasPrefix(path, catalog.AssetsDir):
		return 2
	case strings.HasPrefix(path, catalog.FilesDir):
		return 3
	case isChunk(path):
		return 5
	case path == site.CurrentPath:
		return 7
	case strings.HasPrefix(path, indexDir), strings.HasPrefix(path, site.PrivateDir):
		return 6
	}
	return 4
}

// blobs returns the set of blobs in the listing.
func (l listing) blobs() map[blob.Ref]bool {
	m := make(map[blob.Ref]bool)
	for _, x := range l {
		if isBlob(x.path) {
			m[x.ref] = true
		}
	}
	return m
}

// byPath returns the hashes by path.
func (l listing) byPath() map[string]blob.Ref {
	m := make(map[string]blob.Ref, len(l))
	for _, x := range l {
		m[x.path] = x.ref
	}
	return m
}

// generationFiles returns the files of a generation in the order of an archive, with the head of
// the history and CURRENT.
func generationFiles(c site.Current, h site.Head) (l listing) {
	for _, f := range c.Files() {
		l = append(l, line{f.SHA256, f.Path})
	}
	l = append(l, line{h.SHA256, h.Path()})
	slices.SortFunc(l, func(a, b line) int { return strings.Compare(a.path, b.path) })
	return append(l, line{blob.Sum(site.FormatCurrent(c, h)), site.CurrentPath})
}

// generation returns the generation in the listing of a whole site, and the head of its history. It
// is an error if there is none, or if there are files that belong to no generation.
func generation(name string, l listing) (site.Current, site.Head, error) {
	c, h, rest, err := splitGeneration(name, l)
	if err != nil {
		return site.Current{}, site.Head{}, err
	}
	for _, x := range rest {
		top, _, _ := strings.Cut(strings.ToLower(x.path), "/")
		if rank(x.path) == 0 || (top+"/" == indexDir || top+"/" == site.PrivateDir) && !isChunk(x.path) || x.path == SumsName {
			return site.Current{}, site.Head{}, refuse(name, "%q belongs to no generation", x.path)
		}
	}
	return c, h, nil
}

// splitGeneration returns the generation and the head whose files a listing ends with, and the
// files before them. It is an error if it does not end with a generation.
func splitGeneration(name string, l listing) (c site.Current, h site.Head, rest listing, err error) {
	c, h, files, err := last(name, l)
	if err != nil {
		return site.Current{}, site.Head{}, nil, err
	}
	rest, end := l[:len(l)-files], l[len(l)-files:]
	for i, want := range generationFiles(c, h) {
		if x := end[i]; x != want {
			return site.Current{}, site.Head{}, nil, refuse(name, "it lists %q where a generation should have %q with SHA-256 %s", x.path, want.path, want.ref)
		}
	}
	return c, h, rest, nil
}

// last returns the generation and the head at the end of a listing, and how many files they have
// together with CURRENT.
func last(name string, l listing) (c site.Current, h site.Head, files int, err error) {
	files = 4
	if len(l) > files && strings.HasPrefix(l[len(l)-2].path, site.PrivateDir) {
		files = 5
	}
	if len(l) < files {
		return c, h, 0, refuse(name, "it lists no %s", site.CurrentPath)
	}
	end := l[len(l)-files:]
	var private blob.Ref
	if files == 5 {
		private = end[3].ref
	}
	h, err = site.ParseHead(fmt.Appendf(nil, "%s  %s\n", end[2].ref, end[2].path))
	if err != nil {
		return c, h, 0, refuse(name, "it lists %q where the head of the history should be", end[2].path)
	}
	return site.MakeCurrent(end[0].ref, end[1].ref, private), h, files, nil
}

// checkNames returns an error for paths that cannot all exist: a file that is also a folder, or
// different files whose names differ only in case. Files of packages may differ only in case,
// unless the file system ignores case.
func checkNames(name string, l listing, ignoresCase bool) error {
	seen := make(map[string]line, len(l)) // by path in lower case
	for _, x := range l {
		if isBlob(x.path) {
			continue
		}
		folded := strings.ToLower(x.path)
		if y, ok := seen[folded]; ok && y.ref != x.ref && (ignoresCase || rank(x.path) != 3) {
			return refuse(name, "%q and %q differ only in case", y.path, x.path)
		}
		seen[folded] = x
	}
	checked := ""
	for _, x := range l {
		folder := strings.ToLower(x.path[:strings.LastIndexByte(x.path, '/')+1])
		if isBlob(x.path) || folder == checked {
			continue
		}
		if checked = folder; isBlob(folder) {
			return refuse(name, "%q is in the folder of the blobs", x.path)
		}
		for i := range folder {
			if folder[i] != '/' {
				continue
			}
			if y, ok := seen[folder[:i]]; ok {
				return refuse(name, "%q is a file and also a folder, with %q in it", y.path, x.path)
			}
		}
	}
	return nil
}
