package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"galbuild/build/beneath"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/render"
)

// ImportConfig says what Import is to read, and into which site.
type ImportConfig struct {
	Archive string    // a file, any of its parts, or what stands beside them
	Stream  io.Reader // read an archive of one part from here instead
	Sums    string    // the file that vouches for the parts; "" for the one beside them, if there is one
	Trust   []string  // public keys, or folders of them; if there are any, one must have signed
	Site    string    // the site's folder
	Show    Progress  // may be nil
}

// Imported is what Import did.
type Imported struct {
	Site       string   `json:"site"`
	Generation string   `json:"generation"`
	Previous   string   `json:"previous,omitempty"` // the generation that counted before, if it was another
	Since      []string `json:"since,omitempty"`    // generations that the archive builds on
	Signer     string   `json:"signer,omitempty"`   // file of the key that signed; "" if nobody was to be trusted
	Signed     bool     `json:"signed"`             // there is a signature, looked at or not
	Files      int      `json:"files"`              // in the archive, but for its listings
	Bytes      int64    `json:"bytes"`              // of the files, each once
	Written    int64    `json:"written"`            // of these, what the site did not have
	// Same is true if the generation was the current one already.
	Same bool `json:"same,omitempty"`
	// Versions that the site no longer serves, as publisher.name@version.
	Removed  []string `json:"removed,omitempty"`
	Replaced []string `json:"replaced,omitempty"` // versions with different content than before
	// Returned is true if the generation was current in the site at an earlier time.
	Returned bool `json:"returned,omitempty"`
}

// A BaseError says that a delta does not fit a site.
type BaseError struct {
	Wants []string // generations of which the site should have one
	Has   string   // the one that counts there, "" if none does
}

// Error implements error.
func (e *BaseError) Error() string {
	has := "has none"
	if e.Has != "" {
		has = "is at " + e.Has
	}
	return fmt.Sprintf("it carries only what changed since generation %s, and the site %s", strings.Join(e.Wants, " or "), has)
}

// ErrTarget says that it cannot be told at which generation a site is.
var ErrTarget = errors.New("the site is damaged")

// Import makes the generation in an archive the one that counts in a site. Before
// everything is proved, nothing in the site has changed. When it is killed later, the old
// generation counts, and importing again completes the new one. The old one is kept.
func Import(ctx context.Context, cfg ImportConfig) (*Imported, error) {
	report := &Imported{Site: cfg.Site}
	from, err := cfg.open(ctx)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	if err := cfg.trust(from, report); err != nil {
		return nil, err
	}
	dir, err := site.Lock(cfg.Site)
	if err != nil {
		return nil, err
	}
	if err := cfg.into(ctx, dir, from, report); err != nil {
		return nil, errors.Join(err, dir.Abandon())
	}
	return report, dir.Close()
}

func (cfg *ImportConfig) open(ctx context.Context) (*source, error) {
	if cfg.Stream != nil {
		return streamSource(ctx, cfg.Stream, cfg.Sums, cfg.Show)
	}
	return openSource(ctx, cfg.Archive, cfg.Sums, cfg.Show)
}

// trust looks who signed, before anything else is read.
func (cfg *ImportConfig) trust(from *source, report *Imported) error {
	sums := cfg.Sums
	if sums == "" {
		sums = archiveName(cfg.Archive) + SumsSuffix
	}
	_, err := os.Stat(sums + SignedSuffix)
	report.Signed = err == nil && from.sums != nil
	if len(cfg.Trust) == 0 {
		return nil
	}
	trusted, err := readTrusted(cfg.Trust)
	if err != nil {
		return err
	}
	if from.sums == nil {
		return fmt.Errorf("its %s is not there: %w", SumsName, ErrUntrusted)
	}
	report.Signer, err = checkSignature(from.sums, sums+SignedSuffix, trusted)
	return err
}

