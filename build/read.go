package build

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
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

	"golang.org/x/sync/errgroup"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/mediatype"
	"galbuild/build/source"
	"galbuild/build/vsix"
	"galbuild/build/vsix/manifest"
)

// A candidate is one package on its way into the catalogue.
type candidate struct {
	item      *source.Item
	upstream  upstream
	publisher string // as declared
	name      string
	version   *catalog.Version // with no Package if refused while it was read
	warnings  []string
	refused   error    // why it is not taken
	known     bool     // taken over from the old catalogue, not read
	taken     bool     // its version is in the new catalogue
	ref       blob.Ref // of the package, zero if it was not read as a whole
	before    string   // key of what the site has of the file: by its bytes, else when it was last taken
	again     bool     // something next to it could not be read, so the next run reads it again
	stays     bool     // refused, and the site keeps what before names
}

// unreadable tells whether it was refused because it could not be read, which
// says nothing about the package.
func (c *candidate) unreadable() bool {
	_, ok := errors.AsType[unreadable](c.refused)
	return ok
}

// panicked tells whether it was refused for a mistake of this program, which the next
// one may not make.
func (c *candidate) panicked() bool {
	_, ok := errors.AsType[*vsix.PanicError](c.refused)
	return ok
}

// unreadable is an error of reading a source.
type unreadable struct{ error }

func (c *candidate) key() string {
	return catalog.Key(c.publisher, c.name, c.version.Version, c.version.Platform)
}

// A reader turns items into candidates.
type reader struct {
	Config
	memory  *memory
	old     map[string]known
	held    map[blob.Ref]string // keys of old, by package
	sizes   map[int64]bool      // of the packages of old
	done    atomic.Int64
	said    []upstream // of each item
	texts   *catalog.Interner
	buffers sync.Pool // of *bufio.Reader
}

func (c Config) jobs() int {
	if c.Jobs > 0 {
		return c.Jobs
	}
	return runtime.GOMAXPROCS(0)
}

func (r *reader) limits() vsix.Limits { return r.Limits.WithDefaults() }

// all returns one candidate for each item, in their order. An error is one of
// the site's, not of a package.
func (r *reader) all(ctx context.Context, items []source.Item) ([]candidate, error) {
	candidates := make([]candidate, len(items))
	var fresh []int
	var total int64
	for i := range items {
		item := &items[i]
		if c, ok := r.memory.recognise(item, r.said[i], r.old); ok {
			candidates[i] = c
			continue
		}
		candidates[i].upstream = r.said[i]
		fresh = append(fresh, i)
		total += item.Size
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(r.jobs())
	for _, i := range fresh {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			err := r.one(&items[i], &candidates[i])
			done := r.done.Add(items[i].Size)
			r.Progress(Progress{Stage: "read", Done: done, Total: total, Name: items[i].Name})
			return err
		})
	}
	return candidates, group.Wait()
}

// one reads a package into c. What is wrong with the package is c.refused; what
// is wrong with the site is returned.
func (r *reader) one(item *source.Item, c *candidate) error {
	c.item, c.before, c.version = item, r.memory.seen[item.Path].Key, new(catalog.Version)
	err := r.contained(item, c)
	if isSiteError(err) {
		return err
	}
	c.refused = shorten(err)
	r.findHeld(item, c)
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

// setOld sets what the site has now.
func (r *reader) setOld(old map[string]known) {
	r.old, r.held, r.sizes = old, make(map[blob.Ref]string, len(old)), make(map[int64]bool, len(old))
	for key, k := range old {
		r.held[k.version.Package.Ref] = key
		r.sizes[k.version.Package.Size] = true
	}
}

// findHeld looks for a refused package in the site. It is there if an earlier galbuild had
// other rules, or this one other limits.
func (r *reader) findHeld(item *source.Item, c *candidate) {
	if c.refused == nil {
		return
	}
	if c.ref.IsZero() && r.sizes[item.Size] { // too large to be copied, but perhaps known
		c.ref, _ = hashFile(item.Path)
	}
	if key, ok := r.held[c.ref]; ok {
		c.before = key
	}
}

// hashFile returns the hash of a file.
func hashFile(path string) (blob.Ref, error) {
	f, err := os.Open(path)
	if err != nil {
		return blob.Ref{}, err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return blob.Ref{}, err
	}
	return blob.Ref(hash.Sum(nil)), nil
}

// shorten cuts the text of an error that quotes too much of a package or sidecar. errors.As
// still finds the original.
func shorten(err error) error {
	if err == nil || len(err.Error()) <= longestReason {
		return err
	}
	return shortened{err}
}

// longestReason is the largest length of a reason, in bytes.
const longestReason = 1000

type shortened struct{ error }

// Error implements error.
func (s shortened) Error() string {
	text, _ := vsix.Cut(s.error.Error(), longestReason)
	return text
}

func (s shortened) Unwrap() error { return s.error }

// contained reads a package and turns a panic into a refusal, so that a bug in reading one
// package does not end the run.
func (r *reader) contained(item *source.Item, c *candidate) (err error) {
	defer vsix.RecoverPanic(&err)
	return r.take(item, c)
}

func (r *reader) take(item *source.Item, c *candidate) error {
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
	if err := r.unpack(p, v); err != nil {
		return err
	}
	if err := r.checkUnpacked(item, v); err != nil {
		return err
	}
	was := r.before(c.key(), c.ref)
	if err := r.addSidecars(item, c.ref, c, was); err != nil {
		return err
	}
	setDate(v, p.Modified, item.ModTime)
	c.boundDates(was, r.now())
	ref, size, err := draft.Commit()
	if err != nil {
		return siteError{err}
	}
	v.Package = catalog.File{Ref: ref, Size: size, Type: "application/vsix"}
	v.Assets = append(v.Assets, catalog.Asset{Type: catalog.PackageAsset, File: v.Package})
	if err := r.finish(p, v); err != nil {
		return err
	}
	if err := v.Check(); err != nil { // otherwise the whole catalogue would be refused
		return err
	}
	r.texts.Version(v)
	return nil
}

// before returns what the site has of the very package, or nil.
func (r *reader) before(key string, ref blob.Ref) *catalog.Version {
	if was, ok := r.old[key]; ok && was.version.Package.Ref == ref {
		return was.version
	}
	return nil
}

// checkUnpacked refuses a package in an unpacked extension of which it is not the package: it
// was brought by the extension. They are the same if they have the same manifest.
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
	return fmt.Errorf("it lies in the unpacked extension %s, and is not its package: its files are "+
		"content and not sources; move the file elsewhere or name the file itself, if it is to be taken",
		filepath.Dir(item.Unpacked.Path))
}

