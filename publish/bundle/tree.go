package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/regularfile"
	"galbuild/build/site"
	"galbuild/index"
	"galbuild/render"
)

// A tree lists the files of the current generation of a site.
type tree struct {
	root    string
	current site.Current
	head    site.Head // of the history
	when    time.Time
	files   listing
	sizes   map[string]int64 // of files that are not links, by path
	blobs   map[blob.Ref]bool
}

// readSite returns the tree of the site at root. It reads no content except static responses.
func readSite(root string) (*tree, error) {
	current, err := site.RequireCurrent(root)
	if err != nil {
		return nil, err
	}
	again, head, err := site.ReadCurrentHead(root)
	if err == nil && again != current {
		err = errors.New(site.CurrentPath + " has changed")
	}
	if err != nil {
		return nil, siteError(err)
	}
	t, err := readGeneration(root, current)
	if err != nil {
		return nil, err
	}
	t.head = head
	if !current.Private.IsZero() && !t.hasPrivate() && site.MayLackPrivate(root) {
		return nil, siteError(ErrPublicOnly)
	}
	if err := t.addGeneration(); err != nil {
		return nil, siteError(err)
	}
	// A site that Import would refuse is not exported.
	if _, err := parseListing(SumsName, t.files.text()); err != nil {
		return nil, err
	}
	return t, checkNames(SumsName, t.files, false)
}

// Listing returns the current generation of a site, and the SHA256SUMS of an archive of the whole
// site, which can be the base of a later delta.
func Listing(root string) (site.Current, []byte, error) {
	t, err := readSite(root)
	if err != nil {
		return site.Current{}, nil, err
	}
	return t.current, t.files.text(), nil
}

// readGeneration returns the tree of a generation of a site, without the files that CURRENT names.
// If the generation is not current, and another version of galbuild has rendered it, it may have
// had other static responses.
func readGeneration(root string, current site.Current) (*tree, error) {
	c, err := site.ReadCatalog(root, current)
	if err != nil {
		return nil, siteError(err)
	}
	t := &tree{root: root, current: current, when: newest(c), sizes: make(map[string]int64), blobs: make(map[blob.Ref]bool)}
	if err := errors.Join(t.addContent(c), t.addResponses(c), t.addChunks()); err != nil {
		return nil, siteError(err)
	}
	slices.SortFunc(t.files, compareLines)
	return t, nil
}

func newest(c *catalog.Catalog) (when time.Time) {
	for i := range c.Extensions {
		if t := c.Extensions[i].Updated; t.After(when) {
			when = t
		}
	}
	return seconds(when)
}

func (t *tree) file(path string) string { return filepath.Join(t.root, filepath.FromSlash(path)) }

// isLink reports whether a file is a hard link to a blob.
func (t *tree) isLink(x line) bool { return !isBlob(x.path) && t.blobs[x.ref] }

// add adds a file that is not a link.
func (t *tree) add(path string, ref blob.Ref, size int64) {
	t.files = append(t.files, line{ref, path})
	t.sizes[path] = size
}

// addContent adds the files that the index lists. The index stores only hashes of paths, so the
// paths come from the catalogue.
func (t *tree) addContent(c *catalog.Catalog) error {
	ix, err := index.Open(t.file(t.current.IndexPath()), index.ChunksIn(t.file(catalog.ChunkDir)))
	if err != nil {
		return err
	}
	defer ix.Close()
	for f := range render.Content(c) {
		f, ok, err := ix.File(f.Path)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%s does not list %s", t.current.IndexPath(), f.Path)
		}
		ref := blob.Ref(f.SHA256)
		t.files = append(t.files, line{ref, f.Path})
		if !t.blobs[ref] {
			t.blobs[ref] = true
			t.add(ref.Path(), ref, f.Size)
		}
	}
	return nil
}

// maxResponse limits the size of a static response that is read from the site, in bytes.
const maxResponse = 64 << 20

// addResponses adds the static responses that are derived from the catalogue. If another version of
// galbuild has rendered the site, it adds the files as they are.
func (t *tree) addResponses(c *catalog.Catalog) error {
	for f := range render.Responses(c) {
		text := f.Text
		if c.Render != render.Version {
			var err error
			if text, err = regularfile.ReadFile(t.file(f.Path), maxResponse); err != nil {
				return err
			}
		}
		t.add(f.Path, blob.Sum(text), int64(len(text)))
	}
	return nil
}

// addChunks adds the files of chunks.
func (t *tree) addChunks() error {
	files, err := site.ReadFiles(t.root, t.current)
	if err != nil {
		return err
	}
	for path, f := range files.All() {
		t.add(path, f.SHA256, f.Size)
	}
	return nil
}

// hasPrivate reports whether the site has the main private file of the generation.
func (t *tree) hasPrivate() bool {
	_, err := os.Stat(t.file(t.current.PrivatePath()))
	return err == nil
}

// ErrPublicOnly is returned, wrapped, by [Export] for a copy of a site that was made where the
// private parts of records are not served.
var ErrPublicOnly = errors.New("the site is a copy without the reasons of decisions, and they belong into a tarball")

func (t *tree) addGeneration() error {
	for _, x := range generationFiles(t.current, t.head) {
		info, err := os.Stat(t.file(x.path))
		if err != nil {
			return err
		}
		t.add(x.path, x.ref, info.Size())
	}
	return nil
}

