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
	"galbuild/build/regular"
	"galbuild/build/site"
)

// ExportConfig says what Export is to write.
type ExportConfig struct {
	Site    string               // the site's folder
	Output  string               // the archive; its suffix chooses the compression
	Stream  io.Writer            // where to write the archive, and nothing beside it, instead of to files
	Since   []string             // bases: what they all have is left out; none for the whole site
	Split   int64                // bytes of a part; 0 for one file
	SignKey *minisign.PrivateKey // nil for no signature
	Show    Progress             // may be nil
}

// Exported is what Export wrote.
type Exported struct {
	Site       string   `json:"site"`
	Generation string   `json:"generation"`
	Since      []string `json:"since,omitempty"` // generations that it builds on
	Files      int      `json:"files"`           // in the archive, but for its listings
	Blobs      int      `json:"blobs"`           // among them, content
	Bytes      int64    `json:"bytes"`           // of the files, each once
	Parts      []Part   `json:"parts,omitempty"`
	Sums       string   `json:"sums,omitempty"`      // the file beside them
	Signature  string   `json:"signature,omitempty"` // and the one beside that
}

// Export writes the generation that counts in a site. All that is read is hashed: a
// site with a damaged file gives no archive. Nothing has its name before all is written.
func Export(ctx context.Context, cfg ExportConfig) (*Exported, error) {
	if archiveName(cfg.Output) != cfg.Output {
		return nil, fmt.Errorf("%s is no name for an archive: it is that of a part, or of what stands beside one", cfg.Output)
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

// signWith signs without a date: the same site and key give the same signature.
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
	for _, x := range d.carried {
		if !p.tree.linked(x) {
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
	for _, x := range d.carried {
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
	if p.tree.linked(x) {
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

// copy writes the bytes of a file, provided that they are what they should be.
func (p *packer) copy(x line, size int64) error {
	f, err := regular.Open(p.tree.file(x.path))
	if err != nil {
		return damagedSite(err)
	}
	defer f.Close()
	p.hash.Reset()
	both := io.MultiWriter(p.tar, p.hash)
	n, err := io.CopyBuffer(both, struct{ io.Reader }{f}, p.buffer)
	switch {
	case errors.Is(err, tar.ErrWriteTooLong), err == nil && n != size:
		return damagedSite(fmt.Errorf("%s: it should have %d bytes", x.path, size))
	case err != nil:
		return err
	}
	if got := blob.Ref(p.hash.Sum(nil)); got != x.ref {
		return damagedSite(fmt.Errorf("%s: SHA-256 is %s, should be %s", x.path, got, x.ref))
	}
	return nil
}

// ErrDamaged says that a site is not what its generation says; or that it has become
// another while it was read.
var ErrDamaged = errors.New("the site is damaged, or was changed meanwhile")

func damagedSite(err error) error { return fmt.Errorf("%w: %w", ErrDamaged, err) }

// A delta is what an archive carries.
type delta struct {
	bases   []site.Current
	whole   listing
	carried listing
}

type named struct {
	name string
	text []byte
}

// listings returns the files at the beginning of the archive.
func (d *delta) listings() []named {
	if len(d.bases) == 0 {
		return []named{{SumsName, d.carried.text()}}
	}
	base, whole := named{name: BaseName}, named{SiteName, d.whole.text()}
	for _, c := range d.bases {
		base.text = append(base.text, c.Bytes()...)
	}
	sums := append(listing{{blob.Sum(base.text), base.name}, {blob.Sum(whole.text), whole.name}}, d.carried...)
	return []named{{SumsName, sums.text()}, base, whole}
}

// seconds returns a date that a tar header can hold as it is.
func seconds(t time.Time) time.Time { return time.Unix(max(t.Unix(), 0), 0) }
