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

	"galbuild/build"
	"galbuild/build/atomicfile"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/regularfile"
	"galbuild/build/signkey"
	"galbuild/build/site"
	"galbuild/render"
)

// ImportConfig configures [Import].
type ImportConfig struct {
	Archive  string    // the archive, any of its parts, or a file next to them
	Stream   io.Reader // if set, an archive of one part is read from here instead
	Sums     string    // the listing of the parts; "" for the one next to them, if it exists
	Trust    []string  // files of public keys, or folders of them; if not empty, one of the keys must have signed
	Site     string    // the site's folder
	Progress Progress  // may be nil
	// AllowOlder imports an archive although the site has had a newer one of the same history.
	AllowOlder bool
	// MaxRemovals limits how many versions of the site may vanish without a decision.
	MaxRemovals build.MaxRemovals
	// Commit is what the history says about it, except for the sender.
	Commit site.Commit
	// Policy is what happens to the policy of the site.
	Policy build.PolicyChange
}

// Imported describes an import.
type Imported struct {
	Site       string   `json:"site"`
	Generation string   `json:"generation"`
	Previous   string   `json:"previous,omitempty"` // current before, if it was a different one
	Since      []string `json:"since,omitempty"`    // generations of the bases
	Signer     string   `json:"signer,omitempty"`   // file of the key that signed; "" without Trust
	Signed     bool     `json:"signed"`             // there is a signature, verified or not
	Files      int      `json:"files"`              // in the archive, without listings
	Bytes      int64    `json:"bytes"`              // of the files, without hard links
	Written    int64    `json:"written"`            // of the files that the site did not have
	// Changed is false if the generation was the current one already.
	Changed bool `json:"changed"`
	// Removed are the versions that the site no longer serves, as publisher.name@version.
	Removed []string `json:"removed,omitempty"`
	// Replaced are the versions that have different content than before.
	Replaced []string `json:"replaced,omitempty"`
	// Excluded are the versions that decisions and the policy of the site keep out.
	Excluded []build.Excluded `json:"excluded"`
	// PolicyDiff is how the policy of the archive differs from that of the site, which decides;
	// "" if they are the same.
	PolicyDiff string `json:"policyDiff,omitempty"`
	// WasCurrent is true if the site still had this generation from an earlier time.
	WasCurrent bool `json:"wasCurrent,omitempty"`
}

// A BaseError is returned for a delta if the site is not at one of its bases.
type BaseError struct {
	Wants    []string // generations of the bases
	Has      string   // the current generation of the site, or "" if there is none
	Imported string   // the generation that the site has imported last, or "" if it has none
}

// Error implements error.
func (e *BaseError) Error() string {
	has := "has none"
	if e.Has != "" {
		has = "is at " + e.Has
	}
	if e.Imported != "" {
		has += ", and has last imported " + e.Imported
	}
	return fmt.Sprintf("it contains only the changes since generation %s, and the site %s", strings.Join(e.Wants, " or "), has)
}

// Import imports the generation in an archive into a site and makes it current. Import changes
// nothing in the site before everything is verified. If it is killed after that, the old generation
// is still current, and importing again completes the new one. The old generation is preserved.
func Import(ctx context.Context, cfg ImportConfig) (*Imported, error) {
	report := &Imported{Site: cfg.Site, Excluded: []build.Excluded{}}
	from, err := cfg.open(ctx)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	if err := cfg.checkTrust(from, report); err != nil {
		return nil, err
	}
	dir, err := site.Lock(cfg.Site)
	if err != nil {
		return nil, err
	}
	if err := cfg.importInto(ctx, dir, from, report); err != nil {
		return nil, errors.Join(err, dir.Abandon())
	}
	return report, dir.Close()
}

func (cfg *ImportConfig) open(ctx context.Context) (*source, error) {
	if cfg.Stream != nil {
		return streamSource(ctx, cfg.Stream, cfg.Sums, cfg.Progress)
	}
	return openSource(ctx, cfg.Archive, cfg.Sums, cfg.Progress)
}

