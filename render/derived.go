package render

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	json2 "github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/mediatype"
	"galbuild/build/policy"
	"galbuild/build/regularfile"
	"galbuild/build/site"
	"galbuild/index"
	"galbuild/render/gallery"
	"galbuild/render/pages"
)

// Known is what [Derive] starts from.
type Known struct {
	// Files are lists of derived files. If one of them has the path and the key that a file
	// will have, it is not made again.
	Files [][]catalog.DerivedFile
	// Has reports whether the content of a derived file exists. nil is a function that returns
	// true.
	Has func(f *catalog.DerivedFile) bool
	// Read returns the content of a file of a package.
	Read func(ctx context.Context, ref blob.Ref, size int64) ([]byte, error)
	// Report is what was refused when the gallery was built. If it is nil, the page about that
	// stays as it is in Files.
	Report *pages.Report
}

// Derive makes the derived files of a catalogue, and sets its list of them. The content of those
// that are not known yet is stored in dir.
//
// A file is made only if something has changed from which it is made. One changed extension is in
// its page, in the lists that have it, and in the pages of extensions that need it.
func Derive(ctx context.Context, dir *site.Dir, c *catalog.Catalog, known Known) error {
	p := newPlanner(c, &known)
	planned, err := p.plan()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	var data []catalog.DerivedFile
	group.Go(func() (err error) {
		data, err = deriveAll(ctx, dir, &known, p.planData())
		return err
	})
	files, err := deriveAll(ctx, dir, &known, planned)
	if err := errors.Join(err, group.Wait()); err != nil {
		return err
	}
	files = append(files, data...)
	for i := range c.Companions {
		files = append(files, c.Companions[i].Derived())
	}
	slices.SortFunc(files, func(a, b catalog.DerivedFile) int { return strings.Compare(a.Path, b.Path) })
	c.Derived = files
	return nil
}

// KnownIn returns what a site knows of these lists of derived files.
func KnownIn(dir *site.Dir, files ...[]catalog.DerivedFile) Known {
	has := func(f *catalog.DerivedFile) bool { return dir.Blobs.Has(f.SHA256, f.Size) }
	return Known{Files: files, Has: has, Read: ReadContent(dir.Blobs)}
}

// ReadContent returns a function for [Known.Read], which reads from the first store that has the
// content.
func ReadContent(stores ...*blob.Store) func(ctx context.Context, ref blob.Ref, size int64) ([]byte, error) {
	return func(_ context.Context, ref blob.Ref, size int64) (text []byte, err error) {
		for _, s := range stores {
			if text, err = regularfile.ReadFile(s.File(ref), size); !errors.Is(err, fs.ErrNotExist) {
				break
			}
		}
		return text, err
	}
}

// LinkDerived writes the paths of the derived files of a catalogue, whose content the site has. If
// the address of the gallery is not known, it writes those of readmes without it, too: they may be
// the paths of derived files in the generation before.
func LinkDerived(dir *site.Dir, c *catalog.Catalog) error {
	for i := range c.Derived {
		if err := dir.Blobs.Link(c.Derived[i].SHA256, c.Derived[i].Path); err != nil {
			return err
		}
	}
	if contentBase(c) != "" || c.View {
		return nil
	}
	for folder, v := range versionsOf(c.Extensions, c.Dropped) {
		if readme := v.Asset(catalog.ReadmeAsset); readme != nil {
			if err := dir.Blobs.Link(readme.Ref, readmePath(folder)); err != nil {
				return err
			}
		}
	}
	return nil
}

// readmePath returns the path of the readme of a version with this folder.
func readmePath(folder string) string { return catalog.AssetsDir + folder + "/" + catalog.DetailsAsset }

// deriveAll returns all planned files, in several goroutines.
func deriveAll(ctx context.Context, dir *site.Dir, known *Known, planned []planned) ([]catalog.DerivedFile, error) {
	files := make([]catalog.DerivedFile, len(planned))
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			for i := int(next.Add(1)) - 1; i < len(planned); i = int(next.Add(1)) - 1 {
				if err := ctx.Err(); err != nil {
					return err
				}
				f, err := planned[i].derive(ctx, dir, known)
				if err != nil {
					return fmt.Errorf("%s: %w", planned[i].path, err)
				}
				files[i] = f
			}
			return nil
		})
	}
	err := group.Wait()
	return files, err
}

// A planned file is a derived file that may have to be made. Both functions are called by several
// goroutines, and neither keeps what it is made from: for all pages, that would be much memory.
type planned struct {
	path string
	key  func() (catalog.DerivedKey, error) // nil if make costs no more than the key would
	make func(ctx context.Context) ([]byte, error)
}

// derive returns the file, which it makes only if it is not known.
func (p *planned) derive(ctx context.Context, dir *site.Dir, known *Known) (catalog.DerivedFile, error) {
	var key catalog.DerivedKey
	if p.key != nil {
		var err error
		if key, err = p.key(); err != nil {
			return catalog.DerivedFile{}, err
		}
		if f := known.find(p.path, key); f != nil {
			return *f, nil
		}
	}
	text, err := p.make(ctx)
	if err != nil {
		return catalog.DerivedFile{}, err
	}
	f := catalog.DerivedFile{Path: p.path, SHA256: blob.Sum(text), Size: int64(len(text)), Key: key}
	if known.hasContent(&f) {
		return f, nil
	}
	_, err = dir.Blobs.PutBytes(text)
	return f, err
}

