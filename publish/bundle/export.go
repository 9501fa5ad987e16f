package bundle

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"aead.dev/minisign"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/regularfile"
	"galbuild/build/site"
)

// ExportConfig configures [Export].
type ExportConfig struct {
	Site     string               // the site's folder
	Output   string               // the archive; its suffix selects the compression
	Stream   io.Writer            // if set, only the archive is written, to this writer
	Since    []string             // bases: files that all of them have are left out; empty for the whole site
	Split    int64                // size of a part in bytes; 0 for one file
	SignKey  *minisign.PrivateKey // nil for no signature
	Progress Progress             // may be nil
}

// Exported describes an archive that [Export] has written.
type Exported struct {
	Site       string   `json:"site"`
	Generation string   `json:"generation"`
	Since      []string `json:"since,omitempty"` // generations of the bases
	Files      int      `json:"files"`           // in the archive, without listings
	Blobs      int      `json:"blobs"`           // blobs among the files
	Bytes      int64    `json:"bytes"`           // of the files, without hard links
	Parts      []Part   `json:"parts,omitempty"`
	Sums       string   `json:"sums,omitempty"`      // name of the listing next to them
	Signature  string   `json:"signature,omitempty"` // name of its signature
}

// Export writes the current generation of a site to an archive. It hashes all files, and a damaged
// file is an error. The parts get their final names only after all of them have been written, and
// the listing of the parts after that. The next export of the same name removes what a crash left.
func Export(ctx context.Context, cfg ExportConfig) (*Exported, error) {
	if archiveName(cfg.Output) != cfg.Output {
		return nil, fmt.Errorf("%s is not a name for an archive: it is the name of a part, or of a file next to an archive", cfg.Output)
	}
	t, err := readSite(cfg.Site)
	if err != nil {
		return nil, err
	}
	delta, err := t.since(ctx, cfg.Since)
	if err != nil {
		return nil, err
	}
	report := &Exported{Site: cfg.Site, Generation: t.current.Generation}
	for _, c := range delta.bases {
		report.Since = append(report.Since, c.Generation)
	}
	if cfg.Stream != nil {
		return report, t.writeArchive(ctx, delta, cfg, cfg.Stream, report)
	}
	out, err := newOutput(cfg.Output, cfg.Split)
	if err != nil {
		return nil, err
	}
	defer out.discard()
	if err := t.writeArchive(ctx, delta, cfg, out, report); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := out.commit(t.signWith(cfg.SignKey)); err != nil {
		return nil, err
	}
	report.Parts, report.Sums = out.parts, cfg.Output+SumsSuffix
	if cfg.SignKey != nil {
		report.Signature = report.Sums + SignedSuffix
	}
	return report, nil
}

// signWith returns a function that signs a listing. There is no date in the signature, so the same
// site and key give the same signature.
func (t *tree) signWith(key *minisign.PrivateKey) func([]byte) []byte {
	return func(sums []byte) []byte {
		if key == nil {
			return nil
		}
		return minisign.SignWithComments(*key, sums, "gallery generation "+t.current.Generation, "signature from galbuild export")
	}
}

// writeArchive writes the archive, compressed, to a writer.
func (t *tree) writeArchive(ctx context.Context, d *delta, cfg ExportConfig, to io.Writer, report *Exported) error {
	z, err := compress(to, cfg.Output)
	if err != nil {
		return err
	}
	p := &archiveWriter{ctx: ctx, tree: t, tar: tar.NewWriter(z), hash: sha256.New(), buffer: make([]byte, 256<<10), report: report, progress: cfg.Progress}
	if err := p.write(d); err != nil {
		return err
	}
	return errors.Join(p.tar.Close(), z.Close())
}

// An archiveWriter writes the entries of an archive.
type archiveWriter struct {
	ctx      context.Context
	tree     *tree
	tar      *tar.Writer
	hash     hash.Hash
	buffer   []byte
	report   *Exported
	progress Progress
	total    int64 // bytes of the files, without hard links
}

func (p *archiveWriter) write(d *delta) error {
	for _, x := range d.included {
		if !p.tree.isLink(x) {
			p.total += p.tree.sizes[x.path]
		}
	}
	for _, l := range d.listings() {
		if err := p.tar.WriteHeader(header(l.name, "", int64(len(l.text)), p.tree.when)); err != nil {
			return err
		}
		if _, err := p.tar.Write(l.text); err != nil {
			return err
		}
	}
	for _, x := range d.included {
		if err := p.writeFile(x); err != nil {
			return err
		}
	}
	return nil
}

func (p *archiveWriter) writeFile(x line) error {
	if err := p.ctx.Err(); err != nil {
		return err
	}
	p.report.Files++
	if p.tree.isLink(x) {
		return p.tar.WriteHeader(header(x.path, x.ref.Path(), 0, p.tree.when))
	}
	if isBlob(x.path) {
		p.report.Blobs++
	}
	size := p.tree.sizes[x.path]
	p.report.Bytes += size
	if p.progress != nil {
		p.progress(p.report.Bytes, p.total)
	}
	if err := p.tar.WriteHeader(header(x.path, "", size, p.tree.when)); err != nil {
		return err
	}
	return p.copy(x, size)
}

// copy writes the content of a file, and checks its size and hash.
func (p *archiveWriter) copy(x line, size int64) error {
	f, err := regularfile.Open(p.tree.file(x.path))
	if err != nil {
		return siteError(err)
	}
	defer f.Close()
	p.hash.Reset()
	both := io.MultiWriter(p.tar, p.hash)
	n, err := io.CopyBuffer(both, struct{ io.Reader }{f}, p.buffer)
	switch {
	case errors.Is(err, tar.ErrWriteTooLong), err == nil && n != size:
		return siteError(fmt.Errorf("%s: want %d bytes", x.path, size))
	case err != nil:
		return err
	}
	if got := blob.Ref(p.hash.Sum(nil)); got != x.ref {
		return siteError(fmt.Errorf("%s: SHA-256 is %s, want %s", x.path, got, x.ref))
	}
	return nil
}

// ErrDamaged is returned, wrapped, by [Export] for a site that does not match its generation, which
// may be because it was changed during the export.
var ErrDamaged = errors.New("the site is damaged, or was changed meanwhile")

func siteError(err error) error {
	if errors.Is(err, catalog.ErrFormat) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// A delta is the selection of files for an archive.
type delta struct {
	bases    []site.Current // none for an archive of the whole site
	removed  listing        // see removedListing
	included listing        // files in the archive
}

// A textFile is a listing as a file.
type textFile struct {
	name string
	text []byte
}

// listings returns the files at the beginning of the archive.
func (d *delta) listings() []textFile {
	if len(d.bases) == 0 {
		return []textFile{{SumsName, d.included.text()}}
	}
	base, removed := textFile{name: BaseName}, textFile{RemovedName, d.removed.text()}
	for _, c := range d.bases {
		base.text = append(base.text, c.Bytes()...)
	}
	sums := append(listing{{blob.Sum(base.text), base.name}, {blob.Sum(removed.text), removed.name}}, d.included...)
	return []textFile{{SumsName, sums.text()}, base, removed}
}

// seconds truncates a date to those that tar headers can express: whole seconds since 1970.
func seconds(t time.Time) time.Time { return time.Unix(max(t.Unix(), 0), 0) }
