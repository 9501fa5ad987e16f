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
	"galbuild/build/regularfile"
	"galbuild/build/site"
)

// ExportConfig configures [Export].
type ExportConfig struct {
	Site    string               // the site's folder
	Output  string               // the archive; its suffix selects the compression
	Stream  io.Writer            // if set, only the archive is written, to this writer
	Since   []string             // bases: files that all of them have are left out; empty for the whole site
	Split   int64                // size of a part in bytes; 0 for one file
	SignKey *minisign.PrivateKey // nil for no signature
	Show    Progress             // may be nil
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

// Export writes the current generation of a site. All files are hashed, and a damaged file is an
// error. Files get their final names only after everything has been written.
func Export(ctx context.Context, cfg ExportConfig) (*Exported, error) {
	if archiveName(cfg.Output) != cfg.Output {
		return nil, fmt.Errorf("%s is not a name for an archive: it is the name of a part, or of a file next to an archive", cfg.Output)
	}
	s, err := readSite(cfg.Site)
	if err != nil {
		return nil, err
	}
	delta, err := s.since(ctx, cfg.Since)
	if err != nil {
		return nil, err
	}
	report := &Exported{Site: cfg.Site, Generation: s.current.Generation}
	for _, c := range delta.bases {
		report.Since = append(report.Since, c.Generation)
	}
	if cfg.Stream != nil {
		return report, s.pack(ctx, delta, cfg, cfg.Stream, report)
	}
	out, err := newOutput(cfg.Output, cfg.Split)
	if err != nil {
		return nil, err
	}
	defer out.discard()
	if err := s.pack(ctx, delta, cfg, out, report); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := out.commit(s.signWith(cfg.SignKey)); err != nil {
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
func (s *tree) signWith(key *minisign.PrivateKey) func([]byte) []byte {
	return func(sums []byte) []byte {
		if key == nil {
			return nil
		}
		return minisign.SignWithComments(*key, sums, "gallery generation "+s.current.Generation, "signature from galbuild export")
	}
}

func (s *tree) pack(ctx context.Context, d *delta, cfg ExportConfig, to io.Writer, report *Exported) error {
	z, err := compress(to, cfg.Output)
	if err != nil {
		return err
	}
	p := &packer{ctx: ctx, tree: s, tar: tar.NewWriter(z), hash: sha256.New(), buffer: make([]byte, 256<<10), report: report, show: cfg.Show}
	if err := p.write(d); err != nil {
		return err
	}
	return errors.Join(p.tar.Close(), z.Close())
}

// A packer writes the entries of an archive.
type packer struct {
	ctx    context.Context
	tree   *tree
	tar    *tar.Writer
	hash   hash.Hash
	buffer []byte
	report *Exported
	show   Progress
	total  int64
}

func (p *packer) write(d *delta) error {
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

func (p *packer) writeFile(x line) error {
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
	if p.show != nil {
		p.show(p.report.Bytes, p.total)
	}
	if err := p.tar.WriteHeader(header(x.path, "", size, p.tree.when)); err != nil {
		return err
	}
	return p.copy(x, size)
}

// copy writes the content of a file, and checks its size and hash.
func (p *packer) copy(x line, size int64) error {
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

func siteError(err error) error { return fmt.Errorf("%w: %w", ErrDamaged, err) }

// A delta is the selection of files for an archive.
type delta struct {
	bases    []site.Current
	whole    listing
	included listing
}

type named struct {
	name string
	text []byte
}

// listings returns the files at the beginning of the archive.
func (d *delta) listings() []named {
	if len(d.bases) == 0 {
		return []named{{SumsName, d.included.text()}}
	}
	base, whole := named{name: BaseName}, named{SiteName, d.whole.text()}
	for _, c := range d.bases {
		base.text = append(base.text, c.Bytes()...)
	}
	sums := append(listing{{blob.Sum(base.text), base.name}, {blob.Sum(whole.text), whole.name}}, d.included...)
	return []named{{SumsName, sums.text()}, base, whole}
}

// seconds truncates a date to those that tar headers can express: whole seconds since 1970.
func seconds(t time.Time) time.Time { return time.Unix(max(t.Unix(), 0), 0) }