// find returns a known file with this path and key, or nil.
func (k *Known) find(path string, key catalog.DerivedKey) *catalog.DerivedFile {
	for _, files := range k.Files {
		if f := catalog.FindDerived(files, path); f != nil && f.Key == key && k.has(f) {
			return f
		}
	}
	return nil
}

// hasContent reports whether a known file has the same path and content.
func (k *Known) hasContent(f *catalog.DerivedFile) bool {
	return slices.ContainsFunc(k.Files, func(files []catalog.DerivedFile) bool {
		known := catalog.FindDerived(files, f.Path)
		return known != nil && known.SHA256 == f.SHA256 && k.has(known)
	})
}

func (k *Known) has(f *catalog.DerivedFile) bool { return k.Has == nil || k.Has(f) }

// keyOf returns the key of a file that is made from these values.
func keyOf(values ...any) (catalog.DerivedKey, error) {
	sum := sha256.New()
	for _, v := range append(values, Version) {
		if err := json2.MarshalWrite(sum, v, json2.Deterministic(true)); err != nil {
			return catalog.DerivedKey{}, err
		}
		sum.Write([]byte{'\n'})
	}
	return catalog.DerivedKey(sum.Sum(nil)), nil
}

// DerivedContent yields the derived files of a catalogue as files with a blob.
func DerivedContent(c *catalog.Catalog) iter.Seq[index.File] {
	return func(yield func(index.File) bool) {
		for i := range c.Derived {
			if !yield(derivedFile(&c.Derived[i])) {
				return
			}
		}
	}
}

// derivedFile returns a derived file as a file with a blob.
func derivedFile(f *catalog.DerivedFile) index.File {
	mediaType := mediatype.Of(f.Path)
	if strings.HasPrefix(f.Path, catalog.AssetsDir) {
		mediaType = mediatype.OfAsset(path.Base(f.Path), "")
	}
	return index.File{Path: f.Path, SHA256: f.SHA256, Size: f.Size, Type: mediaType}
}

// A planner plans the derived files of a catalogue.
type planner struct {
	*views
	known   *Known
	planned []planned
}

func newPlanner(c *catalog.Catalog, known *Known) *planner {
	return &planner{views: newViews(c, known.Read), known: known}
}

// plan returns all derived files, in any order.
func (p *planner) plan() ([]planned, error) {
	p.add(gallery.ControlPath, func() []byte { return p.controlled })
	p.addReadmes()
	if p.catalog.NoPages {
		return p.planned, nil
	}
	p.add(pages.StylePath, func() []byte { return pages.Style })
	p.add(pages.ScriptPath, func() []byte { return pages.Script })
	p.add(pages.IconPath, func() []byte { return pages.Icon })
	if logo := p.policy.Gallery.Logo; logo != nil {
		p.add(pages.LogoPath(logo.File), func() []byte { return logo.Content })
	}
	p.addExtensions()
	p.addLists()
	p.addReport()
	return p.planned, p.addTexts()
}

// add adds a file that costs little.
func (p *planner) add(at string, text func() []byte) {
	p.planned = append(p.planned, planned{path: at, make: func(context.Context) ([]byte, error) { return text(), nil }})
}

// addPage adds a page that is made only if its data or the presentation of the gallery has changed.
func addPage[T any](p *planner, at string, data func() T, text func(T) []byte) {
	key := func() (catalog.DerivedKey, error) { return keyOf(data(), p.site) }
	p.planned = append(p.planned, planned{at, key, func(context.Context) ([]byte, error) { return text(data()), nil }})
}

// addReadmes adds the readmes that show pictures of their package, with the addresses that these
// have in the gallery, see [catalog.ReadmeBase]. Without a base URL there are none: galshim fills
// in its own.
func (p *planner) addReadmes() {
	base := contentBase(p.catalog)
	if base == "" {
		return
	}
	for dir, v := range versionsOf(p.catalog.Extensions, p.catalog.Dropped) {
		readme := v.Asset(catalog.ReadmeAsset)
		if readme == nil {
			continue
		}
		key := func() (catalog.DerivedKey, error) { return keyOf(readme.Ref, base) }
		p.planned = append(p.planned, planned{readmePath(dir), key, func(ctx context.Context) ([]byte, error) {
			text, err := p.known.Read(ctx, readme.Ref, readme.Size)
			return bytes.ReplaceAll(text, []byte(catalog.ReadmeBase), []byte(base+"/")), err
		}})
	}
}

// contentBase returns the address of the files of packages, without a slash at its end, or "" if it
// is not known.
func contentBase(c *catalog.Catalog) string {
	if c.ContentURL != "" {
		return c.ContentURL
	}
	return c.BaseURL
}

// ReportChanged reports whether the page about what was refused would be another one than that of a
// generation.
func ReportChanged(c *catalog.Catalog, report *pages.Report) bool {
	if c.NoPages {
		return false
	}
	key, err := keyOf(report, siteOf(c, policy.Of(c)))
	f := catalog.FindDerived(c.Derived, pages.ReportPath)
	return err == nil && (f == nil || f.Key != key)
}

// addReport adds the page about what was refused.
func (p *planner) addReport() {
	report := p.known.Report
	if report == nil {
		report = new(pages.Report)
		for _, files := range p.known.Files {
			if f := catalog.FindDerived(files, pages.ReportPath); f != nil {
				key := func() (catalog.DerivedKey, error) { return f.Key, nil }
				empty := func(context.Context) ([]byte, error) { return p.site.Report(report), nil }
				p.planned = append(p.planned, planned{pages.ReportPath, key, empty}) // empty only if its content is lost
				return
			}
		}
	}
	addPage(p, pages.ReportPath, func() *pages.Report { return report }, p.site.Report)
}
