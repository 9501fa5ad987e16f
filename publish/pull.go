package publish

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"galbuild/build"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/history"
	"galbuild/build/regularfile"
	"galbuild/build/site"
	"galbuild/index"
	"galbuild/publish/target"
	"galbuild/render"
)

// Pulled is the result of [Pull].
type Pulled struct {
	Generation string           // current in the site
	Changed    bool             // the site was not up to date
	Excluded   []build.Excluded // versions that decisions of the site keep out
	Sender     *history.Sender  // the head of the target's history; nil unless Changed
}

// Pull updates the site in dir to the current generation of a target, in the steps that
// [render.Commit] describes: it marks the site dirty, downloads the content that is missing, writes
// paths, pages and static responses, downloads the files of the generation, and replaces CURRENT
// last. If it is interrupted before that, the old generation is still current, and the next pull
// downloads only the rest. All downloads are checked against their hashes. It sends one request if
// the site has the generation already.
//
// With indexOnly, Pull downloads only the catalogue and the index with their chunks, which is
// enough for a galshim in front of the target. Chunks that the site has are not downloaded again.
//
// Files of the current generation that the site has lost are downloaded again if the target has
// them.
//
// If more versions of the site would vanish without a decision or the policy than o.MaxRemovals
// allows, Pull changes nothing, and returns a [*build.RemovalsError].
//
// If the site has decisions that the target does not have, or keeps more for auditors, its
// generation is another one: it has what both have, and lacks what their decisions keep out.
func Pull(ctx context.Context, from target.Target, dir *site.Dir, indexOnly bool, o Options) (Pulled, error) {
	remote, err := readPublished(ctx, from)
	if err != nil {
		return Pulled{}, err
	}
	local, head, err := site.ReadCurrentHead(dir.Root)
	lost := !local.IsZero() && !dir.HasGeneration(local.Generation)
	missing := lost || dir.Dirty || indexOnly && head != remote.head || !indexOnly && (dir.IndexOnly() || dir.PublicOnly() && !isPublic(from))
	if err != nil || (local == remote.Current || wasMerged(dir.Root, remote.Current, local)) && !missing {
		return Pulled{Generation: local.Generation}, err
	}
	if indexOnly && !local.IsZero() && !dir.IndexOnly() {
		return Pulled{}, fmt.Errorf("%s is a complete site: pull the index alone into a separate folder", dir.Root)
	}
	p := &puller{from: from, lines: NewLines(from, dir.Root), dir: dir, local: local, indexOnly: indexOnly, Options: o}
	return p.pull(ctx)
}

// isPublic reports whether everyone can read a target, so that private files are not served there.
func isPublic(from target.Target) bool {
	at, ok := from.(interface{ IsPublic() bool })
	return ok && at.IsPublic()
}

// A puller is a call of [Pull].
type puller struct {
	Options
	from      target.Target
	lines     *Lines
	dir       *site.Dir
	local     site.Current
	indexOnly bool
}

func (p *puller) pull(ctx context.Context) (Pulled, error) {
	remote, err := read(ctx, p.from, p.lines)
	if err != nil {
		return Pulled{}, err
	}
	head, err := readHead(ctx, p.from, remote)
	if err != nil {
		return Pulled{}, err
	}
	sender := site.SenderOf(head)
	if p.local == remote.Current {
		if err := p.chunks(ctx, remote.shared); err != nil { // those that the site has lost
			return Pulled{}, fmt.Errorf("%s: %w", p.from, err)
		}
	}
	old, err := p.readLocal()
	if err != nil {
		return Pulled{}, err
	}
	if err := checkKinds(p.dir.Root, old, remote.Catalog, p.local.IsZero() || p.indexOnly || p.dir.IndexOnly()); err != nil {
		return Pulled{}, err
	}
	c, excluded, err := p.merge(ctx, remote, old)
	if err == nil && !p.AllowOlder {
		err = p.checkNewer(head, c)
	}
	if err == nil {
		if err = p.MaxRemovals.CheckReceived(old, c, excluded, p.Commit.When); err != nil {
			err = fmt.Errorf("%s: %w", p.from, err)
		}
	}
	if err == nil {
		err = p.dir.MarkDirty()
	}
	if err != nil {
		return Pulled{}, err
	}
	next := remote.Current
	if c == remote.Catalog {
		err = p.download(ctx, remote)
	} else if err = p.content(ctx, c); err == nil {
		next, err = render.Site(ctx, p.dir, c, site.Generation{Current: p.local}, nil)
	}
	if err != nil {
		return Pulled{}, fmt.Errorf("%s: %w", p.from, err)
	}
	by := p.Commit
	by.Sender = sender
	if p.indexOnly {
		by.Copy = &head
	}
	if err := render.Commit(ctx, p.dir, site.Generation{Current: next, Catalog: c}, site.Previous{Current: p.local}, by); err != nil {
		return Pulled{}, err
	}
	if !p.indexOnly {
		err = p.dir.SetIndexOnly(false) // now that the generation with its content is current
	}
	if c != remote.Catalog {
		noteMerged(p.dir.Root, remote.Current, next)
	}
	return Pulled{Generation: next.Generation, Changed: true, Excluded: excluded, Sender: sender}, err
}

