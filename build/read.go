package build

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/errgroup"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/mediatype"
	"galbuild/build/sidecar"
	"galbuild/build/source"
	"galbuild/build/vsix"
	"galbuild/build/vsix/manifest"
)

// A candidate is a package of the sources that may become a version of the gallery.
type candidate struct {
	item       *source.Item
	listed     listedDates
	publisher  string           // as the package declares it
	name       string           // as the package declares it
	version    *catalog.Version // its Package is zero if it was refused when it was read
	warnings   []string
	refused    error             // the reason, nil if it is not refused
	reused     bool              // the version is from the last generation, and the package was not read
	accepted   bool              // the version is in the new catalogue
	bundled    []catalog.Bundled // npm packages in the package; nil if it was not read
	vetted     *catalog.Vetted   // what was found in the package; nil if it was not vetted in this run
	records    []catalog.Record  // next to the package, if it was read
	ref        blob.Ref          // of the package; zero if the package was never read completely
	known      blob.Ref          // of the entry of the cache, if it was used
	incomplete bool              // a sidecar could not be read, so the next run must read the package again
	kept       bool              // refused, and the version with previousKey stays in the gallery
	collected  sidecar.Collected // of the sidecar files; empty if they were not read
	beside     string            // the folder of the sidecar with the pictures of collected
	source     *catalog.Source   // as a sidecar states it; nil if none does
	excluded   *Excluded         // a decision or the policy keeps it out; nil if none does
	unstored   bool              // the version is from the cache and has no content; the package was not read
	// previousKey is the key of the version of the last generation that has this package. If
	// there is none, it is the key that the file had when it was last accepted.
	previousKey string
}

// unreadable reports whether the candidate was refused because its file could not be read. The
// package may be valid.
func (c *candidate) unreadable() bool {
	_, ok := errors.AsType[unreadable](c.refused)
	return ok
}

// panicked reports whether the candidate was refused because of a bug in galbuild. Another
// version of galbuild may accept it.
func (c *candidate) panicked() bool {
	_, ok := errors.AsType[*vsix.PanicError](c.refused)
	return ok
}

// unreadable is the error of a file of the sources that cannot be read.
type unreadable struct{ error }

func (c *candidate) key() string {
	return catalog.Key(c.publisher, c.name, c.version.Version, c.version.Platform)
}

// A reader reads items into candidates.
type reader struct {
	Config
	cache     *cache
	listed    []listedDates         // of each item
	old       map[string]identified // versions of the last generation, by key, those of last
	last      *knowledge            // what the last generation knows
	oldSizes  map[int64]bool        // of the packages of old
	done      atomic.Int64          // bytes of the packages that were read
	decisions *decision.Set
	vets      bool                   // packages are vetted
	seen      map[blob.Ref]time.Time // when packages that are not in the last generation were first seen
	interner  *catalog.Interner
	buffers   sync.Pool // of *bufio.Reader
}

func (c Config) jobs() int {
	if c.Jobs > 0 {
		return c.Jobs
	}
	return runtime.GOMAXPROCS(0)
}

func (r *reader) limits() vsix.Limits { return r.Limits.WithDefaults() }

// readAll returns one candidate for each item, in the same order. It returns an error of writing to
// the site. Errors of packages are in their candidates.
func (r *reader) readAll(ctx context.Context, items []source.Item) ([]candidate, error) {
	candidates := make([]candidate, len(items))
	var changed []int
	var total int64
	for i := range items {
		item := &items[i]
		if c, ok := r.cache.lookup(item, r.listed[i], r.last, r.decisions); ok && !r.mustVet(&c) {
			candidates[i] = c
			continue
		}
		candidates[i].listed = r.listed[i]
		changed = append(changed, i)
		total += item.Size
	}
	return candidates, r.forEach(ctx, len(changed), func(n int) error {
		i := changed[n]
		err := r.readOne(&items[i], &candidates[i])
		done := r.done.Add(items[i].Size)
		r.Progress(Progress{Stage: "read", Done: done, Total: total, Name: items[i].Name})
		return err
	})
}