// copyPackage copies the package into draft. Microsoft's gallery compresses
// packages in transit, and curl without --compressed saves them that way.
func (r *reader) copyPackage(item *source.Item, draft *blob.Draft, c *candidate) error {
	file, err := os.Open(item.Path)
	if err != nil {
		return unreadable{plain(err)}
	}
	defer file.Close()
	buffered, ok := r.buffers.Get().(*bufio.Reader)
	if !ok {
		buffered = bufio.NewReaderSize(nil, 64<<10)
	}
	buffered.Reset(file)
	defer r.buffers.Put(buffered)
	from := &sourceReader{from: buffered}
	limits := r.limits()
	var content io.Reader = from
	if magic, _ := from.from.Peek(2); string(magic) == "\x1f\x8b" {
		unzipped, err := gzip.NewReader(from.from)
		if err != nil {
			return err
		}
		c.warnings = append(c.warnings, "the package is compressed with gzip, as curl saves it without --compressed; taken decompressed")
		from.from = bufio.NewReader(unzipped)
		content = limits.Unpacked(from, item.Size)
	}
	n, err := io.Copy(draft, io.LimitReader(content, limits.PackageBytes+1))
	_, tooMuch := errors.AsType[*vsix.FormatError](err)
	switch {
	case tooMuch:
		return err
	case from.err != nil:
		return unreadable{plain(from.err)}
	case err != nil:
		return siteError{err}
	case n > limits.PackageBytes:
		return fmt.Errorf("larger than the limit of %d bytes for a package", limits.PackageBytes)
	}
	return nil
}

// unpack stores the files of p that the site serves by themselves, and reads
// all others for their checksums.
func (r *reader) unpack(p *vsix.Package, v *catalog.Version) error {
	assets := make(map[string][]vsix.Asset)
	for _, a := range p.Assets {
		assets[a.Entry] = append(assets[a.Entry], a)
	}
	tree := p.Web || p.Theme || r.Settings.Unpack == "all"
	return p.Walk(func(e vsix.Entry, content io.Reader) error {
		inTree := tree && (r.Settings.Unpack == "all" || strings.HasPrefix(e.Name, "extension/"))
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
}

// finish adds what needs the whole version to be known, and sorts.
func (r *reader) finish(p *vsix.Package, v *catalog.Version) error {
	if r.Settings.Unpack == "all" { // a code-marketplace --extensions-dir holds the package too
		f := v.Package
		f.Path = p.Publisher + "." + p.Name + "-" + p.Version + ".vsix"
		if p.Platform != "" {
			f.Path = p.Publisher + "." + p.Name + "-" + p.Version + "@" + p.Platform + ".vsix"
		}
		if slices.ContainsFunc(v.Files, func(x catalog.File) bool { return x.Path == f.Path || strings.HasPrefix(x.Path, f.Path+"/") }) {
			return fmt.Errorf("entry %q is in the place of the package itself (--unpack all)", f.Path)
		}
		v.Files = append(v.Files, f)
	}
	slices.SortFunc(v.Assets, func(a, b catalog.Asset) int { return strings.Compare(a.Type, b.Type) })
	slices.SortFunc(v.Files, func(a, b catalog.File) int { return strings.Compare(a.Path, b.Path) })
	return nil
}

// describe copies what the catalogue records of a package.
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
	}
	if v.DisplayName == "" {
		v.DisplayName = p.Name
	}
	return v
}

// A sourceReader remembers that it was the source that failed, not the site.
type sourceReader struct {
	from *bufio.Reader
	err  error
}

func (s *sourceReader) Read(b []byte) (int, error) {
	n, err := s.from.Read(b)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// A siteError is one of writing the site: it ends the run.
type siteError struct{ error }

func (e siteError) Unwrap() error { return e.error }

// isSiteError tells errors of the site from errors of a package. What the
// operating system refuses while a package is unpacked concerns the store: the
// package itself is read from a copy there.
func isSiteError(err error) bool {
	var site siteError
	var path *fs.PathError
	var link *os.LinkError
	var call *os.SyscallError
	return errors.As(err, &site) || errors.As(err, &path) || errors.As(err, &link) || errors.As(err, &call)
}

// plain drops the path and the system call from an error whose file is named
// anyway. The result is not a site error.
func plain(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return errors.New(path.Err.Error())
	}
	return err
}