// checkNewer returns an error, which may be a [*history.OlderError], if the target has nothing
// newer than what was pulled from it before. The catalogue c is to become current.
func (p *puller) checkNewer(head history.Head, c *catalog.Catalog) error {
	if !p.dir.IndexOnly() {
		err := site.CheckNewer(p.dir.Root, site.SenderOf(head), c)
		if _, ok := errors.AsType[*history.OlderError](err); ok {
			err = fmt.Errorf("%s: %w", p.from, err)
		}
		return err
	}
	current, named, err := site.ReadCurrentHead(p.dir.Root)
	if err != nil || named.IsZero() { // the first pull was interrupted
		return err
	}
	copied, err := site.ReadHead(site.FilesIn(p.dir.Root), current, named)
	if err == nil && copied.History == head.History && copied.Number >= head.Number && !copied.Same(head) {
		err = fmt.Errorf("%s: %w", p.from, &history.OlderError{Offered: *site.SenderOf(head), Copied: *site.SenderOf(copied)})
	}
	return err
}

// readLocal returns the catalogue of the site. For a copy of the index that is damaged, which pull
// replaces, it returns an empty one.
func (p *puller) readLocal() (*catalog.Catalog, error) {
	c, err := site.ReadCatalog(p.dir.Root, p.local)
	switch {
	case err == nil:
		return c, nil
	case p.indexOnly || p.dir.IndexOnly():
		return new(catalog.Catalog), nil
	}
	return nil, site.Damaged(err)
}

// merge returns the catalogue of the target, or one that also has the decisions of local, which is
// the catalogue of the site, without what they keep out, and what the site keeps for auditors.
func (p *puller) merge(ctx context.Context, remote State, local *catalog.Catalog) (*catalog.Catalog, []build.Excluded, error) {
	if p.indexOnly || p.dir.IndexOnly() {
		return remote.Catalog, nil, nil
	}
	if len(local.Records)+len(local.Packages)+len(local.Counted) == 0 {
		return remote.Catalog, nil, nil
	}
	if err := readPrivate(ctx, p.from, &remote, p.lines); err != nil && !errors.Is(err, target.ErrNotExist) {
		return nil, nil, fmt.Errorf("%s: %w", p.from, err)
	}
	if build.Carries(remote.Catalog, local) {
		return remote.Catalog, nil, nil
	}
	receiver := build.Receiver{Old: local, Policy: build.PolicyChange{Accept: true}, Follow: true, Now: p.Commit.When}
	c, excluded, err := receiver.Decide(remote.Catalog, local.Records)
	if err == nil {
		c.Render, c.Derived = render.Version, remote.Catalog.Derived // of which most will be the same
	}
	return c, excluded, err
}

// download writes the generation of the target into the site, with its content unless indexOnly is
// set.
func (p *puller) download(ctx context.Context, remote State) error {
	if p.indexOnly {
		if err := p.dir.SetIndexOnly(true); err != nil {
			return err
		}
	} else if err := p.content(ctx, remote.Catalog); err != nil {
		return err
	}
	return p.generation(ctx, remote)
}

// merged is a file in the work directory of a site: the text of CURRENT of the target that was
// pulled last and merged with the decisions of the site, followed by that of the site.
const merged = "merged"

// wasMerged reports whether a site has the generation local since remote was pulled.
func wasMerged(root string, remote, local site.Current) bool {
	text, err := regularfile.ReadFile(filepath.Join(root, site.WorkDir, merged), 2*maxCurrent)
	return err == nil && string(text) == string(remote.Bytes())+string(local.Bytes())
}

// noteMerged makes wasMerged return true. Errors are ignored: the next pull merges again, and the
// generation is the same.
func noteMerged(root string, remote, local site.Current) {
	_ = site.WriteWorkFile(root, merged, append(remote.Bytes(), local.Bytes()...))
}