func (cfg *ImportConfig) into(ctx context.Context, dir *site.Dir, from *source, report *Imported) error {
	current, err := site.ReadCurrent(dir.Root)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTarget, err)
	}
	s := &staging{ctx: ctx, dir: dir, buffer: make([]byte, 256<<10), report: report, staged: make(map[string]string)}
	defer s.drop()
	if err := s.unpack(from); err != nil {
		return from.blame(err)
	}
	report.Generation = s.current.Generation
	for _, c := range s.bases {
		report.Since = append(report.Since, c.Generation)
	}
	if err := s.fits(current); err != nil {
		return err
	}
	report.Same = current == s.current
	if !report.Same {
		report.Previous = current.Generation
		if err := s.compare(current); err != nil {
			return err
		}
	}
	return s.install(current)
}

// A staging is an archive being unpacked on the desk.
type staging struct {
	ctx    context.Context
	dir    *site.Dir
	room   int64 // bytes that the rest of the archive can unpack to
	buffer []byte
	report *Imported

	bases          []site.Current
	whole, carried listing
	current        site.Current
	catalogue      *catalog.Catalog
	refs           map[string]blob.Ref // of whole, by path
	blobs          map[blob.Ref]bool   // of whole
	staged         map[string]string   // unfinished files of the site, by path
}

// unpack proves all that can be proved without the site.
func (s *staging) unpack(from *source) error {
	unpacked, packed, err := decompress(from)
	if err != nil {
		return err
	}
	defer unpacked.Close()
	s.room = room(from.total, packed)
	a := newArchive(unpacked)
	if s.whole, s.carried, s.bases, err = a.listings(); err != nil {
		return err
	}
	if err := s.checkListings(); err != nil {
		return err
	}
	for _, x := range s.carried {
		if err := s.stage(a, x); err != nil {
			return err
		}
	}
	if err := a.end(); err != nil {
		return err
	}
	// Only now has the last part been hashed.
	if n, err := io.Copy(io.Discard, from); n > 0 {
		return refuse("end of the archive", "other bytes follow it")
	} else if err != nil {
		return err
	}
	return nil
}

func (s *staging) checkListings() error {
	name := SumsName
	if len(s.bases) > 0 {
		name = SiteName
	}
	var err error
	if s.current, err = generation(name, s.whole); err != nil {
		return err
	}
	folding, err := s.dir.FoldsCase()
	if err != nil {
		return err
	}
	s.refs, s.blobs = s.whole.byPath(), s.whole.blobs()
	for _, x := range s.carried {
		if ref, ok := s.refs[x.path]; !ok || ref != x.ref {
			return refuse(SumsName, "it lists %q, and %s does not", x.path, name)
		}
	}
	return checkNames(name, s.whole, folding)
}

// linked tells whether a file is another name of a blob.
func (s *staging) linked(x line) bool {
	return !isBlob(x.path) && s.blobs[x.ref]
}

// stage puts a file on the desk, unless it is a link or a blob that the site has.
func (s *staging) stage(a *archive, x line) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	link := ""
	if s.linked(x) {
		link = x.ref.Path()
	}
	size, err := a.entry(x.path, link)
	if err != nil {
		return err
	}
	if s.room -= size; s.room < 0 {
		return refuse(x.path, "it claims to have %d bytes, more than the archive can hold", size)
	}
	s.report.Files++
	s.report.Bytes += size
	switch {
	case link != "":
		return nil
	case isBlob(x.path) && s.dir.Blobs.Has(x.ref, size):
		return s.copy(a, x, nil)
	}
	return s.write(a, x, size)
}

func (s *staging) write(a *archive, x line, size int64) error {
	f, name, err := s.dir.Blobs.Temp()
	if err != nil {
		return err
	}
	defer f.Close()
	s.staged[x.path] = name
	if err := s.copy(a, x, f); err != nil {
		return err
	}
	mode := beneath.FileMode
	if isBlob(x.path) {
		mode = 0o444 // blobs never change
	}
	s.report.Written += size
	return errors.Join(f.Chmod(mode), f.Close())
}

// drop removes the files that have not been installed.
func (s *staging) drop() {
	for _, name := range s.staged {
		_ = s.dir.Blobs.Drop(name) // otherwise the next process that locks the site removes it
	}
}