// checkTrust verifies the signature of the listing, if cfg.Trust is not empty. Nothing else has
// been read of the archive.
func (cfg *ImportConfig) checkTrust(from *source, report *Imported) error {
	sums := cfg.Sums
	if sums == "" {
		sums = archiveName(cfg.Archive) + SumsSuffix
	}
	_, err := os.Stat(sums + SignedSuffix)
	report.Signed = err == nil && from.sums != nil
	if len(cfg.Trust) == 0 {
		return nil
	}
	trusted, err := signkey.ReadPublic(cfg.Trust)
	if err != nil {
		return err
	}
	if from.sums == nil {
		return fmt.Errorf("its %s is missing: %w", SumsName, ErrUntrusted)
	}
	report.Signer, err = checkSignature(from.sums, sums+SignedSuffix, trusted)
	return err
}

func (cfg *ImportConfig) importInto(ctx context.Context, dir *site.Dir, from *source, report *Imported) error {
	current, err := site.ReadCurrent(dir.Root)
	if err != nil {
		return site.Damaged(err)
	}
	s := &importer{ctx: ctx, dir: dir, by: cfg.Commit, buffer: make([]byte, 256<<10), report: report, staged: make(map[string]string)}
	defer s.discard()
	if err := s.unpack(from, current); err != nil {
		return from.damagedPart(err)
	}
	if err := s.check(); err != nil {
		return err
	}
	next, err := cfg.merge(s, current)
	if err != nil {
		return err
	}
	if err := s.checkLeftOut(next); err != nil {
		return err
	}
	if current != s.current && !cfg.AllowOlder {
		if err := site.CheckNewer(dir.Root, s.by.Sender, next); err != nil {
			return err
		}
	}
	if err := cfg.MaxRemovals.CheckReceived(s.local, next, report.Excluded, cfg.Commit.When); err != nil {
		return err
	}
	if report.Changed = current != s.current; !report.Changed {
		report.Written = 0 // without the pages and indexes that were unpacked again
	} else if err := s.compare(current, next); err != nil {
		return err
	}
	earlier, err := dir.Generations()
	if err != nil {
		return err
	}
	if err := s.install(current, next); err != nil {
		return err
	}
	if report.Changed = report.Generation != current.Generation; report.Changed {
		report.Previous, report.WasCurrent = current.Generation, slices.Contains(earlier, report.Generation)
	}
	return nil
}

// merge returns the catalogue of the archive, or one that also has the decisions of the site and
// what it keeps for auditors, without what the decisions and the policy of the site keep out. It is
// not an error if the site's catalogue cannot be read, because the import repairs the site.
func (cfg *ImportConfig) merge(s *importer, current site.Current) (*catalog.Catalog, error) {
	local, err := site.ReadCatalog(s.dir.Root, current)
	if err != nil {
		local = new(catalog.Catalog)
	}
	if err := s.ctx.Err(); err != nil {
		return nil, err
	}
	s.local = local
	if err == nil && !current.IsZero() && local.View != s.catalogue.View {
		return nil, errors.New("one of the archive and the site is a view of another gallery, and the other is not: import it into a folder of its own")
	}
	receiver := build.Receiver{Old: local, Policy: cfg.Policy, Now: cfg.Commit.When}
	receiver.Follow = err != nil || current.IsZero() || hasImportedPolicy(s.dir.Root, local)
	c, excluded, err := receiver.Decide(s.catalogue, local.Records)
	if err != nil {
		return nil, err
	}
	s.report.Excluded = append(s.report.Excluded, excluded...)
	if cfg.Policy.IsZero() {
		s.report.PolicyDiff, s.followed = build.DiffPolicies(c.Policy, s.catalogue.Policy), receiver.Follow
	}
	same := len(excluded) == 0 && c.Policy == s.catalogue.Policy &&
		build.Carries(s.catalogue, local) && build.SameSeen(s.catalogue, c) && build.SameDropped(s.catalogue, c)
	if same {
		return s.catalogue, nil
	}
	c.Render = render.Version
	return c, nil
}