// since returns the delta for sites that are at one of the bases. Without bases, it includes all
// files.
func (t *tree) since(ctx context.Context, bases []string) (*delta, error) {
	d := &delta{included: t.files}
	if len(bases) == 0 {
		return d, nil
	}
	included := make(map[string]bool)
	for _, x := range generationFiles(t.current, t.head) {
		included[x.path] = true
	}
	var all []listing // of the bases
	for _, path := range bases {
		base, err := t.readBase(ctx, path)
		var current site.Current
		if err == nil {
			current, _, err = generation(path, base)
		}
		if err == nil {
			_, _, base, err = splitGeneration(path, base)
		}
		if err != nil {
			return nil, fmt.Errorf("--since %s: %w", path, err)
		}
		all = append(all, base)
		if !slices.Contains(d.bases, current) {
			d.bases = append(d.bases, current)
		}
		refs := base.byPath()
		for _, x := range t.files {
			if ref, ok := refs[x.path]; !ok || ref != x.ref {
				included[x.path] = true
			}
		}
	}
	d.included = slices.DeleteFunc(slices.Clone(t.files), func(x line) bool { return !included[x.path] })
	d.removed = removedListing(t.files, all)
	return d, nil
}

// readBase returns all files of a base: a site, an archive or its listing. For a delta, the site
// that is exported must still have its generation.
func (t *tree) readBase(ctx context.Context, path string) (listing, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		t, err := readSite(path)
		if err != nil {
			return nil, err
		}
		return t.files, nil
	}
	if text, ok, err := readListing(path); err != nil || ok {
		return text, err
	}
	from, err := openSource(ctx, path, "", nil)
	if err != nil && strings.HasSuffix(path, SumsSuffix) {
		return nil, fmt.Errorf("it lists only parts: the parts are needed too, or the %s in them: %w", SumsName, err)
	} else if err != nil {
		return nil, err
	}
	from.sums = nil // the parts are not read to their ends, so they cannot be checked
	defer from.Close()
	unpacked, _, err := decompress(from)
	if err != nil {
		return nil, err
	}
	defer unpacked.Close()
	l, err := newArchive(unpacked).listings()
	if err != nil || l.change == nil {
		return l.included, err
	}
	current, _, _, err := splitGeneration(SumsName, l.included)
	if err != nil {
		return nil, err
	}
	earlier, err := readGeneration(t.root, current)
	if err != nil {
		return nil, fmt.Errorf("it contains only changes, and %s does not have its generation %s any more; name a tarball of the whole site: %w", t.root, current.Generation, err)
	}
	return l.change.apply(earlier.files, false)
}

// readListing reads a listing that was extracted from an archive. It reports whether the file is
// one.
func readListing(path string) (listing, bool, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, false, nil // perhaps the name of an archive in parts
	}
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 2*int64(len(blob.Ref{}))+2))
	if _, _, invalid := parseLine(append(bytes.Clone(text), '\n')); err != nil || invalid != nil {
		return nil, false, err
	}
	rest, err := io.ReadAll(io.LimitReader(f, maxListing))
	if err != nil {
		return nil, false, err
	}
	text = append(text, rest...)
	if !bytes.Contains(text, []byte("  "+site.CurrentPath+"\n")) {
		return nil, false, nil // it lists parts
	}
	l, err := parseListing(path, text)
	if err == nil && l[0].path == BaseName {
		err = errors.New("it lists only the files of a delta; use the archive itself")
	}
	return l, true, err
}

// listings are the listings at the beginning of an archive.
type listings struct {
	included listing        // the files in the archive
	bases    []site.Current // of a delta
	change   *change        // nil if the archive has the whole site
}

// listings reads the listings at the beginning of the archive.
func (a *archive) listings() (l listings, err error) {
	text, err := a.listing(SumsName, blob.Ref{})
	if err != nil {
		return listings{}, err
	}
	if l.included, err = parseListing(SumsName, text); err != nil {
		return listings{}, err
	}
	sums := l.included
	if len(sums) < 2 || sums[0].path != BaseName || sums[1].path != RemovedName {
		return l, nil
	}
	l.included = sums[2:]
	if text, err = a.listing(BaseName, sums[0].ref); err != nil {
		return listings{}, err
	}
	if l.bases, err = parseBases(text); err != nil {
		return listings{}, err
	}
	if text, err = a.listing(RemovedName, sums[1].ref); err != nil {
		return listings{}, err
	}
	l.change, err = parseRemoved(text, l.included)
	return l, err
}

// listing reads an entry into memory and checks its hash, unless ref is zero.
func (a *archive) listing(name string, ref blob.Ref) ([]byte, error) {
	size, err := a.entry(name, "")
	if err != nil {
		return nil, err
	}
	if size > maxListing {
		return nil, refuse(name, "%d bytes, more than the limit of %d", size, maxListing)
	}
	var text bytes.Buffer
	if err := a.content(name, &text, nil); err != nil {
		return nil, err
	}
	if got := blob.Sum(text.Bytes()); !ref.IsZero() && got != ref {
		return nil, refuse(name, "its SHA-256 is %s, want %s as in %s", got, ref, SumsName)
	}
	return text.Bytes(), nil
}

// parseBases parses the lines of the files of one or more bases. The first one of a base is that of
// its catalogue.
func parseBases(text []byte) (bases []site.Current, err error) {
	var one []byte
	for line := range bytes.Lines(append(text, "/"+site.CatalogName+"\n"...)) {
		if bytes.HasSuffix(line, []byte("/"+site.CatalogName+"\n")) && len(one) > 0 {
			c, err := site.ParseGeneration(one)
			if err != nil {
				return nil, refuse(BaseName, "%v", err)
			}
			bases, one = append(bases, c), nil
		}
		one = append(one, line...)
	}
	if len(bases) == 0 {
		return nil, refuse(BaseName, "it is empty")
	}
	return bases, nil
}
