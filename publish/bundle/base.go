package bundle

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/render"
)

// A baseListing has the files of a generation, without those that CURRENT names.
type baseListing struct {
	of    string // the name of the generation
	files listing
}

// base returns the base of a delta: the site has imported it last, or is at it. It may also be the
// generation of the delta itself. The generation that a site makes of an import has another name if
// the site has decisions or a policy of its own.
func (s *importer) base(current site.Current) (baseListing, error) {
	imported, err := site.LastImported(s.dir.Root)
	if err != nil {
		return baseListing{}, err
	}
	is := func(name string) bool {
		return name != "" && (name == s.current.Generation || slices.Contains(s.report.Since, name))
	}
	err = &BaseError{Wants: s.report.Since, Has: current.Generation, Imported: imported}
	if is(imported) {
		files, failed := readImported(s.dir.Root, imported)
		if failed == nil {
			return baseListing{imported, files}, nil
		}
		err = fmt.Errorf("%w: %w", ErrLeftOut, failed)
	}
	if is(current.Generation) {
		t, failed := readGeneration(s.dir.Root, current)
		if failed == nil {
			return baseListing{current.Generation, t.files}, nil
		}
		err = fmt.Errorf("%w: %w", ErrLeftOut, failed)
	}
	return baseListing{}, err
}

// ErrLeftOut is returned, wrapped, if the site is at a base of a delta but lacks files that the
// delta leaves out.
var ErrLeftOut = errors.New("the site lacks files that the archive leaves out: it is damaged, or has kept them out")

// checkLeftOut checks that the site has the files that a delta leaves out and that the generation
// with the catalogue c needs. If that is not the generation of the archive, the site makes its
// pages and static responses.
func (s *importer) checkLeftOut(c *catalog.Catalog) error {
	if c != s.catalogue {
		return s.checkContent(c)
	}
	next := s.included // in the same order as s.whole
	for _, x := range s.whole {
		if len(next) > 0 && next[0] == x {
			next = next[1:]
			continue
		}
		if isChunk(x.path) || s.isDerived(x) {
			continue // checkChunksLeftOut has checked it, or derive makes it again if it is missing
		}
		if err := s.ctx.Err(); err != nil {
			return err
		}
		if err := s.checkExisting(x); err != nil {
			return fmt.Errorf("%w: %w", ErrLeftOut, err)
		}
	}
	return nil
}

// isDerived reports whether a file is a derived file, or the content of one. Companions are not,
// since they cannot be made again.
func (s *importer) isDerived(x line) bool {
	if strings.HasPrefix(x.path, catalog.CompanionsDir) {
		return false
	}
	return catalog.IsDerived(x.path) || isBlob(x.path) && s.derived[x.ref]
}

// derive makes the derived files of the archive again that a delta leaves out and that the site
// does not have any more, because it has changed since it was at the base. It writes the paths of
// all.
func (s *importer) derive() error {
	if len(s.bases) == 0 {
		return nil
	}
	has := func(f catalog.DerivedFile) bool { return s.dir.Blobs.Has(f.SHA256, f.Size) }
	for _, f := range s.catalogue.Derived {
		if has(f) {
			continue
		}
		again := *s.catalogue
		if err := render.Derive(s.ctx, s.dir, &again, render.KnownIn(s.dir, s.catalogue.Derived)); err != nil {
			return err
		}
		if !slices.Equal(again.Derived, s.catalogue.Derived) {
			return fmt.Errorf("%w: %s, the content of %s", ErrLeftOut, f.SHA256.Path(), f.Path)
		}
		break
	}
	return render.LinkDerived(s.dir, s.catalogue)
}

// checkContent checks that the archive or the site has the content of all versions.
func (s *importer) checkContent(c *catalog.Catalog) error {
	if len(s.bases) == 0 {
		return nil
	}
	for f := range render.VersionContent(c) {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		ref := blob.Ref(f.SHA256)
		if _, ok := s.staged[ref.Path()]; !ok && !s.dir.Blobs.Has(ref, f.Size) {
			return fmt.Errorf("%w: %s, the content of %s", ErrLeftOut, ref.Path(), f.Path)
		}
	}
	return nil
}

// linkLeftOut makes the paths of versions that a delta leaves out, because the site may lack some:
// it did not have all versions of the base.
func (s *importer) linkLeftOut(c *catalog.Catalog) error {
	if len(s.bases) == 0 {
		return nil
	}
	for f := range render.VersionContent(c) {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		if err := s.dir.Blobs.Link(f.SHA256, f.Path); err != nil {
			return err
		}
	}
	return nil
}

// checkExisting checks that the site has a file. It does not read blobs: a hard link must be the
// same file as its blob, and the hash of other files, which are small, must match.
func (s *importer) checkExisting(x line) error {
	info, err := os.Stat(s.dir.Path(x.path))
	if err != nil || isBlob(x.path) {
		return err
	}
	if s.isLink(x) {
		if at, err := os.Stat(s.dir.Path(x.ref.Path())); err == nil && os.SameFile(info, at) {
			return nil
		}
	}
	got, _, err := blob.SumFile(s.dir.Path(x.path))
	if err == nil && got != x.ref {
		err = fmt.Errorf("%s: SHA-256 is %s, want %s", x.path, got, x.ref)
	}
	return err
}