// importedPolicy is a file in the work directory of a site: the hash of the policy that came with
// the last import. If the site has another one, that is its own.
const importedPolicy = "imported-policy"

func hasImportedPolicy(root string, c *catalog.Catalog) bool {
	text, err := regularfile.ReadFile(filepath.Join(root, site.WorkDir, importedPolicy), 100)
	return err == nil && string(text) == blob.Sum([]byte(c.Policy)).String()
}

// An importer unpacks an archive into the work directory and installs its files.
type importer struct {
	ctx    context.Context
	dir    *site.Dir
	by     site.Commit
	free   int64 // maximum size of the files that are still to be unpacked, in bytes
	buffer []byte
	report *Imported

	local           *catalog.Catalog // of the site; empty if it cannot be read
	bases           []site.Current
	whole, included listing
	current         site.Current
	head            site.Head // of the sender's history
	catalogue       *catalog.Catalog
	chunks          []catalog.ChunkFiles
	refs            map[string]blob.Ref // of whole, by path
	blobs           map[blob.Ref]bool   // of whole
	derived         map[blob.Ref]bool   // those with the content of derived files
	staged          map[string]string   // names of files in the work directory, by path
	followed        bool                // the policy came with the archive
}

// unpack reads the archive, and verifies everything that can be verified without the index. current
// is the generation of the site.
func (s *importer) unpack(from *source, current site.Current) error {
	unpacked, compressed, err := decompress(from)
	if err != nil {
		return err
	}
	defer unpacked.Close()
	s.free = maxUnpacked(from.total, compressed)
	a := newArchive(unpacked)
	l, err := a.listings()
	if err != nil {
		return err
	}
	if err := s.checkListings(l, current); err != nil {
		return err
	}
	for _, x := range s.included {
		if err := s.stage(a, x); err != nil {
			return err
		}
	}
	if err := a.end(); err != nil {
		return err
	}
	// The hash of the last part is checked when its end is read.
	if n, err := io.Copy(io.Discard, from); n > 0 {
		return refuse("end of the archive", "more data follows it")
	} else if err != nil {
		return err
	}
	return nil
}

// checkListings checks the listings, and sets the generation and the listings of the importer. The
// site must be at a base of a delta.
func (s *importer) checkListings(l listings, current site.Current) (err error) {
	s.whole, s.included, s.bases = l.included, l.included, l.bases
	if s.current, s.head, err = generation(SumsName, s.included); err != nil {
		return err
	}
	s.report.Generation = s.current.Generation
	for _, c := range s.bases {
		s.report.Since = append(s.report.Since, c.Generation)
	}
	if l.change != nil {
		base, err := s.base(current)
		if err != nil {
			return err
		}
		isOnly := len(s.bases) == 1 && base.of != s.current.Generation
		if s.whole, err = l.change.apply(base.files, isOnly); err != nil {
			return err
		}
	}
	ignoresCase, err := s.dir.FoldsCase()
	if err != nil {
		return err
	}
	s.refs, s.blobs = s.whole.byPath(), s.whole.blobs()
	return checkNames(SumsName, s.whole, ignoresCase)
}

// isLink reports whether a file is a hard link to a blob.
func (s *importer) isLink(x line) bool {
	return !isBlob(x.path) && s.blobs[x.ref]
}