// content downloads the blobs of a catalogue that the site lacks, and then writes all paths and
// static responses.
func (p *puller) content(ctx context.Context, c *catalog.Catalog) error {
	var missing []Link
	seen := make(map[blob.Ref]bool)
	for f := range render.Content(c) {
		ref := blob.Ref(f.SHA256)
		if !seen[ref] && !p.dir.Blobs.Has(ref, f.Size) {
			missing = append(missing, Link{From: f.Path, Object: target.Object{Key: ref.Path(), SHA256: ref, Size: f.Size}})
		}
		seen[ref] = true
	}
	r := &runner{at: p.from, Options: p.Options} // for the progress of downloads
	for _, l := range missing {
		r.sentOf += l.Size
	}
	err := each(ctx, r, "content", missing, func(ctx context.Context, l Link) (string, error) {
		r.sent.Add(l.Size)
		return l.Key, p.blob(ctx, l)
	})
	if err != nil {
		return err
	}
	for f := range render.Content(c) {
		if err := p.dir.Blobs.Link(f.SHA256, f.Path); err != nil {
			return err
		}
	}
	for f := range render.Responses(c) {
		if err := p.dir.WriteFile(f.Path, f.Text); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// blob downloads a blob.
func (p *puller) blob(ctx context.Context, l Link) error {
	return p.fetch(ctx, l.Key, l.SHA256, l.Size, func(d *blob.Draft) error {
		_, _, err := d.Commit()
		return err
	})
}

// generation downloads the files of a generation, unless the site has them. The private parts of
// records are left out if indexOnly is set. If they are not served, the site is marked.
func (p *puller) generation(ctx context.Context, remote State) error {
	c, files := remote.Current, catalog.Files{Chunks: remote.shared.Chunks}
	var private []byte
	var err error
	if !c.Private.IsZero() && !p.indexOnly {
		private, err = readPrivateMain(ctx, p.from, c)
		if err == nil {
			files.Packages, err = site.DecompressPackageFiles(private)
		}
	}
	publicOnly := errors.Is(err, target.ErrNotExist)
	if err != nil && !publicOnly {
		return err
	}
	if err := p.chunks(ctx, files); err != nil {
		return err
	}
	if private != nil {
		if err := p.dir.WriteFile(c.PrivatePath(), private); err != nil {
			return err
		}
	}
	limits := map[string]int64{c.CatalogPath(): site.MaxCompressedCatalog, c.IndexPath(): maxIndex}
	for _, f := range c.Files() {
		if f.Path == c.PrivatePath() || p.dir.HasFile(f.Path, f.SHA256) {
			continue
		}
		if err := p.fetch(ctx, f.Path, f.SHA256, limits[f.Path], func(d *blob.Draft) error { return d.CommitAs(f.Path) }); err != nil {
			return err
		}
	}
	if err := p.checkIndex(remote); err != nil {
		return err
	}
	return p.dir.SetPublicOnly(publicOnly)
}

// checkIndex checks that the index that was downloaded has the chunks that were.
func (p *puller) checkIndex(remote State) error {
	ix, err := index.Open(p.dir.Path(remote.IndexPath()), index.ChunksIn(p.dir.Path(catalog.ChunkDir)))
	if err != nil {
		return err
	}
	defer ix.Close()
	if err := render.CheckChunks(ix, remote.shared.Chunks); err != nil {
		return fmt.Errorf("%s: %w", remote.IndexPath(), err)
	}
	return nil
}

// chunks writes the files of chunks that the site lacks. It downloads those that were not read with
// the catalogue.
func (p *puller) chunks(ctx context.Context, all catalog.Files) error {
	var missing []Link
	for path, f := range all.All() {
		if text, ok := p.lines.downloaded(path); ok {
			if err := p.dir.WriteFile(path, text); err != nil {
				return err
			}
		} else if !p.dir.HasChunk(path, f.Size) {
			missing = append(missing, Link{Object: target.Object{Key: path, SHA256: f.SHA256, Size: f.Size}})
		}
	}
	r := &runner{at: p.from, Options: p.Options}
	for _, l := range missing {
		r.sentOf += l.Size
	}
	return each(ctx, r, "generation", missing, func(ctx context.Context, l Link) (string, error) {
		r.sent.Add(l.Size)
		return l.Key, p.fetch(ctx, l.Key, l.SHA256, l.Size, func(d *blob.Draft) error { return d.CommitAs(l.Key) })
	})
}

// maxIndex limits the size of the file of an index, in bytes. Half a million extensions need less.
const maxIndex = 4 << 30

// fetch downloads an object that must have the hash want. It fails after limit bytes, so that a
// target cannot fill the disk before the hash is compared.
func (p *puller) fetch(ctx context.Context, key string, want blob.Ref, limit int64, commit func(*blob.Draft) error) error {
	r, err := p.from.Get(ctx, key, 0, -1)
	if err != nil {
		return err
	}
	defer r.Close()
	draft := p.dir.Blobs.Draft()
	defer draft.Discard()
	n, err := io.Copy(draft, io.LimitReader(r, limit+1))
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	if n > limit {
		return fmt.Errorf("%s: it has more than %d bytes", key, limit)
	}
	if got := draft.Ref(); got != want {
		return fmt.Errorf("%s: its SHA-256 is %s, want %s", key, got, want)
	}
	return commit(draft)
}

// sumOf returns the SHA-256 of an object.
func sumOf(ctx context.Context, at target.Target, key string) (blob.Ref, error) {
	r, err := at.Get(ctx, key, 0, -1)
	if err != nil {
		return blob.Ref{}, err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return blob.Ref{}, fmt.Errorf("%s: %w", key, err)
	}
	return blob.Ref(h.Sum(nil)), nil
}