// copy hashes an entry, and writes it if there is a file for it.
func (s *staging) copy(a *archive, x line, to *os.File) error {
	h := newHash(to)
	if err := a.content(x.path, h, s.buffer); err != nil {
		return err
	}
	if got := h.ref(); got != x.ref {
		return refuse(x.path, "its SHA-256 is %s, %s says %s", got, SumsName, x.ref)
	}
	return nil
}

// file returns where a file is that the archive carries or the site has.
func (s *staging) file(path string) string {
	if name, ok := s.staged[path]; ok {
		return filepath.Join(s.dir.Temp(), name)
	}
	return s.dir.Path(path)
}

// fits proves what depends on the site: that it is at a base, that it has what a delta
// leaves out, and that all of it is what the index says.
func (s *staging) fits(current site.Current) error {
	if len(s.bases) > 0 && current != s.current && !slices.Contains(s.bases, current) {
		return &BaseError{Wants: s.report.Since, Has: current.Generation}
	}
	next := s.carried // both are in the same order
	for _, x := range s.whole {
		if len(next) > 0 && next[0] == x {
			next = next[1:]
			continue
		}
		if err := s.ctx.Err(); err != nil {
			return err
		}
		if err := s.checkKept(x); err != nil {
			return fmt.Errorf("%w: %w", ErrLeftOut, err)
		}
	}
	if err := s.checkIndex(); err != nil {
		return err
	}
	return s.checkAnswers()
}

// compare reports what the site loses, because the archive may be older than the site and
// does not say so. If the site's catalogue cannot be read, the import repairs the site, so
// that is not an error.
func (s *staging) compare(current site.Current) error {
	s.report.Returned = s.dir.HasGeneration(s.current.Generation)
	old, err := site.ReadCatalog(s.dir.Root, current)
	if err != nil {
		return s.ctx.Err()
	}
	next := maps.Collect(s.catalogue.Versions())
	for key, was := range old.Versions() {
		switch is, ok := next[key]; {
		case !ok:
			s.report.Removed = append(s.report.Removed, key)
		case is.Package.Ref != was.Package.Ref:
			s.report.Replaced = append(s.report.Replaced, key)
		}
	}
	return nil
}

// ErrLeftOut says that a site lacks what a delta leaves out, though it is at the base.
var ErrLeftOut = errors.New("the site is damaged, or was left unfinished: of what the archive leaves out it has not all")

// checkKept looks whether the site has a file. Content is not read again: a link must
// lead to its blob, and other files, which are small, must be as listed.
func (s *staging) checkKept(x line) error {
	info, err := os.Stat(s.dir.Path(x.path))
	if err != nil || isBlob(x.path) {
		return err
	}
	if s.linked(x) {
		if at, err := os.Stat(s.dir.Path(x.ref.Path())); err == nil && os.SameFile(info, at) {
			return nil
		}
	}
	got, _, err := blob.SumFile(s.dir.Path(x.path))
	if err == nil && got != x.ref {
		err = fmt.Errorf("%s: SHA-256 is %s, should be %s", x.path, got, x.ref)
	}
	return err
}

// install moves everything to its place and makes it count.
func (s *staging) install(current site.Current) error {
	if err := s.dir.Begin(); err != nil {
		return err
	}
	for _, x := range s.carried {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		if err := s.place(x); err != nil {
			return err
		}
	}
	if err := s.dir.Switch(s.ctx, s.current); err != nil {
		return err
	}
	if err := render.Sweep(s.dir, s.current, current, s.catalogue); err != nil {
		return fmt.Errorf("the new generation is current, but removing old files failed: %w", err)
	}
	return s.dir.End()
}

func (s *staging) place(x line) error {
	if s.linked(x) {
		return s.dir.Blobs.Link(x.ref, x.path)
	}
	name, ok := s.staged[x.path]
	if !ok || x.path == site.CurrentPath {
		return nil // the site has it; or it comes last
	}
	delete(s.staged, x.path) // gone in any case
	return s.dir.Blobs.Adopt(name, x.path)
}
