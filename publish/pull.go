package publish

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"galbuild/build/blob"
	"galbuild/build/site"
	"galbuild/publish/target"
	"galbuild/render"
)

// Pull updates the site in dir to the current generation of a target. It downloads missing content,
// writes paths, pages and static responses, downloads the files of the generation, and replaces
// CURRENT last. With indexOnly it does only the last two steps, without the private parts of
// records, which is enough for a galshim in front of the target. All downloads are checked against
// their hashes. Pull returns the target's state, and false if the site had that generation already.
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
	return p.generation(ctx, remote.Current, indexOnly)
}

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
	r := &runner{at: p.from, Options: p.Options}
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

// generation downloads the files of a generation, unless the site has them. The private parts of
// records are left out if indexOnly is set. If they are not served, the site is marked.
func (p *puller) generation(ctx context.Context, c site.Current, indexOnly bool) error {
	limits := map[string]int64{c.CatalogPath(): site.MaxCompressedCatalog, c.IndexPath(): maxIndex, c.PrivatePath(): site.MaxCompressedCatalog}
	publicOnly := false
	for _, f := range c.Files() {
		if p.dir.HasFile(f.Path, f.SHA256) {
			continue
		}
		private := f.Path == c.PrivatePath()
		if private && indexOnly {
			continue
		}
		err := p.fetch(ctx, f.Path, f.SHA256, limits[f.Path], func(d *blob.Draft) error { return d.CommitAs(f.Path) })
		if publicOnly = private && errors.Is(err, target.ErrNotExist); err != nil && !publicOnly {
			return err
		}
	}
	return p.dir.SetPublicOnly(publicOnly)
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
