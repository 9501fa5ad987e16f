package publish

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	"galbuild/build/blob"
	"galbuild/build/site"
	"galbuild/publish/target"
	"galbuild/render"
)

// Pull updates the site in dir to the current generation of a target, in the steps that
// [render.Commit] describes: it marks the site dirty, downloads the content that is missing, writes
// paths, pages and static responses, downloads the two files of the generation, and replaces
// CURRENT last. If it is interrupted before that, the old generation is still current, and the next
// pull downloads only the rest. All downloads are checked against their hashes.
//
// With indexOnly, Pull downloads only the two files of the generation, which is enough for a
// galshim in front of the target. Pull returns the target's state, and whether the site has
// changed. It sends one request if the site has the generation already.
func Pull(ctx context.Context, from target.Target, dir *site.Dir, indexOnly bool, o Options) (State, bool, error) {
	remote, err := readCurrent(ctx, from)
	if err != nil {
		return remote, false, err
	}
	if remote.IsZero() {
		return remote, false, fmt.Errorf("%s: %w", from, ErrNothing)
	}
	local, err := site.ReadCurrent(dir.Root)
	missing := dir.Dirty || dir.IndexOnly() && !indexOnly
	if err != nil || local == remote.Current && !missing {
		return remote, false, err
	}
	if indexOnly && !local.IsZero() && !dir.IndexOnly() {
		return remote, false, fmt.Errorf("%s is a complete site: pull the index alone into a separate folder", dir.Root)
	}
	if remote, err = Read(ctx, from); err != nil {
		return remote, false, err
	}
	p := &puller{from: from, dir: dir, Options: o}
	if err := p.download(ctx, remote, indexOnly); err != nil {
		return remote, false, fmt.Errorf("%s: %w", from, err)
	}
	if err := render.Commit(ctx, dir, remote.Current, local, remote.Catalog); err != nil {
		return remote, false, err
	}
	if !indexOnly {
		err = dir.SetIndexOnly(false) // now that the generation with its content is current
	}
	return remote, err == nil, err
}

// A puller is a call of [Pull].
type puller struct {
	Options
	from target.Target
	dir  *site.Dir
}

// download marks the site dirty, and writes the generation of the target into it, with its content
// unless indexOnly is set.
func (p *puller) download(ctx context.Context, remote State, indexOnly bool) error {
	if err := p.dir.MarkDirty(); err != nil {
		return err
	}
	if indexOnly {
		if err := p.dir.SetIndexOnly(true); err != nil {
			return err
		}
	} else if err := p.content(ctx, remote); err != nil {
		return err
	}
	return p.generation(ctx, remote.Current)
}

// content downloads the blobs that the site lacks, and then writes all paths and static responses.
func (p *puller) content(ctx context.Context, remote State) error {
	var missing []Link
	seen := make(map[blob.Ref]bool)
	for f := range render.Content(remote.Catalog) {
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
	for f := range render.Content(remote.Catalog) {
		if err := p.dir.Blobs.Link(f.SHA256, f.Path); err != nil {
			return err
		}
	}
	for f := range render.Responses(remote.Catalog) {
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

// generation downloads the two files of a generation, unless the site has them.
func (p *puller) generation(ctx context.Context, c site.Current) error {
	for _, f := range []struct {
		key   string
		want  blob.Ref
		limit int64
	}{{c.CatalogPath(), c.Catalog, site.MaxCompressedCatalog}, {c.IndexPath(), c.Index, maxIndex}} {
		if p.dir.HasFile(f.key, f.want) {
			continue
		}
		err := p.fetch(ctx, f.key, f.want, f.limit, func(d *blob.Draft) error { return d.CommitAs(f.key) })
		if err != nil {
			return err
		}
	}
	return nil
}

// maxIndex limits the size of an index, in bytes. Half a million extensions need less.
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