// forEach calls do with the numbers from 0 to n-1, in several goroutines, until one call returns an
// error. These are few goroutines for many calls, since a new one has a small stack, which would
// grow in each call.
func (c Config) forEach(ctx context.Context, n int, do func(int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range c.jobs() {
		group.Go(func() error {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := do(i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// readOne reads a package into c. It saves an error of the package in c.refused, and returns an
// error of writing to the site.
func (r *reader) readOne(item *source.Item, c *candidate) error {
	c.item, c.previousKey, c.version = item, r.cache.entries[item.Path].Key, new(catalog.Version)
	err := r.readContained(item, c)
	if isSiteError(err) {
		return err
	}
	c.refused = shorten(err)
	r.findPreviousKey(item, c)
	if panicked, ok := errors.AsType[*vsix.PanicError](err); ok {
		r.Log.Debug("panic while a package was read", "file", item.Name, "stack", string(panicked.Stack))
	}
	if err != nil {
		r.Log.Debug("refused package", "file", item.Name, "error", err)
	} else {
		r.Log.Debug("read package", "file", item.Name, "ext", c.key(), "bytes", c.version.Package.Size, "ref", c.version.Package.Ref)
	}
	return nil
}

// setOld sets the versions and the packages of the last generation.
func (r *reader) setOld(old map[string]identified, packages []catalog.Package) {
	r.last = &knowledge{versions: old, keys: make(map[blob.Ref]string, len(old)), packages: packages}
	r.old, r.oldSizes = old, make(map[int64]bool, len(old))
	for key, x := range old {
		r.last.keys[x.version.Package.Ref] = key
		r.oldSizes[x.version.Package.Size] = true
	}
}

// findPreviousKey looks for a refused package in the last generation. An earlier version of
// galbuild may have accepted it, or this one with other limits.
func (r *reader) findPreviousKey(item *source.Item, c *candidate) {
	if c.refused == nil {
		return
	}
	if c.ref.IsZero() && r.oldSizes[item.Size] { // a package above the limit was not read completely
		c.ref, _, _ = blob.SumFile(item.Path)
	}
	if key, ok := r.last.keys[c.ref]; ok {
		c.previousKey = key
	}
}

// shorten cuts the text of an error that quotes too much of a package or sidecar. It wraps the
// original error.
func shorten(err error) error {
	if err == nil || len(err.Error()) <= longestReason {
		return err
	}
	return shortened{err}
}

// longestReason is the largest length of a reason or warning, in bytes.
const longestReason = 1000

type shortened struct{ error }

// Error implements error.
func (s shortened) Error() string {
	text, _ := vsix.Cut(s.error.Error(), longestReason)
	return text
}

func (s shortened) Unwrap() error { return s.error }

// readContained is readPackage, but returns a panic as a [vsix.PanicError], so that a bug in
// reading one package does not end the run.
func (r *reader) readContained(item *source.Item, c *candidate) (err error) {
	defer vsix.RecoverPanic(&err)
	return r.readPackage(item, c)
}

// readPackage copies a package into the site and reads it from there into c. If its result
// changes, readingVersion must be raised.
func (r *reader) readPackage(item *source.Item, c *candidate) error {
	draft := r.Site.Blobs.Draft()
	defer draft.Discard()
	if err := r.copyPackage(item, draft, c); err != nil {
		return err
	}
	c.ref = draft.Ref()
	p, err := vsix.Open(draft, draft.Size(), r.Limits)
	if err != nil {
		return err
	}
	c.publisher, c.name = p.Publisher, p.Name
	c.warnings = append(c.warnings, p.Warnings...)
	v := c.version
	*v = describe(p)
	previous := r.previous(c.key(), c.ref)
	r.readSidecars(item, c, previous)
	if err := c.checkStated(); err != nil {
		return err
	}
	if err := r.unpack(p, v, c, previous); err != nil {
		return err
	}
	if err := r.checkUnpacked(item, v); err != nil {
		return err
	}
	if err := r.addSignature(item.Signature, c); err != nil {
		return err
	}
	r.addRecords(item, c)
	setDate(v, p.Modified, c.modified())
	c.setSeen(previous, r.seen[c.ref], r.Now)
	c.boundDates(previous, r.Now)
	if err := r.storePackage(draft, p, v); err != nil {
		return err
	}
	if err := v.Check(); err != nil { // one invalid version would make the whole catalogue invalid
		return err
	}
	r.interner.Version(v)
	return nil
}

// storePackage stores the package itself, and adds it to the assets and files of v.
func (r *reader) storePackage(draft *blob.Draft, p *vsix.Package, v *catalog.Version) error {
	ref, size, err := draft.Commit()
	if err != nil {
		return siteError{err}
	}
	v.Package = catalog.File{Ref: ref, Size: size, Type: "application/vsix"}
	v.Assets = append(v.Assets, catalog.Asset{Type: catalog.PackageAsset, File: v.Package})
	return r.finish(p, v)
}

// previous returns the version of the last generation with this key if it has this package, or
// nil.
func (r *reader) previous(key string, ref blob.Ref) *catalog.Version {
	if previous, ok := r.old[key]; ok && previous.version.Package.Ref == ref {
		return previous.version
	}
	return nil
}

// checkUnpacked refuses a package that is in an unpacked extension, unless it is the package of
// that extension and has the same manifest. Other packages there are content of the extension.
func (r *reader) checkUnpacked(item *source.Item, v *catalog.Version) error {
	if item.Unpacked == nil {
		return nil
	}
	text, err := readSmall(item.Unpacked.Path, r.limits().ManifestBytes)
	if err != nil {
		return err
	}
	for _, a := range v.Assets {
		if a.Type == manifest.AssetVsixManifest && a.Ref == blob.Sum(text) {
			return nil
		}
	}
	return fmt.Errorf("it is in the unpacked extension %s and is not the package of that extension; "+
		"to add it, move the file elsewhere or name the file itself as a source",
		filepath.Dir(item.Unpacked.Path))
}

// copyPackage copies the package into draft, and decompresses it if it is a gzip file.
// Microsoft's gallery sends packages compressed with gzip, and curl without --compressed saves
// them as such files.
func (r *reader) copyPackage(item *source.Item, draft *blob.Draft, c *candidate) error {
	file, err := os.Open(item.Path)
	if err != nil {
		return unreadable{withoutPath(err)}
	}
	defer file.Close()
	buffered, ok := r.buffers.Get().(*bufio.Reader)
	if !ok {
		buffered = bufio.NewReaderSize(nil, 64<<10)
	}
	buffered.Reset(file)
	defer r.buffers.Put(buffered)
	from := &sourceReader{buffered: buffered}
	limits := r.limits()
	var content io.Reader = from
	if magic, _ := buffered.Peek(2); string(magic) == "\x1f\x8b" {
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return err
		}
		c.warnings = append(c.warnings, "the package is compressed with gzip, as curl saves it without --compressed; it is added decompressed")
		from.buffered = bufio.NewReader(unzipped)
		content = limits.Decompressed(from, item.Size)
	}
	n, err := io.Copy(draft, io.LimitReader(content, limits.PackageBytes+1))
	_, tooLong := errors.AsType[*vsix.FormatError](err)
	switch {
	case tooLong:
		return err
	case from.err != nil:
		return unreadable{withoutPath(from.err)}
	case err != nil:
		return siteError{err}
	case n > limits.PackageBytes:
		return fmt.Errorf("larger than the limit of %d bytes for a package", limits.PackageBytes)
	}
	return nil
}

// unpack stores the files of p that the site serves, and what it shows of them, and adds them to v.
// It reads the other files to verify their checksums, and the descriptions of npm packages.
func (r *reader) unpack(p *vsix.Package, v *catalog.Version, c *candidate, previous *catalog.Version) error {
	var bundled vsix.Bundled
	defer func() { c.bundled = bundled.Packages() }()
	assets := make(map[string][]vsix.Asset)
	for _, a := range p.Assets {
		assets[a.Entry] = append(assets[a.Entry], a)
	}
	v.Assets = make([]catalog.Asset, 0, len(p.Assets)+3) // and the package itself, and those of storeTexts
	shown, err := r.shownFiles(p, c, previous)
	if err != nil {
		return err
	}
	tree := p.Web || p.Theme || r.Settings.Unpack == "all"
	scanner := r.newScanner(p)
	err = p.Walk(func(e vsix.Entry, content io.Reader) error {
		content, err := scanner.read(e, content)
		if err != nil {
			return err
		}
		if bundled.Wants(e) {
			text, err := io.ReadAll(content)
			if err != nil {
				return err
			}
			bundled.Add(e, text)
			content = bytes.NewReader(text)
		}
		inTree := tree && (r.Settings.Unpack == "all" || strings.HasPrefix(e.Name, "extension/")) || shown.names[e.Name]
		if !inTree && assets[e.Name] == nil {
			return nil
		}
		ref, size, err := r.Site.Blobs.Put(content)
		if err != nil {
			return err
		}
		for _, a := range assets[e.Name] {
			v.Assets = append(v.Assets, catalog.Asset{Type: a.Type, File: catalog.File{Ref: ref, Size: size, Type: a.MediaType}})
		}
		if inTree {
			v.Files = append(v.Files, catalog.File{Path: e.Name, Ref: ref, Size: size, Type: mediatype.Of(e.Name)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.vetted = scanner.result()
	shown.addTo(v, p)
	return r.storeTexts(p, shown.readme, v)
}

// finish adds the package to the files of v with --unpack all, and sorts its assets and files.
func (r *reader) finish(p *vsix.Package, v *catalog.Version) error {
	if r.Settings.Unpack == "all" { // --extensions-dir of code-marketplace contains the package too
		f := v.Package
		f.Path = p.Publisher + "." + p.Name + "-" + p.Version + ".vsix"
		if p.Platform != "" {
			f.Path = p.Publisher + "." + p.Name + "-" + p.Version + "@" + p.Platform + ".vsix"
		}
		if slices.ContainsFunc(v.Files, func(x catalog.File) bool { return x.Path == f.Path || strings.HasPrefix(x.Path, f.Path+"/") }) {
			return fmt.Errorf("entry %q has the path of the package itself (--unpack all)", f.Path)
		}
		v.Files = append(v.Files, f)
	}
	slices.SortFunc(v.Assets, func(a, b catalog.Asset) int { return strings.Compare(a.Type, b.Type) })
	slices.SortFunc(v.Files, func(a, b catalog.File) int { return strings.Compare(a.Path, b.Path) })
	return nil
}

// describe returns the version for the catalogue, without its dates, assets and files.
func describe(p *vsix.Package) catalog.Version {
	v := catalog.Version{
		Publisher:   p.Publisher,
		Name:        p.Name,
		Version:     p.Version,
		Platform:    p.Platform,
		PreRelease:  p.PreRelease,
		Preview:     p.Preview,
		DisplayName: p.DisplayName,
		Description: p.Description,
		Categories:  p.Categories,
		Tags:        p.Tags,
		Contributed: p.Contributed,
		Properties:  p.Properties,
		Licence:     p.Licence,
	}
	if v.DisplayName == "" {
		v.DisplayName = p.Name
	}
	return v
}

// A sourceReader saves the error of reading a source, because io.Copy does not distinguish it from
// an error of writing to the site.
type sourceReader struct {
	buffered *bufio.Reader
	err      error
}

func (s *sourceReader) Read(b []byte) (int, error) {
	n, err := s.buffered.Read(b)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// A siteError is an error of writing to the site. It ends the run.
type siteError struct{ error }

func (e siteError) Unwrap() error { return e.error }

// isSiteError reports whether an error is about the site and not about a package. Errors of the
// operating system are about the site, because packages are read from the copy in its store.
func isSiteError(err error) bool {
	var site siteError
	var path *fs.PathError
	var link *os.LinkError
	var call *os.SyscallError
	return errors.As(err, &site) || errors.As(err, &path) || errors.As(err, &link) || errors.As(err, &call)
}

// plain returns an error without its path and system call, for a message that already names the
// file. It is not a site error.
func withoutPath(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return errors.New(path.Err.Error())
	}
	return err
}