// stage writes a file to the work directory, unless it is a link or a blob that the site has.
func (s *importer) stage(a *archive, x line) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	link := ""
	if s.isLink(x) {
		link = x.ref.Path()
	}
	size, err := a.entry(x.path, link)
	if err != nil {
		return err
	}
	if s.free -= size; s.free < 0 {
		return refuse(x.path, "its header states %d bytes, more than the archive can contain", size)
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

func (s *importer) write(a *archive, x line, size int64) error {
	f, name, err := s.dir.Blobs.Temp()
	if err != nil {
		return err
	}
	defer f.Close()
	s.staged[x.path] = name
	if err := s.copy(a, x, f); err != nil {
		return err
	}
	mode := atomicfile.FileMode
	if isBlob(x.path) {
		mode = 0o444 // blobs never change
	}
	s.report.Written += size
	return errors.Join(f.Chmod(mode), f.Close())
}

// discard removes the files that have not been installed.
func (s *importer) discard() {
	for _, name := range s.staged {
		_ = s.dir.Blobs.Drop(name) // otherwise the next process that locks the site removes it
	}
}

// copy verifies the hash of an entry, and writes its content to a file unless that is nil.
func (s *importer) copy(a *archive, x line, to *os.File) error {
	h := newHash(to)
	if err := a.content(x.path, h, s.buffer); err != nil {
		return err
	}
	if got := h.ref(); got != x.ref {
		return refuse(x.path, "its SHA-256 is %s, want %s as in %s", got, x.ref, SumsName)
	}
	return nil
}

// file returns the path of a file that is in the archive or in the site, or of a chunk that the
// site has kept.
func (s *importer) file(path string) string {
	if name, ok := s.staged[path]; ok {
		return filepath.Join(s.dir.Temp(), name)
	}
	if isChunk(path) {
		return chunkFile(s.dir.Root, path)
	}
	return s.dir.Path(path)
}

// check verifies that all files are those of the index and the catalogue.
func (s *importer) check() error {
	if err := s.checkHead(); err != nil {
		return err
	}
	if err := s.checkChunks(); err != nil {
		return err
	}
	if err := s.checkIndex(); err != nil {
		return err
	}
	return s.checkResponses()
}

// compare reports which versions the site loses, because the archive may be older than the site. It
// is not an error if the site's catalogue cannot be read, because the import repairs the site.
func (s *importer) compare(current site.Current, c *catalog.Catalog) error {
	old, err := site.ReadCatalog(s.dir.Root, current)
	if err != nil {
		return s.ctx.Err()
	}
	next := maps.Collect(c.Versions())
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

// install moves all files into the site, and makes the generation with the catalogue c current, in
// the steps that [render.Commit] describes: that of the archive, or one that is made now.
func (s *importer) install(current site.Current, c *catalog.Catalog) error {
	if err := s.dir.MarkDirty(); err != nil {
		return err
	}
	for _, x := range s.included {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		if err := s.installFile(x); err != nil {
			return err
		}
	}
	if err := s.keepChunks(c == s.catalogue); err != nil {
		return err
	}
	next := s.current
	if c == s.catalogue {
		if err := s.derive(); err != nil {
			return err
		}
	} else {
		s.dir.Dirty = true // there are files of versions that the generation does not have
		if err := s.linkLeftOut(c); err != nil {
			return err
		}
		var err error
		c.Derived = s.catalogue.Derived // of which most will be the same
		if next, err = render.Site(s.ctx, s.dir, c, site.Generation{Current: current}, nil); err != nil {
			return err
		}
		s.report.Generation = next.Generation
	}
	if err := render.Commit(s.ctx, s.dir, site.Generation{Current: next, Catalog: c}, site.Previous{Current: current}, s.by); err != nil {
		return err
	}
	s.dropChunks()
	note := ""
	if s.followed {
		note = blob.Sum([]byte(c.Policy)).String()
	}
	_ = site.WriteWorkFile(s.dir.Root, importedPolicy, []byte(note)) // without it, the policy is the site's own
	return s.dir.SetPublicOnly(false)
}

func (s *importer) installFile(x line) error {
	if s.isLink(x) {
		return s.dir.Blobs.Link(x.ref, x.path)
	}
	name, ok := s.staged[x.path]
	switch {
	case !ok, x.path == site.CurrentPath, x.path == s.head.Path():
		return nil // the site has the file, or Commit writes its own
	case rank(x.path) == rank(indexDir) && s.dir.HasFile(x.path, x.ref): // see site.Dir.WriteGeneration
		return nil
	}
	delete(s.staged, x.path) // Adopt moves or removes the file
	return s.dir.Blobs.Adopt(name, x.path)
}
